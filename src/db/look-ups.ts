import { sql } from 'kysely';
import type { BusyTime } from '../domain/availability/judge.ts';
import { translated, type Db, type Tx } from './connection.ts';

/** Before a context is known: an id turns into its clinic's id, and nothing else (migration 0009). */
export function clinicOfProvider(db: Db, providerId: string): Promise<string | undefined> {
  return clinicOf(db, sql`clinic_of_provider(${providerId})`);
}

export function clinicOfAppointment(db: Db, appointmentId: string): Promise<string | undefined> {
  return clinicOf(db, sql`clinic_of_appointment(${appointmentId})`);
}

export function clinicOfNotification(db: Db, notificationId: string): Promise<string | undefined> {
  return clinicOf(db, sql`clinic_of_notification(${notificationId})`);
}

/** The clinics of messages, by message; one that we do not know is left out. */
export async function clinicsOfNotifications(db: Db, notificationIds: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await translated(() =>
    sql<{ id: string; clinic_id: string | null }>`
      select id, clinic_of_notification(id) as clinic_id from unnest(${notificationIds}::uuid[]) as asked (id)`.execute(
      db,
    ),
  );
  return new Map(rows.flatMap(({ id, clinic_id }) => (clinic_id === null ? [] : [[id, clinic_id]])));
}

export function clinicOfHold(db: Db, holdId: string): Promise<string | undefined> {
  return clinicOf(db, sql`clinic_of_hold(${holdId})`);
}

export function clinicOfSickDay(db: Db, sickDayId: string): Promise<string | undefined> {
  return clinicOf(db, sql`clinic_of_sick_day(${sickDayId})`);
}

export function clinicOfTask(db: Db, taskId: string): Promise<string | undefined> {
  return clinicOf(db, sql`clinic_of_task(${taskId})`);
}

/** The clinics that have an EHR to tell. */
export async function clinicsWithEhr(db: Db): Promise<string[]> {
  const { rows } = await translated(() =>
    sql<{ clinic_id: string }>`select clinics_with_ehr() as clinic_id`.execute(db),
  );
  return rows.map((row) => row.clinic_id);
}

async function clinicOf(db: Db, call: ReturnType<typeof sql>): Promise<string | undefined> {
  const { rows } = await translated(() => sql<{ clinic_id: string | null }>`select ${call} as clinic_id`.execute(db));
  return rows[0]?.clinic_id ?? undefined;
}

/** The live reservations of a provider or patient that touch `[from, to)`: times and purposes, never whose. Instants in epoch milliseconds. */
export async function busyRanges(tx: Tx, resourceId: string, from: number, to: number): Promise<BusyTime[]> {
  const { rows } = await sql<{
    from_time: Date;
    to_time: Date;
    purpose: BusyTime['purpose'];
    visit_start: Date;
  }>`
    select from_time, to_time, purpose, visit_start from busy_ranges(${resourceId}, ${range(from, to)}::tstzrange)`.execute(
    tx,
  );
  return rows.map((row) => ({
    from: row.from_time.getTime(),
    to: row.to_time.getTime(),
    purpose: row.purpose,
    visitFrom: row.visit_start.getTime(),
  }));
}

/** A half-open range in PostgreSQL's text form. Instants in epoch milliseconds. */
export function range(from: number, to: number): string {
  return `[${new Date(from).toISOString()},${new Date(to).toISOString()})`;
}
