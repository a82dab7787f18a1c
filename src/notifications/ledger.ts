import { sql, type Selectable } from 'kysely';
import type { Tx } from '../db/connection.ts';
import { enqueue } from '../db/outbox.ts';
import type { Database } from '../db/schema.ts';
import { LOST_AFTER } from '../db/replays.ts';
import { passOnSkippedNotice } from '../db/series.ts';
import { isInHand, tellOfferingSickDay } from '../db/sick-days.ts';
import {
  isSeriesNotice,
  statesBefore,
  type Channel,
  type NotificationKind,
  type NotificationState,
} from '../domain/notification.ts';
import { isSameMessage, reportedState } from './provider-states.ts';
import type { Cancelling, MessageFacts, OfferedTime, VisitAsTold } from './render.ts';
import { whyNotDue, type SkipReason } from './still-due.ts';

export type NotificationRow = Selectable<Database['notification']>;

/** What the workflow plans. */
export interface PlannedNotification {
  readonly notificationId: string;
  readonly clinicId: string;
  readonly appointmentId: string;
  readonly patientId: string;
  readonly kind: NotificationKind;
  readonly channel: Channel;
  /** The visit's start of which the message speaks. */
  readonly plannedFor: Date;
  readonly appointmentVersion: number;
  readonly dueAt: Date;
  readonly requestId?: string | undefined;
  /** What it offers, where it offers something. */
  readonly moveOfferId?: string;
}

/** Everything the ledger holds about one appointment, in the order in which it was due. */
export function notificationsOf(tx: Tx, appointmentId: string): Promise<NotificationRow[]> {
  return tx
    .selectFrom('notification')
    .selectAll()
    .where('appointment_id', '=', appointmentId)
    .orderBy('due_at')
    .orderBy('created_at')
    .execute();
}

/** Writes the row in state PLANNED unless it is there already. Returns the state it is in: only what is PLANNED is to be published. */
export async function planNotification(tx: Tx, notification: PlannedNotification): Promise<NotificationState> {
  await tx
    .insertInto('notification')
    .values({ ...columns(notification), state: 'PLANNED' })
    .onConflict((conflict) => conflict.column('notification_id').doNothing())
    .execute();
  return stateOf(tx, notification.notificationId);
}

/** The broker has confirmed the message. The notifier may have been faster: then nothing changes. */
export async function markQueued(tx: Tx, notificationId: string): Promise<void> {
  await change(tx, { notificationId, to: 'QUEUED', from: ['PLANNED'] });
}

/**
 * Writes that a notification is not sent, and why, so that nobody plans it again. What is under way or done stays as it is.
 * Returns the state it is in.
 */
export async function skipNotification(
  tx: Tx,
  notification: PlannedNotification & { readonly reason: string },
): Promise<NotificationState> {
  await planNotification(tx, notification);
  await change(tx, {
    notificationId: notification.notificationId,
    to: 'SKIPPED',
    from: ['PLANNED', 'QUEUED', 'RETRY'],
    reason: notification.reason,
  });
  return stateOf(tx, notification.notificationId);
}

/** What the message is made of; ids for the log. */
export interface NotificationToSend extends MessageFacts {
  readonly notificationId: string;
  readonly clinicId: string;
  readonly appointmentId: string;
  readonly channel: Channel;
  /** The phone number or email address; null when the patient has none (any more). */
  readonly address: string | null;
  /** The attempt under way. */
  readonly attempt: number;
  /** How many attempts were begun since it was planned or last replayed. */
  readonly attemptsMade: number;
}

/** Where a notification stands when the notifier takes up a message about it. */
export type Claim =
  /** It is ours to send: SENDING is written. */
  | { readonly outcome: 'send'; readonly notification: NotificationToSend }
  /** An attempt was begun whose outcome nobody knows: only the provider can tell. */
  | { readonly outcome: 'look-up'; readonly notification: NotificationToSend; readonly attempt: OpenAttempt }
  /** Somebody else is sending it at this moment. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: 'skipped'; readonly reason: SkipReason }
  /** Accepted or settled: nothing is left to do. */
  | { readonly outcome: 'done'; readonly state: NotificationState }
  /** The ledger does not know it. */
  | { readonly outcome: 'missing' };

