import { sql, type Selectable } from 'kysely';
import type { OnBehalf } from './audit.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type OfferRow = Selectable<Database['offer']>;

/* Of the row of `offer` that a query is at. */

/** It is open, and both `now` and the database's clock are before its end. */
const isLive = (now: Date) => sql<boolean>`offer_is_live(offer.state, offer.expires_at, ${now})`;
/** The visit is still as it was when the offer was made. */
const fits = sql<boolean>`offer_fits(offer.offer_id)`;

export function findOffer(tx: Tx, offerId: string): Promise<OfferRow | undefined> {
  return tx.selectFrom('offer').selectAll().where('offer_id', '=', offerId).executeTakeFirst();
}

/** The offer, locked until the transaction ends, and whether it can still be answered. */
export function lockOffer(
  tx: Tx,
  offerId: string,
  now: Date,
): Promise<(OfferRow & { readonly live: boolean }) | undefined> {
  return tx
    .selectFrom('offer')
    .selectAll()
    .select(isLive(now).as('live'))
    .where('offer_id', '=', offerId)
    .forUpdate()
    .executeTakeFirst();
}

/**
 * The visit's open offer, whether it lives, whether the visit is still as it was offered for, and whether the message about it has failed. It may be one
 * that another sick day has left behind: the visit was moved from one absence into another.
 */
export function openOfferOf(
  tx: Tx,
  { sickDayId, appointmentId }: { readonly sickDayId: string; readonly appointmentId: string },
  now: Date,
) {
  return tx
    .selectFrom('offer')
    .selectAll()
    .select([
      isLive(now).as('live'),
      fits.as('fits'),
      sql<boolean>`offer_was_not_told(offer.offer_id)`.as('message_failed'),
    ])
    .where('appointment_id', '=', appointmentId)
    .where('state', '=', 'OPEN')
    .where((eb) => eb.or([eb('sick_day_id', '=', sickDayId), eb.not(fits)]))
    .executeTakeFirst();
}

export type OpenOffer = NonNullable<Awaited<ReturnType<typeof openOfferOf>>>;

/** The open offers that a sick day has made. */
export function openOffersOfSickDay(tx: Tx, sickDayId: string): Promise<OfferRow[]> {
  return tx
    .selectFrom('offer')
    .selectAll()
    .where('sick_day_id', '=', sickDayId)
    .where('state', '=', 'OPEN')
    .orderBy('offer_id')
    .execute();
}

/** The open offers of a provider's time, or of any of the clinic's providers. */
export function openOffersWith(
  tx: Tx,
  whose: { readonly clinicId: string; readonly providerId?: string | undefined },
): Promise<(OfferRow & { readonly judged_at: Date })[]> {
  let query = tx
    .selectFrom('offer')
    .innerJoin('hold', 'hold.hold_id', 'offer.hold_id')
    .selectAll('offer')
    .select('hold.judged_at')
    .where('offer.clinic_id', '=', whose.clinicId)
    .where('offer.state', '=', 'OPEN')
    .orderBy('offer.offer_id');
  if (whose.providerId !== undefined) query = query.where('offer.provider_id', '=', whose.providerId);
  return query.execute();
}

/** The open offers that can still be accepted and of which the patient has not been told. */
export function untoldOffers(tx: Tx, sickDayId: string, now: Date): Promise<OfferRow[]> {
  return tx
    .selectFrom('offer')
    .selectAll()
    .where('sick_day_id', '=', sickDayId)
    .where('told_at', 'is', null)
    .where(isLive(now))
    .where(fits)
    .orderBy('offer_id')
    .execute();
}

/** The times of which a visit's patient was told in a sick day, whatever became of them. */
export function toldOffersOf(
  tx: Tx,
  { sickDayId, appointmentId }: { readonly sickDayId: string; readonly appointmentId: string },
): Promise<Pick<OfferRow, 'provider_id' | 'slot_start'>[]> {
  return tx
    .selectFrom('offer')
    .select(['provider_id', 'slot_start'])
    .where('sick_day_id', '=', sickDayId)
    .where('appointment_id', '=', appointmentId)
    .where('told_at', 'is not', null)
    .execute();
}

export async function markOfferTold(tx: Tx, offerId: string): Promise<void> {
  await tx
    .updateTable('offer')
    .set({ told_at: sql<Date>`now()` })
    .where('offer_id', '=', offerId)
    .where('told_at', 'is', null)
    .execute();
}

/** An open offer has been answered, or has run out. */
export async function closeOffer(
  tx: Tx,
  offerId: string,
  state: Exclude<OfferRow['state'], 'OPEN' | 'WITHDRAWN'>,
): Promise<void> {
  await tx
    .updateTable('offer')
    .set({ state, answered_at: state === 'EXPIRED' ? null : sql<Date>`now()` })
    .where('offer_id', '=', offerId)
    .where('state', '=', 'OPEN')
    .execute();
}

/** Takes back those of the offers that are open, in one statement; their times are everybody's again. @param event - told to whoever has made them */
export async function withdrawOffers(
  tx: Tx,
  act: OnBehalf,
  offerIds: readonly string[],
  event: 'visitChanged' | undefined,
): Promise<void> {
  if (offerIds.length === 0) return;
  await sql`select withdraw_offers(${[...offerIds]}::uuid[], ${event ?? null}, ${actText(act)}::jsonb)`.execute(tx);
}

/** As {@link withdrawOffers}, of those for a visit. */
export async function withdrawOffersOfVisit(tx: Tx, act: OnBehalf, appointmentId: string): Promise<void> {
  await sql`select withdraw_offers(array(select offer_id from offer where appointment_id = ${appointmentId} and state = 'OPEN'), 'visitChanged',
    ${actText(act)}::jsonb)`.execute(tx);
}

/** Whoever has changed a visit has answered what was open about it; see the function `visit_changed`. One statement. */
export async function resolveClaims(tx: Tx, act: OnBehalf, appointmentId: string): Promise<void> {
  await sql`select visit_changed(${appointmentId}, ${actText(act)}::jsonb)`.execute(tx);
}

function actText({ actor, requestId }: OnBehalf): string {
  return JSON.stringify({ actorKind: actor.kind, actorId: actor.id, requestId });
}
