import { auditOf } from '../../db/audit.ts';
import type { AppointmentRow } from '../../db/appointments.ts';
import type { RowContext, Tx } from '../../db/connection.ts';
import { notificationsOf } from '../../notifications/ledger/rows.ts';
import type { Position } from '../cursor.ts';
import { STAFF_READ } from '../staff-reads.ts';

export interface AppointmentFilter {
  readonly status?: AppointmentRow['status'];
  readonly clinicId?: string;
  readonly providerId?: string;
  readonly patientId?: string;
  /** The visit starts in `[from, to)`. */
  readonly from?: Date;
  readonly to?: Date;
  readonly after?: Position;
  readonly limit: number;
}

/**
 * Those that the context sees, by start and id; one row more than `limit` when there is a next page.
 * @param rows - the transaction's context. Named again in the statement: by the policies alone, of which either may show a row, no index gives the order
 */
export function appointmentsWhere(tx: Tx, rows: RowContext, filter: AppointmentFilter): Promise<AppointmentRow[]> {
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

/** Where the visit takes place. */
export async function clinicNameOf(tx: Tx, clinicId: string): Promise<string> {
  const { name } = await tx
    .selectFrom('clinic')
    .select('name')
    .where('clinic_id', '=', clinicId)
    .executeTakeFirstOrThrow();
  return name;
}

/** What happened to an appointment: the audit of it and of its freed slot, and the ledger's messages. The audit of who read it is left out. */
export async function historyOf(tx: Tx, appointmentId: string) {
  const events = await auditOf(tx, 'appointment', appointmentId);
  const rounds = await tx
    .selectFrom('waitlist_round')
    .select(['round_id', 'state', 'deadline', 'filled_appointment_id', 'closed_at', 'closed_reason', 'created_at'])
    .where('freed_appointment_id', '=', appointmentId)
    .orderBy('created_at')
    .execute();
  const notifications = await notificationsOf(tx, appointmentId);
  return { events: events.filter((event) => event.action !== STAFF_READ), rounds, notifications };
}

export type AppointmentHistory = Awaited<ReturnType<typeof historyOf>>;
