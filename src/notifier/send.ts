import { createHmac } from 'node:crypto';
import { inContext, type Db, type Tx } from '../db/connection.ts';
import { AppError } from '../domain/errors.ts';
import type { EmailSender } from '../integrations/sendgrid/email-sender.ts';
import type { SmsSender } from '../integrations/twilio/sms-sender.ts';
import type { Logger } from '../logger.ts';
import { markAccepted, markFailed, markRetry, markUnknown } from '../notifications/ledger/attempts.ts';
import { claimToSend, type Claim, type OpenAttempt } from '../notifications/ledger/claim.ts';
import type { NotificationToSend } from '../notifications/ledger/message-row.ts';
import type { NotificationMessage } from '../notifications/message.ts';
import { renderEmail, renderSms } from '../notifications/render.ts';
import type { ChannelGate, Turn } from './channel.ts';
import { classify, type Verdict } from './classify.ts';
import { patiently } from './patiently.ts';

export interface SendDeps {
  readonly db: Db;
  readonly senders: { readonly sms: SmsSender; readonly email: EmailSender };
  readonly logger: Logger;
  /** The machine's clock, epoch milliseconds. */
  readonly clock: () => number;
  /** How long a sender owns what it is sending; longer than the providers' time-outs. */
  readonly leaseMs: number;
  /** Keys the hash that the ledger keeps of a text. With another key, look-ups of what was sent before prove nothing. */
  readonly textKey: string;
  readonly retryDelaysMs: readonly number[];
  readonly lookUpDelaysMs: readonly number[];
}

/** What becomes of the message at the broker. */
export type Next =
  /** The ledger holds the rest. */
  | { readonly next: 'done' }
  /** As soon as the channel takes messages again. */
  | { readonly next: 'again' }
  /** To be looked at again. */
  | { readonly next: 'later'; readonly delayMs: number }
  /** For a person. */
  | { readonly next: 'dead'; readonly reason: string };

/**
 * Takes one message as far as it goes now: claim, call the provider, write what came of it. Safe to run again at any point: the ledger decides.
 * @param channel - is told how the provider fared, if it was called with the message
 * @param signal - aborted when nobody waits for the result any more
 */
export async function processNotification(
  deps: SendDeps,
  message: NotificationMessage,
  channel: Pick<Turn, 'well' | 'trouble'> & Pick<ChannelGate, 'wasWellSince'>,
  signal: AbortSignal,
): Promise<Next> {
  const { notificationId, clinicId } = message;
  const now = new Date(Math.max(deps.clock(), Date.parse(message.now)));
  const write = <T>(work: (tx: Tx) => Promise<T>) => patiently(() => inContext(deps.db, { clinicId }, work), signal);
  const textHash = (notification: NotificationToSend) => hashOfSms(deps.textKey, notification);
  const claim = () => write((tx) => claimToSend(tx, { notificationId, now, leaseMs: deps.leaseMs, textHash }));
  const context: Context = { deps, now, channel, write };

  const first = await claim();
  if (first.outcome !== 'look-up') return proceed(context, first);
  const unsettled = await lookUp(context, first.notification, first.attempt);
  // The provider does not have it: it may be sent again, if it is still due.
  return unsettled ?? proceed(context, await claim());
}

interface Context {
  readonly deps: SendDeps;
  readonly now: Date;
  readonly channel: Parameters<typeof processNotification>[2];
  readonly write: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
}

async function proceed(context: Context, claim: Claim): Promise<Next> {
  switch (claim.outcome) {
    case 'send':
      return send(context, claim.notification);
    case 'done':
    case 'skipped':
      return { next: 'done' };
    case 'busy':
    case 'look-up':
      return { next: 'later', delayMs: shortest(context.deps.lookUpDelaysMs) };
    case 'missing':
      return { next: 'dead', reason: 'unknown_notification' };
  }
}

async function send(context: Context, notification: NotificationToSend): Promise<Next> {
  const { deps, write } = context;
  const { notificationId, attempt } = notification;
  const call = prepare(deps, notification, context.now);
  if ('reason' in call) {
    await write((tx) => markFailed(tx, { notificationId, attempt, reason: call.reason }));
    return { next: 'dead', reason: call.reason };
  }
  let providerMessageId: string;
  try {
    ({ providerMessageId } = await call.send());
  } catch (error) {
    return settleFailure(context, notification, classify(notification.channel, error));
  }
  context.channel.well();
  await write((tx) => markAccepted(tx, { notificationId, attempt, providerMessageId }));
  log(deps, notification, { event: 'notification_accepted' });
  return { next: 'done' };
}

/** The call that is ready to be made, or why there is none. */
function prepare(
  deps: SendDeps,
  notification: NotificationToSend,
  now: Date,
): { readonly send: () => Promise<{ readonly providerMessageId: string }> } | { readonly reason: string } {
  const { notificationId, clinicId, channel, address: to } = notification;
  if (to === null) return { reason: 'no_address' };
  try {
    if (channel === 'sms') {
      const body = renderSms(notification);
      const usefulUntil = notification.offer?.until ?? notification.plannedFor;
      const validForSeconds = (usefulUntil.getTime() - now.getTime()) / 1_000;
      return { send: () => deps.senders.sms.send({ notificationId, to, body, validForSeconds }) };
    }
    const email = renderEmail(notification);
    return { send: () => deps.senders.email.send({ notificationId, clinicId, to, ...email }) };
  } catch (error) {
    log(deps, notification, { event: 'render_failed', err: error });
    return { reason: 'render_failed' };
  }
}

