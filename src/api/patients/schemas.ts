import { Type, type Static } from 'typebox';
import type { PatientRow } from '../../db/patients.ts';
import { CHANNELS } from '../../domain/notification.ts';
import { isReachable } from '../../domain/patient.ts';
import {
  Email,
  CREATED_HEADERS,
  ETAG_HEADER,
  Instant,
  instantText,
  LocalDate,
  NextCursor,
  Nullable,
  PAGE_QUERY,
  Phone,
  PlainText,
  Strict,
  Uuid,
} from '../schemas.ts';

export const PatientPath = Strict({ patientId: Uuid('The patient.') });

const FACTS = {
  givenName: PlainText(100, 'Given names.'),
  familyName: PlainText(100, 'Family name.'),
  birthDate: LocalDate('Not in the future.'),
  phone: Nullable(Phone),
  email: Nullable(Email),
  locale: Type.String({
    maxLength: 35,
    pattern: '^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$',
    description: 'The language of messages, as a BCP 47 tag.',
    examples: ['de-DE'],
  }),
  timeZone: Type.String({ minLength: 1, maxLength: 64, description: 'An IANA zone.', examples: ['Europe/Berlin'] }),
  preferredChannel: Type.Enum([...CHANNELS], {
    description: 'Where messages go; where there is no such address, to the other one.',
  }),
};

export const NewPatientBody = Strict({
  ...FACTS,
  phone: Type.Optional(FACTS.phone),
  email: Type.Optional(FACTS.email),
});

export const PatientBody = Strict(
  {
    givenName: Type.Optional(FACTS.givenName),
    familyName: Type.Optional(FACTS.familyName),
    birthDate: Type.Optional(FACTS.birthDate),
    phone: Type.Optional(FACTS.phone),
    email: Type.Optional(FACTS.email),
    locale: Type.Optional(FACTS.locale),
    timeZone: Type.Optional(FACTS.timeZone),
    preferredChannel: Type.Optional(FACTS.preferredChannel),
  },
  { minProperties: 1 },
);

export const PatientQuery = Strict({ ...PAGE_QUERY });

export const PatientSearch = Strict({
  familyName: Type.Optional(PlainText(100, 'Only family names that begin with this, in capitals or not.')),
  birthDate: Type.Optional(LocalDate('Only those born on this date.')),
  phone: Type.Optional(Phone),
  email: Type.Optional(Type.String({ ...Email, description: 'Only this address, in capitals or not.' })),
  ...PAGE_QUERY,
});

const Patient = Type.Object({
  patientId: Uuid('The patient.'),
  ...FACTS,
  reachable: Type.Boolean({ description: 'false: there is no address for messages, so the desk has to call.' }),
  createdAt: Instant('When they were entered.'),
  updatedAt: Instant('When this last changed.'),
  version: Type.Integer({ description: 'The number in the ETag.' }),
});

export const PatientAnswer = Type.Object(Patient.properties, { description: 'The patient.', headers: ETAG_HEADER });

export const PatientCreated = Type.Object(Patient.properties, {
  description: 'Entered and registered at the clinic.',
  headers: CREATED_HEADERS,
});

export const PatientPage = Type.Object({ patients: Type.Array(Patient), nextCursor: NextCursor });

export function patientBody(row: PatientRow): Static<typeof Patient> {
  return {
    patientId: row.patient_id,
    givenName: row.given_name,
    familyName: row.family_name,
    birthDate: row.birth_date,
    phone: row.phone,
    email: row.email,
    locale: row.locale,
    timeZone: row.time_zone,
    preferredChannel: row.preferred_channel,
    reachable: isReachable(row),
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
    version: row.version,
  };
}
