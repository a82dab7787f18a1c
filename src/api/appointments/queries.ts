import { auditOf } from '../../db/audit.ts';
import { findAppointment, type AppointmentRow } from '../../db/appointments.ts';
import type { RowContext, Tx } from '../../db/connection.ts';
import { clinicOfAppointment } from '../../db/look-ups.ts';
import { visitsBeingMoved } from '../../db/sick-days.ts';
import { notificationsOf } from '../../notifications/ledger/rows.ts';
import type { Position } from '../cursor.ts';
import { list, one, STAFF_READ, type ReadDeps } from '../read.ts';

export interface AppointmentFilter {
  readonly status?: AppointmentRow['status'] | undefined;
  readonly clinicId?: string | undefined;
  readonly providerId?: string | undefined;
  readonly patientId?: string | undefined;
  /** The visit starts in `[from, to)`. */
  readonly from?: Date | undefined;
  readonly to?: Date | undefined;
  readonly after?: Position | undefined;
  readonly limit: number;
}

/**
 * Those that the context sees, by start and id; one row more than `limit` when there is a next page.
 * @param rows - the transaction's context. Named again in the statement: by the policies alone, of which either may show a row, no index gives the order
 */
function appointmentsWhere(tx: Tx, filter: AppointmentFilter, rows: RowContext): Promise<AppointmentRow[]> {
  let query = tx
    .selectFrom('appointment')
    .selectAll()
    .orderBy('appointment_time')
    .orderBy('appointment_id')
    .limit(filter.limit + 1);
  if (rows.patientId === undefined && rows.clinicId !== undefined) query = query.where('clinic_id', '=', rows.clinicId);
  if (rows.clinicId === undefined && rows.patientId !== undefined)
    query = query.where('patient_id', '=', rows.patientId);
  if (filter.status !== undefined) query = query.where('status', '=', filter.status);
  if (filter.clinicId !== undefined) query = query.where('clinic_id', '=', filter.clinicId);
  if (filter.providerId !== undefined) query = query.where('provider_id', '=', filter.providerId);
  if (filter.patientId !== undefined) query = query.where('patient_id', '=', filter.patientId);
  if (filter.from !== undefined) query = query.where('appointment_time', '>=', filter.from);
  if (filter.to !== undefined) query = query.where('appointment_time', '<', filter.to);
  const { after } = filter;
  if (after !== undefined) {
    query = query.where((eb) =>
      eb(eb.refTuple('appointment_time', 'appointment_id'), '>', eb.tuple(after.at, after.id)),
    );
  }
  return query.execute();
}

/** An appointment with the name of where it takes place. */
async function findAtClinic(tx: Tx, appointmentId: string) {
  const appointment = await findAppointment(tx, appointmentId);
  if (appointment === undefined) return undefined;
  const { name } = await tx
    .selectFrom('clinic')
    .select('name')
    .where('clinic_id', '=', appointment.clinic_id)
    .executeTakeFirstOrThrow();
  return { appointment, clinicName: name };
}

/** What happened to an appointment: the audit of it and of its freed slot, the ledger's messages, and what a sick day does about it. The audit of who read it is left out. */
async function historyOf(tx: Tx, appointmentId: string) {
  const events = await auditOf(tx, 'appointment', appointmentId);
  const rounds = await tx
    .selectFrom('waitlist_round')
    .select(['round_id', 'state', 'deadline', 'filled_appointment_id', 'closed_at', 'closed_reason', 'created_at'])
    .where('freed_appointment_id', '=', appointmentId)
    .orderBy('created_at')
    .execute();
  const notifications = await notificationsOf(tx, appointmentId);
  const offers = await tx
    .selectFrom('offer')
    .select(['offer_id', 'provider_id', 'slot_start', 'state', 'created_at', 'expires_at'])
    .where('appointment_id', '=', appointmentId)
    .orderBy('created_at')
    .execute();
  const tasks = await tx
    .selectFrom('task')
    .select(['task_id', 'kind', 'state', 'created_at'])
    .where('appointment_id', '=', appointmentId)
    .orderBy('task_id')
    .execute();
  const beingMoved = (await visitsBeingMoved(tx, [appointmentId])).has(appointmentId);
  const happened = events.filter((event) => event.action !== STAFF_READ);
  return { events: happened, rounds, notifications, offers, tasks, beingMoved };
}

export type AppointmentHistory = Awaited<ReturnType<typeof historyOf>>;

export const appointmentReads = {
  clinicOfAppointment: ({ connection }: ReadDeps, appointmentId: string) =>
    clinicOfAppointment(connection.db, appointmentId),
  appointment: one('appointment', findAppointment),
  appointments: list('appointments', appointmentsWhere),
  appointmentAtClinic: one('appointment', findAtClinic, { what: 'calendar' }),
  history: one('appointment', historyOf, { what: 'timeline' }),
};