/** The attempt of unknown outcome, and what a look-up at the provider needs to know. */
export interface OpenAttempt {
  readonly startedAt: Date;
  /** Has anything changed since of which the text is made? Then not finding the text proves nothing. */
  readonly textMayDiffer: boolean;
  /** Ids that the provider gave to other messages about this appointment: they are not the one looked for. */
  readonly otherMessageIds: readonly string[];
}

/**
 * Takes a notification up, in one transaction: locks the appointment against changes, checks that the message is still due, and writes SENDING and
 * the attempt before anybody calls the provider. A lease that has run out means that its owner died: UNKNOWN.
 *
 * @param now - decides whether the visit has begun; leases run on the database's clock
 * @param leaseMs - longer than the call to the provider may take
 */
export async function claimToSend(
  tx: Tx,
  options: { readonly notificationId: string; readonly now: Date; readonly leaseMs: number },
): Promise<Claim> {
  const { notificationId, now, leaseMs } = options;
  const row = await lockForSending(tx, notificationId);
  if (row === undefined) return { outcome: 'missing' };

  switch (row.state) {
    case 'SENDING':
      if (!row.lease_over) return { outcome: 'busy' };
      await markUnknown(tx, { notificationId, attempt: row.attempt, reason: 'sender_lost' });
      return { outcome: 'look-up', notification: toSend(row, row.attempt), attempt: await openAttempt(tx, row) };
    case 'UNKNOWN':
      return { outcome: 'look-up', notification: toSend(row, row.attempt), attempt: await openAttempt(tx, row) };
    case 'ACCEPTED':
    case 'DELIVERED':
    case 'FAILED':
    case 'SKIPPED':
      return { outcome: 'done', state: row.state };
    case 'PLANNED':
    case 'QUEUED':
    case 'RETRY': {
      const reason = reasonNotDue(row, now);
      if (reason !== undefined) {
        await change(tx, { notificationId, to: 'SKIPPED', from: [row.state], reason });
        return { outcome: 'skipped', reason };
      }
      return { outcome: 'send', notification: toSend(row, await beginAttempt(tx, notificationId, leaseMs)) };
    }
  }
}

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

/** What a provider tells of a message, after the answer to the call. */
export interface ProviderReport {
  readonly channel: Channel;
  readonly notificationId: string;
  readonly providerMessageId?: string | undefined;
  /** The provider's own word: Twilio's MessageStatus, SendGrid's event. */
  readonly providerState: string;
  readonly errorCode?: string | undefined;
  /** When it happened, by the provider's clock. */
  readonly occurredAt?: Date | undefined;
}

/** `changed`: the notification is in another state now. `unchanged`: known already, or outranked. `ignored`: nothing of ours that it could be about. */
export type CallbackOutcome = 'changed' | 'unchanged' | 'ignored';

/**
 * Takes in a callback. Callbacks come late, repeated and out of order: a report about an attempt never takes it back to a lower rank, one about an
 * earlier attempt changes the notification only when it proves that the message did arrive, and the first one resolves a lost answer.
 */
