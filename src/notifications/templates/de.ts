import type { Templates } from './templates.ts';

const WHERE = 'Bei: {provider}\nWo: {clinic}';
const WHEN = `Wann: {date}, {time}\n${WHERE}`;
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
  seriesConfirmation: {
    sms: '{clinic}: {count} Termine bei {provider} sind gebucht, der erste am {date}, {time} (Code {code})',
    subject: '{count} Termine sind gebucht, der erste am {date}',
    email: [
      'Guten Tag {name},',
      '{count} Termine sind gebucht:',
      '{dates}',
      WHERE,
      'Der Bestätigungscode des ersten: {code}',
      'Wir erinnern Sie vor jedem Termin.',
      CANNOT_COME,
    ],
  },
  seriesRescheduled: {
    sms: '{clinic}: {count} Termine bei {provider} wurden verlegt, der erste auf {date}, {time} (Code {code})',
    subject: '{count} Termine wurden verlegt, der erste auf {date}',
    email: [
      'Guten Tag {name},',
      '{count} Ihrer Termine wurden verlegt. Das sind die neuen Zeiten:',
      '{dates}',
      WHERE,
      'Der Bestätigungscode des ersten: {code}',
      'Wir erinnern Sie vor jedem Termin.',
      CANNOT_COME,
    ],
  },
  seriesCancelled: {
    sms: '{clinic}: {count} Termine bei {provider} wurden abgesagt, der erste davon am {date}, {time}.',
    subject: '{count} Termine ab {date} wurden abgesagt',
    email: ['Guten Tag {name},', '{count} Ihrer Termine wurden abgesagt:', '{dates}', WHERE],
  },
  moveOffer: {
    sms: '{clinic}: Ihr Termin bei {provider} am {date}, {time}, kann nicht stattfinden. Wir halten {newDate}, {newTime} bei {newProvider} für Sie frei bis {untilDate}, {untilTime}. Bitte antworten Sie online oder rufen Sie an.',
    shortSms: '{clinic}: {date}, {time} kann nicht stattfinden. Frei gehalten: {newDate}, {newTime}. Bitte antworten.',
    subject: 'Ihr Termin am {date} kann nicht stattfinden: eine andere Zeit ist für Sie frei gehalten',
    email: [
      'Guten Tag {name},',
      'dieser Termin kann nicht stattfinden:',
      WHEN,
      'Das tut uns leid. Wir halten eine andere Zeit für Sie frei:',
      'Wann: {newDate}, {newTime}\nBei: {newProvider}\nWo: {clinic}',
      'Sie ist bis {untilDate}, {untilTime} für Sie da. Bitte nehmen Sie sie online an oder lehnen Sie sie ab, oder rufen Sie in der Praxis an. Wenn wir nichts von Ihnen hören, suchen wir einen anderen Weg.',
    ],
  },
};
