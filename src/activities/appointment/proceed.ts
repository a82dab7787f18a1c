import { inContext, type Connection, type Tx } from '../../db/connection.ts';
import { AppError } from '../../domain/errors.ts';
import type { PlannedKind } from '../../domain/notification.ts';
import { channelsOf } from '../../notifications/channels.ts';
import {
  markQueued,
  planNotification,
  skipNotification,
  type PlannedNotification,
} from '../../notifications/ledger/rows.ts';
import type { SchedulingDeps } from '../../scheduling/act.ts';
import { completeByItself } from '../../scheduling/visits/attend.ts';
import type { AppointmentRef } from './index.ts';
import { storeStep, type PlannedStep } from './plan.ts';
import { notificationOf, readSituation, recordSkipped, type Situation } from './read.ts';

export interface ProceedDeps extends SchedulingDeps {
  readonly connection: Connection;
  /** Hands one message to the broker. Returns whether it took it: where it did not, the message stays due. */
  readonly handOver: (message: PlannedNotification, now: Date) => Promise<boolean>;
}

/** What a look at the row asks for. */
type Todo =
  | { readonly todo: 'wait'; readonly step: PlannedStep }
  | { readonly todo: 'publish'; readonly message: PlannedNotification }
  | { readonly todo: 'complete' }
  /** Something was written down, or the row has changed: look again. */
  | { readonly todo: 'look' };

/** More than a visit can ask for at one instant. The row may change between reading and storing; then one more look is cheap. */
const TURNS = 6;

/**
 * Does what is due now and plans what comes next: publishes the message that is due, completes the visit of a patient who was checked in, and stores what comes next on
 * the row. Harmless to repeat: everything is decided anew from the row and the ledger. A message that the broker did not take is the next action
 * still, and due.
 *
 * @throws AppError `not_found`
 */
export async function proceed(deps: ProceedDeps, input: AppointmentRef, now: Date): Promise<PlannedStep> {
  const { connection } = deps;
  const { appointmentId, clinicId } = input;
  let refused = false;
  for (let turn = 1; turn <= TURNS; turn += 1) {
    const next = await inContext(connection.db, { clinicId }, (tx) => look(tx, input, now, refused));
    switch (next.todo) {
      case 'wait':
        return next.step;
      case 'look':
        break;
      case 'complete':
        await complete(deps, input, now);
        break;
      case 'publish': {
        refused = !(await deps.handOver(next.message, now));
        if (refused) break;
        const step = await inContext(connection.db, { clinicId }, async (tx) => {
          await markQueued(tx, next.message.notificationId);
          return storeStep(tx, await readSituation(tx, appointmentId, now), now);
        });
        if (step !== undefined && !isDue(step, now)) return step;
      }
    }
  }
  throw new AppError('temporarily_unavailable', { appointmentId });
}

async function look(tx: Tx, input: AppointmentRef, now: Date, brokerRefused: boolean): Promise<Todo> {
  const situation = await readSituation(tx, input.appointmentId, now);
  const { action } = situation.plan;
  if (action.kind !== 'none' && action.at <= now.getTime()) {
    if (action.kind === 'complete') return { todo: 'complete' };
    if (action.kind === 'notify' && !brokerRefused) {
      await recordSkipped(tx, situation, now);
      const message = await messageFor(tx, situation, action.notificationKind, new Date(action.at), input.requestId);
      return message === undefined ? { todo: 'look' } : { todo: 'publish', message };
    }
  }
  const step = await storeStep(tx, situation, now);
  return step === undefined ? { todo: 'look' } : { todo: 'wait', step };
}

/** Writes the ledger row of the message that is due; undefined where it needs no publishing, as the patient cannot be reached or it went out before. */
async function messageFor(
  tx: Tx,
  { row, ledger }: Situation,
  kind: PlannedKind,
  dueAt: Date,
  requestId: string | undefined,
): Promise<PlannedNotification | undefined> {
  const { preferred, reachable, channels } = await channelsOf(tx, row.patient_id);
  const on = (channel: 'sms' | 'email') => notificationOf(row, kind, channel, dueAt, requestId);
  if (reachable === undefined) {
    await skipNotification(tx, { ...on(preferred), reason: 'no_address' });
    return undefined;
  }
  // A row that waits for the broker keeps its channel, whatever the patient prefers meanwhile.
  const waiting = [on('sms'), on('email')].find(({ notificationId }) =>
    ledger.some((entry) => entry.notification_id === notificationId && entry.state === 'PLANNED'),
  );
  // It did not reach them on one: then it goes by the other.
  const untried = [reachable, ...channels].find((channel) =>
    ledger.every((entry) => entry.notification_id !== on(channel).notificationId),
  );
  const message = waiting ?? on(untried ?? reachable);
  return (await planNotification(tx, message)) === 'PLANNED' ? message : undefined;
}

/** The visit is over and its patient was checked in: it took place. A refusal means that it has changed: the next look sees it. */
async function complete(deps: SchedulingDeps, input: AppointmentRef, now: Date): Promise<void> {
  const { appointmentId, clinicId, requestId } = input;
  const act = { actor: { kind: 'system', id: 'appointment-workflow' }, clinicId, now, requestId } as const;
  try {
    await completeByItself(deps, act, { appointmentId });
  } catch (error) {
    const refusals: readonly string[] = ['appointment_not_scheduled', 'not_checked_in'];
    if (!(error instanceof AppError && refusals.includes(error.code))) throw error;
  }
}

function isDue({ action }: PlannedStep, now: Date): boolean {
  return action.kind !== 'none' && Date.parse(action.at) <= now.getTime();
}
