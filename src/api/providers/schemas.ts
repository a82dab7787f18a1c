import { Type, type Static } from 'typebox';
import type { ProviderRow } from '../../db/providers.ts';
import { CREATED_HEADERS, ETAG_HEADER, NextCursor, PAGE_QUERY, PlainText, Strict, Uuid } from '../schemas.ts';

export const ProviderPath = Strict({ providerId: Uuid('The provider.') });

export const ProviderQuery = Strict({
  clinicId: Type.Optional(Uuid('The clinic. Patients without it: the clinics where they are registered.')),
  specialty: Type.Optional(PlainText(50, 'Only those of this specialty, whatever its capitals.')),
  ...PAGE_QUERY,
});

const Name = PlainText(100, 'As patients read it in messages.');
const Specialty = PlainText(
  50,
  'What searches, the waitlist and the list of providers are asked for; capitals make no difference there.',
);
const MaxDailyAppointments = Type.Integer({
  minimum: 1,
  maximum: 1_000,
  description:
    'How many visits a day at most, held and freed slots included. A lower limit leaves booked visits alone.',
});

export const NewProviderBody = Strict({
  name: Name,
  specialty: Specialty,
  maxDailyAppointments: MaxDailyAppointments,
});

export const ProviderBody = Strict(
  {
    name: Type.Optional(Name),
    specialty: Type.Optional(Specialty),
    maxDailyAppointments: Type.Optional(MaxDailyAppointments),
  },
  { minProperties: 1 },
);

export const Provider = Type.Object({
  providerId: Uuid('The provider.'),
  clinicId: Uuid('Where they work.'),
  name: Type.String(),
  specialty: Type.String(),
  timeZone: Type.String({ description: "The clinic's IANA zone: dates in the availability search are dates there." }),
  maxDailyAppointments: Type.Optional(Type.Integer({ description: 'For staff only.' })),
});

export const ProviderAnswer = Type.Object(Provider.properties, { description: 'The provider.', headers: ETAG_HEADER });

export const ProviderCreated = Type.Object(Provider.properties, {
  description: 'Created. Nobody can book until there are hours.',
  headers: CREATED_HEADERS,
});

export const ProviderPage = Type.Object({ providers: Type.Array(Provider), nextCursor: NextCursor });

/** @param forStaff - how full a day may get is the clinic's own business */
export function providerBody(row: ProviderRow, forStaff: boolean): Static<typeof Provider> {
  return {
    providerId: row.provider_id,
    clinicId: row.clinic_id,
    name: row.name,
    specialty: row.specialty,
    timeZone: row.time_zone,
    ...(forStaff ? { maxDailyAppointments: row.max_daily_appointments } : {}),
  };
}
