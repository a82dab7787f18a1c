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
import { affectedOfClinic, countClosedOut, type AffectedOfClinic } from './affected-visits.ts';
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
    const timeZone = await zoneOf(tx, act.clinicId);
    const affected = await countClosedOut(tx, { clinicId: act.clinicId, timeZone, closures: [closure] }, act.now);
    const closureId = deps.newId();
    await insertClosures(tx, act.clinicId, [{ ...closure, closureId, calendarUid: null }]);
    await withdrawRefusedOffers(tx, act);
    await audit(tx, act, 'clinic', act.clinicId, 'closure_added', { closureId, ...closure, affected });
    return { closureId, affectedAppointments: affected };
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
    const { added, unchanged, removed, timeZone } = await planOfImport(tx, act, events);
    const affected = await countClosedOut(tx, { clinicId: act.clinicId, timeZone, closures: added }, act.now);
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
      await audit(tx, act, 'clinic', act.clinicId, 'closures_imported', { ...counts, affected });
    }
    return { ...counts, affectedAppointments: affected };
  });
}

/** What an import would change and whom it would affect: the preview, which writes nothing. @throws AppError `not_found` */
export async function effectOfImport(
  tx: Tx,
  act: Pick<Act, 'clinicId' | 'now'>,
  events: readonly CalendarEvent[],
): Promise<ImportPlan & AffectedOfClinic> {
  const plan = await planOfImport(tx, act, events);
  return {
    ...plan,
    ...(await affectedOfClinic(tx, act.clinicId, { kind: 'closures', closures: plan.added }, act.now)),
  };
}

async function planOfImport(
  tx: Tx,
  { clinicId, now }: Pick<Act, 'clinicId' | 'now'>,
  events: readonly CalendarEvent[],
): Promise<ImportPlan & { readonly timeZone: string }> {
  const timeZone = await zoneOf(tx, clinicId);
  const uids = events.map(({ uid }) => uid);
  return { timeZone, ...planImport(events, await importedClosures(tx, uids, localDate(timeZone, now.getTime()))) };
}

async function zoneOf(tx: Tx, clinicId: string): Promise<string> {
  const clinic = await tx.selectFrom('clinic').select('time_zone').where('clinic_id', '=', clinicId).executeTakeFirst();
  if (clinic === undefined) throw new AppError('not_found');
  return clinic.time_zone;
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
