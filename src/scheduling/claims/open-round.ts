import { sql } from 'kysely';
import { keepForRound } from '../../db/reservations.ts';
import type { Tx } from '../../db/connection.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import { waitingEntries, type WaitlistEntryRow } from '../../db/waitlist.ts';
import type { AppointmentRow } from '../../db/appointments.ts';
import { judgeSlot } from '../../domain/availability/judge.ts';
import { type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { visitWithin } from '../../domain/availability/search.ts';
import { subtractIntervals, type Interval } from '../../domain/interval.ts';
import type { WaitlistPolicy } from '../../domain/policy.ts';
import { rankCandidates, type WaitlistCandidate } from '../../domain/waitlist-ranking.ts';
import type { Act, SchedulingDeps } from '../act.ts';

/** Until its first activity sets a round's deadlines, the slot is protected for half an hour. */
const ROUND_PROTECTION_MINUTES = 30;

/** What somebody gave back. */
export interface FreedSlot {
  readonly appointmentId: string;
  readonly providerId: string;
  readonly patientId: string;
  /** When the visit was to start, and how long it was. */
  readonly visitFrom: number;
  readonly durationMinutes: number;
  /** What the provider had reserved, buffers inside. */
  readonly during: Interval;
}

/** @param during - what the provider had reserved for the appointment */
export function freedSlotOf(appointment: AppointmentRow, during: Interval): FreedSlot {
  return {
    appointmentId: appointment.appointment_id,
    providerId: appointment.provider_id,
    patientId: appointment.patient_id,
    visitFrom: appointment.appointment_time.getTime(),
    durationMinutes: appointment.duration_minutes,
    during,
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
  return visit && { ...freed, visitFrom: visit.from, durationMinutes: (visit.to - visit.from) / 60_000, during: part };
}

/**
 * Starts a round when somebody waits who fits: the freed time becomes a WAITLIST reservation in the transaction that frees it, so nobody can take it
 * in between. The caller holds the provider's lock and has freed the appointment's reservations. The appointment's workflow starts the round's
 * workflow when it reads the row again; the sweep does when it cannot. Returns the round's id, if one was opened.
 */
export async function openRound(deps: SchedulingDeps, tx: Tx, act: Act, freed: FreedSlot): Promise<string | undefined> {
  const provider = await tx
    .selectFrom('provider')
    .innerJoin('clinic', 'clinic.clinic_id', 'provider.clinic_id')
    .select(['provider.specialty', 'clinic.time_zone', 'clinic.policy'])
    .where('provider.provider_id', '=', freed.providerId)
    .executeTakeFirstOrThrow();
  const now = act.now.getTime();
  if (tooLateToRefill(freed.visitFrom, now, provider.policy.waitlist)) return undefined;
  const candidates = rankCandidates(
    {
      providerId: freed.providerId,
      specialty: provider.specialty,
      timeZone: provider.time_zone,
      from: freed.visitFrom,
      to: freed.visitFrom + freed.durationMinutes * 60_000,
      freedByPatientId: freed.patientId,
    },
    (await waitingEntries(tx, freed.providerId, provider.specialty)).map(candidateOf),
    now,
  );
  if (!(await isBookable(tx, freed, candidates, now))) return undefined;

  const roundId = deps.newId();
  await tx
    .insertInto('waitlist_round')
    .values({
      round_id: roundId,
      clinic_id: act.clinicId,
      provider_id: freed.providerId,
      freed_appointment_id: freed.appointmentId,
      slot_start: new Date(freed.visitFrom),
      duration_minutes: freed.durationMinutes,
      state: 'OPEN',
      deadline: sql`now() + make_interval(mins => ${ROUND_PROTECTION_MINUTES})`,
      filled_appointment_id: null,
      closed_reason: null,
    })
    .execute();
  const kept = await keepForRound(tx, {
    clinicId: act.clinicId,
    providerId: freed.providerId,
    roundId,
    during: freed.during,
    minutes: ROUND_PROTECTION_MINUTES,
  });
  if (!kept) {
    await tx.deleteFrom('waitlist_round').where('round_id', '=', roundId).execute();
    return undefined;
  }
  return roundId;
}

/** Could any of them be booked into it by the provider's rules? A provider who is away, or a clinic that is closed, has nothing to give. */
async function isBookable(
  tx: Tx,
  freed: FreedSlot,
  candidates: readonly WaitlistCandidate[],
  now: number,
): Promise<boolean> {
  if (candidates.length === 0) return false;
  const schedule = await loadProviderSchedule(tx, freed.providerId);
  if (schedule === undefined) return false;
  return candidates.some(
    ({ durationMinutes }) => judgeSlot({ schedule, from: freed.visitFrom, durationMinutes, now }).ok,
  );
}

/** A slot that starts this soon goes back to the public at once. */
export function tooLateToRefill(visitFrom: number, now: number, policy: WaitlistPolicy): boolean {
  return visitFrom - now < policy.stopBeforeMinutes * 60_000;
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
