import { describe, expect, it } from '@jest/globals';
import type { NotificationKind } from '../../../src/domain/notification.ts';
import { renderEmail, renderSms, type MessageFacts } from '../../../src/notifications/render.ts';
import { countSmsSegments } from '../../../src/notifications/sms-segments.ts';
import { LANGUAGES, TEMPLATES } from '../../../src/notifications/templates/templates.ts';

const KINDS: readonly NotificationKind[] = [
  'confirmation',
  'reminder:P3D',
  'rescheduled',
  'cancelled',
  'waitlist_booked',
  'series_confirmation',
  'series_rescheduled',
  'series_cancelled',
  'move_offer',
];
const LOCALES = ['en-US', 'en-GB', 'en-IN', 'es-ES', 'es-MX', 'es-US', 'de-DE', 'de-AT', 'fr-FR'];

const facts = (given: Partial<MessageFacts> = {}): MessageFacts => ({
  kind: 'reminder:P1D',
  clinicName: 'Harbor Clinic',
  providerName: 'Dr. Amelia Hart',
  givenName: 'Ana',
  confirmationCode: 'ABC234',
  visits: 1,
  furtherVisits: [],
  plannedFor: new Date('2027-03-13T15:00:00Z'),
  timeZone: 'America/New_York',
  locale: 'en-US',
  offer: {
    providerName: 'Dr. Kofi Mensah',
    start: new Date('2027-03-13T16:30:00Z'),
    until: new Date('2027-03-13T13:00:00Z'),
  },
  ...given,
});

describe('the SMS', () => {
  it('reads as a patient expects it', () => {
    expect(renderSms(facts())).toBe(
      'Harbor Clinic: reminder of your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM (code ABC234)',
    );
  });

  it.each([
    ['es-MX', 'Harbor Clinic: le recordamos su cita con Dr. Amelia Hart: sáb 13 de mar, 10:00 a.m. (Ref. ABC234)'],
    ['de-DE', 'Harbor Clinic: Erinnerung an Ihren Termin bei Dr. Amelia Hart: Sa., 13. März, 10:00 (Code ABC234)'],
    ['fr-FR', 'Harbor Clinic: reminder of your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM (code ABC234)'],
  ])('is in the patient’s language, and in English where there is no template: %s', (locale, text) => {
    expect(renderSms(facts({ locale }))).toBe(text);
  });

  it.each([
    [
      'en-US',
      'Harbor Clinic: 10 visits with Dr. Amelia Hart are booked, the first on Sat, Mar 13, 10:00 AM (code ABC234)',
    ],
    ['es-ES', 'Harbor Clinic: 10 citas con Dr. Amelia Hart reservadas, la primera: sáb, 13 mar, 10:00 (Ref. ABC234)'],
    [
      'de-DE',
      'Harbor Clinic: 10 Termine bei Dr. Amelia Hart sind gebucht, der erste am Sa., 13. März, 10:00 (Code ABC234)',
    ],
  ])('says of a series how many visits there are and which is the first: %s', (locale, text) => {
    expect(renderSms(facts({ kind: 'series_confirmation', visits: 10, locale }))).toBe(text);
  });

  it('tells the time of the clinic, whatever the machine’s zone', () => {
    expect(renderSms(facts({ timeZone: 'Asia/Kolkata' }))).toContain('8:30 PM');
    expect(renderSms(facts({ timeZone: 'America/Phoenix' }))).toContain('8:00 AM');
  });

  it('has at most two segments for every kind and locale, however long the names are', () => {
    const names = ['N'.repeat(100), 'Ñandú Ó’Ríordáin '.repeat(6).slice(0, 100), '医院'.repeat(50), '😀'.repeat(50)];
    const tooLong: string[] = [];
    for (const kind of KINDS) {
      for (const locale of LOCALES) {
        for (const name of names) {
          // Wednesdays and Saturdays in long months, late in the day: the longest there are.
          for (const day of ['2027-09-22', '2027-12-25', '2027-01-23', '2027-11-24']) {
            const plannedFor = new Date(`${day}T17:45:00Z`);
            const offer = { providerName: name, start: plannedFor, until: plannedFor };
            const given = { kind, locale, plannedFor, offer, visits: 26, clinicName: name, providerName: name };
            const text = renderSms(facts(given));
            if (countSmsSegments(text) > 2) tooLong.push(`${kind} ${locale}: ${text}`);
          }
        }
      }
    }
    expect(tooLong).toEqual([]);
  });

  it('keeps names whole where they fit, and both recognisable where they do not', () => {
    expect(renderSms(facts({ clinicName: 'A'.repeat(100) }))).toContain('A'.repeat(100));
    const cut = renderSms(facts({ clinicName: '医院'.repeat(50), providerName: 'Dr. 山田太郎'.repeat(10) }));
    expect(cut).toContain('医院医院');
    expect(cut).toContain('Dr. 山田');
  });

  it('takes a name that looks like a placeholder for a name, and line breaks for spaces', () => {
    const text = renderSms(facts({ clinicName: '{code} Clinic', providerName: 'Dr.\n Who' }));
    expect(text).toContain('{code} Clinic: reminder of your visit with Dr. Who on');
  });

  it('of an offer says what cannot take place, what is held instead and until when, and no word of why', () => {
    expect(renderSms(facts({ kind: 'move_offer' }))).toBe(
      'Harbor Clinic: your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM, cannot take place. We hold Sat, Mar 13, 11:30 AM, with Dr. Kofi Mensah for you until Sat, Mar 13, 8:00 AM. Please accept or decline it online, or call us.',
    );
    const cramped = renderSms(facts({ kind: 'move_offer', clinicName: '医院'.repeat(50), locale: 'es-MX' }));
    expect(cramped).toContain('11:30');
    for (const locale of LOCALES) {
      const { subject, text } = renderEmail(facts({ kind: 'move_offer', locale }));
      expect(`${subject} ${text}`).not.toMatch(/\b(sick|ill|krank|enferm)/i);
    }
  });

  it.each(['en-$$', 'EN_us', '', 'de-1'])('is readable with the locale %p', (locale) => {
    expect(renderSms(facts({ locale }))).toContain('Dr. Amelia Hart');
  });
});