export async function settleByCallback(tx: Tx, report: ProviderReport): Promise<CallbackOutcome> {
  const { channel, notificationId, providerMessageId } = report;
  const to = reportedState(channel, report.providerState);
  if (to === undefined) return 'ignored';
  const row = await tx
    .selectFrom('notification')
    .select(['channel', 'state', 'attempt'])
    .where('notification_id', '=', notificationId)
    .forUpdate()
    .executeTakeFirst();
  if (row?.channel !== channel) return 'ignored';

  const attempts = await tx
    .selectFrom('delivery_attempt')
    .select(['attempt', 'outcome', 'provider_message_id'])
    .where('notification_id', '=', notificationId)
    .orderBy('attempt', 'desc')
    .execute();
  const waits = WAITING.includes(row.state);
  const current = waits ? undefined : attempts.find(({ attempt }) => attempt === row.attempt);
  const about =
    providerMessageId === undefined
      ? current
      : (attempts.find(
          (each) =>
            each.provider_message_id !== null && isSameMessage(channel, each.provider_message_id, providerMessageId),
        ) ?? (awaitsAnswer(row.state) && current?.provider_message_id === null ? current : undefined));
  if (about === undefined) return 'ignored';

  const end = { outcome: to, errorCode: report.errorCode, providerMessageId, at: report.occurredAt };
  const isNews = await closeAttempt(tx, { notificationId, attempt: about.attempt }, end);
  if (!isNews) return 'unchanged';
  const isCurrent = about.attempt === row.attempt;
  // By the provider's own id: then a message that waits to be sent again would be a second one.
  const isProof = to === 'DELIVERED' && providerMessageId !== undefined && about.provider_message_id !== null;
  const changed = await change(tx, {
    notificationId,
    to,
    from: [
      ...(isCurrent ? FROM_REPORT[to] : FROM_REPORT[to].filter((state) => state === 'FAILED')),
      ...(isProof ? WAITING : []),
    ],
    reason: to === 'FAILED' ? failureReason(channel, report.errorCode ?? report.providerState) : undefined,
    ...((isCurrent && about.provider_message_id === null) || (isProof && waits) ? { providerMessageId } : {}),
    settledAt: report.occurredAt,
  });
  return changed ? 'changed' : 'unchanged';
}

/** A reason as it is stored and shown: where the code comes from, and the code. */
export function failureReason(channel: Channel, code: string): string {
  return `${channel === 'sms' ? 'twilio' : 'sendgrid'}_${code}`;
}

/**
 * Makes a failed notification due again on the same row: QUEUED, with a fresh count of attempts; the caller publishes it. One of unknown outcome
 * counts as failed only once its visit has begun, and then nothing is due any more. One that waits and has not moved for two hours counts as failed:
 * should its message turn up after all, the ledger still gives it out once.
 */
export async function requeueForReplay(
  tx: Tx,
  notificationId: string,
  now: Date,
): Promise<'QUEUED' | 'NOT_DUE' | 'NOT_FAILED'> {
  const row = await lockForSending(tx, notificationId);
  if (row === undefined) return 'NOT_FAILED';
  const isLost = WAITING.includes(row.state) && row.stands_still;
  const hasFailed = row.state === 'FAILED' || (row.state === 'UNKNOWN' && row.planned_for <= now);
  if (!hasFailed && !isLost) return 'NOT_FAILED';
  if (reasonNotDue(row, now) !== undefined) return 'NOT_DUE';
  await tx
    .updateTable('notification')
    .set({
      state: 'QUEUED',
      first_attempt: sql`attempt + 1`,
      provider_message_id: null,
      sending_until: null,
      reason: null,
      accepted_at: null,
      settled_at: null,
      updated_at: sql`now()`,
    })
    .where('notification_id', '=', notificationId)
    .where('state', '=', row.state)
    .execute();
  return 'QUEUED';
}

/** From where a provider's report may take a notification; one that waits in the queue again is touched only by the proof that it arrived. */
const FROM_REPORT: Readonly<Record<'ACCEPTED' | 'DELIVERED' | 'FAILED', readonly NotificationState[]>> = {
  ACCEPTED: ['SENDING', 'UNKNOWN'],
  DELIVERED: ['SENDING', 'UNKNOWN', 'ACCEPTED', 'FAILED'],
  FAILED: ['SENDING', 'UNKNOWN', 'ACCEPTED'],
};

const WAITING: readonly NotificationState[] = ['QUEUED', 'RETRY'];

/** The states that the appointment's workflow is told of: what the plan and the reminder state are made from. */
const TOLD: ReadonlySet<NotificationState> = new Set(['ACCEPTED', 'DELIVERED', 'FAILED', 'SKIPPED']);

const SETTLED: ReadonlySet<NotificationState> = new Set(['DELIVERED', 'FAILED', 'SKIPPED']);

