import { changeAppointment, type AppointmentRow, type LockedVisit } from '../../db/appointments.ts';
import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { settleCallTasks, settleItems, type SettledCall } from '../../db/sick-days.ts';
import type { OutboxEventName } from '../../workflows/messages.ts';
import type { Act } from '../act.ts';
import { withdrawOffersFor } from '../claims/withdraw-offers.ts';

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
  if (claimed) await serveClaims(tx, act, row.appointment_id);
  return after;
}

/** A time that a sick day has offered for the visit is given back; a visit that is seen to now is off the sick day's list, and off the desk's list of calls. */
async function serveClaims(tx: Tx, act: Act, appointmentId: string): Promise<void> {
  await withdrawOffersFor(tx, act, appointmentId);
  await settleItems(tx, appointmentId);
  for (const { callTaskId, outcome } of await settleCallTasks(tx, appointmentId, act.actor.id)) {
    await recordCallDone(tx, act, { callTaskId, outcome, appointmentId });
  }
}

/** The audit of a call that is done, in its transaction. */
export async function recordCallDone(
  tx: Tx,
  act: Act,
  { callTaskId, outcome, appointmentId }: SettledCall & { readonly appointmentId: string },
): Promise<void> {
  await audit(tx, act, 'call_task', callTaskId, 'done', { outcome, appointmentId });
}
