import { sql, type Selectable } from 'kysely';
import type { CallOutcome, CallReason, SickDayItemState } from '../domain/sick-day.ts';
import type { OutboxEventName } from '../workflows/messages.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type SickDayRow = Selectable<Database['sick_day']>;
export type SickDayItemRow = Selectable<Database['sick_day_item']>;
export type MoveOfferRow = Selectable<Database['move_offer']>;
export type CallTaskRow = Selectable<Database['call_task']>;

/** The states in which an item has still to be dealt with. */
const OPEN_ITEMS = ['PENDING', 'OFFERED'] as const satisfies readonly SickDayItemState[];
/** The states that a visit is in until somebody sees to it: a stopped sick day has left it booked. */
const UNTIL_SEEN_TO = [...OPEN_ITEMS, 'STOPPED'] as const satisfies readonly SickDayItemState[];

export interface SickDayItemRef {
  readonly sickDayId: string;
  readonly appointmentId: string;
}

export function findSickDay(tx: Tx, sickDayId: string): Promise<SickDayRow | undefined> {
  return tx.selectFrom('sick_day').selectAll().where('sick_day_id', '=', sickDayId).executeTakeFirst();
}

/** The sick day, locked until the transaction ends: shared by the steps of its items, alone for whoever changes its state. */
export function lockSickDay(tx: Tx, sickDayId: string, how: 'share' | 'update'): Promise<SickDayRow | undefined> {
  const query = tx.selectFrom('sick_day').selectAll().where('sick_day_id', '=', sickDayId);
  return (how === 'share' ? query.forShare() : query.forUpdate()).executeTakeFirst();
}

/** Of an appointment `a` and a sick day `d`: is the visit in its absence? */
const isInAbsence = sql<boolean>`(d.provider_id = a.provider_id and d.to_time > a.appointment_time
  and d.from_time < a.appointment_time + make_interval(mins => a.duration_minutes))`;

/** Of an appointment `a` and a sick day `d`: what somebody has done about the visit; null while it is still to be seen to. */
const seenToHow = sql<string | null>`(case
  when a.status = 'CANCELLED' then 'cancelled'
  when not ${isInAbsence} then 'moved'
  when a.status <> 'SCHEDULED' or a.checked_in_at is not null then 'begun'
end)`;

/**
 * Of the appointment that the query calls `a`: does somebody see to it already, as an item of a sick day that goes on, or a call that the desk has still
 * to make? A sick day from whose absence the visit has been moved away has nothing to do with it any more.
 */
export const isInHand = sql<boolean>`exists (
  select from (
    select sick_day_id from sick_day_item where appointment_id = a.appointment_id and state in ('PENDING', 'OFFERED')
    union all select sick_day_id from call_task where appointment_id = a.appointment_id and state = 'OPEN') known
  join sick_day d using (sick_day_id)
  where ${isInAbsence})`;

