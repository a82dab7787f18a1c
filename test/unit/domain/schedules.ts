import fc from 'fast-check';
import { Temporal } from 'temporal-polyfill';
import type { BusyTime } from '../../../src/domain/availability/judge.ts';
import type {
  Closure,
  DateOverride,
  ProviderSchedule,
  WeeklyWindow,
} from '../../../src/domain/availability/schedule.ts';
import type { SlotSearch } from '../../../src/domain/availability/search.ts';
import { RESERVATION_PURPOSES } from '../../../src/domain/availability/judge.ts';
import type { Interval } from '../../../src/domain/interval.ts';
import { addDays, localDate, startOfDay } from '../../../src/domain/time-zone.ts';
import { changesOf, ZONES } from './zones.ts';

const MINUTE = 60_000;

type ScheduleChanges = Partial<Omit<ProviderSchedule, 'policy'>> & { policy?: Partial<ProviderSchedule['policy']> };

/** Berlin, Monday to Friday 09:00–17:00, lunch at noon, every quarter of an hour, no notice, no buffers; with what a test changes. */
export function schedule({ policy, ...changes }: ScheduleChanges = {}): ProviderSchedule {
  const weekdays = [1, 2, 3, 4, 5];
  return {
    providerId: '0190f3c4-0000-7000-8000-000000000001',
    clinicId: '0190f3c4-0000-7000-8000-000000000002',
    timeZone: 'Europe/Berlin',
    scheduleVersion: 1,
    policyVersion: 1,
    maxDailyAppointments: 99,
    weekly: weekdays.map((dayOfWeek) => ({ dayOfWeek, startTime: '09:00', endTime: '17:00' })),
    breaks: weekdays.map((dayOfWeek) => ({ dayOfWeek, startTime: '12:00', endTime: '13:00' })),
    overrides: [],
    closures: [],
    timeOff: [],
    policy: {
      slotStepMinutes: 15,
      bufferBeforeMinutes: 0,
      bufferAfterMinutes: 0,
      bookingNoticeMinutes: 0,
      bookingHorizonDays: 180,
      ...policy,
    },
    ...changes,
  };
}

const timeOfDay = fc
  .integer({ min: 0, max: 24 * 12 - 1 })
  .map((fives) => `${pad(Math.floor(fives / 12))}:${pad((fives % 12) * 5)}`);

const weeklyWindow: fc.Arbitrary<WeeklyWindow> = fc.record({
  dayOfWeek: fc.integer({ min: 1, max: 7 }),
  startTime: timeOfDay,
  endTime: timeOfDay,
});

const everyDay = fc
  .record({ startTime: timeOfDay, endTime: timeOfDay })
  .map((window) => [1, 2, 3, 4, 5, 6, 7].map((dayOfWeek): WeeklyWindow => ({ dayOfWeek, ...window })));

/** The day of a clock change three times out of four, else any day. */
const zoneAndDate = fc.constantFrom(...ZONES).chain((zone) => {
  const anyDay = fc.integer({ min: 0, max: 2_500 }).map((days) => addDays('2024-02-01', days));
  const changes = changesOf(zone);
  if (changes.length === 0) return anyDay.map((date) => ({ zone, date }));
  const nearChange = fc
    .tuple(fc.constantFrom(...changes), fc.integer({ min: -1, max: 1 }))
    .map(([change, days]) => addDays(localDate(zone, change), days));
  return fc
    .oneof({ weight: 3, arbitrary: nearChange }, { weight: 1, arbitrary: anyDay })
    .map((date) => ({ zone, date }));
});

function near(zone: string, date: string, maxMinutes: number): fc.Arbitrary<Interval> {
  const day = startOfDay(zone, date);
  return fc
    .tuple(fc.integer({ min: -24 * 12, max: 48 * 12 }), fc.integer({ min: 1, max: maxMinutes / 5 }))
    .map(([start, length]) => ({ from: day + start * 5 * MINUTE, to: day + (start + length) * 5 * MINUTE }));
}