describe('the email', () => {
  it('has a subject, a text and the same as HTML', () => {
    const email = renderEmail(facts({ kind: 'rescheduled' }));
    expect(email.subject).toBe('Your visit was moved to Sat, Mar 13');
    expect(email.text).toContain(
      'When: Saturday, March 13, 2027, 10:00 AM\nWith: Dr. Amelia Hart\nWhere: Harbor Clinic',
    );
    expect(email.text).toContain('ABC234');
    expect(email.html).toContain('<p>When: Saturday, March 13, 2027, 10:00 AM<br>With: Dr. Amelia Hart');
    expect(email.html).toContain('<html lang="en">');
  });

  it('lists the dates of a series', () => {
    const furtherVisits = [new Date('2027-03-20T14:00:00Z'), new Date('2027-03-27T14:00:00Z')];
    const email = renderEmail(facts({ kind: 'series_confirmation', visits: 3, furtherVisits }));
    expect(email.subject).toBe('3 visits are booked, the first on Sat, Mar 13');
    expect(email.text).toContain(
      [
        '3 visits are booked:\n',
        'Saturday, March 13, 2027, 10:00 AM',
        'Saturday, March 20, 2027, 10:00 AM',
        'Saturday, March 27, 2027, 10:00 AM\n',
        'With: Dr. Amelia Hart\nWhere: Harbor Clinic\n',
      ].join('\n'),
    );
    expect(email.html).toContain('<p>Saturday, March 13, 2027, 10:00 AM<br>Saturday, March 20, 2027, 10:00 AM<br>');
  });

  it('escapes what stands in names', () => {
    const { html, text } = renderEmail(facts({ clinicName: `<b onclick="x('y')">A & B</b>` }));
    expect(html).toContain('&lt;b onclick=&quot;x(&#39;y&#39;)&quot;&gt;A &amp; B&lt;/b&gt;');
    expect(html).not.toMatch(/<b[ >]/);
    expect(text).toContain(`<b onclick="x('y')">A & B</b>`);
  });

  it('keeps line breaks out of the subject', () => {
    for (const kind of KINDS)
      expect(renderEmail(facts({ kind, clinicName: 'A\r\nBcc: x' })).subject).not.toMatch(/[\r\n]/);
  });
});

describe('the templates', () => {
  const placeholders = (text: string) => [...text.matchAll(/\{(\w+)\}/g)].map(([, key]) => key);

  it('use known placeholders only, and leave none unfilled', () => {
    for (const language of LANGUAGES) {
      for (const template of Object.values(TEMPLATES[language])) {
        const used = placeholders([template.sms, template.subject, ...template.email].join(' '));
        const offered = ['newProvider', 'newDate', 'newTime', 'untilDate', 'untilTime'];
        const known = ['clinic', 'provider', 'name', 'date', 'time', 'code', 'count', 'dates', ...offered];
        expect(new Set([...known, ...used]).size).toBe(known.length);
      }
      for (const kind of KINDS) {
        const { subject, text, html } = renderEmail(facts({ kind, locale: language }));
        expect(`${renderSms(facts({ kind, locale: language }))} ${subject} ${text} ${html}`).not.toMatch(/[{}]/);
      }
    }
  });

  it('say with whom, where and when in every SMS, and give the code of every visit that stands', () => {
    for (const language of LANGUAGES) {
      for (const [key, { sms }] of Object.entries(TEMPLATES[language])) {
        const isOffer = key === 'moveOffer';
        const needed = [
          ...['clinic', 'provider', 'date', 'time'],
          ...(key === 'cancelled' || key === 'seriesCancelled' || isOffer ? [] : ['code']),
          ...(key.startsWith('series') ? ['count'] : []),
          ...(isOffer ? ['newProvider', 'newDate', 'newTime', 'untilDate', 'untilTime'] : []),
        ];
        expect(placeholders(sms).sort()).toEqual(needed.sort());
      }
    }
  });

  it('never use the words that opt a patient out at the carrier as an instruction', () => {
    for (const language of LANGUAGES) {
      for (const { sms } of Object.values(TEMPLATES[language])) expect(sms).not.toMatch(/\b(STOP|CANCEL|END|QUIT)\b/);
    }
  });

  it('make the same text of the same facts', () => {
    expect(renderSms(facts())).toBe(renderSms(facts()));
    expect(renderEmail(facts())).toEqual(renderEmail(facts()));
  });
});