/** Which of these visits are in hand. */
export async function visitsInHand(tx: Tx, appointmentIds: readonly string[]): Promise<Set<string>> {
  if (appointmentIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('appointment as a')
    .select('a.appointment_id')
    .where('a.appointment_id', 'in', [...appointmentIds])
    .where(isInHand)
    .execute();
  return new Set(rows.map((row) => row.appointment_id));
}

export function findItem(tx: Tx, { sickDayId, appointmentId }: SickDayItemRef): Promise<SickDayItemRow | undefined> {
  return itemQuery(tx, sickDayId, appointmentId).executeTakeFirst();
}

/** The item, locked until the transaction ends. */
export function lockItem(tx: Tx, { sickDayId, appointmentId }: SickDayItemRef): Promise<SickDayItemRow | undefined> {
  return itemQuery(tx, sickDayId, appointmentId).forUpdate().executeTakeFirst();
}

function itemQuery(tx: Tx, sickDayId: string, appointmentId: string) {
  return tx
    .selectFrom('sick_day_item')
    .selectAll()
    .where('sick_day_id', '=', sickDayId)
    .where('appointment_id', '=', appointmentId);
}

export async function changeItem(
  tx: Tx,
  { sickDayId, appointmentId }: SickDayItemRef,
  change: { readonly state: SickDayItemState; readonly stepIndex?: number; readonly reason?: string | null },
): Promise<void> {
  await tx
    .updateTable('sick_day_item')
    .set({
      state: change.state,
      reason: change.reason ?? null,
      ...(change.stepIndex === undefined ? {} : { step_index: change.stepIndex }),
    })
    .where('sick_day_id', '=', sickDayId)
    .where('appointment_id', '=', appointmentId)
    .execute();
}

/* Of the row of `move_offer` that a query is at. */

/** Both `now` and the database's clock are before its end. */
const isBeforeEnd = (now: Date) => sql<boolean>`move_offer.expires_at > greatest(now(), ${now}::timestamptz)`;
/** The visit is still as it was when the offer was made. */
const fits = sql<boolean>`move_offer.appointment_version = (select version from appointment a where a.appointment_id = move_offer.appointment_id)`;
const hasFailedMessage = sql<boolean>`exists (select from notification n where n.move_offer_id = move_offer.move_offer_id and n.state = 'FAILED')`;

/**
 * The items whose next step has its turn: nobody has taken them up, or their offer has run out by `now` or the database's clock, the visit is no more as
 * it was when the offer was made, or the message about it has failed. Soonest visit first.
 */
export async function dueItems(tx: Tx, sickDayId: string, now: Date, limit: number): Promise<string[]> {
  const rows = await dueQuery(tx, sickDayId, now)
    .select('sick_day_item.appointment_id')
    .orderBy('sick_day_item.visit_start')
    .orderBy('sick_day_item.appointment_id')
    .limit(limit)
    .execute();
  return rows.map((row) => row.appointment_id);
}

function dueQuery(tx: Tx, sickDayId: string, now: Date) {
  return tx
    .selectFrom('sick_day_item')
    .leftJoin('move_offer', (join) =>
      join
        .onRef('move_offer.sick_day_id', '=', 'sick_day_item.sick_day_id')
        .onRef('move_offer.appointment_id', '=', 'sick_day_item.appointment_id')
        .on('move_offer.state', '=', 'OPEN'),
    )
    .where('sick_day_item.sick_day_id', '=', sickDayId)
    .where((eb) =>
      eb.or([
        eb('sick_day_item.state', '=', 'PENDING'),
        eb.and([
          eb('sick_day_item.state', '=', 'OFFERED'),
          eb.or([eb('move_offer.move_offer_id', 'is', null), eb.not(isBeforeEnd(now)), eb.not(fits), hasFailedMessage]),
        ]),
      ]),
    );
}

/** Nothing is left to do for anybody: writes down that a running sick day has been dealt with. Returns whether this did it. */
export async function finishWhenDone(tx: Tx, sickDayId: string): Promise<boolean> {
  // Locked: somebody may be pausing or stopping it at this moment.
  const sickDay = await lockSickDay(tx, sickDayId, 'update');
  if (sickDay?.state !== 'RUNNING') return false;
  const open = await tx
    .selectFrom('sick_day_item')
    .select('appointment_id')
    .where('sick_day_id', '=', sickDayId)
    .where('state', 'in', OPEN_ITEMS)
    .limit(1)
    .executeTakeFirst();
  if (open !== undefined) return false;
  await setSickDayState(tx, sickDayId, 'FINISHED');
  return true;
}

export function setSickDayState(tx: Tx, sickDayId: string, state: SickDayRow['state']): Promise<SickDayRow> {
  const ended = state === 'STOPPED' || state === 'FINISHED';
  return tx
    .updateTable('sick_day')
    .set({ state, finished_at: ended ? sql<Date>`now()` : null })
    .where('sick_day_id', '=', sickDayId)
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** What nobody has dealt with stays as it is, and says so. */
export async function stopOpenItems(tx: Tx, sickDayId: string): Promise<void> {
  await sql`
    update sick_day_item i set state = case when seen_to.how is null then 'STOPPED' else 'GONE' end, reason = seen_to.how
    from (
      select a.appointment_id, ${seenToHow} as how
      from sick_day d join sick_day_item known using (sick_day_id) join appointment a using (appointment_id)
      where d.sick_day_id = ${sickDayId}) seen_to
    where i.sick_day_id = ${sickDayId} and i.appointment_id = seen_to.appointment_id
      and i.state = any(${OPEN_ITEMS})`.execute(tx);
}

/**
 * Sick days that still have the visit on their lists, and stopped ones that have left it, say that somebody has seen to it once it is cancelled, has been
 * moved out of the absence, or has begun. The appointment's row is locked.
 */
export async function settleItems(tx: Tx, appointmentId: string): Promise<void> {
  // Shared, as their steps do: whoever stops one of them meanwhile settles all its items at once.
  const concerned = await tx
    .selectFrom('sick_day')
    .innerJoin('sick_day_item', 'sick_day_item.sick_day_id', 'sick_day.sick_day_id')
    .select('sick_day.sick_day_id')
    .where('sick_day_item.appointment_id', '=', appointmentId)
    .where('sick_day_item.state', 'in', UNTIL_SEEN_TO)
    .orderBy('sick_day.sick_day_id')
    .forShare('sick_day')
    .execute();
  if (concerned.length === 0) return;
  await sql`
    update sick_day_item i set state = 'GONE', reason = seen_to.how
    from (
      select d.sick_day_id, a.appointment_id, ${seenToHow} as how
      from appointment a cross join sick_day d
      where a.appointment_id = ${appointmentId}) seen_to
    where i.appointment_id = seen_to.appointment_id and i.sick_day_id = seen_to.sick_day_id
      and i.state = any(${UNTIL_SEEN_TO}) and seen_to.how is not null`.execute(tx);
}

/** How many items of a sick day are in which state; of the open ones, how many have their turn, and when the next offer runs out. */
export interface SickDayProgress {
  readonly state: SickDayRow['state'];
  readonly counts: Readonly<Record<SickDayItemState, number>>;
  readonly due: number;
  readonly nextDeadline: Date | null;
}

export async function progressOf(tx: Tx, sickDayId: string, now: Date): Promise<SickDayProgress | undefined> {
  const sickDay = await findSickDay(tx, sickDayId);
  if (sickDay === undefined) return undefined;
  const counts = (await itemCounts(tx, [sickDayId])).get(sickDayId) ?? NO_ITEMS;
  const { due } = await dueQuery(tx, sickDayId, now)
    .select(sql<number>`count(*)::integer`.as('due'))
    .executeTakeFirstOrThrow();
  const { deadline } = await tx
    .selectFrom('move_offer')
    .select((eb) => eb.fn.min<Date | null>('expires_at').as('deadline'))
    .where('sick_day_id', '=', sickDayId)
    .where('state', '=', 'OPEN')
    .executeTakeFirstOrThrow();
  return { state: sickDay.state, counts, due, nextDeadline: deadline };
}

const NO_ITEMS: Readonly<Record<SickDayItemState, number>> = {
  PENDING: 0,
  OFFERED: 0,
  MOVED: 0,
  WAITLISTED: 0,
  CALL: 0,
  GONE: 0,
  STOPPED: 0,
};

/** The counts of several sick days; one without items is left out. */
export async function itemCounts(
  tx: Tx,
  sickDayIds: readonly string[],
): Promise<Map<string, Readonly<Record<SickDayItemState, number>>>> {
  const found = new Map<string, Record<SickDayItemState, number>>();
  if (sickDayIds.length === 0) return found;
  const rows = await tx
    .selectFrom('sick_day_item')
    .select(['sick_day_id', 'state', sql<number>`count(*)::integer`.as('count')])
    .where('sick_day_id', 'in', [...sickDayIds])
    .groupBy(['sick_day_id', 'state'])
    .execute();
  for (const { sick_day_id: id, state, count } of rows) {
    const counts = found.get(id) ?? { ...NO_ITEMS };
    counts[state] = count;
    found.set(id, counts);
  }
  return found;
}

/** What became of each visit of a sick day, the soonest first, and whether its patient could be reached. */
export function outcomesOf(tx: Tx, sickDayId: string) {
  return tx
    .selectFrom('sick_day_item as i')
    .innerJoin('appointment as a', 'a.appointment_id', 'i.appointment_id')
    .leftJoin('call_task as t', (join) =>
      join.onRef('t.sick_day_id', '=', 'i.sick_day_id').onRef('t.appointment_id', '=', 'i.appointment_id'),
    )
    .leftJoin('move_offer as o', (join) =>
      join
        .onRef('o.sick_day_id', '=', 'i.sick_day_id')
        .onRef('o.appointment_id', '=', 'i.appointment_id')
        .on('o.state', '=', 'OPEN'),
    )
    .select([
      'i.appointment_id',
      'a.patient_id',
      'i.visit_start',
      'i.state',
      'i.reason',
      'i.updated_at',
      't.call_task_id',
      't.state as call_state',
      'o.move_offer_id',
      'o.expires_at as offer_until',
      // Neither phone nor email, or the message about an offer failed, or the one that says that the visit is off.
      sql<boolean>`coalesce(t.reason = 'no_contact', false) or exists (select from notification n
        left join move_offer f on f.move_offer_id = n.move_offer_id
        where n.appointment_id = i.appointment_id and n.state = 'FAILED'
          and (f.sick_day_id = i.sick_day_id or i.state = 'WAITLISTED' and n.kind in ('cancelled', 'series_cancelled')))`.as(
        'unreachable',
      ),
    ])
    .where('i.sick_day_id', '=', sickDayId)
    .orderBy('i.visit_start')
    .orderBy('i.appointment_id')
    .execute();
}

export function findMoveOffer(tx: Tx, moveOfferId: string): Promise<MoveOfferRow | undefined> {
  return tx.selectFrom('move_offer').selectAll().where('move_offer_id', '=', moveOfferId).executeTakeFirst();
}

/** A move offer, and whether it can still be answered. */
export type LockedOffer = MoveOfferRow & { readonly live: boolean };

/** The offer, locked until the transaction ends. It lives while it is open and has not run out. */
export function lockMoveOffer(tx: Tx, moveOfferId: string, now: Date): Promise<LockedOffer | undefined> {
  return tx
    .selectFrom('move_offer')
    .selectAll()
    .select(sql<boolean>`state = 'OPEN' and ${isBeforeEnd(now)}`.as('live'))
    .where('move_offer_id', '=', moveOfferId)
    .forUpdate()
    .executeTakeFirst();
}

/**
 * The visit's open offer, whether it lives, whether the visit is still as it was offered for, and whether the message about it has failed. It may be one
 * that another sick day has left behind: the visit was moved from one absence into another.
 */
export function openOfferOf(tx: Tx, { sickDayId, appointmentId }: SickDayItemRef, now: Date) {
  return tx
    .selectFrom('move_offer')
    .selectAll()
    .select([isBeforeEnd(now).as('live'), fits.as('fits'), hasFailedMessage.as('message_failed')])
    .where('appointment_id', '=', appointmentId)
    .where('state', '=', 'OPEN')
    .where((eb) => eb.or([eb('sick_day_id', '=', sickDayId), eb.not(fits)]))
    .executeTakeFirst();
}

export type OpenOffer = NonNullable<Awaited<ReturnType<typeof openOfferOf>>>;

/** Was the patient ever offered anything in this sick day? */
export async function wasOffered(tx: Tx, { sickDayId, appointmentId }: SickDayItemRef): Promise<boolean> {
  const row = await tx
    .selectFrom('move_offer')
    .select('move_offer_id')
    .where('sick_day_id', '=', sickDayId)
    .where('appointment_id', '=', appointmentId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Writes word to the sick day that has offered this visit another time, if one has: the visit has changed, or the message about the offer has failed. */
export async function tellOfferingSickDay(
  tx: Tx,
  appointmentId: string,
  event: OutboxEventName<'sick_day'>,
  requestId: string | undefined,
): Promise<void> {
  await tx
    .insertInto('outbox')
    .columns(['clinic_id', 'aggregate', 'aggregate_id', 'event', 'request_id'])
    .expression((eb) =>
      eb
        .selectFrom('move_offer')
        .select([
          'clinic_id',
          sql.lit('sick_day').as('aggregate'),
          'sick_day_id',
          sql.lit(event).as('event'),
          eb.val(requestId ?? null).as('request_id'),
        ])
        .where('appointment_id', '=', appointmentId)
        .where('state', '=', 'OPEN'),
    )
    .execute();
}

/** The open offers of another time for these visits. */
export function openOffersFor(tx: Tx, appointmentIds: readonly string[]): Promise<MoveOfferRow[]> {
  return tx
    .selectFrom('move_offer')
    .selectAll()
    .where('appointment_id', 'in', [...appointmentIds])
    .where('state', '=', 'OPEN')
    .orderBy('move_offer_id')
    .execute();
}

/** Every offer of the sick day that nobody has closed. */
export function openOffersOf(tx: Tx, sickDayId: string): Promise<MoveOfferRow[]> {
  return tx
    .selectFrom('move_offer')
    .selectAll()
    .where('sick_day_id', '=', sickDayId)
    .where('state', '=', 'OPEN')
    .orderBy('move_offer_id')
    .execute();
}

/** The open offers that can still be accepted and of which the patient has not been told. */
export function untoldOffers(tx: Tx, sickDayId: string, now: Date): Promise<MoveOfferRow[]> {
  return tx
    .selectFrom('move_offer')
    .selectAll()
    .where('sick_day_id', '=', sickDayId)
    .where('state', '=', 'OPEN')
    .where('told_at', 'is', null)
    .where(isBeforeEnd(now))
    .where(fits)
    .orderBy('move_offer_id')
    .execute();
}

/** The open offers of a provider's time, or of any of the clinic's providers, of whichever sick day. */
export function openOffersWith(
  tx: Tx,
  whose: { readonly clinicId: string; readonly providerId?: string },
): Promise<MoveOfferRow[]> {
  let query = tx
    .selectFrom('move_offer')
    .selectAll()
    .where('clinic_id', '=', whose.clinicId)
    .where('state', '=', 'OPEN')
    .orderBy('move_offer_id');
  if (whose.providerId !== undefined) query = query.where('provider_id', '=', whose.providerId);
  return query.execute();
}

export async function markOfferTold(tx: Tx, moveOfferId: string): Promise<void> {
  await tx
    .updateTable('move_offer')
    .set({ told_at: sql<Date>`now()` })
    .where('move_offer_id', '=', moveOfferId)
    .where('told_at', 'is', null)
    .execute();
}

export async function closeMoveOffer(
  tx: Tx,
  moveOfferId: string,
  state: Exclude<MoveOfferRow['state'], 'OPEN'>,
): Promise<void> {
  const answered = state === 'ACCEPTED' || state === 'DECLINED';
  await tx
    .updateTable('move_offer')
    .set({ state, ...(answered ? { answered_at: sql<Date>`now()` } : {}) })
    .where('move_offer_id', '=', moveOfferId)
    .where('state', '=', 'OPEN')
    .execute();
}

/** Writes that the desk has to call; once for a visit of a sick day. */
export async function insertCallTask(
  tx: Tx,
  task: {
    readonly callTaskId: string;
    readonly clinicId: string;
    readonly appointmentId: string;
    readonly patientId: string;
    readonly sickDayId: string;
    readonly reason: CallReason;
  },
): Promise<void> {
  await tx
    .insertInto('call_task')
    .values({
      call_task_id: task.callTaskId,
      clinic_id: task.clinicId,
      appointment_id: task.appointmentId,
      patient_id: task.patientId,
      sick_day_id: task.sickDayId,
      reason: task.reason,
      state: 'OPEN',
      outcome: null,
      done_by: null,
    })
    .onConflict((conflict) => conflict.constraint('call_task_once').doNothing())
    .execute();
}

export function lockCallTask(tx: Tx, callTaskId: string): Promise<CallTaskRow | undefined> {
  return tx.selectFrom('call_task').selectAll().where('call_task_id', '=', callTaskId).forUpdate().executeTakeFirst();
}

/** A call that need not be made any more, and what has come of its visit. */
export interface SettledCall {
  readonly callTaskId: string;
  readonly outcome: CallOutcome;
}

/** The open calls about a visit are done once it is cancelled, has been moved out of the absence, or has begun. Returns those that this has closed. */
export async function settleCallTasks(tx: Tx, appointmentId: string, doneBy: string): Promise<readonly SettledCall[]> {
  const { rows } = await sql<SettledCall>`
    update call_task t set state = 'DONE', outcome = case seen_to.how when 'begun' then 'kept' else seen_to.how end, done_at = now(), done_by = ${doneBy}
    from (
      select d.sick_day_id, a.appointment_id, ${seenToHow} as how
      from appointment a cross join sick_day d
      where a.appointment_id = ${appointmentId}) seen_to
    where t.appointment_id = seen_to.appointment_id and t.sick_day_id = seen_to.sick_day_id
      and t.state = 'OPEN' and seen_to.how is not null
    returning t.call_task_id as "callTaskId", t.outcome`.execute(tx);
  return rows;
}