interface Change {
  readonly notificationId: string;
  readonly to: NotificationState;
  /** Nothing happens in any other state. */
  readonly from: readonly NotificationState[];
  /** Nothing happens when another attempt was begun since. */
  readonly attempt?: number;
  readonly reason?: string | undefined;
  readonly providerMessageId?: string | undefined;
  readonly settledAt?: Date | undefined;
}

/** The one statement that changes a state; whoever needs to know is told in the same transaction. Returns whether it changed. */
async function change(tx: Tx, wanted: Change): Promise<boolean> {
  const { notificationId, to, from, attempt, settledAt } = wanted;
  let update = tx
    .updateTable('notification')
    .set({
      state: to,
      reason: wanted.reason ?? null,
      sending_until: null,
      updated_at: sql`now()`,
      ...(wanted.providerMessageId === undefined ? {} : { provider_message_id: wanted.providerMessageId }),
      ...(to === 'ACCEPTED' || to === 'DELIVERED' ? { accepted_at: sql<Date>`coalesce(accepted_at, now())` } : {}),
      ...(SETTLED.has(to) ? { settled_at: settledAt ?? sql<Date>`now()` } : {}),
    })
    .where('notification_id', '=', notificationId)
    .where('state', 'in', [...from])
    .returning(['clinic_id', 'appointment_id', 'request_id', 'kind', 'appointment_version']);
  if (attempt !== undefined) update = update.where('attempt', '=', attempt);
  const row = await update.executeTakeFirst();
  if (row === undefined) return false;
  // Whom we cannot reach about one visit, we cannot reach about the next.
  if (to === 'SKIPPED' && isSeriesNotice(row.kind) && wanted.reason !== 'no_address') {
    await passOnSkippedNotice(tx, {
      appointmentId: row.appointment_id,
      kind: row.kind,
      appointmentVersion: row.appointment_version,
    });
  }
  if (to === 'FAILED' && row.kind === 'move_offer') {
    await tellOfferingSickDay(tx, row.appointment_id, 'notificationSettled', row.request_id ?? undefined);
  }
  if (TOLD.has(to)) {
    const act = { clinicId: row.clinic_id, requestId: row.request_id ?? undefined };
    await enqueue(tx, act, {
      aggregate: 'appointment',
      aggregateId: row.appointment_id,
      event: 'notificationSettled',
    });
  }
  return true;
}

/** How an attempt ended, from the least to the most that is known of it. */
const ATTEMPT_OUTCOMES = ['UNKNOWN', 'RETRY', 'ACCEPTED', 'FAILED', 'DELIVERED'] as const;
type AttemptOutcome = (typeof ATTEMPT_OUTCOMES)[number];

