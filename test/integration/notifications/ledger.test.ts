import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { inContext, type Tx } from '../../../src/db/connection.ts';
import { channelsOf } from '../../../src/notifications/channels.ts';
import { markAccepted, markFailed, markRetry, markUnknown } from '../../../src/notifications/ledger/attempts.ts';
import { claimToSend } from '../../../src/notifications/ledger/claim.ts';
import { settleByCallback, type ProviderReport } from '../../../src/notifications/ledger/reports.ts';
import { requeueForReplay } from '../../../src/notifications/ledger/requeue.ts';
import {
  markQueued,
  notificationsOf,
  planNotification,
  skipNotification,
  type NotificationRow,
  type PlannedNotification,
} from '../../../src/notifications/ledger/rows.ts';
import { aClinic, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { aNotification, aVisit, type Visit } from './world.ts';

const LEASE_MS = 30_000;

describe('the ledger', () => {
  let database: TestDatabase;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const run = <T>(work: (tx: Tx) => Promise<T>) => inContext(database.app.db, { clinicId: clinic.clinicId }, work);
  const rowOf = async ({ notificationId }: PlannedNotification): Promise<NotificationRow> =>
    database.owner.db
      .selectFrom('notification')
      .selectAll()
      .where('notification_id', '=', notificationId)
      .executeTakeFirstOrThrow();
  const attemptsOf = ({ notificationId }: PlannedNotification) =>
    database.owner.db
      .selectFrom('delivery_attempt')
      .select(['attempt', 'outcome', 'error_code', 'provider_message_id'])
      .where('notification_id', '=', notificationId)
      .orderBy('attempt')
      .execute();
  const told = async ({ appointmentId }: PlannedNotification) => {
    const { n } = await database.owner.db
      .selectFrom('outbox')
      .select(({ fn }) => fn.countAll<string>().as('n'))
      .where('aggregate_id', '=', appointmentId)
      .where('event', '=', 'notificationSettled')
      .executeTakeFirstOrThrow();
    return Number(n);
  };
  const claim = (planned: PlannedNotification, now = new Date()) =>
    run((tx) => claimToSend(tx, { notificationId: planned.notificationId, now, leaseMs: LEASE_MS }));
  const planned = async (given: Parameters<typeof aNotification>[2] = {}, visit?: Visit) => {
    const notification = aNotification(clinic, visit ?? (await aVisit(database, clinic)), given);
    await run((tx) => planNotification(tx, notification));
    return notification;
  };
  /** Planned and taken up: SENDING, attempt 1. */
  const sending = async (given: Parameters<typeof aNotification>[2] = {}) => {
    const notification = await planned(given);
    await claim(notification);
    return notification;
  };
  const accepted = async (providerMessageId: string, given: Parameters<typeof aNotification>[2] = {}) => {
    const notification = await sending(given);
    await run((tx) => markAccepted(tx, { ...notification, attempt: 1, providerMessageId }));
    return notification;
  };
  const failed = async () => {
    const notification = await sending();
    await run((tx) => markFailed(tx, { ...notification, attempt: 1, reason: 'twilio_30003' }));
    return notification;
  };
  const report = (
    { notificationId, channel }: PlannedNotification,
    providerState: string,
    given: Partial<ProviderReport> = {},
  ) => run((tx) => settleByCallback(tx, { notificationId, channel, providerState, ...given }));

  describe('planning', () => {
    it('writes one row, and says on repetition where it stands', async () => {
      const notification = await planned();
      expect(await run((tx) => planNotification(tx, notification))).toBe('PLANNED');
      await run((tx) => markQueued(tx, notification.notificationId));
      expect(await run((tx) => planNotification(tx, notification))).toBe('QUEUED');
      expect(await run((tx) => notificationsOf(tx, notification.appointmentId))).toHaveLength(1);
    });

    it('gives twenty racers one row', async () => {
      const notification = aNotification(clinic, await aVisit(database, clinic));
      const states = await Promise.all(
        Array.from({ length: 20 }, () => run((tx) => planNotification(tx, notification))),
      );
      expect(new Set(states)).toEqual(new Set(['PLANNED']));
      expect(await run((tx) => notificationsOf(tx, notification.appointmentId))).toHaveLength(1);
    });

    it('does not take a message back to QUEUED that the notifier was faster with', async () => {
      const notification = await sending();
      await run((tx) => markQueued(tx, notification.notificationId));
      expect((await rowOf(notification)).state).toBe('SENDING');
    });

    it('is not to be seen by another clinic', async () => {
      const notification = await planned();
      const other = await aClinic(database.owner);
      const seen = await inContext(database.app.db, { clinicId: other.clinicId }, async (tx) => [
        await notificationsOf(tx, notification.appointmentId),
        await claimToSend(tx, { notificationId: notification.notificationId, now: new Date(), leaseMs: LEASE_MS }),
        await requeueForReplay(tx, notification.notificationId, new Date()),
      ]);
      expect(seen).toEqual([[], { outcome: 'missing' }, 'NOT_FAILED']);
    });
  });

  describe('skipping', () => {
    it('writes the reason, and does not tell the workflow what its own plan decided', async () => {
      const notification = aNotification(clinic, await aVisit(database, clinic));
      const skip = () => run((tx) => skipNotification(tx, { ...notification, reason: 'too_late' }));
      expect(await skip()).toBe('SKIPPED');
      expect(await skip()).toBe('SKIPPED');
      expect(await rowOf(notification)).toMatchObject({ state: 'SKIPPED', reason: 'too_late' });
      expect(await told(notification)).toBe(0);
    });

    it('takes a waiting message out, and leaves alone what is under way or done', async () => {
      const waiting = await planned();
      expect(await run((tx) => skipNotification(tx, { ...waiting, reason: 'too_late' }))).toBe('SKIPPED');
      expect(await claim(waiting)).toEqual({ outcome: 'done', state: 'SKIPPED' });
      const underWay = await sending();
      expect(await run((tx) => skipNotification(tx, { ...underWay, reason: 'too_late' }))).toBe('SENDING');
      const done = await failed();
      expect(await run((tx) => skipNotification(tx, { ...done, reason: 'too_late' }))).toBe('FAILED');
    });
  });

  describe('claiming', () => {
    it('gives a message to exactly one of ten', async () => {
      const notification = await planned();
      const claims = await Promise.all(Array.from({ length: 10 }, () => claim(notification)));
      expect(claims.map(({ outcome }) => outcome).sort()).toEqual([...Array<string>(9).fill('busy'), 'send']);
      expect(await attemptsOf(notification)).toHaveLength(1);
    });

    it('hands over all that the message is made of', async () => {
      const visit = await aVisit(database, clinic, { givenName: 'Ana' });
      const notification = await planned({ channel: 'email' }, visit);
      expect(await claim(notification)).toMatchObject({
        outcome: 'send',
        notification: {
          address: visit.email,
          givenName: 'Ana',
          timeZone: 'Europe/Berlin',
          clinicName: 'Riverside Clinic',
          attempt: 1,
          attemptsMade: 1,
        },
      });
    });

    it('waits for a move that is being written, and then does not send', async () => {
      const notification = await planned();
      let claimed: Promise<{ outcome: string }> | undefined;
      await database.owner.db.transaction().execute(async (tx) => {
        await sql`update appointment set appointment_time = appointment_time + interval '1 day'
          where appointment_id = ${notification.appointmentId}`.execute(tx);
        claimed = claim(notification);
        // The claim stands in line behind this transaction.
        await eventually(
          async () => {
            const { rows } = await sql`select from pg_locks join pg_stat_activity using (pid)
              where datname = current_database() and not granted`.execute(database.owner.db);
            expect(rows).toHaveLength(1);
          },
          { timeoutMs: 4_000, everyMs: 20 },
        );
      });
      expect(await claimed).toEqual({ outcome: 'skipped', reason: 'moved' });
    });

    describe('after an outage, when several messages wait', () => {
      const hourAgo = () => new Date(Date.now() - 3_600_000);
      const superseded = { outcome: 'skipped', reason: 'superseded' };

      it('sends the last reminder of a visit and none before it', async () => {
        const visit = await aVisit(database, clinic);
        const early = await planned({ kind: 'reminder:P3D', dueAt: hourAgo() }, visit);
        const late = await planned({ kind: 'reminder:P1D' }, visit);
        await run((tx) => markQueued(tx, late.notificationId));
        expect(await claim(early)).toEqual(superseded);
        expect(await rowOf(early)).toMatchObject({ state: 'SKIPPED', reason: 'superseded', attempt: 0 });
        expect(await claim(late)).toMatchObject({ outcome: 'send' });
      });

      it('sends a reminder while the later one is only planned, was skipped, or is the same on another channel', async () => {
        const visit = await aVisit(database, clinic);
        const early = await planned({ kind: 'reminder:P3D', dueAt: hourAgo() }, visit);
        await planned({ kind: 'reminder:P1D' }, visit);
        const skipped = await planned({ kind: 'reminder:PT2H' }, visit);
        await run((tx) => skipNotification(tx, { ...skipped, reason: 'opted_out' }));
        const twin = await planned({ kind: 'reminder:P3D', channel: 'email' }, visit);
        await run((tx) => markQueued(tx, twin.notificationId));
        expect(await claim(early)).toMatchObject({ outcome: 'send' });
      });

      it('sends no notice of a time that was set anew, even to the same hour', async () => {
        const visit = await aVisit(database, clinic);
        const notice = await planned({ kind: 'confirmation' }, visit);
        await database.owner.db
          .updateTable('appointment')
          .set({ version: 3, time_set_version: 3 })
          .where('appointment_id', '=', visit.appointmentId)
          .execute();
        expect(await claim(notice)).toEqual(superseded);
      });

      it('sends the notice when only something else about the visit has changed', async () => {
        const visit = await aVisit(database, clinic);
        const notice = await planned({ kind: 'confirmation' }, visit);
        await database.owner.db
          .updateTable('appointment')
          .set({ version: 3 })
          .where('appointment_id', '=', visit.appointmentId)
          .execute();
        expect(await claim(notice)).toMatchObject({ outcome: 'send' });
      });
    });

    it('takes a lease that has run out for an unknown outcome, never for a message to send', async () => {
      const notification = await sending();
      expect(await claim(notification)).toEqual({ outcome: 'busy' });
      await database.owner.db
        .updateTable('notification')
        .set({ sending_until: sql<Date>`now() - interval '1 second'` })
        .where('notification_id', '=', notification.notificationId)
        .execute();
      expect(await claim(notification)).toMatchObject({ outcome: 'look-up', attempt: { textHash: null } });
      expect(await rowOf(notification)).toMatchObject({ state: 'UNKNOWN', reason: 'sender_lost', attempt: 1 });
      expect(await claim(notification)).toMatchObject({ outcome: 'look-up' });
      expect(await attemptsOf(notification)).toHaveLength(1);
    });

    it('counts the attempts of the round, without those that were not the message’s fault', async () => {
      const notification = await sending();
      await run((tx) => markRetry(tx, { ...notification, attempt: 1, reason: 'twilio_20003', countsAsAttempt: false }));
      expect(await claim(notification)).toMatchObject({ notification: { attempt: 2, attemptsMade: 1 } });
      await run((tx) => markRetry(tx, { ...notification, attempt: 2, reason: 'twilio_20429' }));
      expect(await claim(notification)).toMatchObject({ notification: { attempt: 3, attemptsMade: 2 } });
    });

    it('ignores a sender whose attempt is not the present one any more', async () => {
      const notification = await sending();
      await run((tx) => markRetry(tx, { ...notification, attempt: 1, reason: 'twilio_20429' }));
      await claim(notification);
      await run((tx) => markFailed(tx, { ...notification, attempt: 1, reason: 'late' }));
      expect(await rowOf(notification)).toMatchObject({ state: 'SENDING', attempt: 2 });
    });
  });

  describe('a recipient who cannot be reached on a channel for good', () => {
    const refuse = async (notification: PlannedNotification, reason: string) => {
      await run((tx) => planNotification(tx, notification));
      await claim(notification);
      const { notificationId } = notification;
      await run((tx) => markFailed(tx, { notificationId, attempt: 1, reason }));
    };
    const calls = async ({ appointmentId }: PlannedNotification) =>
      (
        await database.owner.db
          .selectFrom('task')
          .select(['kind', 'reason', 'state'])
          .where('appointment_id', '=', appointmentId)
          .execute()
      ).map(({ kind, reason, state }) => [kind, reason, state]);
    const reachable = async (visit: Visit) => (await run((tx) => channelsOf(tx, visit.patientId))).reachable;

    it.each(['twilio_21610', 'twilio_21211', 'twilio_21614'])('is written to on the other: %s', async (reason) => {
      const visit = await aVisit(database, clinic);
      const notification = aNotification(clinic, visit);
      expect(await reachable(visit)).toBe('sms');
      await refuse(notification, reason);
      expect(await reachable(visit)).toBe('email');
      expect(await calls(notification)).toEqual([]);
    });

    it.each([
      ['sms', 'undelivered', '30006'],
      ['email', 'bounce', '5.1.1'],
      ['email', 'dropped', undefined],
    ] as const)('as a callback says: %s %s %s', async (channel, word, errorCode) => {
      const visit = await aVisit(database, clinic);
      const notification = aNotification(clinic, visit, { channel });
      await run((tx) => planNotification(tx, notification));
      await claim(notification);
      const { notificationId } = notification;
      const providerMessageId = randomUUID();
      await run((tx) => markAccepted(tx, { notificationId, attempt: 1, providerMessageId }));
      const told = { channel, notificationId, providerMessageId, providerState: word, errorCode };
      expect(await run((tx) => settleByCallback(tx, told))).toBe('changed');
      const { count } = await database.owner.db
        .selectFrom('opt_out')
        .select(({ fn }) => fn.countAll<string>().as('count'))
        .where('address', '=', channel === 'sms' ? visit.phone : visit.email)
        .executeTakeFirstOrThrow();
      expect(count).toBe('1');
    });

    it('is called when there is no other', async () => {
      const visit = await aVisit(database, clinic);
      const [sms, email] = [aNotification(clinic, visit), aNotification(clinic, visit, { channel: 'email' })];
      await refuse(sms, 'twilio_30005');
      await refuse(email, 'sendgrid_bounce');
      expect(await reachable(visit)).toBeUndefined();
      expect(await calls(email)).toEqual([['call', 'message_failed', 'OPEN']]);
    });

    it('is not written to there again, by a replay or by what waits in the queue', async () => {
      const visit = await aVisit(database, clinic);
      const waiting = aNotification(clinic, visit, { kind: 'confirmation' });
      await run((tx) => planNotification(tx, waiting));
      const failed = aNotification(clinic, visit);
      await refuse(failed, 'twilio_21610');
      expect(await run((tx) => requeueForReplay(tx, failed.notificationId, new Date()))).toBe('NOT_DUE');
      expect(await claim(waiting)).toEqual({ outcome: 'skipped', reason: 'recipient_refuses' });
    });

    it('can be written to at a new address', async () => {
      const visit = await aVisit(database, clinic);
      const failed = aNotification(clinic, visit);
      await refuse(failed, 'twilio_21614');
      await database.owner.db
        .updateTable('patient')
        .set({ phone: '+15552223344' })
        .where('patient_id', '=', visit.patientId)
        .execute();
      expect(await reachable(visit)).toBe('sms');
      expect(await run((tx) => requeueForReplay(tx, failed.notificationId, new Date()))).toBe('QUEUED');
    });

    it('is not remembered under an address that they have changed meanwhile', async () => {
      const visit = await aVisit(database, clinic);
      const notification = aNotification(clinic, visit);
      await run((tx) => planNotification(tx, notification));
      await claim(notification);
      await database.owner.db
        .updateTable('patient')
        .set({ phone: '+15552223355' })
        .where('patient_id', '=', visit.patientId)
        .execute();
      const { notificationId } = notification;
      await run((tx) => markFailed(tx, { notificationId, attempt: 1, reason: 'twilio_30006' }));
      expect(await reachable(visit)).toBe('sms');
    });

    it('is another patient’s and another clinic’s business only where their own messages met it', async () => {
      const visit = await aVisit(database, clinic);
      await refuse(aNotification(clinic, visit), 'twilio_21610');
      const elsewhere = await aClinic(database.owner);
      const seen = await inContext(database.app.db, { clinicId: elsewhere.clinicId }, (tx) =>
        tx.selectFrom('opt_out').selectAll().execute(),
      );
      expect(seen).toEqual([]);
    });

    it('is not one whose handset is off', async () => {
      const visit = await aVisit(database, clinic);
      await refuse(aNotification(clinic, visit), 'twilio_30003');
      expect(await reachable(visit)).toBe('sms');
    });
  });

  describe('the reminder state of the visit', () => {
    const stateOfVisit = async ({ appointmentId }: PlannedNotification) =>
      (
        await database.owner.db
          .selectFrom('appointment')
          .select('reminder_state')
          .where('appointment_id', '=', appointmentId)
          .executeTakeFirstOrThrow()
      ).reminder_state;
    const planSays = (visit: Visit, state: string) =>
      database.owner.db
        .updateTable('appointment')
        .set({ reminder_state: state })
        .where('appointment_id', '=', visit.appointmentId)
        .execute();
    const accept = async (notification: PlannedNotification) => {
      await claim(notification);
      const { notificationId } = notification;
      await run((tx) => markAccepted(tx, { notificationId, attempt: 1, providerMessageId: randomUUID() }));
    };

    it('says SENT as soon as the last one due was accepted, without the workflow', async () => {
      const visit = await aVisit(database, clinic);
      await planSays(visit, 'PLANNED');
      const reminder = aNotification(clinic, visit);
      await run((tx) => planNotification(tx, reminder));
      await accept(reminder);
      expect(await stateOfVisit(reminder)).toBe('SENT');
      expect(await told(reminder)).toBe(0);
    });

    it('is left alone by a notice, and while a later reminder is under way', async () => {
      const visit = await aVisit(database, clinic);
      await planSays(visit, 'PLANNED');
      const notice = aNotification(clinic, visit, { kind: 'confirmation' });
      const reminder = aNotification(clinic, visit);
      const later = aNotification(clinic, visit, { kind: 'reminder:PT2H', dueAt: new Date(Date.now() + 60_000) });
      for (const each of [notice, reminder, later]) await run((tx) => planNotification(tx, each));
      await accept(notice);
      await accept(reminder);
      expect(await stateOfVisit(reminder)).toBe('PLANNED');
      await accept(later);
      expect(await stateOfVisit(reminder)).toBe('SENT');
    });

    it('stays what the plan says of a visit that is over', async () => {
      const visit = await aVisit(database, clinic);
      await planSays(visit, 'DONE');
      const reminder = aNotification(clinic, visit);
      await run((tx) => planNotification(tx, reminder));
      await accept(reminder);
      expect(await stateOfVisit(reminder)).toBe('DONE');
    });
  });

  describe('callbacks', () => {
    it('take a message forward, once each, and wake no workflow whose plan does not change', async () => {
      const notification = await accepted('SM-a');
      expect(await told(notification)).toBe(0);
      expect(await report(notification, 'sent', { providerMessageId: 'SM-a' })).toBe('unchanged');
      expect(await report(notification, 'delivered', { providerMessageId: 'SM-a' })).toBe('changed');
      expect(await report(notification, 'delivered', { providerMessageId: 'SM-a' })).toBe('unchanged');
      expect(await told(notification)).toBe(0);
    });

    it('never take it back: every order of the reports of a delivery ends the same', async () => {
      const orders = [
        ['queued', 'sent', 'delivered'],
        ['delivered', 'sent', 'queued'],
        ['sent', 'delivered', 'sent'],
        ['undelivered', 'delivered', 'sent'],
        ['delivered', 'undelivered', 'queued'],
      ];
      for (const [index, order] of orders.entries()) {
        const notification = await accepted(`SM-order-${index}`);
        for (const word of order) await report(notification, word, { providerMessageId: `SM-order-${index}` });
        expect([order, (await rowOf(notification)).state]).toEqual([order, 'DELIVERED']);
      }
    });

    it('write the code of a failure, and when it happened', async () => {
      const notification = await accepted('SM-b');
      const occurredAt = new Date('2027-03-13T15:00:00Z');
      await report(notification, 'undelivered', { providerMessageId: 'SM-b', errorCode: '30005', occurredAt });
      expect(await rowOf(notification)).toMatchObject({
        state: 'FAILED',
        reason: 'twilio_30005',
        settled_at: occurredAt,
      });
      expect(await report(notification, 'sent', { providerMessageId: 'SM-b' })).toBe('unchanged');
      expect((await rowOf(notification)).state).toBe('FAILED');
    });

    it('resolve a lost answer by the notification’s id alone, and bring the provider’s id', async () => {
      for (const [lost, word, state] of [
        ['UNKNOWN', 'sent', 'ACCEPTED'],
        ['UNKNOWN', 'undelivered', 'FAILED'],
        ['SENDING', 'delivered', 'DELIVERED'],
      ] as const) {
        const notification = await sending();
        if (lost === 'UNKNOWN')
          await run((tx) => markUnknown(tx, { ...notification, attempt: 1, reason: 'no_answer' }));
        const id = `SM-${notification.notificationId}`;
        expect(await report(notification, word, { providerMessageId: id })).toBe('changed');
        expect(await rowOf(notification)).toMatchObject({ state, provider_message_id: id });
        // The answer to the call, when it comes at last, changes nothing.
        await run((tx) => markAccepted(tx, { ...notification, attempt: 1, providerMessageId: id }));
        expect((await rowOf(notification)).state).toBe(state);
      }
    });

    it('know an email by the beginning of the id', async () => {
      const notification = await accepted('xid', { channel: 'email' });
      expect(await report(notification, 'delivered', { providerMessageId: 'xid.recvd-1-2-3.0' })).toBe('changed');
      expect(await rowOf(notification)).toMatchObject({ state: 'DELIVERED', provider_message_id: 'xid' });
    });

    it('are ignored about anything that is not ours', async () => {
      const notification = await accepted('SM-c');
      expect(await report(notification, 'delivered', { providerMessageId: 'SM-other' })).toBe('ignored');
      expect(await report(notification, 'new-word', { providerMessageId: 'SM-c' })).toBe('ignored');
      expect(await report({ ...notification, channel: 'email' }, 'delivered')).toBe('ignored');
      expect((await rowOf(notification)).state).toBe('ACCEPTED');
      const unsent = await planned();
      expect(await report(unsent, 'delivered', { providerMessageId: 'SM-d' })).toBe('ignored');
    });

    it('about an earlier attempt do not touch the replay, unless they prove that it did arrive', async () => {
      const notification = await accepted('SM-first');
      await report(notification, 'undelivered', { providerMessageId: 'SM-first', errorCode: '30003' });
      await run((tx) => requeueForReplay(tx, notification.notificationId, new Date()));
      expect(await report(notification, 'undelivered', { providerMessageId: 'SM-first' })).toBe('unchanged');
      expect((await rowOf(notification)).state).toBe('QUEUED');

      await claim(notification);
      await run((tx) => markFailed(tx, { ...notification, attempt: 2, reason: 'twilio_30003' }));
      expect(await report(notification, 'delivered', { providerMessageId: 'SM-first' })).toBe('changed');
      expect((await rowOf(notification)).state).toBe('DELIVERED');
      expect((await attemptsOf(notification)).map(({ outcome }) => outcome)).toEqual(['DELIVERED', 'FAILED']);
    });

    it.each(['QUEUED', 'RETRY'] as const)('prove that a replay is not needed while it is %s', async (waiting) => {
      const id = `SM-late-${waiting}`;
      const notification = await accepted(id);
      await report(notification, 'undelivered', { providerMessageId: id, errorCode: '30008' });
      await run((tx) => requeueForReplay(tx, notification.notificationId, new Date()));
      if (waiting === 'RETRY') {
        await claim(notification);
        await run((tx) => markRetry(tx, { ...notification, attempt: 2, reason: 'twilio_20429' }));
      }
      expect((await rowOf(notification)).state).toBe(waiting);

      // Without the provider's id it may be about anything.
      await report(notification, 'delivered');
      expect((await rowOf(notification)).state).toBe(waiting);
      const before = await told(notification);
      expect(await report(notification, 'delivered', { providerMessageId: id })).toBe('changed');
      expect(await rowOf(notification)).toMatchObject({ state: 'DELIVERED', provider_message_id: id });
      expect(await told(notification)).toBe(before);
      expect(await claim(notification)).toEqual({ outcome: 'done', state: 'DELIVERED' });
    });

    it('tell the workflow of a failure, of its replay, and of the proof that it was none', async () => {
      const notification = await accepted('SM-late');
      await report(notification, 'undelivered', { providerMessageId: 'SM-late', errorCode: '30008' });
      expect(await told(notification)).toBe(1);
      await report(notification, 'delivered', { providerMessageId: 'SM-late' });
      expect(await told(notification)).toBe(2);

      const again = await accepted('SM-again');
      await report(again, 'undelivered', { providerMessageId: 'SM-again', errorCode: '30008' });
      await run((tx) => requeueForReplay(tx, again.notificationId, new Date()));
      expect(await told(again)).toBe(2);
    });

    it('that come all at once leave one change of each kind', async () => {
      const notification = await accepted('SM-flood');
      const words = Array.from({ length: 30 }, (_, index) => (index % 3 === 0 ? 'delivered' : 'sent'));
      await Promise.all(words.map((word) => report(notification, word, { providerMessageId: 'SM-flood' })));
      expect((await rowOf(notification)).state).toBe('DELIVERED');
      expect(await told(notification)).toBe(0);
    });
  });

  describe('replaying', () => {
    it('queues a failed message again on the same row, with a fresh count of attempts', async () => {
      const notification = await failed();
      expect(await run((tx) => requeueForReplay(tx, notification.notificationId, new Date()))).toBe('QUEUED');
      expect(await rowOf(notification)).toMatchObject({
        state: 'QUEUED',
        first_attempt: 2,
        reason: null,
        settled_at: null,
        provider_message_id: null,
      });
      expect(await claim(notification)).toMatchObject({ notification: { attempt: 2, attemptsMade: 1 } });
      expect((await attemptsOf(notification)).map(({ outcome }) => outcome)).toEqual(['FAILED', null]);
    });

    it('says so when the message is no longer due, and leaves it', async () => {
      const notification = await failed();
      expect(await run((tx) => requeueForReplay(tx, notification.notificationId, notification.plannedFor))).toBe(
        'NOT_DUE',
      );
      expect((await rowOf(notification)).state).toBe('FAILED');
    });

    it('says so when it has not failed', async () => {
      for (const notification of [await planned(), await sending(), await accepted('SM-e')]) {
        expect(await run((tx) => requeueForReplay(tx, notification.notificationId, new Date()))).toBe('NOT_FAILED');
      }
      const nobody = '0190a6a0-0000-5000-8000-00000000abcd';
      expect(await run((tx) => requeueForReplay(tx, nobody, new Date()))).toBe('NOT_FAILED');
    });

    it.each(['QUEUED', 'RETRY'] as const)(
      'takes up what has stood still in %s for hours: its message is lost',
      async (state) => {
        const notification = await planned();
        const standStill = (hours: number) =>
          database.owner.db
            .updateTable('notification')
            .set({ state, updated_at: sql<Date>`now() - ${hours} * interval '1 hour'` })
            .where('notification_id', '=', notification.notificationId)
            .execute();
        const replay = () => run((tx) => requeueForReplay(tx, notification.notificationId, new Date()));
        await standStill(1.9);
        expect(await replay()).toBe('NOT_FAILED');
        await standStill(2.1);
        expect(await replay()).toBe('QUEUED');
        expect(await replay()).toBe('NOT_FAILED');
        expect(await claim(notification)).toMatchObject({ outcome: 'send' });
      },
    );

    it('does not take up what may have been sent, however long it has stood still', async () => {
      const notification = await sending();
      await database.owner.db
        .updateTable('notification')
        .set({ updated_at: sql<Date>`now() - interval '9 hours'` })
        .where('notification_id', '=', notification.notificationId)
        .execute();
      expect(await run((tx) => requeueForReplay(tx, notification.notificationId, new Date()))).toBe('NOT_FAILED');
    });

    it('does not let a lost answer be sent again before its deadline', async () => {
      const notification = await sending();
      await run((tx) => markUnknown(tx, { ...notification, attempt: 1, reason: 'no_answer' }));
      expect(await run((tx) => requeueForReplay(tx, notification.notificationId, new Date()))).toBe('NOT_FAILED');
    });

    it('queues once for two who ask at the same time', async () => {
      const notification = await failed();
      const answers = await Promise.all(
        [1, 2].map(() => run((tx) => requeueForReplay(tx, notification.notificationId, new Date()))),
      );
      expect(answers.sort()).toEqual(['NOT_FAILED', 'QUEUED']);
    });
  });
});
