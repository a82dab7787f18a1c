import { sql, type Selectable } from 'kysely';
import type { CallReason } from '../domain/task.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type TaskRow = Selectable<Database['task']>;

/**
 * Writes that the desk has to call a patient about a visit. A call that is open already is enough: it learns of the sick day, if there is one now.
 * Whoever cancels, moves or begins the visit has seen to it (`visit_changed`).
 * @param call.taskId - for a new one
 */
export async function openCallTask(
  tx: Tx,
  call: {
    readonly taskId: string;
    readonly appointmentId: string;
    readonly reason: CallReason;
    readonly sickDayId?: string | undefined;
  },
): Promise<void> {
  await sql`
    insert into task (task_id, clinic_id, kind, reason, appointment_id, patient_id, visit_start, sick_day_id, state)
      select ${call.taskId}, clinic_id, 'call', ${call.reason}, appointment_id, patient_id, appointment_time, ${call.sickDayId ?? null}::uuid, 'OPEN'
      from appointment where appointment_id = ${call.appointmentId}
    on conflict (appointment_id) where kind = 'call' and state = 'OPEN'
      do update set sick_day_id = excluded.sick_day_id, reason = excluded.reason where excluded.sick_day_id is not null`.execute(
    tx,
  );
}

export function lockTask(tx: Tx, taskId: string): Promise<TaskRow | undefined> {
  return tx.selectFrom('task').selectAll().where('task_id', '=', taskId).forUpdate().executeTakeFirst();
}
