import { Type, type Static } from 'typebox';
import { AVAILABILITY_RULES, type AvailabilityExplanation } from '../../domain/availability/explain.ts';
import type { ProviderSlot } from '../../domain/earliest-slots.ts';
import type { Interval } from '../../domain/interval.ts';
import { DAY_MS, MINUTE_MS } from '../../domain/clock.ts';
import { isoDateOf } from '../../domain/time-zone.ts';
import { DurationMinutes, Instant, instantText, LocalDate, PlainText, Strict, Uuid } from '../schemas.ts';

/** Dates that one search may be about, at most. */
export const MAX_DATES = 31;

const DATES = {
  date: LocalDate("The date in the clinic's zone on which the visit starts; the first of them, with toDate."),
  toDate: Type.Optional(LocalDate(`The last date, included; at most ${MAX_DATES} dates. Left out: date alone.`)),
};

export const ProviderPath = Strict({ providerId: Uuid('The provider.') });

export const ProviderAvailabilityQuery = Strict({
  ...DATES,
  durationMinutes: DurationMinutes,
  explain: Type.Optional(Type.Boolean({ description: 'Also tell, for each date, which rule took which part of it.' })),
});

export const ClinicPath = Strict({ clinicId: Uuid('The clinic.') });

export const ClinicAvailabilityQuery = Strict({
  specialty: Type.Optional(
    PlainText(50, 'Only providers of this specialty, whatever its capitals. Left out: any provider.'),
  ),
  ...DATES,
  durationMinutes: DurationMinutes,
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 200, default: 20, description: 'How many slots to answer with, at most.' }),
  ),
});

const TIME = {
  startTime: Instant('When the visit would start.'),
  endTime: Instant('When it would end.'),
};
const Slot = Type.Object(TIME);

const Window = Type.Object({ startTime: Instant('From.'), endTime: Instant('Until, not included.') });

/** The specification's answer; `explanation` only when it was asked for. */
export const ProviderAvailability = Type.Object({
  availableSlots: Type.Array(Slot, { description: 'Earliest first.' }),
  explanation: Type.Optional(
    Type.Array(
      Type.Object({
        date: LocalDate('The date.'),
        open: Type.Array(Window, { description: 'What is left of the day: where the slots start.' }),
        removed: Type.Array(
          Type.Object({
            rule: Type.Enum([...AVAILABILITY_RULES], {
              description:
                'duration: the visit does not fit between what the other rules took, or no start of the grid lies there.',
            }),
            windows: Type.Array(Window),
          }),
          {
            description:
              'What each rule took, in the order in which they are asked: what one has taken, the next does not see. With open they make up the whole day.',
          },
        ),
      }),
      { description: 'One entry a date.' },
    ),
  ),
});

export const ClinicAvailability = Type.Object({
  availableSlots: Type.Array(Type.Object({ providerId: Uuid('With whom.'), ...TIME }), {
    description: 'Earliest first; at the same time in the order of the providers’ ids.',
  }),
});

export function slotBody({ from, to }: Interval): Static<typeof Slot> {
  return { startTime: minuteText(from), endTime: minuteText(to) };
}

/** `T10:30:00Z` for every minute of a day. */
const TIMES_OF_DAY = Array.from(
  { length: DAY_MS / MINUTE_MS },
  (_, minute) => `T${instantText(minute * MINUTE_MS).slice(11)}`,
);
let latestDay = { midnight: 0, date: isoDateOf(0) };

/** As `instantText`. A month around the clock has thousands of instants, and writing them out took most of a search's time. */
function minuteText(instant: number): string {
  const midnight = Math.floor(instant / DAY_MS) * DAY_MS;
  const timeOfDay = TIMES_OF_DAY[(instant - midnight) / MINUTE_MS];
  if (timeOfDay === undefined) return instantText(instant);
  if (latestDay.midnight !== midnight) latestDay = { midnight, date: isoDateOf(midnight) };
  return latestDay.date + timeOfDay;
}

export function providerSlotBody({ providerId, ...slot }: ProviderSlot) {
  return { providerId, ...slotBody(slot) };
}

export function explanationBody({ day, open, removed }: AvailabilityExplanation) {
  return {
    date: day.date,
    open: open.map(slotBody),
    removed: removed.map(({ rule, windows }) => ({ rule, windows: windows.map(slotBody) })),
  };
}
