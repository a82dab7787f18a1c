import type { Templates } from './templates.ts';

const WHEN = 'Wann: {date}, {time}\nBei: {provider}\nWo: {clinic}';
const CODE = 'Ihr Bestätigungscode: {code}';
const CANNOT_COME =
  'Wenn Sie nicht kommen können, sagen Sie der Praxis bitte früh Bescheid, damit jemand anderes den Termin bekommt.';

export const de: Templates = {
  confirmation: {
    sms: '{clinic}: Ihr Termin bei {provider} ist gebucht: {date}, {time} (Code {code})',
    subject: 'Ihr Termin am {date} ist gebucht',
    email: ['Guten Tag {name},', 'Ihr Termin ist gebucht.', WHEN, CODE, CANNOT_COME],
  },
  reminder: {
    sms: '{clinic}: Erinnerung an Ihren Termin bei {provider}: {date}, {time} (Code {code})',
    subject: 'Erinnerung: Ihr Termin am {date}',
    email: ['Guten Tag {name},', 'wir erinnern Sie an Ihren Termin.', WHEN, CODE, CANNOT_COME],
  },
  rescheduled: {
    sms: '{clinic}: Ihr Termin bei {provider} wurde verlegt auf {date}, {time} (Code {code})',
    subject: 'Ihr Termin wurde verlegt auf {date}',
    email: ['Guten Tag {name},', 'Ihr Termin wurde verlegt. Das ist die neue Zeit:', WHEN, CODE, CANNOT_COME],
  },
  cancelled: {
    sms: '{clinic}: Ihr Termin bei {provider} am {date}, {time}, wurde abgesagt.',
    subject: 'Ihr Termin am {date} wurde abgesagt',
    email: ['Guten Tag {name},', 'dieser Termin wurde abgesagt:', WHEN],
  },
  waitlistBooked: {
    sms: '{clinic}: von Ihrer Warteliste ist ein Termin bei {provider} gebucht: {date}, {time} (Code {code})',
    subject: 'Warteliste: Ihr Termin am {date} ist gebucht',
    email: [
      'Guten Tag {name},',
      'ein Termin, auf den Sie gewartet haben, wurde frei. Wir haben ihn für Sie gebucht.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
};
