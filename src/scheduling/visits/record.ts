import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { enqueue } from '../../db/outbox.ts';
import { settleCallTasks, settleItems, type SettledCall } from '../../db/sick-days.ts';
import type { OutboxEventName } from '../../workflows/messages.ts';
import type { Act } from '../act.ts';
import { withdrawOffersFor } from '../claims/withdraw-offers.ts';

/** What has just happened to a visit. */
export interface VisitEvent {
  readonly appointmentId: string;
  /** The visit's version after it. */
  readonly version: number;
  /** As the relay and the audit call it. */
  readonly event: OutboxEventName<'appointment'>;
  /** Ids, codes and instants. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** What every booking leaves behind, in its transaction: the outbox row for the visit's workflow, and the audit. */
export async function recordBooking(tx: Tx, act: Act, visit: Omit<VisitEvent, 'event' | 'version'>): Promise<void> {
  await record(tx, act, { ...visit, event: 'booked', version: 1 });
}

/**
 * What every change of a visit leaves behind, in its transaction: the outbox row for the visit's workflow, and the audit. A time that a sick day has
 * offered for the visit is given back; a visit that is seen to now is off the sick day's list, and off the desk's list of calls. The caller has the
 * locks of `locked-appointment.ts`.
 */
export async function recordChange(tx: Tx, act: Act, visit: VisitEvent): Promise<void> {
  await record(tx, act, visit);
  const { appointmentId } = visit;
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

async function record(tx: Tx, act: Act, { appointmentId, version, event, detail }: VisitEvent): Promise<void> {
  await enqueue(tx, act, { aggregate: 'appointment', aggregateId: appointmentId, event, version });
  await audit(tx, act, 'appointment', appointmentId, event, { version, ...detail });
}
