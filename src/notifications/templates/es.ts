import type { Templates } from './templates.ts';

const WHERE = 'Con: {provider}\nDónde: {clinic}';
const WHEN = `Cuándo: {date}, {time}\n${WHERE}`;
const CODE = 'Su código de confirmación: {code}';
const CANNOT_COME =
  'Si no puede venir, avise a la clínica cuanto antes para que otra persona pueda aprovechar la hora.';

export const es: Templates = {
  confirmation: {
    sms: '{clinic}: su cita con {provider} queda reservada para {date}, {time} (Ref. {code})',
    subject: 'Su cita del {date} está reservada',
    email: ['Hola, {name}:', 'Su cita está reservada.', WHEN, CODE, CANNOT_COME],
  },
  reminder: {
    sms: '{clinic}: le recordamos su cita con {provider}: {date}, {time} (Ref. {code})',
    subject: 'Recordatorio: su cita del {date}',
    email: ['Hola, {name}:', 'Le recordamos su cita.', WHEN, CODE, CANNOT_COME],
  },
  rescheduled: {
    sms: '{clinic}: su cita con {provider} tiene nueva fecha: {date}, {time} (Ref. {code})',
    subject: 'Su cita tiene nueva fecha: {date}',
    email: ['Hola, {name}:', 'Su cita ha cambiado. Esta es la nueva fecha:', WHEN, CODE, CANNOT_COME],
  },
  cancelled: {
    sms: '{clinic}: su cita con {provider} del {date}, {time}, ha sido cancelada.',
    subject: 'Su cita del {date} ha sido cancelada',
    email: ['Hola, {name}:', 'Esta cita ha sido cancelada:', WHEN],
  },
  waitlistBooked: {
    sms: '{clinic}: de su lista de espera, cita reservada con {provider}: {date}, {time} (Ref. {code})',
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
    sms: '{clinic}: {count} citas con {provider} reservadas, la primera: {date}, {time} (Ref. {code})',
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
    sms: '{clinic}: {count} citas con {provider} tienen nueva fecha, la primera: {date}, {time} (Ref. {code})',
    subject: '{count} citas tienen nueva fecha, la primera: {date}',
    email: [
      'Hola, {name}:',
      'Han cambiado {count} de sus citas. Estas son las nuevas fechas:',
      '{dates}',
      WHERE,
      'El código de confirmación de la primera: {code}',
      'Le avisaremos antes de cada una.',
      CANNOT_COME,
    ],
  },
  seriesCancelled: {
    sms: '{clinic}: {count} citas con {provider} han sido canceladas, la primera: {date}, {time}.',
    subject: '{count} citas desde el {date} han sido canceladas',
    email: ['Hola, {name}:', 'Han sido canceladas {count} de sus citas:', '{dates}', WHERE],
  },
  moveOffer: {
    sms: '{clinic}: su cita con {provider} ({date}, {time}) no puede tener lugar. Le guardamos {newDate}, {newTime} con {newProvider} hasta {untilDate}, {untilTime}. Responda en la web o llame.',
    shortSms: '{clinic}: {date}, {time} no puede ser. Le guardamos {newDate}, {newTime}. Responda, por favor.',
    subject: 'Su cita del {date} no puede tener lugar: le guardamos otra hora',
    email: [
      'Hola, {name}:',
      'Esta cita no puede tener lugar:',
      WHEN,
      'Lo sentimos. Le guardamos otra hora:',
      'Cuándo: {newDate}, {newTime}\nCon: {newProvider}\nDónde: {clinic}',
      'Es suya hasta {untilDate}, {untilTime}. Acéptela o rechácela en la web, o llame a la clínica. Si no sabemos de usted, buscaremos otra solución.',
    ],
  },
};