async function settleFailure(context: Context, notification: NotificationToSend, verdict: Verdict): Promise<Next> {
  const { deps, channel, write } = context;
  const { notificationId, attempt, attemptsMade } = notification;
  const { reason, retryAfterMs } = verdict;
  const ref = { notificationId, attempt, reason };
  log(deps, notification, { event: 'notification_refused', outcome: verdict.class, reason });
  switch (verdict.class) {
    case 'unknown':
      channel.trouble({ notificationId, reason, sure: false });
      await write((tx) => markUnknown(tx, ref));
      return { next: 'later', delayMs: shortest(deps.lookUpDelaysMs) };
    case 'stop':
      // The alarm: nothing on this channel goes out until a person has put it right.
      deps.logger.error({ event: 'channel_stopped', channel: notification.channel, reason });
      channel.trouble({ notificationId, reason, sure: true, retryAfterMs });
      await write((tx) => markRetry(tx, { ...ref, countsAsAttempt: false }));
      return { next: 'again' };
    case 'channel_later':
      channel.trouble({ notificationId, reason, sure: true, retryAfterMs });
      await write((tx) => markRetry(tx, { ...ref, countsAsAttempt: false }));
      return { next: 'again' };
    case 'later': {
      channel.well();
      const delayMs = deps.retryDelaysMs[attemptsMade - 1];
      if (delayMs === undefined) break;
      await write((tx) => markRetry(tx, ref));
      return { next: 'later', delayMs: Math.max(delayMs, retryAfterMs ?? 0) };
    }
    case 'permanent':
      channel.well();
      break;
  }
  await write((tx) => markFailed(tx, ref));
  return { next: 'dead', reason };
}

/**
 * Asks the provider about an attempt whose answer was lost. Undefined when the provider certainly does not have the message and it may be sent again now;
 * then the ledger says RETRY. Was the provider well meanwhile, then this message alone fails there: that counts, and it waits as after any error of its own.
 */
async function lookUp(
  context: Context,
  notification: NotificationToSend,
  attempt: OpenAttempt,
): Promise<Next | undefined> {
  const { deps, now, write } = context;
  const ref = { notificationId: notification.notificationId, attempt: notification.attempt };
  const found = await find(deps, notification, attempt);

  if ('providerMessageId' in found) {
    await write((tx) => markAccepted(tx, { ...ref, providerMessageId: found.providerMessageId }));
    log(deps, notification, { event: 'notification_found' });
    return { next: 'done' };
  }
  if (found.found === 'unsure') {
    if (notification.plannedFor <= now) return { next: 'dead', reason: 'unknown_outcome' };
    return { next: 'later', delayMs: lookUpDelay(deps, deps.clock() - attempt.startedAt.getTime()) };
  }
  log(deps, notification, { event: 'notification_absent' });
  const reason = 'absent_at_provider';
  const isOwnFault = context.channel.wasWellSince(attempt.startedAt.getTime());
  if (!isOwnFault) {
    await write((tx) => markRetry(tx, { ...ref, reason, countsAsAttempt: false }));
    return undefined;
  }
  const delayMs = deps.retryDelaysMs[notification.attemptsMade - 1];
  if (delayMs === undefined) {
    const failed = 'attempts_used_up';
    await write((tx) => markFailed(tx, { ...ref, reason: failed }));
    return { next: 'dead', reason: failed };
  }
  await write((tx) => markRetry(tx, { ...ref, reason }));
  return { next: 'later', delayMs };
}

async function find(deps: SendDeps, notification: NotificationToSend, attempt: OpenAttempt) {
  const { notificationId, channel, address: to } = notification;
  const { startedAt: since, otherMessageIds: notThese } = attempt;
  try {
    if (channel === 'email') return await deps.senders.email.find({ notificationId, since, notThese });
    if (to === null) return UNSURE;
    const found = await deps.senders.sms.find({ to, body: renderSms(notification), since, notThese });
    // A release that words it otherwise, or a patient who has another language now: what is looked for is not what was sent.
    return 'found' in found && attempt.textHash !== hashOfSms(deps.textKey, notification) ? UNSURE : found;
  } catch (error) {
    const reason = error instanceof AppError ? classify(channel, error).reason : 'unexpected_error';
    log(deps, notification, { event: 'look_up_failed', reason, err: error });
    return UNSURE;
  }
}

/** Null for an email, which is found by its id, and for a text that cannot be made. */
function hashOfSms(key: string, notification: NotificationToSend): string | null {
  if (notification.channel !== 'sms') return null;
  try {
    return createHmac('sha256', key).update(renderSms(notification)).digest('base64url');
  } catch {
    return null;
  }
}

const UNSURE = { found: 'unsure' } as const;

/** The longer nobody knows, the rarer it is asked: the longest delay that is not longer than it has lasted. */
function lookUpDelay({ lookUpDelaysMs }: SendDeps, ageMs: number): number {
  return Math.max(shortest(lookUpDelaysMs), ...lookUpDelaysMs.filter((delay) => delay <= ageMs));
}

function shortest(delays: readonly number[]): number {
  return Math.min(...delays);
}

function log(
  deps: SendDeps,
  notification: NotificationToSend,
  fields: { readonly event: string; [key: string]: unknown },
) {
  const { notificationId, appointmentId, clinicId, channel, attempt } = notification;
  deps.logger.info({ ...fields, notificationId, appointmentId, clinicId, channel, attempt });
}
