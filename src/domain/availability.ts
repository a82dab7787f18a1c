import type { ErrorCode } from './errors.ts';
import type { Interval } from './interval.ts';
import { intersectIntervals, mergeIntervals, overlaps, subtractIntervals } from './interval.ts';
import type { ClinicPolicy } from './policy.ts';
import {
  addDays,
  dayBounds,
  DAY_MS,
  dayOfWeek,
  instantOfLocal,
  isoDateOf,
  localDate,
  MINUTE_MS,
  mod,
  offsetSpans,
  startOfDay,
  timeOfDay,
  utcMidnight,
} from './time-zone.ts';

/*
 * When a provider can be booked. Search and booking both judge by this file, so an offered slot is a bookable slot:
 * `availableSlots` generates exactly the starts for which `judgeSlot` says yes.
 *
 * Local rules are wall-clock times in the clinic's zone; instants are epoch milliseconds; every range is half-open.
 */

/** A weekly window or break. `startTime` and `endTime` as `HH:MM` or `HH:MM:SS`; an end at or before the start is on the next day. */
export interface WeeklyWindow {
  /** 1 = Monday … 7 = Sunday: the day on which the window starts. */
  readonly dayOfWeek: number;
  readonly startTime: string;
  readonly endTime: string;
}

/** Other hours on one date: they replace the weekly hours (not the breaks) of that date. Without times the provider is closed on it; several rows are several windows. */
export interface DateOverride {
  readonly date: string;
  readonly startTime?: string;
  readonly endTime?: string;
}

/** A holiday of the clinic: ISO dates in its zone, both included. */
export interface Closure {
  readonly fromDate: string;
  readonly toDate: string;
  readonly name: string;
}

export type SchedulePolicy = Pick<
  ClinicPolicy,
  'slotStepMinutes' | 'bufferBeforeMinutes' | 'bufferAfterMinutes' | 'bookingNoticeMinutes' | 'bookingHorizonDays'
>;

/** Everything about one provider that the rules read, as the database loads it. */
export interface ProviderSchedule {
  readonly providerId: string;
  readonly clinicId: string;
  /** The clinic's IANA zone. */
  readonly timeZone: string;
  readonly scheduleVersion: number;
  readonly policyVersion: number;
  readonly maxDailyAppointments: number;
  readonly weekly: readonly WeeklyWindow[];
  readonly breaks: readonly WeeklyWindow[];
  readonly overrides: readonly DateOverride[];
  readonly closures: readonly Closure[];
  readonly timeOff: readonly Interval[];
  readonly policy: SchedulePolicy;
}

/** Who holds a provider's time (DESIGN.md §7). */
export const RESERVATION_PURPOSES = ['APPOINTMENT', 'HOLD', 'WAITLIST', 'EXTERNAL'] as const;
export type ReservationPurpose = (typeof RESERVATION_PURPOSES)[number];

/** A live reservation of the provider as it is stored: its buffers are inside the range. */
export interface BusyTime extends Interval {
  readonly purpose: ReservationPurpose;
}

/** The longest visit: a day. */
export const MAX_DURATION_MINUTES = 24 * 60;

interface VisitQuestion {
  readonly schedule: ProviderSchedule;
  readonly durationMinutes: number;
  /** Epoch milliseconds. */
  readonly now: number;
}

export interface SlotSearch extends VisitQuestion {
  /** ISO date in the clinic's zone. A slot belongs to the date on which it starts. */
  readonly date: string;
  /** The provider's live reservations in {@link busyRange}, in any order. */
  readonly busy: readonly BusyTime[];
}

export interface SlotRangeSearch extends VisitQuestion {
  /** First and last ISO date in the clinic's zone, both included. */
  readonly fromDate: string;
  readonly toDate: string;
  readonly busy: readonly BusyTime[];
}

export interface SlotJudgement extends VisitQuestion {
  /** When the visit would start. Epoch milliseconds. */
  readonly from: number;
  /** The provider's live reservations; left out, only the rules that need none are judged and the database decides the rest. */
  readonly busy?: readonly BusyTime[];
}

export type SlotRefusal = Extract<
  ErrorCode,
  | 'invalid_duration'
  | 'in_the_past'
  | 'too_soon'
  | 'too_far_ahead'
  | 'outside_hours'
  | 'provider_closed'
  | 'provider_away'
  | 'off_grid'
  | 'slot_taken'
  | 'day_full'
>;

/** A local day as instants. */
export interface LocalDay extends Interval {
  /** ISO date in the clinic's zone. */
  readonly date: string;
}

/**
 * `during` is what to reserve: the visit with the provider's buffers.
 * `day` is the local day on which the reservation starts: the day whose reservations are counted against `maxDailyAppointments`.
 */
export type SlotVerdict =
  | { readonly ok: true; readonly during: Interval; readonly day: LocalDay }
  | { readonly ok: false; readonly code: SlotRefusal };

/** The rules that can take time away, in the order in which they are asked: what one has removed, the next does not see. */
export const AVAILABILITY_RULES = [
  'hours',
  'break',
  'closure',
  'time_off',
  'notice',
  'horizon',
  'booked',
  'hold',
  'waitlist',
  'ehr',
  'buffer',
  'capacity',
  'duration',
] as const;
export type AvailabilityRule = (typeof AVAILABILITY_RULES)[number];

export interface AvailabilityExplanation {
  readonly day: LocalDay;
  /** What is left of the day when every rule has had its say: the windows in which the slots start. */
  readonly open: readonly Interval[];
  readonly slots: readonly Interval[];
  /** Only the rules that removed something, in the order of {@link AVAILABILITY_RULES}. With `open` they make up the whole day, without overlap. */
  readonly removed: readonly { readonly rule: AvailabilityRule; readonly windows: readonly Interval[] }[];
}
