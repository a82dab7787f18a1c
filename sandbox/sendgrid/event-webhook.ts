import { createWebhookKey } from './webhook-key.ts';
import { describeAttempt, postWebhook } from '../webhook.ts';
import { wait } from '../tasks.ts';
import type { Clock } from '../context.ts';
import type { Tasks } from '../tasks.ts';
import type { WebhookAttempt } from '../webhook.ts';
import type { WebhookKey } from './webhook-key.ts';

/** One event. Source: twilio.com/docs/sendgrid/for-developers/tracking-events/event. */
export type SendGridEvent = Record<string, unknown> & { event: string; sg_event_id: string };

/** An event on its way, and where its attempts are recorded. */
export interface QueuedEvent {
  event: SendGridEvent;
  attempts: WebhookAttempt[];
  forged: boolean;
}

/** Collects events and posts them in signed batches. */
export interface EventWebhook {
  enqueue(event: QueuedEvent): void;
}

/** Pauses before the attempts after the first, in milliseconds. The real service goes on for 24 hours. */
const RETRY_PAUSES_MS = [500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000, 300_000];

/** The most events in one request. */
const MAX_BATCH = 500;

/** Creates the sender of events. The settings are read anew for every batch. */
export function createEventWebhook(options: {
  key: WebhookKey;
  tasks: Tasks;
  clock: Clock;
  settings: () => { eventWebhookUrl: string | undefined; eventBatchMs: number };
}): EventWebhook {
  const { key, tasks, clock, settings } = options;
  const forger = createWebhookKey();
  let queue: QueuedEvent[] = [];

  function flush(): void {
    const taken = queue;
    queue = [];
    for (const forged of [false, true]) {
      const events = taken.filter((queued) => queued.forged === forged);
      for (let start = 0; start < events.length; start += MAX_BATCH) {
        const batch = events.slice(start, start + MAX_BATCH);
        tasks.run((batchSignal) => post(batch, forged ? forger : key, batchSignal));
      }
    }
  }

  async function post(batch: QueuedEvent[], signer: WebhookKey, signal: AbortSignal): Promise<void> {
    const url = settings().eventWebhookUrl;
    if (url === undefined) return;
    const body = `${JSON.stringify(batch.map(({ event }) => event))}\r\n`;
    for (let attempt = 0; ; attempt += 1) {
      const timestamp = String(Math.floor(clock().getTime() / 1_000));
      const headers = {
        'content-type': 'application/json; charset=utf-8',
        'user-agent': 'SendGrid Event API',
        'x-twilio-email-event-webhook-signature': signer.sign(timestamp, body),
        'x-twilio-email-event-webhook-timestamp': timestamp,
      };
      const answer = await postWebhook(url, { headers, body }, signal);
      for (const { event, attempts } of batch) attempts.push(describeAttempt(url, event.event, clock(), answer));
      const pause = RETRY_PAUSES_MS[attempt];
      if (('status' in answer && answer.status < 300) || pause === undefined) return;
      await wait(pause, signal);
    }
  }

  return {
    enqueue(event) {
      queue.push(event);
      if (queue.length > 1) return;
      tasks.run(async (signal) => {
        await wait(settings().eventBatchMs, signal).catch((error: unknown) => {
          queue = [];
          throw error;
        });
        flush();
      });
    },
  };
}
