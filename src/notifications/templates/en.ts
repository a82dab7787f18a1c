import type { Templates } from './templates.ts';

const WHERE = 'With: {provider}\nWhere: {clinic}';
const WHEN = `When: {date}, {time}\n${WHERE}`;
const CODE = 'Your confirmation code: {code}';
const CANNOT_COME =
  'If you cannot come, please let the clinic know as early as you can, so that somebody else can have the time.';

export const en: Templates = {
  confirmation: {
    sms: '{clinic}: your visit with {provider} is booked for {date}, {time} (code {code})',
    subject: 'Your visit on {date} is booked',
    email: ['Hello {name},', 'your visit is booked.', WHEN, CODE, CANNOT_COME],
  },
  reminder: {
    sms: '{clinic}: reminder of your visit with {provider} on {date}, {time} (code {code})',
    subject: 'Reminder: your visit on {date}',
    email: ['Hello {name},', 'this is a reminder of your visit.', WHEN, CODE, CANNOT_COME],
  },
  rescheduled: {
    sms: '{clinic}: your visit with {provider} was moved to {date}, {time} (code {code})',
    subject: 'Your visit was moved to {date}',
    email: ['Hello {name},', 'your visit was moved. This is the new time:', WHEN, CODE, CANNOT_COME],
  },
  cancelled: {
    sms: '{clinic}: your visit with {provider} on {date}, {time}, was cancelled.',
    subject: 'Your visit on {date} was cancelled',
    email: ['Hello {name},', 'this visit was cancelled:', WHEN],
  },
  waitlistBooked: {
    sms: '{clinic}: from the waitlist, a visit with {provider} is booked for you: {date}, {time} (code {code})',
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
    sms: '{clinic}: {count} visits with {provider} are booked, the first on {date}, {time} (code {code})',
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
    sms: '{clinic}: {count} visits with {provider} were moved, the first to {date}, {time} (code {code})',
    subject: '{count} visits were moved, the first to {date}',
    email: [
      'Hello {name},',
      '{count} of your visits were moved. These are the new times:',
      '{dates}',
      WHERE,
      'The confirmation code of the first: {code}',
      'We remind you before each of them.',
      CANNOT_COME,
    ],
  },
  seriesCancelled: {
    sms: '{clinic}: {count} visits with {provider} were cancelled, the first of them that on {date}, {time}.',
    subject: '{count} visits from {date} on were cancelled',
    email: ['Hello {name},', '{count} of your visits were cancelled:', '{dates}', WHERE],
  },
  moveOffer: {
    sms: '{clinic}: your visit with {provider} on {date}, {time}, cannot take place. We hold {newDate}, {newTime}, with {newProvider} for you until {untilDate}, {untilTime}. Please accept or decline it online, or call us.',
    shortSms: '{clinic}: {date}, {time} cannot take place. Held for you: {newDate}, {newTime}. Please answer.',
    subject: 'Your visit on {date} cannot take place: another time is held for you',
    email: [
      'Hello {name},',
      'this visit cannot take place:',
      WHEN,
      'We are sorry, and hold another time for you:',
      'When: {newDate}, {newTime}\nWith: {newProvider}\nWhere: {clinic}',
      'It is yours until {untilDate}, {untilTime}. Please accept or decline it online, or call the clinic. If we do not hear from you, we look for another way.',
    ],
  },
};
