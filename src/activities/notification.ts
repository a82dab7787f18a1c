import { inContext, type Connection } from '../db/connection.ts';
import type { PlannedKind } from '../domain/notification.ts';
import { markQueued, planNotification, skipNotification, type PlannedNotification } from '../notifications/ledger.ts';
import type { Publisher } from '../notifications/publish.ts';
import type { AppointmentRef } from './appointment/index.ts';
import { activityNow } from './now.ts';
import { planStep, type PlannedStep } from './appointment/plan.ts';
import { channelsOf, notificationOf, readSituation, recordSkipped } from './appointment/read.ts';

export interface PublishInput extends AppointmentRef {
  readonly notificationKind: PlannedKind;
}

export interface PublishOutcome {
  /** `not_due`: the appointment has changed since it was planned; nothing was sent and the next plan says what is due instead. */
  readonly outcome: 'queued' | 'already' | 'skipped' | 'not_due';
  readonly notificationId?: string;
  readonly reason?: string;
  /** What comes after it, planned in the same transaction that recorded it; otherwise somebody has to look. */
  readonly next?: PlannedStep;
}

export interface NotificationActivityDeps {
  readonly connection: Connection;
  readonly clock: () => number;
  readonly publisher: Pick<Publisher, 'publish'>;
}

export function createNotificationActivities(deps: NotificationActivityDeps) {
  const { connection, clock, publisher } = deps;

  return {
    /**
     * Decides again from the row, then: ledger row → broker's confirmation → QUEUED. Harmless to repeat: the ledger row is the one message, however
     * often it is published. @throws AppError `not_found`, `broker_unavailable`
     */
    async publishNotification(input: PublishInput): Promise<PublishOutcome> {
      const now = activityNow(clock);
      const decided = await inContext(
        connection.db,
        { clinicId: input.clinicId },
        async (tx): Promise<PublishOutcome | PlannedNotification> => {
          const situation = await readSituation(tx, input.appointmentId, now);
          await recordSkipped(tx, situation, now);
          const { row, ledger, plan } = situation;
          const { action } = plan;
          if (
            action.kind !== 'notify' ||
            action.notificationKind !== input.notificationKind ||
            action.at > now.getTime()
          )
            return { outcome: 'not_due' };

          const { preferred, reachable } = await channelsOf(tx, row.patient_id);
          const notification = (channel: 'sms' | 'email') =>
            notificationOf(row, input.notificationKind, channel, new Date(action.at), input.requestId);
          if (reachable === undefined) {
            const unreachable = notification(preferred);
            await skipNotification(tx, { ...unreachable, reason: 'no_address' });
            return { outcome: 'skipped', notificationId: unreachable.notificationId, reason: 'no_address' };
          }
          // A row that waits for the broker keeps its channel, whatever the patient prefers meanwhile.
          const waiting = [notification('sms'), notification('email')].find((candidate) =>
            ledger.some((entry) => entry.notification_id === candidate.notificationId),
          );
          const chosen = waiting ?? notification(reachable);
          const state = await planNotification(tx, chosen);
          return state === 'PLANNED' ? chosen : { outcome: 'already', notificationId: chosen.notificationId };
        },
      );
      if ('outcome' in decided) return decided;

      await publisher.publish({
        schemaVersion: 1,
        notificationId: decided.notificationId,
        clinicId: decided.clinicId,
        appointmentId: decided.appointmentId,
        channel: decided.channel,
        now: now.toISOString(),
        attempt: 1,
        ...(input.requestId === undefined ? {} : { requestId: input.requestId }),
      });
      const next = await inContext(connection.db, { clinicId: input.clinicId }, async (tx) => {
        await markQueued(tx, decided.notificationId);
        return planStep(tx, input.appointmentId, now);
      });
      return { outcome: 'queued', notificationId: decided.notificationId, ...(next === undefined ? {} : { next }) };
    },
  };
}
