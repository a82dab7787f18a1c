import { postSigned, statusFields } from './status-callback.ts';
import { wait } from '../tasks.ts';
import type { DeliveryFailure, WebhookFault } from '../faults.ts';
import type { Tasks } from '../tasks.ts';
import type { TwilioMessage, TwilioStatus } from './message.ts';
import type { TwilioSigner } from './status-callback.ts';

/** How long a message stays queued, and then on its way, in milliseconds. */
export interface DeliveryDelays {
  sentMs: number;
  deliveredMs: number;
}

/** What goes wrong on the way. */
export interface DeliveryFaults {
  failure?: DeliveryFailure | undefined;
  webhooks?: WebhookFault | undefined;
}

/** Takes an accepted message through its statuses, and tells the status callback of each. */
export function deliver(
  message: TwilioMessage,
  options: { tasks: Tasks; signer: TwilioSigner; delays: DeliveryDelays } & DeliveryFaults,
): void {
  const { tasks, signer, delays, failure, webhooks } = options;
  const statuses = plannedStatuses(failure);
  tasks.run(async (signal) => {
    let told = Promise.resolve();
    for (const status of statuses) {
      await wait(status === 'sent' ? delays.sentMs : delays.deliveredMs, signal);
      advance(message, status, signer.clock(), failure);
      if (webhooks !== 'reversed') told = told.then(() => tell(message, status, signer, webhooks, signal));
    }
    if (webhooks === 'reversed') {
      for (const status of statuses.toReversed()) await tell(message, status, signer, webhooks, signal);
    }
    await told;
  });
}

function plannedStatuses(failure: DeliveryFailure | undefined): TwilioStatus[] {
  if (!failure) return ['sent', 'delivered'];
  return failure.status === 'failed' ? ['failed'] : ['sent', 'undelivered'];
}

function advance(message: TwilioMessage, status: TwilioStatus, now: Date, failure?: DeliveryFailure): void {
  message.status = status;
  message.dateUpdated = now;
  if (status === 'sent') message.dateSent = now;
  if (status === 'delivered') message.dateDelivered = now;
  if (failure && (status === 'undelivered' || status === 'failed')) message.errorCode = Number(failure.errorCode);
}

async function tell(
  message: TwilioMessage,
  status: TwilioStatus,
  signer: TwilioSigner,
  fault: WebhookFault | undefined,
  signal: AbortSignal,
): Promise<void> {
  if (message.statusCallback === null || fault === 'none') return;
  const fields = statusFields(message, status, signer.accountSid);
  const log = { event: status, attempts: message.webhooks, forged: fault === 'forged' };
  for (let copies = fault === 'twice' ? 2 : 1; copies > 0; copies -= 1) {
    await postSigned(message.statusCallback, fields, signer, log, signal);
  }
}
