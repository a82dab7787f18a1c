import type { Texts } from './templates.ts';

const WHERE = 'With: {provider}\nWhere: {clinic}{contact}';
const WHEN = `When: {date}, {time}\n${WHERE}`;
const CODE = 'Your confirmation code: {code}';
const CANNOT_COME = 'If you cannot come, please {call} as early as you can, so that somebody else can have the time.';

export const en: Texts = {
  phrases: {
    callUs: 'call us',
    callUsAt: 'call {phone}',
    contact: '\nPhone: {phone}',
    bookAgain: 'To book another, {call}.',
    onWaitlist: 'You are on the waitlist and will hear from us.',
  },
  confirmation: {
    sms: '{clinic}: {name}, your visit with {provider} is booked for {date}, {time} (code {code})',
    subject: 'Your visit on {date} is booked',
    email: ['Hello {name},', 'your visit is booked.', WHEN, CODE, CANNOT_COME],
  },
  reminder: {
    sms: '{clinic}: {name}, reminder of your visit with {provider} on {date}, {time} (code {code})',
    subject: 'Reminder: your visit on {date}',
    email: ['Hello {name},', 'this is a reminder of your visit.', WHEN, CODE, CANNOT_COME],
  },
  changed: {
    sms: '{clinic}: {name}, your visit has changed: it is on {date}, {time}, with {provider} (code {code})',
    subject: 'Your visit on {date} has changed',
    email: ['Hello {name},', 'your visit has changed. This is how it stands now:', WHEN, CODE, CANNOT_COME],
  },
  moved: {
    sms: '{clinic}: {name}, your visit on {oldDate}, {oldTime}, was moved to {date}, {time}, with {provider} (code {code})',
    shortSms: '{clinic}: {name}, your visit was moved to {date}, {time}, with {provider} (code {code})',
    subject: 'Your visit was moved to {date}',
    email: [
      'Hello {name},',
      'your visit on {oldDate}, {oldTime}, was moved. This is the new time:',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  otherProvider: {
    sms: '{clinic}: {name}, your visit on {date}, {time}, is now with {provider}, not with {oldProvider} (code {code})',
    shortSms: '{clinic}: {name}, your visit on {date}, {time}, is now with {provider} (code {code})',
    subject: 'Your visit on {date} is now with {provider}',
    email: [
      'Hello {name},',
      'your visit is at the same time, and now with {provider} instead of {oldProvider}.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  otherLength: {
    sms: '{clinic}: {name}, your visit with {provider} on {date}, {time}, now takes {minutes} minutes (code {code})',
    subject: 'Your visit on {date} now takes {minutes} minutes',
    email: [
      'Hello {name},',
      'your visit begins at the same time, and now takes {minutes} minutes instead of {oldMinutes}.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  cancelledByPatient: {
    sms: '{clinic}: {name}, your visit with {provider} on {date}, {time}, is cancelled, as you asked. {next}',
    shortSms: '{clinic}: {name}, your visit on {date}, {time}, is cancelled, as you asked. {next}',
    subject: 'Your visit on {date} is cancelled',
    email: ['Hello {name},', 'as you asked, this visit is cancelled:', WHEN, 'There is nothing left to do. {next}'],
  },
  cancelledByClinic: {
    sms: '{clinic}: {name}, we had to cancel your visit with {provider} on {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, we had to cancel your visit on {date}, {time}. {next}',
    subject: 'Your visit on {date} was cancelled by the clinic',
    email: ['Hello {name},', 'we are sorry: the clinic had to cancel this visit:', WHEN, '{next}'],
  },
  waitlistBooked: {
    sms: '{clinic}: {name}, from the waitlist, a visit with {provider} is booked for you: {date}, {time} (code {code})',
    subject: 'From the waitlist: your visit on {date} is booked',
    email: [
      'Hello {name},',
      'a time you were waiting for came free, and we booked it for you.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  seriesConfirmation: {
    sms: '{clinic}: {name}, {count} visits with {provider} are booked, the first on {date}, {time} (code {code})',
    subject: '{count} visits are booked, the first on {date}',
    email: [
      'Hello {name},',
      '{count} visits are booked:',
      '{dates}',
      WHERE,
      'The confirmation code of the first: {code}',
      'We remind you before each of them.',
      CANNOT_COME,
    ],
  },
  seriesRescheduled: {
    sms: '{clinic}: {name}, {count} visits have changed, the first is on {date}, {time}, with {provider} (code {code})',
    subject: '{count} visits have changed, the first is on {date}',
    email: [
      'Hello {name},',
      '{count} of your visits have changed. This is how they stand now:',
      '{dates}',
      WHERE,
      'The confirmation code of the first: {code}',
      'We remind you before each of them.',
      CANNOT_COME,
    ],
  },
  seriesCancelledByPatient: {
    sms: '{clinic}: {name}, {count} visits with {provider} are cancelled, as you asked, the first that on {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, {count} visits from {date} on are cancelled, as you asked. {next}',
    subject: '{count} visits from {date} on are cancelled',
    email: ['Hello {name},', 'as you asked, {count} of your visits are cancelled:', '{dates}', WHERE, '{next}'],
  },
  seriesCancelledByClinic: {
    sms: '{clinic}: {name}, we had to cancel {count} visits with {provider}, the first that on {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, we had to cancel {count} visits from {date} on. {next}',
    subject: '{count} visits from {date} on were cancelled by the clinic',
    email: [
      'Hello {name},',
      'we are sorry: the clinic had to cancel {count} of your visits:',
      '{dates}',
      WHERE,
      '{next}',
    ],
  },
  moveOffer: {
    sms: '{clinic}: {name}, your visit with {provider} on {date}, {time}, cannot take place. We hold {newDate}, {newTime}, with {newProvider} for you until {untilDate}, {untilTime}. To accept or decline, {call}.',
    shortSms:
      '{clinic}: {name}, {date}, {time} is off. New: {newDate}, {newTime} (held until {untilDate}, {untilTime}). Please call.',
    subject: 'Your visit on {date} cannot take place: another time is held for you',
    email: [
      'Hello {name},',
      'this visit cannot take place:',
      WHEN,
      'We are sorry, and hold another time for you:',
      'When: {newDate}, {newTime}\nWith: {newProvider}\nWhere: {clinic}',
      'It is yours until {untilDate}, {untilTime}. To accept or decline it, please {call}. If we do not hear from you, we call you.',
    ],
  },
};
