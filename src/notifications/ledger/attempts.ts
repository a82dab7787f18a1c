import { sql } from 'kysely';
import type { Tx } from '../../db/connection.ts';
import { statesBefore, WAITING, type NotificationState } from '../../domain/notification.ts';
import { change } from './change.ts';

/** One attempt, as its sender names it. What a later attempt or a callback has written is never overwritten. */
export interface AttemptRef {
  readonly notificationId: string;
  readonly attempt: number;
}

/** The provider took it. */
export async function markAccepted(tx: Tx, ref: AttemptRef & { readonly providerMessageId: string }): Promise<void> {
  await closeAttempt(tx, ref, { outcome: 'ACCEPTED', providerMessageId: ref.providerMessageId });
  await change(tx, { ...ref, to: 'ACCEPTED', from: ['SENDING', 'UNKNOWN'] });
}

/** A passing error: it will be tried again. `countsAsAttempt: false` for an error that is not the message's fault. */
export async function markRetry(
  tx: Tx,
  ref: AttemptRef & { readonly reason: string; readonly countsAsAttempt?: boolean },
): Promise<void> {
  await closeAttempt(tx, ref, { outcome: 'RETRY', errorCode: ref.reason });
  const changed = await change(tx, { ...ref, to: 'RETRY', from: ['SENDING', 'UNKNOWN'] });
  if (changed && ref.countsAsAttempt === false) {
    await tx
      .updateTable('notification')
      .set({ first_attempt: sql`first_attempt + 1` })
      .where('notification_id', '=', ref.notificationId)
      .execute();
  }
}

/** The provider's answer was lost: it may or may not have been sent. */
export async function markUnknown(tx: Tx, ref: AttemptRef & { readonly reason: string }): Promise<void> {
  await closeAttempt(tx, ref, { outcome: 'UNKNOWN', errorCode: ref.reason });
  await change(tx, { ...ref, to: 'UNKNOWN', from: ['SENDING'] });
}

/** It will not be sent unless somebody replays it. */
export async function markFailed(tx: Tx, ref: AttemptRef & { readonly reason: string }): Promise<void> {
  await closeAttempt(tx, ref, { outcome: 'FAILED', errorCode: ref.reason });
  await change(tx, { ...ref, to: 'FAILED', from: statesBefore('FAILED').filter((state) => state !== 'ACCEPTED') });
}

/**
 * For a message that is given up on an error of our own: what waits to be sent becomes FAILED, so that support sees it and can replay it. What may have
 * been sent stays as it is. Returns how it stands, undefined when the ledger does not know it.
 */
export async function failWaiting(
  tx: Tx,
  wanted: { readonly notificationId: string; readonly reason: string },
): Promise<{ readonly state: NotificationState; readonly plannedFor: Date } | undefined> {
  await change(tx, { ...wanted, to: 'FAILED', from: WAITING });
  const row = await tx
    .selectFrom('notification')
    .select(['state', 'planned_for'])
    .where('notification_id', '=', wanted.notificationId)
    .executeTakeFirst();
  return row && { state: row.state, plannedFor: row.planned_for };
}

/** How an attempt ended, from the least to the most that is known of it. */
const ATTEMPT_OUTCOMES = ['UNKNOWN', 'RETRY', 'ACCEPTED', 'FAILED', 'DELIVERED'] as const;
type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Writes how an attempt ended, unless as much or more is known already. Returns whether it was written. */
export async function closeAttempt(
  tx: Tx,
  ref: AttemptRef,
  end: {
    readonly outcome: AttemptOutcome;
    readonly errorCode?: string | undefined;
    readonly providerMessageId?: string | undefined;
    readonly at?: Date | undefined;
  },
): Promise<boolean> {
  const lesser = ATTEMPT_OUTCOMES.slice(0, ATTEMPT_OUTCOMES.indexOf(end.outcome));
  const result = await tx
    .updateTable('delivery_attempt')
    .set({
      outcome: end.outcome,
      error_code: end.errorCode ?? null,
      finished_at: end.at ?? sql<Date>`clock_timestamp()`,
      ...(end.providerMessageId === undefined
        ? {}
        : { provider_message_id: sql<string>`coalesce(provider_message_id, ${end.providerMessageId})` }),
    })
    .where('notification_id', '=', ref.notificationId)
    .where('attempt', '=', ref.attempt)
    .where((eb) =>
      eb.or([eb('outcome', 'is', null), ...(lesser.length === 0 ? [] : [eb('outcome', 'in', [...lesser])])]),
    )
    .executeTakeFirst();
  return result.numUpdatedRows > 0n;
}

/** Was it called at the provider, and is the answer missing? */
export function awaitsAnswer(state: NotificationState): boolean {
  return state === 'SENDING' || state === 'UNKNOWN';
}
