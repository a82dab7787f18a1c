import { sql } from 'kysely';
import { recordAudit } from '../db/audit.ts';
import { inContext, type Tx } from '../db/connection.ts';
import { once, type Idempotency } from '../db/idempotency.ts';
import { isSpecialty } from '../db/specialty.ts';
import { lockWaitingEntry, type WaitlistEntryRow } from '../db/waitlist.ts';
import { AppError } from '../domain/errors.ts';
import type { Act, SchedulingDeps } from './act.ts';

export interface WaitlistWish {
  readonly patientId: string;
  /** Exactly one of the two: this provider, or anybody of the specialty. */
  readonly providerId?: string;
  readonly specialty?: string;
  readonly durationMinutes: number;
  /** ISO dates in the clinic's zone, both included. */
  readonly earliestDate: string;
  readonly latestDate: string;
  /** 0 to 9, higher is more urgent; staff only. */
  readonly priority?: number;
  readonly registersPatient: boolean;
}

export type JoinedEntry = WaitlistEntryRow & {
  /** An earlier request under the same idempotency key had joined already. */
  readonly replayed: boolean;
};

/**
 * Puts a patient on the clinic's waitlist.
 * @throws AppError `not_found`, `already_waiting`, `validation_failed`, `idempotency_in_progress`, `idempotency_mismatch`
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
  return inContext(deps.connection.db, { clinicId: act.clinicId, caller: idempotency?.caller }, async (tx) => {
    const { entryId, replayed } = await once(tx, idempotency, async () => ({
      entryId: await enter(deps, tx, act, wish),
    }));
    const entry = await tx
      .selectFrom('waitlist_entry')
      .selectAll()
      .where('entry_id', '=', entryId)
      .executeTakeFirstOrThrow();
    return { ...entry, replayed };
  });
}

async function enter(deps: SchedulingDeps, tx: Tx, act: Act, wish: WaitlistWish): Promise<string> {
  const asked = await tx
    .selectFrom('provider')
    .select('specialty')
    .where((eb) =>
      wish.providerId === undefined
        ? isSpecialty('specialty', wish.specialty ?? '')
        : eb('provider_id', '=', wish.providerId),
    )
    .orderBy('provider_id')
    .limit(1)
    .executeTakeFirst();
  if (asked === undefined) throw new AppError('not_found');
  if (wish.registersPatient) {
    await tx
      .insertInto('registration')
      .values({ clinic_id: act.clinicId, patient_id: wish.patientId })
      .onConflict((oc) => oc.doNothing())
      .execute();
  }
  const entryId = deps.newId();
  await tx
    .insertInto('waitlist_entry')
    .values({
      entry_id: entryId,
      clinic_id: act.clinicId,
      patient_id: wish.patientId,
      provider_id: wish.providerId ?? null,
      // As the clinic writes it, so that nobody waits for it twice.
      specialty: wish.specialty === undefined ? null : asked.specialty,
      duration_minutes: wish.durationMinutes,
      earliest_date: wish.earliestDate,
      latest_date: wish.latestDate,
      priority: wish.priority ?? 0,
      status: 'WAITING',
      booked_appointment_id: null,
    })
    .execute();
  await auditEntry(tx, act, entryId, 'joined');
  return entryId;
}

/** Takes a patient off the waitlist; repeating it changes nothing. @throws AppError `not_found` */
export function leaveWaitlist(
  deps: SchedulingDeps,
  act: Act,
  { entryId }: { readonly entryId: string },
): Promise<void> {
  return inContext(deps.connection.db, { clinicId: act.clinicId }, async (tx) => {
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
    await auditEntry(tx, act, entryId, 'left');
  });
}

function auditEntry(tx: Parameters<typeof recordAudit>[0], act: Act, entryId: string, action: string): Promise<void> {
  return recordAudit(tx, {
    clinicId: act.clinicId,
    entity: 'waitlist_entry',
    entityId: entryId,
    action,
    actor: act.actor,
    requestId: act.requestId,
  });
}
