import { heartbeat } from '@temporalio/activity';
import { audit } from '../db/audit.ts';
import { inContext, type Tx } from '../db/connection.ts';
import { findAppointment } from '../db/appointments.ts';
import { markOfferTold, untoldOffers, type OfferRow } from '../db/offers.ts';
import { dueItems, finishWhenDone, progressOf } from '../db/sick-days.ts';
import { AppError } from '../domain/errors.ts';
import { notificationId, type Channel } from '../domain/notification.ts';
import type { SickDayItemState, SickDayState } from '../domain/sick-day.ts';
import {
  markQueued,
  planNotification,
  skipNotification,
  type PlannedNotification,
} from '../notifications/ledger/rows.ts';
import { messageOf } from '../notifications/message.ts';
import type { Publisher } from '../notifications/publish.ts';
import type { Act, SchedulingDeps } from '../scheduling/act.ts';
import { callInstead, takeNextStep } from '../scheduling/sick-day/step.ts';
import { isFinal } from './failures.ts';
import { activityNow } from './now.ts';
import { channelsOf } from '../notifications/channels.ts';

export interface SickDayRef {
  readonly sickDayId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface SickDayPageInput extends SickDayRef {
  /** How many visits are seen to before the workflow looks again. */
  readonly limit: number;
}

export interface SickDayStatus {
  readonly state: SickDayState;
  readonly counts: Readonly<Record<SickDayItemState, number>>;
  /** Visits whose next step has its turn now. */
  readonly due: number;
  /** When the next open offer runs out. */
  readonly nextDeadline?: string;
}

export interface SickDayActivityDeps extends SchedulingDeps {
  readonly clock: () => number;
  readonly publisher: Pick<Publisher, 'publish'>;
}

export function createSickDayActivities(deps: SickDayActivityDeps) {
  const { connection, clock, publisher } = deps;

  /** Tells the patients of offers that they have not been told of: ledger row, broker's confirmation, then the note on the offer. */
  async function tellOpenOffers(input: SickDayRef, now: Date): Promise<void> {
    const context = { clinicId: input.clinicId };
    const offers = await inContext(connection.db, context, (tx) => untoldOffers(tx, input.sickDayId, now));
    for (const offer of offers) {
      const message = await inContext(connection.db, context, (tx) => planMessage(tx, input, offer, now));
      if (message !== undefined) {
        await publisher.publish(messageOf({ ...message, requestId: input.requestId }, now));
      }
      await inContext(connection.db, context, async (tx) => {
        if (message !== undefined) await markQueued(tx, message.notificationId);
        await markOfferTold(tx, offer.offer_id);
      });
      heartbeat();
    }
  }

  return {
    /**
     * Takes the next step of the visits that have their turn, tells the patients, and says how far the sick day is; writes down its end when nothing
     * is left. Harmless to repeat: PostgreSQL knows which step was taken, and the ledger which message went out. While the broker is away nobody is
     * offered anything that they could not be told of.
     *
     * @throws AppError `not_found`, `broker_unavailable`, `temporarily_unavailable`
     */
    async proceedWithSickDay(input: SickDayPageInput): Promise<SickDayStatus> {
      const now = activityNow(clock);
      const context = { clinicId: input.clinicId };
      const act: Act = {
        actor: { kind: 'system', id: 'sick-day-workflow' },
        clinicId: input.clinicId,
        now,
        ...(input.requestId === undefined ? {} : { requestId: input.requestId }),
      };
      await tellOpenOffers(input, now);
      const due = await inContext(connection.db, context, (tx) => dueItems(tx, input.sickDayId, now, input.limit));
      // One visit that cannot be dealt with does not keep the others from their turn.
      let trouble: Error | undefined;
      for (const appointmentId of due) {
        try {
          await takeNextStep(deps, act, { sickDayId: input.sickDayId, appointmentId });
        } catch (error) {
          if (isFinal(error)) {
            await callInstead(deps, act, { sickDayId: input.sickDayId, appointmentId });
            continue;
          }
          trouble ??= error instanceof Error ? error : new AppError('internal_error', {}, { cause: error });
        }
        await tellOpenOffers(input, now);
        heartbeat();
      }
      if (trouble !== undefined) throw trouble;

      return inContext(connection.db, context, async (tx) => {
        if (await finishWhenDone(tx, input.sickDayId)) await audit(tx, act, 'sick_day', input.sickDayId, 'finished');
        const progress = await progressOf(tx, input.sickDayId, now);
        if (progress === undefined) throw new AppError('not_found', { sickDayId: input.sickDayId });
        const { state, counts, due: left, nextDeadline } = progress;
        return {
          state,
          counts,
          due: left,
          ...(nextDeadline === null ? {} : { nextDeadline: nextDeadline.toISOString() }),
        };
      });
    },
  };
}

/** Writes the ledger row of the message about an offer. Undefined when it went out before, or when there is no address to send it to. */
async function planMessage(
  tx: Tx,
  input: SickDayRef,
  offer: OfferRow,
  now: Date,
): Promise<PlannedNotification | undefined> {
  const visit = await findAppointment(tx, offer.appointment_id);
  if (visit === undefined) throw new AppError('not_found', { appointmentId: offer.appointment_id });
  const { preferred, reachable } = await channelsOf(tx, offer.patient_id);
  const message = (channel: Channel): PlannedNotification => ({
    notificationId: notificationId({
      appointmentId: offer.appointment_id,
      kind: 'move_offer',
      offerId: offer.offer_id,
      channel,
    }),
    clinicId: offer.clinic_id,
    appointmentId: offer.appointment_id,
    patientId: offer.patient_id,
    kind: 'move_offer',
    offerId: offer.offer_id,
    channel,
    plannedFor: visit.appointment_time,
    appointmentVersion: offer.appointment_version,
    dueAt: now,
    requestId: input.requestId,
  });
  if (reachable === undefined) {
    await skipNotification(tx, { ...message(preferred), reason: 'no_address' });
    return undefined;
  }
  // A row that waits for the broker keeps its channel, whatever the patient prefers meanwhile.
  const planned = await tx
    .selectFrom('notification')
    .select('channel')
    .where('offer_id', '=', offer.offer_id)
    .executeTakeFirst();
  const chosen = message(planned?.channel ?? reachable);
  return (await planNotification(tx, chosen)) === 'PLANNED' ? chosen : undefined;
}
