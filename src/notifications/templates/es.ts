import type { Texts } from './templates.ts';

const WHERE = 'Con: {provider}\nDónde: {clinic}{contact}';
const WHEN = `Cuándo: {date}, {time}\n${WHERE}`;
const CODE = 'Su código de confirmación: {code}';
const CANNOT_COME = 'Si no puede venir, {call} cuanto antes para que otra persona pueda aprovechar la hora.';

export const es: Texts = {
  phrases: {
    callUs: 'llámenos',
    callUsAt: 'llame al {phone}',
    contact: '\nTeléfono: {phone}',
    bookAgain: 'Para otra cita, {call}.',
    onWaitlist: 'Queda en lista de espera.',
  },
  confirmation: {
    sms: '{clinic}: {name}, su cita con {provider} queda reservada para {date}, {time} (Ref. {code})',
    subject: 'Su cita del {date} está reservada',
    email: ['Hola, {name}:', 'Su cita está reservada.', WHEN, CODE, CANNOT_COME],
  },
  reminder: {
    sms: '{clinic}: {name}, le recordamos su cita con {provider}: {date}, {time} (Ref. {code})',
    subject: 'Recordatorio: su cita del {date}',
    email: ['Hola, {name}:', 'Le recordamos su cita.', WHEN, CODE, CANNOT_COME],
  },
  changed: {
    sms: '{clinic}: {name}, su cita ha cambiado: {date}, {time}, con {provider} (Ref. {code})',
    subject: 'Su cita del {date} ha cambiado',
    email: ['Hola, {name}:', 'Su cita ha cambiado. Así queda ahora:', WHEN, CODE, CANNOT_COME],
  },
  moved: {
    sms: '{clinic}: {name}, su cita del {oldDate}, {oldTime}, pasa a {date}, {time}, con {provider} (Ref. {code})',
    shortSms: '{clinic}: {name}, su cita pasa a {date}, {time}, con {provider} (Ref. {code})',
    subject: 'Su cita tiene nueva fecha: {date}',
    email: [
      'Hola, {name}:',
      'Su cita del {oldDate}, {oldTime}, ha cambiado. Esta es la nueva fecha:',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  otherProvider: {
    sms: '{clinic}: {name}, su cita del {date}, {time}, es ahora con {provider}, no con {oldProvider} (Ref. {code})',
    shortSms: '{clinic}: {name}, su cita del {date}, {time}, es ahora con {provider} (Ref. {code})',
    subject: 'Su cita del {date} es ahora con {provider}',
    email: [
      'Hola, {name}:',
      'Su cita es a la misma hora, pero ahora con {provider} en lugar de {oldProvider}.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  otherLength: {
    sms: '{clinic}: {name}, su cita con {provider} del {date}, {time}, dura ahora {minutes} minutos (Ref. {code})',
    subject: 'Su cita del {date} dura ahora {minutes} minutos',
    email: [
      'Hola, {name}:',
      'Su cita empieza a la misma hora y dura ahora {minutes} minutos en lugar de {oldMinutes}.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  cancelledByPatient: {
    sms: '{clinic}: {name}, su cita con {provider} del {date}, {time}, queda cancelada, como ha pedido. {next}',
    shortSms: '{clinic}: {name}, su cita del {date}, {time}, queda cancelada. {next}',
    subject: 'Su cita del {date} queda cancelada',
    email: ['Hola, {name}:', 'Como ha pedido, esta cita queda cancelada:', WHEN, 'No tiene que hacer nada más. {next}'],
  },
  cancelledByClinic: {
    sms: '{clinic}: {name}, hemos tenido que cancelar su cita con {provider} del {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, hemos cancelado su cita del {date}, {time}. {next}',
    subject: 'La clínica ha cancelado su cita del {date}',
    email: ['Hola, {name}:', 'Lo sentimos: la clínica ha tenido que cancelar esta cita:', WHEN, '{next}'],
  },
  waitlistBooked: {
    sms: '{clinic}: {name}, de su lista de espera, cita reservada con {provider}: {date}, {time} (Ref. {code})',
    subject: 'Lista de espera: su cita del {date} está reservada',
    email: [
      'Hola, {name}:',
      'Se ha liberado una hora que esperaba y la hemos reservado para usted.',
      WHEN,
      CODE,
      CANNOT_COME,
    ],
  },
  seriesConfirmation: {
    sms: '{clinic}: {name}, {count} citas con {provider} reservadas, la primera: {date}, {time} (Ref. {code})',
    subject: '{count} citas reservadas, la primera el {date}',
    email: [
      'Hola, {name}:',
      'Quedan reservadas {count} citas:',
      '{dates}',
      WHERE,
      'El código de confirmación de la primera: {code}',
      'Le avisaremos antes de cada una.',
      CANNOT_COME,
    ],
  },
  seriesRescheduled: {
    sms: '{clinic}: {name}, {count} citas han cambiado, la primera: {date}, {time}, con {provider} (Ref. {code})',
    subject: '{count} citas han cambiado, la primera: {date}',
    email: [
      'Hola, {name}:',
      'Han cambiado {count} de sus citas. Así quedan ahora:',
      '{dates}',
      WHERE,
      'El código de confirmación de la primera: {code}',
      'Le avisaremos antes de cada una.',
      CANNOT_COME,
    ],
  },
  seriesCancelledByPatient: {
    sms: '{clinic}: {name}, {count} citas con {provider} quedan canceladas, como ha pedido, la primera: {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, {count} citas desde el {date} quedan canceladas. {next}',
    subject: '{count} citas desde el {date} quedan canceladas',
    email: ['Hola, {name}:', 'Como ha pedido, quedan canceladas {count} de sus citas:', '{dates}', WHERE, '{next}'],
  },
  seriesCancelledByClinic: {
    sms: '{clinic}: {name}, hemos tenido que cancelar {count} citas con {provider}, la primera: {date}, {time}. {next}',
    shortSms: '{clinic}: {name}, hemos cancelado {count} citas desde el {date}. {next}',
    subject: 'La clínica ha cancelado {count} citas desde el {date}',
    email: [
      'Hola, {name}:',
      'Lo sentimos: la clínica ha tenido que cancelar {count} de sus citas:',
      '{dates}',
      WHERE,
      '{next}',
    ],
  },
  moveOffer: {
    sms: '{clinic}: {name}, su cita con {provider} ({date}, {time}) no puede tener lugar. Le guardamos {newDate}, {newTime} con {newProvider} hasta {untilDate}, {untilTime}. Para aceptar o rechazar, {call}.',
    shortSms: '{clinic}: {name}, {date}, {time} no va: {newDate}, {newTime} (hasta {untilDate}, {untilTime}). Llame.',
    subject: 'Su cita del {date} no puede tener lugar: le guardamos otra hora',
    email: [
      'Hola, {name}:',
      'Esta cita no puede tener lugar:',
      WHEN,
      'Lo sentimos. Le guardamos otra hora:',
      'Cuándo: {newDate}, {newTime}\nCon: {newProvider}\nDónde: {clinic}',
      'Es suya hasta {untilDate}, {untilTime}. Para aceptarla o rechazarla, {call}. Si no sabemos de usted, le llamaremos.',
    ],
  },
};
