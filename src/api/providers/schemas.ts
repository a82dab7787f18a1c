import { Type, type Static } from 'typebox';
import { AVAILABILITY_RULES, type AvailabilityExplanation } from '../../domain/availability.ts';
import type { Interval } from '../../domain/interval.ts';
import { DurationMinutes, Instant, instantText, LocalDate, NextCursor, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';
import type { ProviderRow } from './queries.ts';

export const ProviderPath = Strict({ providerId: Uuid('The provider.') });

export const ProviderQuery = Strict({
  clinicId: Type.Optional(Uuid('The clinic. Patients without it: the clinics where they are registered.')),
  specialty: Type.Optional(Type.String({ minLength: 1, maxLength: 50, pattern: '^[^\\u0000-\\u001f\\u007f]+$' })),
  ...PAGE_QUERY,
});

export const Provider = Type.Object({
  providerId: Uuid('The provider.'),
  clinicId: Uuid('Where they work.'),
  name: Type.String(),
  specialty: Type.String(),
  timeZone: Type.String({ description: "The clinic's IANA zone: dates in the availability search are dates there." }),
});

export const ProviderPage = Type.Object({ providers: Type.Array(Provider), nextCursor: NextCursor });

export function providerBody(row: ProviderRow): Static<typeof Provider> {
  return {
    providerId: row.provider_id,
    clinicId: row.clinic_id,
    name: row.name,
    specialty: row.specialty,
    timeZone: row.time_zone,
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
