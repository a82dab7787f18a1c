import type { LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import type { FreedTime } from '../../db/places.ts';
import { insertRound, waitingEntries, type WaitlistEntryRow } from '../../db/waitlist.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import { type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { visitWithin } from '../../domain/availability/search.ts';
import { MINUTE_MS, visitAt } from '../../domain/clock.ts';
import { subtractIntervals, type Interval } from '../../domain/interval.ts';
import type { WaitlistPolicy } from '../../domain/policy.ts';
import { rankCandidates, type WaitlistCandidate } from '../../domain/waitlist-ranking.ts';
import type { Act, SchedulingDeps } from '../act.ts';
import type { ScheduleVersion } from '../provider-schedules.ts';

/** Until its first activity sets a round's deadlines, the slot is protected for half an hour. */
const ROUND_PROTECTION_MINUTES = 30;

/** What somebody gave back. */
export interface FreedSlot {
  readonly appointmentId: string;
  /** Whose time it is, and by which rules. */
  readonly provider: ScheduleVersion;
  readonly patientId: string;
  /** When the visit was to start, and how long it was. */
  readonly visitFrom: number;
  readonly durationMinutes: number;
  /** What the provider had reserved, buffers inside. */
  readonly during: Interval;
}

/** @param freed - what the appointment had reserved; undefined when it had nothing of its provider's time */
export function freedSlotOf(
  { row: appointment, rules }: LockedVisit,
  freed: readonly FreedTime[],
): FreedSlot | undefined {
  const { appointment_id: appointmentId, provider_id: providerId } = appointment;
  const during = freed.find((each) => each.appointmentId === appointmentId && each.resourceId === providerId);
  if (during === undefined) return undefined;
  return {
    appointmentId,
    provider: rules,
    patientId: appointment.patient_id,
    visitFrom: appointment.appointment_time.getTime(),
    durationMinutes: appointment.duration_minutes,
    during: { from: during.from, to: during.to },
  };
}

/**
 * What is left of a freed slot once the same provider is reserved anew: the longer part where there are two. Undefined when no visit fits into it.
 * @param taken - the new reservation, buffers inside
 */
export function remainderOf(freed: FreedSlot, schedule: ProviderSchedule, taken: Interval): FreedSlot | undefined {
  const [part] = subtractIntervals([freed.during], [taken]).sort((a, b) => b.to - b.from - (a.to - a.from));
  if (part === undefined) return undefined;
  if (part.from === freed.during.from && part.to === freed.during.to) return freed;
  const visit = visitWithin(schedule, part);
  return (
    visit && { ...freed, visitFrom: visit.from, durationMinutes: (visit.to - visit.from) / MINUTE_MS, during: part }
  );
}

/**
 * Starts a round when somebody waits who fits: the freed time becomes a WAITLIST reservation in the transaction that frees it, so nobody can take it
 * in between. The caller holds the provider's lock and has freed the appointment's reservations. The appointment's workflow starts the round's
 * workflow when it reads the row again; the sweep does when it cannot. Returns the round's id, if one was opened.
 */
export async function openRound(deps: SchedulingDeps, tx: Tx, act: Act, freed: FreedSlot): Promise<string | undefined> {
  const { provider, visitFrom, durationMinutes, patientId } = freed;
  const schedule = await deps.schedules.underLock(tx, act.clinicId, provider);
  const now = act.now.getTime();
  if (tooLateToRefill(visitFrom, now, schedule.policy.waitlist)) return undefined;
  const { providerId, timeZone } = schedule;
  const waiting = await waitingEntries(tx, act.clinicId, providerId);
  const specialty = waiting[0]?.provider_specialty ?? '';
  const slot = { providerId, timeZone, specialty, ...visitAt(visitFrom, durationMinutes), freedByPatientId: patientId };
  const candidates = rankCandidates(slot, waiting.map(candidateOf), now);
  // A provider who is away, or a clinic that is closed, has nothing to give.
  const isBookable = candidates.some(
    (each) => judgeSlot({ schedule, from: visitFrom, durationMinutes: each.durationMinutes, now }).ok,
  );
  if (!isBookable) return undefined;
  const roundId = deps.newId();
  const isKept = await insertRound(tx, {
    roundId,
    clinicId: act.clinicId,
    providerId,
    freedAppointmentId: freed.appointmentId,
    slotStart: new Date(visitFrom),
    durationMinutes,
    during: freed.during,
    minutes: ROUND_PROTECTION_MINUTES,
  });
  return isKept ? roundId : undefined;
}

/** A slot that starts this soon goes back to the public at once. */
export function tooLateToRefill(visitFrom: number, now: number, policy: WaitlistPolicy): boolean {
  return visitFrom - now < policy.stopBeforeMinutes * MINUTE_MS;
}

/** An entry as the ranking reads it. */
export function candidateOf(entry: WaitlistEntryRow): WaitlistCandidate {
  return {
    entryId: entry.entry_id,
    patientId: entry.patient_id,
    providerId: entry.provider_id,
    specialty: entry.specialty,
    durationMinutes: entry.duration_minutes,
    earliestDate: entry.earliest_date,
    latestDate: entry.latest_date,
    noticeMinutes: 0,
    priority: entry.priority,
    waitingSince: entry.created_at.getTime(),
  };
}
