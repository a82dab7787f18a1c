import { sql } from 'kysely';
import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { isSpecialty } from '../../db/specialty.ts';
import { lockWaitingEntry, type WaitlistEntryRow } from '../../db/waitlist.ts';
import { AppError } from '../../domain/errors.ts';
import { localDate } from '../../domain/time-zone.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';

export interface WaitlistWish {
  readonly patientId: string;
  /** Exactly one of the two: this provider, or anybody of the specialty. */
  readonly providerId?: string | undefined;
  readonly specialty?: string | undefined;
  readonly durationMinutes: number;
  /** ISO dates in the clinic's zone, both included. */
  readonly earliestDate: string;
  readonly latestDate: string;
  /** 0 to 9, higher is more urgent; staff only. */
  readonly priority?: number | undefined;
  readonly registersPatient: boolean;
}

export type JoinedEntry = WaitlistEntryRow & {
  /** An earlier request under the same idempotency key had joined already. */
  readonly replayed: boolean;
};

/**
 * Puts a patient on the clinic's waitlist. A wish of theirs for the same that nobody can fulfil any more, as its last date is over, is ended.
 * @throws AppError `not_found`, `already_waiting`, `in_the_past`, `validation_failed`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function joinWaitlist(
  deps: SchedulingDeps,
  act: Act,
  wish: WaitlistWish,
  idempotency?: Idempotency,
): Promise<JoinedEntry> {
  if ((wish.providerId === undefined) === (wish.specialty === undefined) || wish.earliestDate > wish.latestDate) {
    throw new AppError('validation_failed');
  }
  return doorOnce(
    deps,
    act,
    idempotency,
    async (tx) => ({ entryId: await enter(deps, tx, act, wish) }),
    async (tx, { entryId, replayed }) => {
      const entry = await tx
        .selectFrom('waitlist_entry')
        .selectAll()
        .where('entry_id', '=', entryId)
        .executeTakeFirstOrThrow();
      return { ...entry, replayed };
    },
  );
}

async function enter(deps: SchedulingDeps, tx: Tx, act: Act, wish: WaitlistWish): Promise<string> {
  const asked = await tx
    .selectFrom('provider')
    .innerJoin('clinic', 'clinic.clinic_id', 'provider.clinic_id')
    .select(['specialty', 'time_zone'])
    .where('provider.clinic_id', '=', act.clinicId)
    .where((eb) =>
      wish.providerId === undefined
        ? isSpecialty('specialty', wish.specialty ?? '')
        : eb('provider_id', '=', wish.providerId),
    )
    .orderBy('provider_id')
    .limit(1)
    .executeTakeFirst();
  if (asked === undefined) throw new AppError('not_found');
  const today = localDate(asked.time_zone, act.now.getTime());
  if (wish.latestDate < today) throw new AppError('in_the_past');
  if (wish.registersPatient) {
    await tx
      .insertInto('registration')
      .values({ clinic_id: act.clinicId, patient_id: wish.patientId })
      .onConflict((oc) => oc.doNothing())
      .execute();
  }
  // As the clinic writes it, so that nobody waits for it twice.
  const specialty = wish.specialty === undefined ? null : asked.specialty;
  await endLapsed(tx, act, { ...wish, specialty }, today);
  const entryId = deps.newId();
  await tx
    .insertInto('waitlist_entry')
    .values({
      entry_id: entryId,
      clinic_id: act.clinicId,
      patient_id: wish.patientId,
      provider_id: wish.providerId ?? null,
      specialty,
      duration_minutes: wish.durationMinutes,
      earliest_date: wish.earliestDate,
      latest_date: wish.latestDate,
      priority: wish.priority ?? 0,
      status: 'WAITING',
      booked_appointment_id: null,
    })
    .execute();
  await audit(tx, act, 'waitlist_entry', entryId, 'joined');
  return entryId;
}

async function endLapsed(
  tx: Tx,
  act: Act,
  wish: { readonly patientId: string; readonly providerId?: string | undefined; readonly specialty: string | null },
  today: string,
): Promise<void> {
  const lapsed = await tx
    .updateTable('waitlist_entry')
    .set({ status: 'LEFT', updated_at: sql`now()` })
    .where('patient_id', '=', wish.patientId)
    .where((eb) =>
      wish.specialty === null ? eb('provider_id', '=', wish.providerId ?? null) : eb('specialty', '=', wish.specialty),
    )
    .where('status', '=', 'WAITING')
    .where('latest_date', '<', today)
    .returning('entry_id')
    .execute();
  for (const { entry_id: entryId } of lapsed) await audit(tx, act, 'waitlist_entry', entryId, 'lapsed');
}

/** Takes a patient off the waitlist; repeating it changes nothing. @throws AppError `not_found` */
export function leaveWaitlist(
  deps: SchedulingDeps,
  act: Act,
  { entryId }: { readonly entryId: string },
): Promise<void> {
  return door(deps, act, async (tx) => {
    const waiting = await lockWaitingEntry(tx, entryId);
    if (waiting === undefined) {
      const known = await tx
        .selectFrom('waitlist_entry')
        .select('entry_id')
        .where('entry_id', '=', entryId)
        .executeTakeFirst();
      if (known === undefined) throw new AppError('not_found');
      return;
    }
    await tx
      .updateTable('waitlist_entry')
      .set({ status: 'LEFT', updated_at: sql`now()` })
      .where('entry_id', '=', entryId)
      .execute();
    await audit(tx, act, 'waitlist_entry', entryId, 'left');
  });
}
