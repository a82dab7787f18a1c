import { audit } from '../../db/audit.ts';
import { retryTransaction, type Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { openOffersOfSickDay, withdrawOffers } from '../../db/offers.ts';
import { enqueue } from '../../db/outbox.ts';
import { findSickDay, lockSickDay, setSickDayState, stopOpenItems, type SickDayRow } from '../../db/sick-days.ts';
import { AppError } from '../../domain/errors.ts';
import type { OutboxEventName } from '../../workflows/messages.ts';
import type { Act } from '../act.ts';

/**
 * Stops a sick day in the caller's own transaction, which has taken no locks yet: those of its provider and of whose time it has offered are taken here.
 * One that has ended stays as it is. @throws AppError `not_found`
 */
export async function stopWithin(tx: Tx, act: Act, sickDayId: string): Promise<SickDayRow> {
  const seen = await findSickDay(tx, sickDayId);
  if (seen === undefined) throw new AppError('not_found');
  const known = new Set([
    seen.provider_id,
    ...(await openOffersOfSickDay(tx, sickDayId)).map((offer) => offer.provider_id),
  ]);
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [...known], patientIds: [] });
  const before = await lockSickDay(tx, sickDayId, 'update');
  if (before === undefined) throw new AppError('not_found');
  if (before.state === 'STOPPED' || before.state === 'FINISHED') return before;
  const offers = await openOffersOfSickDay(tx, sickDayId);
  // Made while the locks were waited for.
  if (offers.some((offer) => !known.has(offer.provider_id))) retryTransaction();

  await withdrawOffers(
    tx,
    act,
    offers.map((offer) => offer.offer_id),
    undefined,
  );
  await stopOpenItems(tx, sickDayId);
  const after = await setSickDayState(tx, sickDayId, 'STOPPED');
  await tellSickDay(tx, act, sickDayId, 'stopped', { withdrawn: offers.length });
  return after;
}

/** The outbox row for its workflow, and the audit. */
export async function tellSickDay(
  tx: Tx,
  act: Act,
  sickDayId: string,
  event: OutboxEventName<'sick_day'>,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await enqueue(tx, act, { aggregate: 'sick_day', aggregateId: sickDayId, event });
  await audit(tx, act, 'sick_day', sickDayId, event, detail);
}