function override(date: string): fc.Arbitrary<DateOverride> {
  return fc.oneof(
    fc.record({ date: fc.constant(date), startTime: timeOfDay, endTime: timeOfDay }),
    fc.constant<DateOverride>({ date }),
  );
}

/** A search with everything in it that can go wrong: odd hours, odd steps, clock changes, little capacity, a *now* in the middle of the day. */
export const anySearch: fc.Arbitrary<SlotSearch> = zoneAndDate.chain(({ zone, date }) => {
  const dates = [addDays(date, -1), date, addDays(date, 1)];
  const anyOverride = fc.constantFrom(...dates).chain(override);
  return fc.record({
    date: fc.constant(date),
    durationMinutes: fc.oneof(fc.constantFrom(15, 20, 30, 45, 60), fc.integer({ min: 1, max: 24 * 60 })),
    now: fc.integer({ min: -7 * 24 * 12, max: 24 * 12 }).map((fives) => startOfDay(zone, date) + fives * 5 * MINUTE),
    busy: fc.array(
      fc
        .tuple(near(zone, date, 120), fc.constantFrom(...RESERVATION_PURPOSES), fc.constantFrom(undefined, 0, 5, 20))
        .map(([during, purpose, buffer]): BusyTime => {
          const visitFrom = buffer === undefined ? undefined : during.from + buffer * MINUTE;
          return {
            ...during,
            purpose,
            visitFrom: visitFrom === undefined || visitFrom < during.to ? visitFrom : undefined,
          };
        }),
      { maxLength: 8 },
    ),
    schedule: fc
      .record({
        weekly: fc.tuple(everyDay, fc.array(weeklyWindow, { maxLength: 4 })).map((lists) => lists.flat()),
        breaks: fc.oneof(fc.constant([]), everyDay, fc.array(weeklyWindow, { maxLength: 4 })),
        overrides: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, fc.array(anyOverride, { maxLength: 3 })),
        closures: fc.oneof(
          { weight: 4, arbitrary: fc.constant([]) },
          fc
            .record({ fromDate: fc.constantFrom(...dates), yearly: fc.boolean() })
            .map(({ fromDate, yearly }) => [{ fromDate, toDate: addDays(fromDate, 1), name: 'Inventory', yearly }]),
        ),
        timeOff: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.array(near(zone, date, 600), { maxLength: 2 })),
        maxDailyAppointments: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.constant(50)),
        policy: fc.record({
          slotStepMinutes: fc.constantFrom(5, 10, 15, 20, 30, 45, 50, 60, 90),
          bufferBeforeMinutes: fc.constantFrom(0, 0, 5, 10, 30),
          bufferAfterMinutes: fc.constantFrom(0, 0, 5, 10, 30),
          bookingNoticeMinutes: fc.constantFrom(0, 60, 24 * 60),
          bookingHorizonDays: fc.constantFrom(1, 5, 180),
        }),
      })
      .map((changes) => schedule({ timeZone: zone, ...changes })),
  });
});

/**
 * Would a person with a clock on the wall and a calendar say that the visit can be booked? Written apart from the rules, minute by minute and with
 * Temporal's objects, so slow that it can only be a test's measure.
 */