/** Writes how an attempt ended, unless as much or more is known already. Returns whether it was written. */
async function closeAttempt(
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

/** Writes SENDING and the attempt in one statement; the row is locked. Returns the attempt's number. */
async function beginAttempt(tx: Tx, notificationId: string, leaseMs: number): Promise<number> {
  const { attempt } = await tx
    .with('claimed', (db) =>
      db
        .updateTable('notification')
        .set({
          state: 'SENDING',
          attempt: sql`attempt + 1`,
          sending_until: sql<Date>`clock_timestamp() + ${leaseMs} * interval '1 millisecond'`,
          reason: null,
          // As the appointment is locked, this is what the text will say.
          told_provider_id: sql<string>`(select provider_id from appointment a where a.appointment_id = notification.appointment_id)`,
          told_minutes: sql<number>`(select duration_minutes from appointment a where a.appointment_id = notification.appointment_id)`,
          updated_at: sql`now()`,
        })
        .where('notification_id', '=', notificationId)
        .returning(['clinic_id', 'notification_id', 'attempt']),
    )
    .insertInto('delivery_attempt')
    .columns(['clinic_id', 'notification_id', 'attempt', 'started_at'])
    .expression((db) =>
      db
        .selectFrom('claimed')
        .select(['clinic_id', 'notification_id', 'attempt', sql<Date>`clock_timestamp()`.as('started_at')]),
    )
    .returning('attempt')
    .executeTakeFirstOrThrow();
  return attempt;
}

/** The notification with all that its message is made of. The appointment cannot change, nor the notification, until the transaction ends. */
function lockForSending(tx: Tx, notificationId: string) {
  return tx
    .selectFrom('notification as n')
    .innerJoin('appointment as a', 'a.appointment_id', 'n.appointment_id')
    .innerJoin('clinic as c', 'c.clinic_id', 'n.clinic_id')
    .innerJoin('provider as v', 'v.provider_id', 'a.provider_id')
    .innerJoin('patient as p', 'p.patient_id', 'n.patient_id')
    .leftJoin('move_offer as o', 'o.move_offer_id', 'n.move_offer_id')
    .leftJoin('provider as ov', 'ov.provider_id', 'o.provider_id')
    .leftJoinLateral(
      (eb) =>
        eb
          .selectFrom('notification as earlier')
          .innerJoin('provider as with', 'with.provider_id', 'earlier.told_provider_id')
          .select(['earlier.planned_for', 'earlier.told_minutes', 'with.name'])
          .whereRef('earlier.appointment_id', '=', 'n.appointment_id')
          .whereRef('earlier.due_at', '<', 'n.due_at')
          .where('earlier.state', 'in', ['ACCEPTED', 'DELIVERED'])
          .where('earlier.move_offer_id', 'is', null)
          .orderBy('earlier.due_at', 'desc')
          .limit(1)
          .as('told'),
      (join) => join.onTrue(),
    )
    .select([
      'n.notification_id',
      'n.clinic_id',
      'n.appointment_id',
      'n.kind',
      'n.channel',
      'n.state',
      'n.planned_for',
      'n.appointment_version',
      'n.attempt',
      'n.first_attempt',
      'a.appointment_time',
      'a.time_set_version',
      'a.status',
      'a.confirmation_code',
      'a.notice_visits',
      sql<Date[]>`case when n.kind like 'series%' then array(select other.appointment_time from appointment other
        where other.announced_by = a.appointment_id order by other.appointment_time) else '{}' end`.as(
        'further_visits',
      ),
      'a.duration_minutes',
      'a.cancelled_by',
      'a.cancel_reason',
      sql<boolean>`exists (select from waitlist_entry w where w.patient_id = a.patient_id and w.provider_id = a.provider_id
        and w.status = 'WAITING')`.as('is_waiting'),
      'told.planned_for as told_start',
      'told.told_minutes',
      'told.name as told_provider_name',
      'c.name as clinic_name',
      'c.phone as clinic_phone',
      'c.time_zone',
      'v.name as provider_name',
      'p.given_name',
      'p.locale',
      'p.phone',
      'p.email',
      'o.state as offer_state',
      'o.slot_start as offer_start',
      'o.expires_at as offer_until',
      'ov.name as offer_provider_name',
      isInHand.as('being_moved'),
      sql<boolean>`n.sending_until <= clock_timestamp()`.as('lease_over'),
      sql<boolean>`n.updated_at < now() - ${LOST_AFTER}`.as('stands_still'),
      // One that was itself skipped tells the patient nothing.
      sql<boolean>`exists (select from notification later where later.appointment_id = n.appointment_id
        and later.planned_for = n.planned_for and later.due_at > n.due_at and later.kind <> n.kind
        and later.kind like 'reminder:%' and later.state not in ('PLANNED', 'SKIPPED'))`.as('later_reminder'),
      sql<Date>`greatest(c.updated_at, v.updated_at, p.updated_at, a.updated_at, ov.updated_at)`.as('text_changed_at'),
    ])
    .where('n.notification_id', '=', notificationId)
    .forShare('a')
    .forUpdate('n')
    .executeTakeFirst();
}

type LockedRow = NonNullable<Awaited<ReturnType<typeof lockForSending>>>;

function reasonNotDue(row: LockedRow, now: Date): SkipReason | undefined {
  return whyNotDue(
    {
      kind: row.kind,
      plannedFor: row.planned_for,
      appointmentVersion: row.appointment_version,
      laterReminder: row.later_reminder,
      offerOpenUntil: row.offer_state === 'OPEN' && row.offer_until !== null ? row.offer_until : undefined,
    },
    {
      status: row.status,
      appointmentTime: row.appointment_time,
      timeSetVersion: row.time_set_version,
      beingMoved: row.being_moved,
    },
    now,
  );
}

function toSend(row: LockedRow, attempt: number): NotificationToSend {
  return {
    notificationId: row.notification_id,
    clinicId: row.clinic_id,
    appointmentId: row.appointment_id,
    kind: row.kind as NotificationKind,
    channel: row.channel,
    plannedFor: row.planned_for,
    confirmationCode: row.confirmation_code,
    visits: row.notice_visits,
    furtherVisits: row.further_visits,
    clinicName: row.clinic_name,
    clinicPhone: row.clinic_phone ?? undefined,
    durationMinutes: row.duration_minutes,
    before: toldBefore(row),
    cancelled: cancelling(row),
    timeZone: row.time_zone,
    providerName: row.provider_name,
    givenName: row.given_name,
    locale: row.locale,
    address: row.channel === 'sms' ? row.phone : row.email,
    offer: offerOf(row),
    attempt,
    attemptsMade: attempt - row.first_attempt + 1,
  };
}

function offerOf(row: LockedRow): OfferedTime | undefined {
  const { offer_provider_name: providerName, offer_start: start, offer_until: until } = row;
  return providerName === null || start === null || until === null ? undefined : { providerName, start, until };
}

function toldBefore(row: LockedRow): VisitAsTold | undefined {
  const { told_start: start, told_minutes: durationMinutes, told_provider_name: providerName } = row;
  if (start === null || durationMinutes === null || providerName === null) return undefined;
  return { start, durationMinutes, providerName };
}

function cancelling({ cancelled_by: by, cancel_reason: reason, is_waiting }: LockedRow): Cancelling | undefined {
  return by === null || reason === null
    ? undefined
    : { by: by, reason: reason as Cancelling['reason'], isWaiting: is_waiting };
}

async function openAttempt(tx: Tx, row: LockedRow): Promise<OpenAttempt> {
  const { started_at } = await tx
    .selectFrom('delivery_attempt')
    .select('started_at')
    .where('notification_id', '=', row.notification_id)
    .where('attempt', '=', row.attempt)
    .executeTakeFirstOrThrow();
  const others = await tx
    .selectFrom('delivery_attempt as d')
    .innerJoin('notification as n', 'n.notification_id', 'd.notification_id')
    .select('d.provider_message_id')
    .where('n.appointment_id', '=', row.appointment_id)
    .where('d.provider_message_id', 'is not', null)
    .execute();
  return {
    startedAt: started_at,
    textMayDiffer: row.text_changed_at > started_at,
    otherMessageIds: others.flatMap(({ provider_message_id: id }) => (id === null ? [] : [id])),
  };
}

/** Was it called at the provider, and is the answer missing? */
export function awaitsAnswer(state: NotificationState): boolean {
  return state === 'SENDING' || state === 'UNKNOWN';
}

function columns(notification: PlannedNotification) {
  return {
    notification_id: notification.notificationId,
    clinic_id: notification.clinicId,
    appointment_id: notification.appointmentId,
    patient_id: notification.patientId,
    kind: notification.kind,
    move_offer_id: notification.moveOfferId ?? null,
    channel: notification.channel,
    planned_for: notification.plannedFor,
    appointment_version: notification.appointmentVersion,
    due_at: notification.dueAt,
    request_id: notification.requestId ?? null,
  };
}

async function stateOf(tx: Tx, notificationId: string): Promise<NotificationState> {
  const { state } = await tx
    .selectFrom('notification')
    .select('state')
    .where('notification_id', '=', notificationId)
    .executeTakeFirstOrThrow();
  return state;
}
