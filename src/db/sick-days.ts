import { sql, type Selectable } from 'kysely';
import type { SickDayItemState } from '../domain/sick-day.ts';
import type { OutboxEventName } from '../workflows/messages.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type SickDayRow = Selectable<Database['sick_day']>;
export type SickDayItemRow = Selectable<Database['sick_day_item']>;

export interface SickDayItemRef {
  readonly sickDayId: string;
  readonly appointmentId: string;
}

export function findSickDay(tx: Tx, sickDayId: string): Promise<SickDayRow | undefined> {
  return tx.selectFrom('sick_day').selectAll().where('sick_day_id', '=', sickDayId).executeTakeFirst();
}

/** The sick day that has entered this time off and has not ended, if there is one. */
export async function sickDayOfTimeOff(tx: Tx, timeOffId: string): Promise<string | undefined> {
  const row = await tx
    .selectFrom('sick_day')
    .select('sick_day_id')
    .where('time_off_id', '=', timeOffId)
    .where('state', 'in', ['RUNNING', 'PAUSED'])
    .executeTakeFirst();
  return row?.sick_day_id;
}

/** The sick day, locked until the transaction ends: shared by the steps of its items, alone for whoever changes its state. */
export function lockSickDay(tx: Tx, sickDayId: string, how: 'share' | 'update'): Promise<SickDayRow | undefined> {
  const query = tx.selectFrom('sick_day').selectAll().where('sick_day_id', '=', sickDayId);
  return (how === 'share' ? query.forShare() : query.forUpdate()).executeTakeFirst();
}

/** Of the appointment that the query calls `a`: does a sick day that goes on see to it, or a call that the desk has still to make? */
export const isBeingMoved = sql<boolean>`is_being_moved(a.appointment_id)`;

/** Which of these visits are being moved. */
export async function visitsBeingMoved(tx: Tx, appointmentIds: readonly string[]): Promise<Set<string>> {
  if (appointmentIds.length === 0) return new Set();
  const rows = await tx
    .selectFrom('appointment as a')
    .select('a.appointment_id')
    .where('a.appointment_id', 'in', [...appointmentIds])
    .where(isBeingMoved)
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

/** The items whose next step has its turn, by `now` or the database's clock, soonest visit first; see the function `due_items`. */
export async function dueItems(tx: Tx, sickDayId: string, now: Date, limit: number): Promise<string[]> {
  const { rows } = await sql<{ appointment_id: string }>`
    select appointment_id from due_items(${sickDayId}, ${now}) order by visit_start, appointment_id limit ${limit}`.execute(
    tx,
  );
  return rows.map((row) => row.appointment_id);
}

/** What stands between an item and its next step. */
export interface ItemOutlook {
  /** Its step has its turn. */
  readonly due: boolean;
  /** Somebody has cancelled, moved or begun the visit: nothing is left to do. */
  readonly resolvedHow: 'cancelled' | 'moved' | 'begun' | null;
  /** No time off covers the visit: the absence was taken back. */
  readonly backAgain: boolean;
}

export async function outlookOf(tx: Tx, { sickDayId, appointmentId }: SickDayItemRef, now: Date): Promise<ItemOutlook> {
  const { rows } = await sql<ItemOutlook>`
    select exists (select from due_items(d.sick_day_id, ${now}) due where due.appointment_id = a.appointment_id) as due,
      resolved_how(a.appointment_id, d.sick_day_id) as "resolvedHow",
      not exists (select from time_off t where t.clinic_id = d.clinic_id and t.provider_id = d.provider_id
        and t.during && tstzrange(a.appointment_time, a.appointment_time + make_interval(mins => a.duration_minutes), '[)')) as "backAgain"
    from sick_day d, appointment a where d.sick_day_id = ${sickDayId} and a.appointment_id = ${appointmentId}`.execute(
    tx,
  );
  return rows[0] ?? { due: false, resolvedHow: null, backAgain: false };
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
    .where('is_open', '=', true)
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
    update sick_day_item set reason = resolved_how(appointment_id, sick_day_id),
      state = case when resolved_how(appointment_id, sick_day_id) is null then 'STOPPED' else 'GONE' end
    where sick_day_id = ${sickDayId} and is_open`.execute(tx);
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
  const { rows } = await sql<{
    due: number;
  }>`select count(*)::integer as due from due_items(${sickDayId}, ${now})`.execute(tx);
  const due = rows[0]?.due ?? 0;
  const { deadline } = await tx
    .selectFrom('offer')
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
    .leftJoin('task as t', (join) =>
      join.onRef('t.sick_day_id', '=', 'i.sick_day_id').onRef('t.appointment_id', '=', 'i.appointment_id'),
    )
    .leftJoin('offer as o', (join) =>
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
      't.task_id',
      't.state as call_state',
      'o.offer_id',
      'o.expires_at as offer_until',
      // Neither phone nor email, or the message about an offer failed.
      sql<boolean>`coalesce(t.reason = 'no_contact', false) or exists (select from offer f join notification n using (offer_id)
        where f.sick_day_id = i.sick_day_id and f.appointment_id = i.appointment_id and n.state = 'FAILED')`.as(
        'unreachable',
      ),
    ])
    .where('i.sick_day_id', '=', sickDayId)
    .orderBy('i.visit_start')
    .orderBy('i.appointment_id')
    .execute();
}

/** Writes word to the sick day that has offered this visit another time, if one has: the visit has changed, or the message about the offer has failed. */
export async function notifySickDay(
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
        .selectFrom('offer')
        .select([
          'clinic_id',
          sql.lit('sick_day').as('aggregate'),
          sql<string>`sick_day_id`.as('sick_day_id'),
          sql.lit(event).as('event'),
          eb.val(requestId ?? null).as('request_id'),
        ])
        .where('appointment_id', '=', appointmentId)
        .where('state', '=', 'OPEN')
        .where('purpose', '=', 'sick_day'),
    )
    .execute();
}
