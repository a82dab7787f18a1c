import { sql } from 'kysely';
import { changeAppointment, type AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { notifySickDay } from '../../db/sick-days.ts';
import { SERIES_NOTICE_KINDS, tellsOfCancelling } from '../../domain/notification.ts';

/*
 * Who announces a visit. What happens to several visits of a series at once is told in one message: the first of them speaks for all (`notice_visits`),
 * the others name it (`announced_by`) and send none. What happens to one visit alone is told by itself. Should the message that was to speak for
 * others never go out, the next of them takes it over: see `passOnNotice`.
 */

export interface NoticeColumns {
  readonly notice_visits: number;
  readonly announced_by: string | null;
}

/** What happened to the visit happened to it alone. */
export const OWN_NOTICE: NoticeColumns = { notice_visits: 1, announced_by: null };

interface VisitToTellOf {
  readonly appointmentId: string;
  readonly providerId: string;
}

/** What happened to `visits` is told by the first of them. A message names one provider: a visit with another one tells of itself. */
export function sharedNotice(visits: readonly VisitToTellOf[], visit: VisitToTellOf): NoticeColumns {
  const [first] = visits;
  if (first === undefined || visit.providerId !== first.providerId) return OWN_NOTICE;
  if (visit.appointmentId !== first.appointmentId) return { notice_visits: 1, announced_by: first.appointmentId };
  return { ...OWN_NOTICE, notice_visits: visits.filter((each) => each.providerId === first.providerId).length };
}

/**
 * To be called when something happens to a visit alone: if its notice was to speak for others and has not gone out, it never will.
 * One that is being sent is left to its end: if that is not an end, it is skipped, and `passOnSkippedNotice` sees to the rest.
 *
 * @param before - the visit as it was, locked
 */
export async function passOnUntoldNotice(tx: Tx, before: AppointmentRow): Promise<void> {
  if (before.notice_visits === 1) return;
  const told = await tx
    .selectFrom('notification')
    .select('notification_id')
    .where('appointment_id', '=', before.appointment_id)
    .where('kind', 'in', [...SERIES_NOTICE_KINDS])
    .where('appointment_version', '>=', before.time_set_version)
    .where('state', 'in', ['SENDING', 'UNKNOWN', 'ACCEPTED', 'DELIVERED'])
    .executeTakeFirst();
  if (told === undefined) await passOnNotice(tx, before.appointment_id);
}

/**
 * A notice that was to speak for several visits was skipped: the next of them speaks for the rest, unless the visit is about to send a newer notice of
 * that kind itself. Harmless to repeat.
 */
export async function passOnSkippedNotice(
  tx: Tx,
  skipped: { readonly appointmentId: string; readonly kind: string; readonly appointmentVersion: number },
): Promise<void> {
  const visit = await tx
    .selectFrom('appointment')
    .select(['status', 'time_set_version', 'notice_visits'])
    .where('appointment_id', '=', skipped.appointmentId)
    .executeTakeFirstOrThrow();
  const isLatest =
    skipped.appointmentVersion >= visit.time_set_version &&
    tellsOfCancelling(skipped.kind) === (visit.status === 'CANCELLED');
  if (visit.notice_visits === 1 || isLatest) await passOnNotice(tx, skipped.appointmentId);
}

/** The next visit for which this one was to speak announces itself and the rest. Repeating it changes nothing: nobody names this one any more. */
async function passOnNotice(tx: Tx, appointmentId: string): Promise<void> {
  const unannounced = await tx
    .selectFrom('appointment')
    .select(['appointment_id'])
    .where('announced_by', '=', appointmentId)
    .where('status', 'in', ['SCHEDULED', 'CANCELLED'])
    .where('appointment_time', '>', sql<Date>`now()`)
    .orderBy('series_index')
    .forUpdate()
    .execute();
  const [next, ...others] = unannounced.map((row) => row.appointment_id);
  if (next === undefined) return;
  const act = { actor: { kind: 'system', id: 'series-notice' } };
  const visits = unannounced.length;
  const announcing = { notice_visits: visits, announced_by: null };
  await changeAppointment(tx, act, next, announcing, 'noticeTakenOver', { from: appointmentId, visits });
  if (others.length > 0) {
    await tx.updateTable('appointment').set({ announced_by: next }).where('appointment_id', 'in', others).execute();
  }
  // It has another version now, and an offer stands only for the one it was made for.
  await notifySickDay(tx, next, 'visitChanged', undefined);
}
