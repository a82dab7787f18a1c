import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockClinic } from '../../db/locks.ts';
import { deleteClosures, importedClosures, insertClosures } from '../../db/schedule-rules.ts';
import type { Closure } from '../../domain/availability/schedule.ts';
import { planImport, type CalendarEvent, type ImportPlan } from '../../domain/closure-import.ts';
import { AppError } from '../../domain/errors.ts';
import { localDate } from '../../domain/time-zone.ts';
import { door, doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { affectedOfClinic, type AffectedOfClinic } from './affected-visits.ts';
import type { ScheduleChanged } from './hours.ts';
import { withdrawRefusedOffers } from '../claims/withdraw-offers.ts';

/**
 * The whole clinic is closed on these dates. Visits that are booked stay.
 * @throws AppError `not_found`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function addClosure(
  deps: SchedulingDeps,
  act: Act,
  closure: Closure,
  idempotency?: Idempotency,
): Promise<ScheduleChanged & { readonly closureId: string; readonly replayed: boolean }> {
  return onceUnderClinicLock(deps, act, idempotency, async (tx) => {
    const { affected } = await affectedOfClinic(tx, act.clinicId, { kind: 'closures', closures: [closure] }, act.now);
    const closureId = deps.newId();
    await insertClosures(tx, act.clinicId, [{ ...closure, closureId, calendarUid: null }]);
    await withdrawRefusedOffers(tx, act);
    await audit(tx, act, 'clinic', act.clinicId, 'closure_added', { closureId, ...closure, affected: affected.length });
    return { closureId, affectedAppointments: affected.length };
  });
}

/** The clinic is open on these dates after all. @throws AppError `not_found` */
export function removeClosure(
  deps: SchedulingDeps,
  act: Act,
  { closureId }: { readonly closureId: string },
): Promise<void> {
  return door(deps, act, async (tx) => {
    await lockClinic(tx, act.clinicId);
    if ((await deleteClosures(tx, [closureId])) === 0) throw new AppError('not_found');
    await audit(tx, act, 'clinic', act.clinicId, 'closure_removed', { closureId });
  });
}

export interface ClosuresImported extends ScheduleChanged {
  /** Closures that were added, that were there already, and that are no longer in their event. */
  readonly imported: number;
  readonly unchanged: number;
  readonly removed: number;
}

/**
 * The closures of a calendar file. An event is known by its UID: importing it again adds nothing, and one that has changed replaces what there was of it.
 * Closures that are over, and those that somebody entered by hand, are never touched.
 *
 * @throws AppError `not_found`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function importClosures(
  deps: SchedulingDeps,
  act: Act,
  events: readonly CalendarEvent[],
  idempotency?: Idempotency,
): Promise<ClosuresImported & { readonly replayed: boolean }> {
  return onceUnderClinicLock(deps, act, idempotency, async (tx) => {
    const { added, unchanged, removed, affected } = await effectOfImport(tx, act, events);
    // First, as an event that was moved or renamed has its place under its UID.
    await deleteClosures(tx, removed);
    await insertClosures(
      tx,
      act.clinicId,
      added.map((closure) => ({ ...closure, closureId: deps.newId() })),
    );
    await withdrawRefusedOffers(tx, act);
    const counts = { imported: added.length, unchanged, removed: removed.length };
    if (added.length + removed.length > 0) {
      await audit(tx, act, 'clinic', act.clinicId, 'closures_imported', { ...counts, affected: affected.length });
    }
    return { ...counts, affectedAppointments: affected.length };
  });
}

/**
 * What an import changes and whom it affects, before it is written. A preview asks it and writes nothing; the import asks it under the clinic's lock.
 * @throws AppError `not_found`
 */
export async function effectOfImport(
  tx: Tx,
  { clinicId, now }: Pick<Act, 'clinicId' | 'now'>,
  events: readonly CalendarEvent[],
): Promise<ImportPlan & AffectedOfClinic> {
  const clinic = await tx.selectFrom('clinic').select('time_zone').where('clinic_id', '=', clinicId).executeTakeFirst();
  if (clinic === undefined) throw new AppError('not_found');
  const uids = events.map(({ uid }) => uid);
  const plan = planImport(events, await importedClosures(tx, uids, localDate(clinic.time_zone, now.getTime())));
  return { ...plan, ...(await affectedOfClinic(tx, clinicId, { kind: 'closures', closures: plan.added }, now)) };
}

function onceUnderClinicLock<Answer extends object>(
  deps: SchedulingDeps,
  act: Act,
  idempotency: Idempotency | undefined,
  work: (tx: Tx) => Promise<Answer>,
): Promise<Answer & { readonly replayed: boolean }> {
  return doorOnce(deps, act, idempotency, async (tx) => {
    await lockClinic(tx, act.clinicId);
    return work(tx);
  });
}
