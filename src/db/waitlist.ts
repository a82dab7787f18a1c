import { sql, type Selectable } from 'kysely';
import type { Interval } from '../domain/interval.ts';
import type { OnBehalf } from './audit.ts';
import type { Tx } from './connection.ts';
import { range } from './look-ups.ts';
import type { Database } from './schema.ts';

export type WaitlistEntryRow = Selectable<Database['waitlist_entry']>;
export type WaitlistRoundRow = Selectable<Database['waitlist_round']>;

/** Somebody who waits, and the specialty of the provider that was asked about. */
export type WaitingEntry = WaitlistEntryRow & { readonly provider_specialty: string };

/** Everybody at the clinic who waits for this provider or their specialty: the ranking decides who fits. */
export async function waitingEntries(tx: Tx, clinicId: string, providerId: string): Promise<WaitingEntry[]> {
  const { rows } = await sql<WaitingEntry>`
    select e.*, p.specialty as provider_specialty from provider p join waitlist_entry e using (clinic_id)
    where p.provider_id = ${providerId} and e.clinic_id = ${clinicId} and ${waitsFor} order by e.entry_id`.execute(tx);
  return rows;
}

/** Of an entry `e` and a provider `p`. A wish whose last date is over, wherever the clinic is, and one that a visit ahead fulfils are nobody's to fill. */
const waitsFor = sql`e.status = 'WAITING' and (e.provider_id = p.provider_id or lower(e.specialty) = lower(p.specialty))
  and e.latest_date >= (now() at time zone 'UTC' - interval '12 hours')::date and not has_visit_instead(e.entry_id)`;

/** Everything a round is filled from. */
export interface RoundToFill {
  readonly state: WaitlistRoundRow['state'];
  /** Whose slot it is, and by which rules. */
  readonly rules: { readonly providerId: string; readonly scheduleVersion: number; readonly policyVersion: number };
  readonly slotStart: Date;
  readonly durationMinutes: number;
  readonly specialty: string;
  /** Whose visit it was. */
  readonly freedByPatientId: string;
  readonly entries: readonly WaitlistEntryRow[];
}

/** The round, if the context sees it, with who waits for its slot. */
export async function findRoundToFill(tx: Tx, roundId: string): Promise<RoundToFill | undefined> {
  const { rows } = await sql<
    WaitlistEntryRow & {
      state: WaitlistRoundRow['state'];
      of_provider: string;
      schedule_version: number;
      policy_version: number;
      slot_start: Date;
      slot_minutes: number;
      provider_specialty: string;
      freed_by: string;
    }
  >`
    select r.state, r.provider_id as of_provider, p.schedule_version, c.policy_version, r.slot_start, r.duration_minutes as slot_minutes,
      p.specialty as provider_specialty, a.patient_id as freed_by, e.*
    from waitlist_round r join provider p on p.provider_id = r.provider_id join clinic c on c.clinic_id = r.clinic_id
      join appointment a on a.appointment_id = r.freed_appointment_id
      left join waitlist_entry e on e.clinic_id = r.clinic_id and ${waitsFor}
    where r.round_id = ${roundId} order by e.entry_id`.execute(tx);
  const [round] = rows;
  if (round === undefined) return undefined;
  return {
    state: round.state,
    rules: {
      providerId: round.of_provider,
      scheduleVersion: round.schedule_version,
      policyVersion: round.policy_version,
    },
    slotStart: round.slot_start,
    durationMinutes: round.slot_minutes,
    specialty: round.provider_specialty,
    freedByPatientId: round.freed_by,
    entries: rows.filter((row) => (row.entry_id as string | null) !== null),
  };
}

/**
 * Opens a round for freed time, which it keeps for `minutes` from now; the provider's lock is held. Returns false, and nothing is there, when somebody
 * else has the time already.
 */
export async function insertRound(
  tx: Tx,
  round: {
    readonly roundId: string;
    readonly clinicId: string;
    readonly providerId: string;
    readonly freedAppointmentId: string;
    readonly slotStart: Date;
    readonly durationMinutes: number;
    /** Buffers inside. */
    readonly during: Interval;
    readonly minutes: number;
  },
): Promise<boolean> {
  const until = sql`now() + make_interval(mins => ${round.minutes})`;
  const { rows } = await sql`
    with opened as (
      insert into waitlist_round (round_id, clinic_id, provider_id, freed_appointment_id, slot_start, duration_minutes, state, deadline)
      values (${round.roundId}, ${round.clinicId}, ${round.providerId}, ${round.freedAppointmentId}, ${round.slotStart}, ${round.durationMinutes},
        'OPEN', ${until}))
    insert into reservation (clinic_id, resource_id, during, visit_start, purpose, round_id, expires_at)
    values (${round.clinicId}, ${round.providerId}, ${range(round.during.from, round.during.to)}::tstzrange, ${round.slotStart}, 'WAITLIST',
      ${round.roundId}, ${until})
    on conflict do nothing returning reservation_id`.execute(tx);
  if (rows.length === 1) return true;
  await tx.deleteFrom('waitlist_round').where('round_id', '=', round.roundId).execute();
  return false;
}

