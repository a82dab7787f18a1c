import { describe, expect, it } from '@jest/globals';
import type { NotificationKind } from '../../../src/domain/notification.ts';
import { renderEmail, renderSms, type MessageFacts } from '../../../src/notifications/render.ts';
import { countSmsSegments } from '../../../src/notifications/sms-segments.ts';
import { LANGUAGES, TEMPLATE_KEYS, TEXTS } from '../../../src/notifications/templates/templates.ts';

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
  durationMinutes: 30,
  timeZone: 'America/New_York',
  locale: 'en-US',
  offer: {
    providerName: 'Dr. Kofi Mensah',
    start: new Date('2027-03-13T16:30:00Z'),
    until: new Date('2027-03-13T13:00:00Z'),
  },
  ...given,
});

/** What makes each template the one that is used. */
const BEFORE = { start: new Date('2027-03-12T14:30:00Z'), durationMinutes: 30, providerName: 'Dr. Amelia Hart' };
const EVERY_TEXT: readonly Partial<MessageFacts>[] = [
  ...KINDS.map((kind) => ({ kind })),
  { kind: 'rescheduled', before: BEFORE },
  {
    kind: 'rescheduled',
    before: { ...BEFORE, start: new Date('2027-03-13T15:00:00Z'), providerName: 'Dr. Kofi Mensah' },
  },
  { kind: 'rescheduled', before: { ...BEFORE, start: new Date('2027-03-13T15:00:00Z'), durationMinutes: 45 } },
  ...(['cancelled', 'series_cancelled'] as const).flatMap((kind) =>
    [true, false].map((isWaiting) => ({
      kind,
      cancelled: { by: isWaiting ? ('system' as const) : ('patient' as const), reason: 'other' as const, isWaiting },
    })),
  ),
];

