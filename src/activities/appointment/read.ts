import type { AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { AppError } from '../../domain/errors.ts';
import {
  isReminderKind,
  isSeriesNotice,
  notificationId,
  tellsOfCancelling,
  type Channel,
  type NotificationKind,
  type PlannedKind,
} from '../../domain/notification.ts';
import { passOnSkippedNotice } from '../../scheduling/visits/series-notice.ts';
import { callsForOtherChannel, channelsOf } from '../../notifications/channels.ts';
import {
  notificationsOf,
  skipNotification,
  type NotificationRow,
  type PlannedNotification,
} from '../../notifications/ledger/rows.ts';
import { planAppointment, type AppointmentPlan } from '../../domain/appointment-plan.ts';

/** The appointment as it stands, and what that means for what comes next. */
export interface Situation {
  readonly row: AppointmentRow;
  readonly timeZone: string;
  readonly ledger: readonly NotificationRow[];
  readonly plan: AppointmentPlan;
}

/** Reads row, policy and ledger and plans from them. @throws AppError `not_found` */
export async function readSituation(tx: Tx, appointmentId: string, now: Date): Promise<Situation> {
  // In one: this is asked at every step of every visit.
  const found = await tx
    .selectFrom('appointment as a')
    .innerJoin('clinic as c', 'c.clinic_id', 'a.clinic_id')
    .innerJoin('clinic_policy as p', (join) =>
      join.onRef('p.clinic_id', '=', 'a.clinic_id').onRef('p.policy_version', '=', 'a.policy_version'),
    )
    .selectAll('a')
    .select(['c.time_zone', 'p.policy'])
    .where('a.appointment_id', '=', appointmentId)
    .executeTakeFirst();
  if (found === undefined) throw new AppError('not_found', { appointmentId });
  const { time_zone: timeZone, policy, ...row } = found;
  const ledger = await notificationsOf(tx, appointmentId);
  const plan = planAppointment({
    appointment: {
      appointmentId,
      status: row.status,
      appointmentTime: row.appointment_time.getTime(),
      durationMinutes: row.duration_minutes,
      bookedVia: row.booked_via,
      timeSetAt: row.time_set_at.getTime(),
      timeSetVersion: row.time_set_version,
      changedAt: row.updated_at.getTime(),
      version: row.version,
      checkedIn: row.checked_in_at !== null,
      noticeVisits: row.announced_by === null ? row.notice_visits : 0,
    },
    policy,
    timeZone,
    // An offer is the sick day's to see to.
    ledger: ledger
      .filter((entry) => entry.offer_id === null)
      .map((entry) => ({
        notificationId: entry.notification_id,
        state: entry.state,
        dueAt: entry.due_at.getTime(),
        refused: isRefused(entry),
      })),
    reachable: ledger.some(isRefused) ? (await channelsOf(tx, row.patient_id)).channels : [],
    now: now.getTime(),
  });
  return { row, timeZone, ledger, plan };
}

/** It did not reach its recipient on this channel: it may on the other. */
function isRefused({ state, reason }: NotificationRow): boolean {
  return (state === 'FAILED' || state === 'SKIPPED') && callsForOtherChannel(reason);
}

/** The message of this kind that the appointment now calls for, on this channel. */
export function notificationOf(
  row: AppointmentRow,
  kind: PlannedKind,
  channel: Channel,
  dueAt: Date,
  requestId?: string,
): PlannedNotification {
  const appointmentId = row.appointment_id;
  return {
    notificationId: isReminderKind(kind)
      ? notificationId({ appointmentId, kind, appointmentTime: row.appointment_time.getTime(), channel })
      : notificationId({
          appointmentId,
          kind,
          version: tellsOfCancelling(kind) ? row.version : row.time_set_version,
          channel,
        }),
    clinicId: row.clinic_id,
    appointmentId,
    patientId: row.patient_id,
    kind,
    channel,
    plannedFor: row.appointment_time,
    appointmentVersion: row.version,
    dueAt,
    requestId,
  };
}

/** Writes down what will never be sent, and why, and hands on what it was to say of other visits. */
export async function recordSkipped(tx: Tx, situation: Situation, now: Date): Promise<void> {
  const { row, ledger, plan } = situation;
  for (const entry of ledger.filter(({ notification_id }) => plan.abandoned.includes(notification_id))) {
    await skipNotification(tx, {
      notificationId: entry.notification_id,
      clinicId: entry.clinic_id,
      appointmentId: entry.appointment_id,
      patientId: entry.patient_id,
      kind: entry.kind as NotificationKind,
      channel: entry.channel,
      plannedFor: entry.planned_for,
      appointmentVersion: entry.appointment_version,
      dueAt: entry.due_at,
      reason: 'superseded',
    });
  }
  if (plan.skipped.length > 0) {
    const { preferred, reachable } = await channelsOf(tx, row.patient_id);
    for (const { kind, reason } of plan.skipped) {
      await skipNotification(tx, { ...notificationOf(row, kind, reachable ?? preferred, now), reason });
    }
  }
  await passOnNotices(tx, situation);
}

/** Notices for several visits that never went out, whoever skipped them: the next visit speaks for the rest. */
async function passOnNotices(tx: Tx, { row, ledger, plan }: Situation): Promise<void> {
  const appointmentId = row.appointment_id;
  const skipped = [
    ...plan.skipped.map(({ kind }) => ({ kind, appointmentVersion: row.version })),
    ...ledger
      // Whom we cannot reach about one visit, we cannot reach about the next.
      .filter(
        (entry) =>
          (entry.state === 'SKIPPED' && entry.reason !== 'no_address') ||
          plan.abandoned.includes(entry.notification_id),
      )
      .map((entry) => ({ kind: entry.kind, appointmentVersion: entry.appointment_version })),
  ];
  for (const notice of skipped.filter(({ kind }) => isSeriesNotice(kind))) {
    await passOnSkippedNotice(tx, { appointmentId, ...notice });
  }
}