/** Locks the entry if it still waits. */
export function lockWaitingEntry(tx: Tx, entryId: string): Promise<WaitlistEntryRow | undefined> {
  return tx
    .selectFrom('waitlist_entry')
    .selectAll()
    .where('entry_id', '=', entryId)
    .where('status', '=', 'WAITING')
    .forUpdate()
    .executeTakeFirst();
}

/** A round under all the locks that filling it with this entry needs, or giving it back. */
export interface LockedRound {
  readonly round: WaitlistRoundRow;
  /** Its slot is still kept for it. */
  readonly isKept: boolean;
  /** The entry still waits. */
  readonly isWaiting: boolean;
}

/** See the function `lock_round`. Undefined if the context does not see the round. */
export async function lockRound(
  tx: Tx,
  clinicId: string,
  roundId: string,
  entryId?: string,
): Promise<LockedRound | undefined> {
  const { rows } = await sql<WaitlistRoundRow & { is_kept: boolean; is_waiting: boolean }>`
    select round.*, is_kept, is_waiting from lock_round(${clinicId}, ${roundId}, ${entryId ?? null}) locked,
      jsonb_populate_record(null::waitlist_round, locked.round) round`.execute(tx);
  return rows.map(({ is_kept: isKept, is_waiting: isWaiting, ...round }) => ({ round, isKept, isWaiting }))[0];
}

export function findRound(tx: Tx, roundId: string): Promise<WaitlistRoundRow | undefined> {
  return tx.selectFrom('waitlist_round').selectAll().where('round_id', '=', roundId).executeTakeFirst();
}

/** The open rounds that this appointment's freed slots started: what its workflow has to see to. It has several when it was moved again and again. */
export async function openRoundsOf(tx: Tx, appointmentId: string): Promise<string[]> {
  const rows = await tx
    .selectFrom('waitlist_round')
    .select('round_id')
    .where('freed_appointment_id', '=', appointmentId)
    .where('state', '=', 'OPEN')
    .orderBy('created_at')
    .orderBy('round_id')
    .execute();
  return rows.map((row) => row.round_id);
}

/** Writes down why an entry was passed over in a round; repeated, the last word counts. */
export async function recordPassed(
  tx: Tx,
  passed: {
    readonly candidateId: string;
    readonly clinicId: string;
    readonly roundId: string;
    readonly entryId: string;
    readonly reason: string;
  },
): Promise<void> {
  const { candidateId, clinicId, roundId, entryId, reason } = passed;
  await tx
    .insertInto('round_candidate')
    .values({
      candidate_id: candidateId,
      clinic_id: clinicId,
      round_id: roundId,
      entry_id: entryId,
      state: 'PASSED',
      reason,
    })
    .onConflict((oc) => oc.columns(['round_id', 'entry_id']).doUpdateSet({ state: 'PASSED', reason }))
    .execute();
}

/** The entry got the round's slot: the entry, the round, how it fared, and the audit, in one statement. */
export async function closeRoundAsFilled(
  tx: Tx,
  act: OnBehalf,
  filled: {
    readonly roundId: string;
    readonly entryId: string;
    readonly candidateId: string;
    readonly appointmentId: string;
  },
): Promise<void> {
  const { roundId, entryId, candidateId, appointmentId } = filled;
  await sql`
    with booked as (
      update waitlist_entry set status = 'BOOKED', booked_appointment_id = ${appointmentId}, updated_at = now() where entry_id = ${entryId}
    ), fared as (
      insert into round_candidate (candidate_id, clinic_id, round_id, entry_id, state) values (${candidateId}, ${act.clinicId}, ${roundId}, ${entryId}, 'BOOKED')
      on conflict (round_id, entry_id) do update set state = 'BOOKED', reason = null
    ), closed as (
      update waitlist_round set state = 'FILLED', filled_appointment_id = ${appointmentId}, closed_at = now() where round_id = ${roundId}
    )
    insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
    values (${act.clinicId}, 'waitlist_round', ${roundId}, 'filled', ${act.actor.kind}, ${act.actor.id}, ${act.requestId ?? null},
      ${JSON.stringify({ appointmentId })}::jsonb)`.execute(tx);
}

/** Nobody gets the round's slot: it is everybody's again. */
export async function closeRoundAsReleased(tx: Tx, act: OnBehalf, roundId: string, reason: string): Promise<void> {
  await sql`
    with freed as (delete from reservation where round_id = ${roundId}), closed as (
      update waitlist_round set state = 'RELEASED', closed_at = now(), closed_reason = ${reason} where round_id = ${roundId}
    )
    insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, request_id, detail)
    values (${act.clinicId}, 'waitlist_round', ${roundId}, 'released', ${act.actor.kind}, ${act.actor.id}, ${act.requestId ?? null},
      ${JSON.stringify({ reason })}::jsonb)`.execute(tx);
}
