import { sql, type Insertable, type Selectable, type Updateable } from 'kysely';
import type { ClinicPolicy } from '../domain/policy.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type AppointmentRow = Selectable<Database['appointment']>;

/** The appointment, if the context sees it. */
export function findAppointment(tx: Tx, appointmentId: string): Promise<AppointmentRow | undefined> {
  return tx.selectFrom('appointment').selectAll().where('appointment_id', '=', appointmentId).executeTakeFirst();
}

/** The appointment, locked until the transaction ends. Advisory locks, if any are needed, come first. */
export function lockAppointment(tx: Tx, appointmentId: string): Promise<AppointmentRow | undefined> {
  return tx
    .selectFrom('appointment')
    .selectAll()
    .where('appointment_id', '=', appointmentId)
    .forUpdate()
    .executeTakeFirst();
}

/** The rules the appointment was booked under. */
export async function policyOf(tx: Tx, clinicId: string, policyVersion: number): Promise<ClinicPolicy> {
  const row = await tx
    .selectFrom('clinic_policy')
    .select('policy')
    .where('clinic_id', '=', clinicId)
    .where('policy_version', '=', policyVersion)
    .executeTakeFirstOrThrow();
  return row.policy;
}

/** Visits as they are booked; the plan is due at once, so that the sweep finds each of them even if nobody starts its workflow. */
export async function insertAppointments(
  tx: Tx,
  visits: readonly Omit<
    Insertable<Database['appointment']>,
    'status' | 'cancelled_by' | 'cancel_reason' | 'cancelled_late' | 'next_action' | 'next_action_at'
  >[],
): Promise<void> {
  await tx
    .insertInto('appointment')
    .values(
      visits.map((visit) => ({
        ...visit,
        status: 'SCHEDULED',
        cancelled_by: null,
        cancel_reason: null,
        cancelled_late: null,
        next_action: 'plan',
        next_action_at: sql`now()`,
      })),
    )
    .execute();
}

/**
 * Writes a change: the version rises and the plan is due at once, so that the sweep finds the appointment even if nobody tells its workflow. For a visit
 * that took place nothing is left to plan.
 */
export function changeAppointment(
  tx: Tx,
  appointmentId: string,
  change: Omit<Updateable<Database['appointment']>, 'version' | 'updated_at' | 'next_action' | 'next_action_at'>,
): Promise<AppointmentRow> {
  return tx
    .updateTable('appointment')
    .set({
      ...change,
      version: sql`version + 1`,
      updated_at: sql`now()`,
      ...(change.status === 'COMPLETED'
        ? { next_action: null, next_action_at: null }
        : { next_action: 'plan', next_action_at: sql`now()` }),
    })
    .where('appointment_id', '=', appointmentId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What happens next, for the row as it was read: nothing is written when it has changed since. Returns whether it was written. */
export async function storePlan(
  tx: Tx,
  appointmentId: string,
  version: number,
  plan: { readonly nextAction: string | null; readonly nextActionAt: Date | null; readonly reminderState: string },
): Promise<boolean> {
  const result = await tx
    .updateTable('appointment')
    .set({ next_action: plan.nextAction, next_action_at: plan.nextActionAt, reminder_state: plan.reminderState })
    .where('appointment_id', '=', appointmentId)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}
