import { randomBytes } from 'node:crypto';
import { wait } from '../tasks.ts';
import type { Clock } from '../context.ts';
import type { DeliveryFailure, WebhookFault } from '../faults.ts';
import type { Email, EmailStatus } from './email.ts';
import type { EventWebhook, SendGridEvent } from './event-webhook.ts';
import type { Tasks } from '../tasks.ts';

/** What a delivery needs. */
export interface DeliveryContext {
  tasks: Tasks;
  clock: Clock;
  events: EventWebhook;
  deliveredMs: number;
  /** Addresses that bounced for good: nothing is sent to them again. */
  suppressed: Set<string>;
  failure?: DeliveryFailure | undefined;
  webhooks?: WebhookFault | undefined;
}

/** Takes an accepted email through its events. */
export function deliver(email: Email, context: DeliveryContext): void {
  const { tasks, clock, webhooks, suppressed, failure } = context;
  tasks.run(async (signal) => {
    await wait(Math.max(0, email.sendAt.getTime() - clock().getTime()), signal);
    const planned: SendGridEvent[] = [];
    const happen = (status: EmailStatus, event: string, extra: Record<string, unknown>) => {
      advance(email, status, event, clock());
      const made = eventOf(email, event, extra, clock());
      if (webhooks === 'reversed') planned.unshift(made);
      else tell(email, made, context);
    };

    if (suppressed.has(email.to.toLowerCase())) {
      email.reason = 'Bounced Address';
      happen('dropped', 'dropped', { reason: email.reason });
    } else {
      happen('processed', 'processed', {});
      await wait(context.deliveredMs, signal);
      if (failure) bounce(email, failure, suppressed, happen);
      else happen('delivered', 'delivered', { response: '250 2.0.0 OK', tls: 1 });
    }
    for (const event of planned) tell(email, event, context);
  });
}

/** A permanent status (5.x.x) is a bounce and suppresses the address; a transient one (4.x.x) is a block. */
function bounce(
  email: Email,
  failure: DeliveryFailure,
  suppressed: Set<string>,
  happen: (status: EmailStatus, event: string, extra: Record<string, unknown>) => void,
): void {
  const status = String(failure.errorCode);
  const permanent = !status.startsWith('4');
  email.reason = status;
  if (permanent) suppressed.add(email.to.toLowerCase());
  happen('bounced', 'bounce', {
    reason: `${permanent ? '550' : '450'} ${status} The message was refused by the receiving server`,
    status,
    type: permanent ? 'bounce' : 'blocked',
    tls: 1,
  });
}

function advance(email: Email, status: EmailStatus, event: string, now: Date): void {
  email.status = status;
  email.updatedAt = now;
  email.events.push({ event, at: now });
  if (status === 'delivered') email.deliveredAt = now;
}

function eventOf(email: Email, event: string, extra: Record<string, unknown>, now: Date): SendGridEvent {
  return {
    ...email.customArgs,
    email: email.to,
    timestamp: Math.floor(now.getTime() / 1_000),
    'smtp-id': `<${email.messageId.split('.')[0] ?? ''}@geopod-ismtpd-1>`,
    event,
    ...(email.categories.length > 0 ? { category: email.categories } : {}),
    sg_event_id: randomBytes(24).toString('base64url'),
    sg_message_id: email.messageId,
    ...extra,
  };
}

function tell(email: Email, event: SendGridEvent, { events, webhooks }: DeliveryContext): void {
  if (webhooks === 'none') return;
  const queued = { event, attempts: email.webhooks, forged: webhooks === 'forged' };
  events.enqueue(queued);
  if (webhooks === 'twice') events.enqueue(queued);
}
