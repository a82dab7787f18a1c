import { Type, type Static } from 'typebox';
import { AVAILABILITY_RULES, type AvailabilityExplanation } from '../../domain/availability.ts';
import type { ProviderRow } from '../../db/providers.ts';
import type { Interval } from '../../domain/interval.ts';
import {
  CREATED_HEADERS,
  DurationMinutes,
  ETAG_HEADER,
  Instant,
  instantText,
  LocalDate,
  NextCursor,
  PAGE_QUERY,
  PlainText,
  Strict,
  Uuid,
} from '../schemas.ts';

export const ProviderPath = Strict({ providerId: Uuid('The provider.') });

export const ProviderQuery = Strict({
  clinicId: Type.Optional(Uuid('The clinic. Patients without it: the clinics where they are registered.')),
  specialty: Type.Optional(Type.String({ minLength: 1, maxLength: 50, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })),
  ...PAGE_QUERY,
});

const Name = PlainText(100, 'As patients read it in messages.');
const Specialty = PlainText(50, 'What the waitlist and the list of providers are asked for.');
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

export const AvailabilityQuery = Strict({
  date: LocalDate("The date in the clinic's zone on which the visit starts."),
  durationMinutes: DurationMinutes,
  explain: Type.Optional(Type.Boolean({ description: 'Also tell which rule took which part of the day.' })),
});

const Slot = Type.Object({
  startTime: Instant('When the visit would start.'),
  endTime: Instant('When it would end.'),
});

/** The specification's answer; `explanation` only when it was asked for. */
export const AvailabilityAnswer = Type.Object({
  availableSlots: Type.Array(Slot),
  explanation: Type.Optional(
    Type.Object({
      date: LocalDate('The date that was searched.'),
      open: Type.Array(Slot, { description: 'What is left of the day: where the slots start.' }),
      removed: Type.Array(
        Type.Object({
          rule: Type.Enum([...AVAILABILITY_RULES]),
          windows: Type.Array(Slot),
        }),
        { description: 'With open they make up the whole day.' },
      ),
    }),
  ),
});

export function slotBody({ from, to }: Interval): Static<typeof Slot> {
  return { startTime: instantText(from), endTime: instantText(to) };
}

export function explanationBody(explanation: AvailabilityExplanation) {
  return {
    date: explanation.day.date,
    open: explanation.open.map(slotBody),
    removed: explanation.removed.map(({ rule, windows }) => ({ rule, windows: windows.map(slotBody) })),
  };
}
