import { MINUTE_MS, visitAt } from './clock.ts';
import { addDays, dayOfWeek, localDate, timeOfDay, zonedInstant } from './time-zone.ts';

/** The freed time that is to be filled. Instants in epoch milliseconds. */
export interface FreedSlot {
  readonly providerId: string;
  readonly specialty: string;
  /** The clinic's zone, in which the entries' dates, days and hours are meant. */
  readonly timeZone: string;
  readonly from: number;
  readonly to: number;
  /** Who gave the slot up; they are not offered it again. */
  readonly freedByPatientId: string | null;
}

/** One patient's wish, as the rules read it. */
export interface WaitlistCandidate {
  readonly entryId: string;
  readonly patientId: string;
  /** This provider only; otherwise any of `specialty`, whatever its capitals; otherwise anybody at the clinic. */
  readonly providerId: string | null;
  readonly specialty: string | null;
  readonly durationMinutes: number;
  /** The first and last date that suits, ISO, both included. */
  readonly earliestDate: string | null;
  readonly latestDate: string | null;
  /** 1 = Monday … 7 = Sunday; null or empty: any day. */
  readonly daysOfWeek?: readonly number[] | null;
  /** The whole visit must lie between these times of day; an end at or before the start is on the next day. */
  readonly startTime?: string | null;
  readonly endTime?: string | null;
  /** How much warning the patient needs. */
  readonly noticeMinutes: number;
  /** Higher is more urgent. */
  readonly priority: number;
  /** Since when they have been waiting. */
  readonly waitingSince: number;
}

/**
 * Who could take the freed slot, best first: by priority, then by who has waited longest.
 * The visit starts where the slot starts.
 *
 * @param now - epoch milliseconds
 */
export function rankCandidates<Candidate extends WaitlistCandidate>(
  slot: FreedSlot,
  entries: readonly Candidate[],
  now: number,
): Candidate[] {
  const date = localDate(slot.timeZone, slot.from);
  return entries
    .filter((entry) => suits(slot, date, entry, now))
    .sort(
      (a, b) =>
        b.priority - a.priority ||
        a.waitingSince - b.waitingSince ||
        (a.entryId < b.entryId ? -1 : a.entryId > b.entryId ? 1 : 0),
    );
}

function suits(slot: FreedSlot, date: string, entry: WaitlistCandidate, now: number): boolean {
  return (
    entry.patientId !== slot.freedByPatientId &&
    wantsProvider(slot, entry) &&
    visitAt(slot.from, entry.durationMinutes).to <= slot.to &&
    (entry.earliestDate === null || entry.earliestDate <= date) &&
    (entry.latestDate === null || entry.latestDate >= date) &&
    (!entry.daysOfWeek?.length || entry.daysOfWeek.includes(dayOfWeek(date))) &&
    slot.from - now >= entry.noticeMinutes * MINUTE_MS &&
    fitsTimeOfDay(slot, date, entry)
  );
}

function wantsProvider(slot: FreedSlot, entry: WaitlistCandidate): boolean {
  if (entry.providerId !== null) return entry.providerId === slot.providerId;
  return entry.specialty === null || entry.specialty.toLowerCase() === slot.specialty.toLowerCase();
}

function fitsTimeOfDay(slot: FreedSlot, date: string, entry: WaitlistCandidate): boolean {
  const { startTime = null, endTime = null } = entry;
  if (startTime === null && endTime === null) return true;
  const opens = startTime ?? '00:00';
  const closes = endTime ?? '24:00';
  const visitEnd = visitAt(slot.from, entry.durationMinutes).to;
  return [addDays(date, -1), date].some((day) => {
    const from = zonedInstant(slot.timeZone, day, opens);
    const to = zonedInstant(slot.timeZone, timeOfDay(closes) <= timeOfDay(opens) ? addDays(day, 1) : day, closes);
    return from <= slot.from && visitEnd <= to;
  });
}