export function isBookableByHand(search: SlotSearch, from: number): boolean {
  const { schedule: rules, durationMinutes, now, busy } = search;
  if (from <= now) return false;
  const { policy, timeZone } = rules;
  const at = (instant: number): Temporal.ZonedDateTime =>
    Temporal.Instant.fromEpochMilliseconds(instant).toZonedDateTimeISO(timeZone);
  const to = from + durationMinutes * MINUTE;

  const wall = at(from);
  if ((wall.hour * 60 + wall.minute) % policy.slotStepMinutes !== 0 || wall.second !== 0) return false;
  if (from < now + policy.bookingNoticeMinutes * MINUTE) return false;
  if (at(now).toPlainDate().until(wall.toPlainDate(), { largestUnit: 'day' }).days > policy.bookingHorizonDays)
    return false;

  /** When the clock has come to this time; one that it skips, with the change. */
  const reached = (date: string, time: string): number => {
    const wanted = Temporal.PlainDateTime.from(`${date}T${time}`);
    const shown = wanted.toZonedDateTime(timeZone);
    const reachedAt = shown.toPlainDateTime().equals(wanted) ? shown : shown.getTimeZoneTransition('previous');
    return reachedAt?.epochMilliseconds ?? Number.NaN;
  };
  const hours: (Interval & { readonly date: string })[] = [];
  const shut: Interval[] = [...rules.timeOff];
  const between = (date: string, window: { startTime: string; endTime: string }): Interval => {
    const overMidnight = window.endTime <= window.startTime;
    return {
      from: reached(date, window.startTime),
      to: reached(overMidnight ? addDays(date, 1) : date, window.endTime),
    };
  };
  for (let days = -3; days <= 4; days += 1) {
    const day = wall.toPlainDate().add({ days });
    const date = day.toString();
    const overrides = rules.overrides.filter((each) => each.date === date);
    const closed = overrides.some((each) => each.startTime === undefined);
    const weekly = rules.weekly.filter((each) => each.dayOfWeek === day.dayOfWeek);
    for (const window of overrides.length > 0 ? overrides : weekly) {
      const { startTime, endTime } = window;
      if (!closed && startTime !== undefined && endTime !== undefined)
        hours.push({ ...between(date, { startTime, endTime }), date });
    }
    for (const each of rules.breaks) if (each.dayOfWeek === day.dayOfWeek) shut.push(between(date, each));
    if (rules.closures.some((each) => isClosedByHand(each, date))) {
      const next = day.add({ days: 1 });
      shut.push({
        from: day.toZonedDateTime({ timeZone }).epochMilliseconds,
        to: next.toZonedDateTime({ timeZone }).epochMilliseconds,
      });
    }
  }
  const within = (list: readonly Interval[], instant: number): boolean =>
    list.some((each) => each.from <= instant && instant < each.to);
  for (let minute = from; minute < to; minute += MINUTE) {
    // A date that has hours of its own takes none from the evening before.
    const owner = rules.overrides.length === 0 ? undefined : at(minute).toPlainDate().toString();
    const isOwn = rules.overrides.some((each) => each.date === owner);
    if (!within(isOwn ? hours.filter(({ date }) => date === owner) : hours, minute)) return false;
    if (within(shut, minute)) return false;
  }

  const reserved = { from: from - policy.bufferBeforeMinutes * MINUTE, to: to + policy.bufferAfterMinutes * MINUTE };
  if (busy.some((each) => !(each.to <= reserved.from || reserved.to <= each.from))) return false;
  const countedOn = at(from).toPlainDate();
  const count = busy.filter(
    (each) =>
      each.purpose !== 'EXTERNAL' &&
      at(each.visitFrom ?? each.from)
        .toPlainDate()
        .equals(countedOn),
  ).length;
  return count < rules.maxDailyAppointments;
}

/** Dates as texts sort as dates do, also when one of them is a 29 February that its year does not have. */
function isClosedByHand({ fromDate, toDate, yearly }: Closure, date: string): boolean {
  const yearsSince = Number(date.slice(0, 4)) - Number(fromDate.slice(0, 4));
  // This year's, and the one that began last year and may go on over New Year.
  const turns = yearly ? [yearsSince, yearsSince - 1].filter((years) => years >= 0) : [0];
  return turns.some((years) => {
    const inTurn = (text: string): string => `${Number(text.slice(0, 4)) + years}${text.slice(4)}`;
    return inTurn(fromDate) <= date && date <= inTurn(toDate);
  });
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