describe('the SMS', () => {
  it('reads as a patient expects it', () => {
    expect(renderSms(facts())).toBe(
      'Harbor Clinic: Ana, reminder of your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM (code ABC234)',
    );
  });

  it.each([
    ['es-MX', 'Harbor Clinic: Ana, le recordamos su cita con Dr. Amelia Hart: sab 13 de mar, 10:00 a.m. (Ref. ABC234)'],
    ['de-DE', 'Harbor Clinic: Ana, Erinnerung an Ihren Termin bei Dr. Amelia Hart: Sa., 13. März, 10:00 (Code ABC234)'],
    ['fr-FR', 'Harbor Clinic: Ana, reminder of your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM (code ABC234)'],
  ])('is in the patient’s language, and in English where there is no template: %s', (locale, text) => {
    expect(renderSms(facts({ locale }))).toBe(text);
  });

  it.each([
    [
      'en-US',
      'Harbor Clinic: Ana, 10 visits with Dr. Amelia Hart are booked, the first on Sat, Mar 13, 10:00 AM (code ABC234)',
    ],
    [
      'es-ES',
      'Harbor Clinic: Ana, 10 citas con Dr. Amelia Hart reservadas, la primera: sab, 13 mar, 10:00 (Ref. ABC234)',
    ],
    [
      'de-DE',
      'Harbor Clinic: Ana, 10 Termine bei Dr. Amelia Hart sind gebucht, der erste am Sa., 13. März, 10:00 (Code ABC234)',
    ],
  ])('says of a series how many visits there are and which is the first: %s', (locale, text) => {
    expect(renderSms(facts({ kind: 'series_confirmation', visits: 10, locale }))).toBe(text);
  });

  it('tells the time of the clinic, whatever the machine’s zone', () => {
    expect(renderSms(facts({ timeZone: 'Asia/Kolkata' }))).toContain('8:30 PM');
    expect(renderSms(facts({ timeZone: 'America/Phoenix' }))).toContain('8:00 AM');
  });

  it('says who it is for, so that two children on one phone are told apart', () => {
    for (const each of EVERY_TEXT) {
      const text = renderSms(facts({ ...each, givenName: 'Wilhelmina' }));
      expect(text).toContain('Wilhelmina');
    }
  });

  it.each([
    [
      'the time',
      { start: new Date('2027-03-12T14:30:00Z') },
      'your visit on Fri, Mar 12, 9:30 AM, was moved to Sat, Mar 13, 10:00 AM, with Dr. Amelia Hart',
    ],
    [
      'the provider',
      { providerName: 'Dr. Kofi Mensah' },
      'your visit on Sat, Mar 13, 10:00 AM, is now with Dr. Amelia Hart, not with Dr. Kofi Mensah',
    ],
    [
      'the length',
      { durationMinutes: 45 },
      'your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM, now takes 30 minutes',
    ],
  ])('says what has changed, and never "moved to" the time that it had: %s', (_, old, said) => {
    const before = {
      start: new Date('2027-03-13T15:00:00Z'),
      durationMinutes: 30,
      providerName: 'Dr. Amelia Hart',
      ...old,
    };
    expect(renderSms(facts({ kind: 'rescheduled', before }))).toBe(`Harbor Clinic: Ana, ${said} (code ABC234)`);
  });

  it('claims no change that it does not know of', () => {
    expect(renderSms(facts({ kind: 'rescheduled' }))).toBe(
      'Harbor Clinic: Ana, your visit has changed: it is on Sat, Mar 13, 10:00 AM, with Dr. Amelia Hart (code ABC234)',
    );
  });

  it.each([
    ['patient', 'patient_request', false, 'is cancelled, as you asked. To book another, call +1 212 555 0100.'],
    ['staff', 'patient_request', false, 'is cancelled, as you asked. To book another, call +1 212 555 0100.'],
    [
      'staff',
      'clinic_closed',
      false,
      'we had to cancel your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM. To book another, call +1 212 555 0100.',
    ],
    [
      'system',
      'provider_unavailable',
      true,
      'we had to cancel your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM. You are on the waitlist and will hear from us.',
    ],
  ] as const)('says who cancelled and what is next: %s, %s, waiting %p', (by, reason, isWaiting, said) => {
    const cancelled = { by, reason, isWaiting };
    expect(renderSms(facts({ kind: 'cancelled', cancelled, clinicPhone: '+1 212 555 0100' }))).toContain(said);
    expect(renderSms(facts({ kind: 'cancelled', cancelled: { ...cancelled, isWaiting: false } }))).toContain(
      'call us.',
    );
  });

  it('has at most two segments for every text and locale, however long the names are', () => {
    const names = ['N'.repeat(100), 'Ñandú Ó’Ríordáin '.repeat(6).slice(0, 100), '医院'.repeat(50), '😀'.repeat(50)];
    const tooLong: string[] = [];
    for (const each of EVERY_TEXT) {
      for (const locale of LOCALES) {
        for (const name of names) {
          // Wednesdays and Saturdays in long months, late in the day: the longest there are.
          for (const day of ['2027-09-22', '2027-12-25', '2027-01-23', '2027-11-24']) {
            const plannedFor = new Date(`${day}T17:45:00Z`);
            const offer = { providerName: name, start: plannedFor, until: plannedFor };
            const named = { clinicName: name, providerName: name, givenName: name, clinicPhone: '+49 30 901820 4711' };
            const before = each.before && { ...each.before, providerName: `${name}x` };
            const text = renderSms(facts({ ...each, ...named, before, locale, plannedFor, offer, visits: 26 }));
            if (countSmsSegments(text) > 2) tooLong.push(`${each.kind} ${locale}: ${text}`);
          }
        }
      }
    }
    expect(tooLong).toEqual([]);
  });

  it('tells until when an offer can be answered, however long the names are', () => {
    for (const locale of LOCALES) {
      const name = '医院'.repeat(50);
      const until = new Date('2027-03-12T14:45:00Z');
      const offer = { providerName: name, start: new Date('2027-03-13T16:30:00Z'), until };
      const text = renderSms(
        facts({ kind: 'move_offer', locale, clinicName: name, providerName: name, givenName: name, offer }),
      );
      expect(text).toMatch(/\b0?9:45/);
    }
  });

  it('stays in the GSM alphabet for every language, day, month and hour, and with typographic marks in names', () => {
    const others: string[] = [];
    for (const locale of LOCALES) {
      for (let day = 0; day < 366; day += 1) {
        const plannedFor = new Date(Date.UTC(2028, 0, 1 + day, day % 24, 5));
        const offer = { providerName: 'Dr. “Kofi” Mensah', start: plannedFor, until: plannedFor };
        const named = {
          clinicName: 'St. Mary’s – North…',
          providerName: 'Dr. O’Brien',
          givenName: 'D\u2019Arcy',
          offer,
        };
        for (const kind of ['confirmation', 'move_offer'] as const) {
          const text = renderSms(facts({ kind, locale, plannedFor, ...named, timeZone: 'UTC' }));
          if (
            /[^\n\r -_a-z{|}~\xa1\xa3-\xa5\xa7\xbf\xc4-\xc7\xc9\xd1\xd6\xd8\xdc\xdf\xe0\xe4-\xe6\xe8\xe9\xec\xf1\xf2\xf6\xf8\xf9\xfc]/u.test(
              text,
            )
          )
            others.push(text);
        }
      }
    }
    expect(others).toEqual([]);
  });

  it('takes a decomposed name for the composed one', () => {
    const text = renderSms(facts({ providerName: 'Dr. Mun\u0303oz' }));
    expect(text).toContain('Dr. Mu\u00f1oz');
    expect(countSmsSegments(text)).toBe(1);
  });

  it('ends no sentence with two full stops', () => {
    for (const each of EVERY_TEXT) {
      const given = facts({ ...each, locale: 'es-MX', clinicName: 'Centro S.A.', providerName: 'Dr. Luis Paz Jr.' });
      const { subject, text } = renderEmail(given);
      for (const said of [renderSms(given), subject, text]) expect(said).not.toMatch(/[^.]\.\.(?!\.)/);
    }
  });

  it('keeps names whole where they fit, and both recognisable where they do not', () => {
    expect(renderSms(facts({ clinicName: 'A'.repeat(100) }))).toContain('A'.repeat(100));
    const cut = renderSms(facts({ clinicName: '医院'.repeat(50), providerName: 'Dr. 山田太郎'.repeat(10) }));
    expect(cut).toContain('医院医院');
    expect(cut).toContain('Dr. 山田');
  });

  it('takes a name that looks like a placeholder for a name, and line breaks for spaces', () => {
    const text = renderSms(facts({ clinicName: '{code} Clinic', providerName: 'Dr.\n Who' }));
    expect(text).toContain('{code} Clinic: Ana, reminder of your visit with Dr. Who on');
  });

  it('of an offer says what cannot take place, what is held instead and until when, and no word of why', () => {
    expect(renderSms(facts({ kind: 'move_offer' }))).toBe(
      'Harbor Clinic: Ana, your visit with Dr. Amelia Hart on Sat, Mar 13, 10:00 AM, cannot take place. We hold Sat, Mar 13, 11:30 AM, with Dr. Kofi Mensah for you until Sat, Mar 13, 8:00 AM. To accept or decline, call us.',
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
    const email = renderEmail(facts({ kind: 'rescheduled', before: BEFORE }));
    expect(email.subject).toBe('Your visit was moved to Sat, Mar 13');
    expect(email.text).toContain('your visit on Friday, March 12, 2027, 9:30 AM, was moved.');
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
      for (const key of TEMPLATE_KEYS) {
        const { sms, shortSms = '', subject, email } = TEXTS[language][key];
        const changed = ['oldDate', 'oldTime', 'oldProvider', 'minutes', 'oldMinutes'];
        const offered = ['newProvider', 'newDate', 'newTime', 'untilDate', 'untilTime'];
        const known = [
          'clinic',
          'contact',
          'call',
          'next',
          'provider',
          'name',
          'date',
          'time',
          'code',
          'count',
          'dates',
        ];
        expect([...known, ...changed, ...offered]).toEqual(
          expect.arrayContaining(placeholders([sms, shortSms, subject, ...email].join(' '))),
        );
      }
      for (const each of EVERY_TEXT) {
        const given = facts({ ...each, locale: language });
        const { subject, text, html } = renderEmail(given);
        expect(`${renderSms(given)} ${subject} ${text} ${html}`).not.toMatch(/[{}]/);
      }
    }
  });

  it('say for whom, with whom, where and when in every SMS, and give the code of every visit that stands', () => {
    for (const language of LANGUAGES) {
      for (const key of TEMPLATE_KEYS) {
        const ends = key === 'moveOffer' || /cancelled/i.test(key);
        expect(placeholders(TEXTS[language][key].sms)).toEqual(
          expect.arrayContaining([
            ...['clinic', 'name', 'provider', 'date', 'time', ends ? (key === 'moveOffer' ? 'call' : 'next') : 'code'],
            ...(key.startsWith('series') ? ['count'] : []),
            ...(key === 'moveOffer' ? ['newProvider', 'newDate', 'newTime', 'untilDate', 'untilTime'] : []),
          ]),
        );
      }
    }
  });

  it('never use the words that opt a patient out at the carrier as an instruction', () => {
    for (const language of LANGUAGES) {
      for (const key of TEMPLATE_KEYS) expect(TEXTS[language][key].sms).not.toMatch(/\b(STOP|CANCEL|END|QUIT)\b/);
    }
  });

  it('make the same text of the same facts', () => {
    expect(renderSms(facts())).toBe(renderSms(facts()));
    expect(renderEmail(facts())).toEqual(renderEmail(facts()));
  });
});
