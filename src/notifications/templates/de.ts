import type { Texts } from './templates.ts';

const WHERE = 'Bei: {provider}\nWo: {clinic}{contact}';
const WHEN = `Wann: {date}, {time}\n${WHERE}`;
const CODE = 'Ihr Bestätigungscode: {code}';
const CANNOT_COME =
  'Wenn Sie nicht kommen können, sagen Sie uns bitte früh Bescheid, damit jemand anderes den Termin bekommt.';

export const de: Texts = {
  phrases: {
    callUs: 'rufen Sie uns an',
    callUsAt: 'rufen Sie {phone} an',
    contact: '\nTelefon: {phone}',
    bookAgain: 'Für einen neuen Termin {call}.',
    onWaitlist: 'Sie stehen auf der Warteliste.',
  },
  confirmation: {
    sms: '{clinic}: {name}, Ihr Termin bei {provider} ist gebucht: {date}, {time} (Code {code})',
    subject: 'Ihr Termin am {date} ist gebucht',
    email: ['Guten Tag {name},', 'Ihr Termin ist gebucht.', WHEN, CODE, CANNOT_COME],
  },
  reminder: {
    sms: '{clinic}: {name}, Erinnerung an Ihren Termin bei {provider}: {date}, {time} (Code {code})',
    subject: 'Erinnerung: Ihr Termin am {date}',
    email: ['Guten Tag {name},', 'wir erinnern Sie an Ihren Termin.', WHEN, CODE, CANNOT_COME],
  },
  changed: {
    sms: '{clinic}: {name}, Ihr Termin hat sich geändert: {date}, {time}, bei {provider} (Code {code})',
    subject: 'Ihr Termin am {date} hat sich geändert',
    email: ['Guten Tag {name},', 'Ihr Termin hat sich geändert. So ist er jetzt:', WHEN, CODE, CANNOT_COME],
  },
  moved: {
    sms: '{clinic}: {name}, Ihr Termin am {oldDate}, {oldTime}, wurde verlegt auf {date}, {time}, bei {provider} (Code {code})',
    shortSms: '{clinic}: {name}, Ihr Termin wurde verlegt auf {date}, {time}, bei {provider} (Code {code})',
    subject: 'Ihr Termin wurde verlegt auf {date}',
    email: [
      'Guten Tag {name},',
      'Ihr Termin am {oldDate}, {oldTime}, wurde verlegt. Das ist die neue Zeit:',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  otherProvider: {
    sms: '{clinic}: {name}, Ihr Termin am {date}, {time}, ist jetzt bei {provider}, nicht bei {oldProvider} (Code {code})',
    shortSms: '{clinic}: {name}, Ihr Termin am {date}, {time}, ist jetzt bei {provider} (Code {code})',
    subject: 'Ihr Termin am {date} ist jetzt bei {provider}',
    email: [
      'Guten Tag {name},',
      'Ihr Termin ist zur selben Zeit, jetzt aber bei {provider} statt bei {oldProvider}.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  otherLength: {
    sms: '{clinic}: {name}, Ihr Termin bei {provider} am {date}, {time}, dauert jetzt {minutes} Minuten (Code {code})',
    subject: 'Ihr Termin am {date} dauert jetzt {minutes} Minuten',
    email: [
      'Guten Tag {name},',
      'Ihr Termin beginnt zur selben Zeit und dauert jetzt {minutes} statt {oldMinutes} Minuten.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  cancelledByPatient: {
    sms: '{clinic}: {name}, Ihr Termin bei {provider} am {date}, {time}, ist wie gewünscht abgesagt. {next}',
    shortSms: '{clinic}: {name}, Termin am {date}, {time}, ist abgesagt. {next}',
    subject: 'Ihr Termin am {date} ist abgesagt',
    email: [
      'Guten Tag {name},',
      'wie gewünscht ist dieser Termin abgesagt:',
      WHEN,
      'Sie müssen nichts weiter tun. {next}',
    ],
  },
  cancelledByClinic: {
    sms: '{clinic}: {name}, wir mussten Ihren Termin bei {provider} am {date}, {time}, absagen. {next}',
    shortSms: '{clinic}: {name}, Ihr Termin am {date}, {time}, fällt aus. {next}',
    subject: 'Die Praxis hat Ihren Termin am {date} abgesagt',
    email: ['Guten Tag {name},', 'es tut uns leid: die Praxis musste diesen Termin absagen:', WHEN, '{next}'],
  },
  waitlistBooked: {
    sms: '{clinic}: {name}, von Ihrer Warteliste ist ein Termin bei {provider} gebucht: {date}, {time} (Code {code})',
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
    sms: '{clinic}: {name}, {count} Termine bei {provider} sind gebucht, der erste am {date}, {time} (Code {code})',
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
    sms: '{clinic}: {name}, {count} Termine haben sich geändert, der erste ist am {date}, {time}, bei {provider} (Code {code})',
    subject: '{count} Termine haben sich geändert, der erste ist am {date}',
    email: [
      'Guten Tag {name},',
      '{count} Ihrer Termine haben sich geändert. So sind sie jetzt:',
      '{dates}',
      WHERE,
      'Der Bestätigungscode des ersten: {code}',
      'Wir erinnern Sie vor jedem Termin.',
      CANNOT_COME,
    ],
  },
  seriesCancelledByPatient: {
    sms: '{clinic}: {name}, {count} Termine bei {provider} sind wie gewünscht abgesagt, der erste am {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, {count} Termine ab {date} sind abgesagt. {next}',
    subject: '{count} Termine ab {date} sind abgesagt',
    email: ['Guten Tag {name},', 'wie gewünscht sind {count} Ihrer Termine abgesagt:', '{dates}', WHERE, '{next}'],
  },
  seriesCancelledByClinic: {
    sms: '{clinic}: {name}, wir mussten {count} Termine bei {provider} absagen, den ersten am {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, {count} Termine ab {date} fallen aus. {next}',
    subject: 'Die Praxis hat {count} Termine ab {date} abgesagt',
    email: [
      'Guten Tag {name},',
      'es tut uns leid: die Praxis musste {count} Ihrer Termine absagen:',
      '{dates}',
      WHERE,
      '{next}',
    ],
  },
  moveOffer: {
    sms: '{clinic}: {name}, Ihr Termin bei {provider} am {date}, {time}, kann nicht stattfinden. Wir halten {newDate}, {newTime} bei {newProvider} für Sie frei bis {untilDate}, {untilTime}. Zum Annehmen oder Ablehnen {call}.',
    shortSms:
      '{clinic}: {name}, {date}, {time} entfällt. Neu: {newDate}, {newTime} (bis {untilDate}, {untilTime}). Bitte anrufen.',
    subject: 'Ihr Termin am {date} kann nicht stattfinden: eine andere Zeit ist für Sie frei gehalten',
    email: [
      'Guten Tag {name},',
      'dieser Termin kann nicht stattfinden:',
      WHEN,
      'Das tut uns leid. Wir halten eine andere Zeit für Sie frei:',
      'Wann: {newDate}, {newTime}\nBei: {newProvider}\nWo: {clinic}',
      'Sie ist bis {untilDate}, {untilTime} für Sie da. Zum Annehmen oder Ablehnen {call}. Wenn wir nichts von Ihnen hören, rufen wir Sie an.',
    ],
  },
};
