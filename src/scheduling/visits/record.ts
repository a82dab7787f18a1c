import { changeAppointment, type AppointmentRow, type LockedVisit } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import type { OutboxEventName } from '../../workflows/messages.ts';
import type { Act } from '../act.ts';
import { visitChanged } from '../sick-day/resolve.ts';

type Change = Parameters<typeof changeAppointment>[3];

/**
 * Every change of a visit: its row, the outbox row for its workflow and the audit, in one statement; and whoever had a claim to it is served. The caller
 * has the locks of `lock.ts`.
 *
 * @param event - as the relay and the audit call it; `detail`: ids, codes and instants
 */
export async function changeVisit(
  tx: Tx,
  act: Act,
  { row, claimed }: LockedVisit,
  change: Change,
  event: OutboxEventName<'appointment'>,
  detail?: Readonly<Record<string, unknown>>,
): Promise<AppointmentRow> {
  const after = await changeAppointment(tx, act, row.appointment_id, change, event, detail);
  if (claimed) await visitChanged(tx, act, row.appointment_id);
  return after;
}
