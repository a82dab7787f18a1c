import { createHmac, randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { AppError } from '../../../src/domain/errors.ts';
import type { NotificationMessage } from '../../../src/notifications/message.ts';
import { renderSms } from '../../../src/notifications/render.ts';
import type { Notifier } from '../../../src/notifier/consume.ts';
import { eventually } from '../../support/eventually.ts';
import { createWorld, PROVIDER_TIMEOUT_MS, TEXT_KEY, type Visit, type World } from './world.ts';
import { ACCOUNT_SID, AUTH_TOKEN, OUR_NUMBER } from '../sandbox/start-sandbox.ts';

describe('the notifier', () => {
  let world: World;
  let notifier: Notifier | undefined;

  beforeAll(async () => {
    world = await createWorld();
  });
  afterEach(async () => {
    await notifier?.stop();
    notifier = undefined;
    world.sandbox.control.faults.clear();
  });
  afterAll(() => world.close());

  const settledEvents = async (visit: Visit) => {
    const rows = await world.database.owner.db
      .selectFrom('outbox')
      .select('event')
      .where('aggregate_id', '=', visit.appointmentId)
      .where('event', '=', 'notificationSettled')
      .execute();
    return rows.length;
  };
  const deadLetter = async () => {
    const { content, properties } = await world.queues.take(world.queues.topology.deadLetterQueue);
    return { body: content.toString('utf8'), headers: properties.headers, messageId: properties.messageId as unknown };
  };
  /** As a notifier leaves it that dies between writing SENDING and hearing from the provider. */
  const leaveInSending = async (message: NotificationMessage, visit: Visit, text?: string) => {
    await world.database.owner.db
      .updateTable('notification')
      .set({ state: 'SENDING', attempt: 1, sending_until: sql<Date>`now() - interval '1 second'` })
      .where('notification_id', '=', message.notificationId)
      .execute();
    await world.database.owner.db
      .insertInto('delivery_attempt')
      .values({
        clinic_id: message.clinicId,
        notification_id: message.notificationId,
        attempt: 1,
        text_hash: createHmac('sha256', TEXT_KEY)
          .update(text ?? (await smsTextOf(visit)))
          .digest('base64url'),
      })
      .execute();
  };
  const smsTextOf = async (visit: Visit) => {
    const facts = await world.database.owner.db
      .selectFrom('appointment as a')
      .innerJoin('clinic as c', 'c.clinic_id', 'a.clinic_id')
      .innerJoin('provider as v', 'v.provider_id', 'a.provider_id')
      .innerJoin('patient as p', 'p.patient_id', 'a.patient_id')
      .select([
        'c.name as clinicName',
        'c.time_zone as timeZone',
        'v.name as providerName',
        'p.given_name as givenName',
        'p.locale',
        'a.confirmation_code as confirmationCode',
        'a.notice_visits as visits',
        'a.duration_minutes as durationMinutes',
      ])
      .where('a.appointment_id', '=', visit.appointmentId)
      .executeTakeFirstOrThrow();
    return renderSms({ ...facts, kind: 'reminder:P3D', plannedFor: visit.appointmentTime, furtherVisits: [] });
  };

  describe('when all is well', () => {
    it('sends one SMS, however often it was planned and published, and the callback settles it', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      expect(await world.plan(visit)).toMatchObject({ notificationId: message.notificationId });
      await world.publish(message);
      await world.publish(message);
      notifier = world.start();
      const row = await world.reaches(message, 'DELIVERED');
      // The second message was taken off its queue too.
      await eventually(async () => expect(await world.queues.count(world.queues.topology.workQueue.sms)).toBe(0));

      expect(world.inbox(visit.phone)).toHaveLength(1);
      expect(world.inbox(visit.phone)[0]?.text).toBe(await smsTextOf(visit));
      expect(row).toMatchObject({ attempt: 1, reason: null, sending_until: null });
      expect(row.provider_message_id).toMatch(/^SM[0-9a-f]{32}$/);
      expect(row.accepted_at).not.toBeNull();
      expect(row.settled_at).not.toBeNull();
      expect(await world.attempts(message)).toEqual([{ outcome: 'DELIVERED', errorCode: null }]);
      // Nothing has changed that the workflow would act on.
      expect(await settledEvents(visit)).toBe(0);
    });

    it('sends one email with ids as its only arguments', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit, { kind: 'confirmation', channel: 'email' });
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'DELIVERED');

      const emails = world.sandbox.control.messages({ to: visit.email });
      expect(emails).toHaveLength(1);
      expect(emails[0]?.subject).toMatch(/^Your visit on .+ is booked$/);
      expect(emails[0]?.customArgs).toEqual({ notificationId: message.notificationId, clinicId: message.clinicId });
    });

    it('says in the ledger what the carrier could not deliver', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        match: { to: visit.phone },
        deliveryFailure: { errorCode: 30005 },
      });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'FAILED')).toMatchObject({ reason: 'twilio_30005' });
      expect(await world.attempts(message)).toEqual([{ outcome: 'FAILED', errorCode: '30005' }]);
    });

    it('logs ids and codes, and nothing of the patient', async () => {
      const visit = await world.visit({ givenName: 'Canarybird' });
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'status',
        status: 503,
        match: { to: visit.phone },
        times: 1,
      });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'DELIVERED');
      const log = world.logLines.join('\n');
      expect(log).toContain(message.notificationId);
      for (const secret of [visit.phone, visit.email, 'Canarybird', AUTH_TOKEN, await smsTextOf(visit)]) {
        expect(log).not.toContain(secret);
      }
    });
  });

  describe('when the provider refuses', () => {
    it('tries again when the provider wants to be called again, and holds nothing against the message', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'status',
        status: 429,
        match: { to: visit.phone },
        times: 1,
      });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'DELIVERED')).toMatchObject({ attempt: 2 });
      expect(world.inbox(visit.phone)).toHaveLength(1);
      expect(await world.attempts(message)).toEqual([
        { outcome: 'RETRY', errorCode: 'twilio_20429' },
        { outcome: 'DELIVERED', errorCode: null },
      ]);
    });

    it('gives up after the last rung: FAILED, the workflow told, the reason in the dead-letter queue', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'status',
        status: 400,
        code: 30001,
        match: { to: visit.phone },
      });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'FAILED')).toMatchObject({ attempt: 2, reason: 'twilio_30001' });
      const dead = await deadLetter();
      expect(dead.headers).toMatchObject({ reason: 'twilio_30001' });
      expect(dead.messageId).toBe(message.notificationId);
      expect(JSON.parse(dead.body)).toMatchObject({ notificationId: message.notificationId, attempt: 2 });
      expect(await settledEvents(visit)).toBe(1);
      expect(world.inbox(visit.phone)).toHaveLength(0);
    });

    it('counts no attempt while nobody can reach the provider, and sends once it is back', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await world.publish(message);
      const unreachable = () =>
        Promise.reject(new AppError('provider_unavailable', { sent: false, reason: 'ENOTFOUND' }));
      const noProvider = { send: unreachable, find: unreachable };
      notifier = world.start({ senders: { sms: noProvider, email: noProvider } });
      // Far more tries than the ladder has rungs.
      await eventually(async () => expect((await world.row(message)).attempt).toBeGreaterThanOrEqual(4));
      await notifier.stop();
      expect(await world.row(message)).toMatchObject({ state: 'RETRY', reason: 'twilio_unreachable' });
      notifier = world.start();
      await world.reaches(message, 'DELIVERED');
      expect(world.inbox(visit.phone)).toHaveLength(1);
    });

    it('does not try again what will never be taken', async () => {
      const visit = await world.visit({ phone: '+15005550009' });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'FAILED')).toMatchObject({ attempt: 1, reason: 'twilio_21614' });
      expect((await deadLetter()).headers).toMatchObject({ reason: 'twilio_21614' });
    });

    it('fails a message to a patient who has no number any more', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await world.database.owner.db
        .updateTable('patient')
        .set({ phone: null })
        .where('patient_id', '=', visit.patientId)
        .execute();
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'FAILED')).toMatchObject({ reason: 'no_address' });
      expect((await deadLetter()).headers).toMatchObject({ reason: 'no_address' });
    });

    it('stops the channel, raises the alarm and loses nothing when the account is refused', async () => {
      const visit = await world.visit();
      // More refusals than the message has attempts: they are not its fault.
      const fault = {
        vendor: 'twilio',
        kind: 'status',
        status: 401,
        code: 20003,
        match: { to: visit.phone },
        times: 4,
      } as const;
      world.sandbox.control.faults.add(fault);
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'DELIVERED');
      expect(world.inbox(visit.phone)).toHaveLength(1);
      expect(world.logLines.some((line) => line.includes('"event":"channel_stopped"'))).toBe(true);
    });
  });

  describe('when the answer is lost', () => {
    /** Until the faults are cleared: what is unknown stays so for as long as it takes to see that. */
    const noLookUpYet = (vendor: 'twilio' | 'sendgrid') =>
      world.sandbox.control.faults.add({ vendor, kind: 'status', status: 503, match: { method: 'GET' } });

    it('finds an SMS that was accepted and sends no second one', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'accept-then-hang',
        webhooks: 'none',
        match: { to: visit.phone, method: 'POST' },
        ms: 4 * PROVIDER_TIMEOUT_MS,
        times: 1,
      });
      noLookUpYet('twilio');
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'UNKNOWN');
      world.sandbox.control.faults.clear();
      const row = await world.reaches(message, 'ACCEPTED');
      expect(row).toMatchObject({ attempt: 1 });
      expect(world.inbox(visit.phone)).toHaveLength(1);
      expect(row.provider_message_id).toBe(world.sandbox.control.messages({ to: visit.phone })[0]?.id);
    });

    it('finds an email that was accepted', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'sendgrid',
        kind: 'accept-then-drop',
        webhooks: 'none',
        match: { to: visit.email, method: 'POST' },
        times: 1,
      });
      noLookUpYet('sendgrid');
      const message = await world.plan(visit, { channel: 'email' });
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'UNKNOWN');
      world.sandbox.control.faults.clear();
      expect(await world.reaches(message, 'ACCEPTED')).toMatchObject({ attempt: 1 });
      expect(world.inbox(visit.email)).toHaveLength(1);
    });

    it('sends again what the provider certainly does not have', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'drop',
        match: { to: visit.phone, method: 'POST' },
        times: 1,
      });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'DELIVERED')).toMatchObject({ attempt: 2 });
      expect(world.inbox(visit.phone)).toHaveLength(1);
      expect((await world.attempts(message)).map(({ outcome }) => outcome)).toEqual(['RETRY', 'DELIVERED']);
    });

    it('lets the first callback settle it, before any look-up', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'accept-then-drop',
        match: { to: visit.phone, method: 'POST' },
        times: 1,
      });
      // No look-up would ever say yes.
      world.sandbox.control.faults.add({ vendor: 'twilio', kind: 'status', status: 503, match: { method: 'GET' } });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      const row = await world.reaches(message, 'DELIVERED');
      expect(row.provider_message_id).toBe(world.sandbox.control.messages({ to: visit.phone })[0]?.id);
      expect(world.inbox(visit.phone)).toHaveLength(1);
    });

    it('does not send again while the look-up is not conclusive, and once it is, finds the message', async () => {
      const visit = await world.visit();
      world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'accept-then-drop',
        webhooks: 'none',
        match: { to: visit.phone, method: 'POST' },
        times: 1,
      });
      const noLookUp = world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'status',
        status: 503,
        match: { method: 'GET' },
      });
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      await eventually(() => {
        const met = world.sandbox.control.faults.list().find(({ id }) => id === noLookUp.id)?.met ?? 0;
        expect(met).toBeGreaterThanOrEqual(2);
      });
      expect(await world.row(message)).toMatchObject({ state: 'UNKNOWN', attempt: 1 });
      world.sandbox.control.faults.clear();
      await world.reaches(message, 'ACCEPTED');
      expect(world.inbox(visit.phone)).toHaveLength(1);
    });

    it('does not send again when the text may differ from the one that was sent', async () => {
      const visit = await world.visit();
      const fault = { vendor: 'twilio', kind: 'accept-then-drop', webhooks: 'none', times: 1 } as const;
      world.sandbox.control.faults.add({ ...fault, match: { to: visit.phone, method: 'POST' } });
      noLookUpYet('twilio');
      const message = await world.plan(visit);
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'UNKNOWN');
      await world.database.owner.db
        .updateTable('patient')
        .set({ locale: 'de-DE', updated_at: sql`now()` })
        .where('patient_id', '=', visit.patientId)
        .execute();
      world.sandbox.control.faults.clear();
      const lookUps = world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'slow',
        ms: 1,
        match: { method: 'GET' },
      });
      await eventually(() => {
        const met = world.sandbox.control.faults.list().find(({ id }) => id === lookUps.id)?.met ?? 0;
        expect(met).toBeGreaterThanOrEqual(2);
      });
      expect(await world.row(message)).toMatchObject({ state: 'UNKNOWN', attempt: 1 });
      expect(world.inbox(visit.phone)).toHaveLength(1);
    });

    it('does not send again after a deploy that reworded the text', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await leaveInSending(message, visit, 'The words of the release before.');
      const lookUps = world.sandbox.control.faults.add({
        vendor: 'twilio',
        kind: 'slow',
        ms: 1,
        match: { method: 'GET' },
      });
      await world.publish(message);
      notifier = world.start();
      await eventually(() => {
        const met = world.sandbox.control.faults.list().find(({ id }) => id === lookUps.id)?.met ?? 0;
        expect(met).toBeGreaterThanOrEqual(2);
      });
      expect(await world.row(message)).toMatchObject({ state: 'UNKNOWN', attempt: 1 });
      expect(world.inbox(visit.phone)).toHaveLength(0);
    });

    it('hands a message of unknown outcome to a person when the visit begins', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await leaveInSending(message, visit);
      world.sandbox.control.faults.add({ vendor: 'twilio', kind: 'status', status: 503, match: { method: 'GET' } });
      await world.queues.publisher.publish({ ...message, now: visit.appointmentTime.toISOString() });
      notifier = world.start();
      expect((await deadLetter()).headers).toMatchObject({ reason: 'unknown_outcome' });
      expect(await world.row(message)).toMatchObject({ state: 'UNKNOWN' });
      expect(world.inbox(visit.phone)).toHaveLength(0);
    });
  });

  describe('when a notifier died', () => {
    it('between writing SENDING and the call: looks, finds nothing, and sends once', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await leaveInSending(message, visit);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'DELIVERED')).toMatchObject({ attempt: 2 });
      expect(world.inbox(visit.phone)).toHaveLength(1);
      expect((await world.attempts(message)).map(({ outcome }) => outcome)).toEqual(['RETRY', 'DELIVERED']);
    });

    it('between the call and writing its answer: looks, finds the message, and sends nothing', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await leaveInSending(message, visit);
      const body = new URLSearchParams({ To: visit.phone, From: OUR_NUMBER, Body: await smsTextOf(visit) });
      const authorization = `Basic ${Buffer.from(`${ACCOUNT_SID}:${AUTH_TOKEN}`).toString('base64')}`;
      const path = `/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`;
      const answer = await fetch(`${world.sandbox.url}${path}`, { method: 'POST', headers: { authorization }, body });
      expect(answer.status).toBe(201);
      await world.publish(message);
      notifier = world.start();
      expect(await world.reaches(message, 'ACCEPTED')).toMatchObject({ attempt: 1 });
      expect(world.inbox(visit.phone)).toHaveLength(1);
    });

    it('leaves a message alone that somebody else is sending at this moment, and comes back for it', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await leaveInSending(message, visit);
      const sendingUntil = (until: string) =>
        world.database.owner.db
          .updateTable('notification')
          .set({ sending_until: sql<Date>`now() + ${until}::interval` })
          .where('notification_id', '=', message.notificationId)
          .execute();
      await sendingUntil('1 hour');
      await world.queues.empty();
      await world.publish(message);
      notifier = world.start();
      await eventually(async () => {
        expect(await world.queues.count(world.queues.topology.delayQueue('sms', 500))).toBeGreaterThanOrEqual(1);
      });
      expect(await world.row(message)).toMatchObject({ state: 'SENDING', attempt: 1 });
      await sendingUntil('-1 second');
      await world.reaches(message, 'DELIVERED');
      expect(world.inbox(visit.phone)).toHaveLength(1);
    });
  });

  describe('when it is no longer due', () => {
    const change = (visit: Visit, set: string) =>
      sql`update appointment set ${sql.raw(set)} where appointment_id = ${visit.appointmentId}`.execute(
        world.database.owner.db,
      );

    it.each([
      ['the visit has moved', `appointment_time = appointment_time + interval '1 hour'`, 'moved'],
      ['the visit was cancelled', `status = 'CANCELLED', cancelled_at = now(), cancelled_by = 'staff'`, 'cancelled'],
      ['the visit was completed early', `status = 'COMPLETED'`, 'not_scheduled'],
    ])('skips it and tells the workflow: %s', async (_name, set, reason) => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await world.publish(message);
      await change(visit, set);
      notifier = world.start();
      expect(await world.reaches(message, 'SKIPPED')).toMatchObject({ reason, attempt: 0 });
      expect(await settledEvents(visit)).toBe(1);
      expect(world.inbox(visit.phone)).toHaveLength(0);
    });

    it('never sends a reminder for a visit that has begun: the later of the two clocks decides', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await world.publish({ ...message, now: visit.appointmentTime.toISOString() });
      notifier = world.start();
      expect(await world.reaches(message, 'SKIPPED')).toMatchObject({ reason: 'visit_begun' });
    });

    it('sends the notice of a cancelling', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit, { kind: 'cancelled' });
      await change(
        visit,
        `status = 'CANCELLED', cancelled_at = now(), cancelled_by = 'staff', cancel_reason = 'other'`,
      );
      await sql`update clinic set phone = '+4930123456'`.execute(world.database.owner.db);
      await world.publish(message);
      notifier = world.start();
      await world.reaches(message, 'DELIVERED');
      expect(world.inbox(visit.phone)[0]?.text).toMatch(/we had to cancel .* To book another, call \+4930123456\.$/);
    });

    it('says of a change what is no longer so, as the patient was last told it', async () => {
      const visit = await world.visit();
      const confirmation = await world.plan(visit, { kind: 'confirmation', dueAt: new Date(Date.now() - 1_000) });
      await world.publish(confirmation);
      notifier = world.start();
      await world.reaches(confirmation, 'DELIVERED');
      await change(visit, 'duration_minutes = 45, version = 2, time_set_version = 2');
      const message = await world.plan(visit, { kind: 'rescheduled', version: 2 });
      await world.publish(message);
      await world.reaches(message, 'DELIVERED');
      const [, said] = world.inbox(visit.phone);
      expect(said?.text).toContain('now takes 45 minutes');
      expect(said?.text).not.toContain('moved');
    });

    it('skips a message whose retry comes too late', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await world.publish(message);
      // Cancelled while the provider is asked, so that no retry can be sooner.
      const refuse = async () => {
        await change(visit, `status = 'CANCELLED', cancelled_at = now(), cancelled_by = 'staff'`);
        throw new AppError('provider_refused', { status: 429, providerCode: '20429' });
      };
      const overtaken = { send: refuse, find: refuse };
      notifier = world.start({ senders: { sms: overtaken, email: overtaken } });
      expect(await world.reaches(message, 'SKIPPED')).toMatchObject({ reason: 'cancelled', attempt: 1 });
      expect(await world.attempts(message)).toEqual([{ outcome: 'RETRY', errorCode: 'twilio_20429' }]);
    });
  });

  describe('messages that are none', () => {
    it('go to the dead-letter queue as they came', async () => {
      notifier = world.start();
      await world.queues.rabbitmq.publish(world.queues.topology.workQueue.sms, Buffer.from('{"schemaVersion":'));
      const dead = await deadLetter();
      expect(dead).toMatchObject({ body: '{"schemaVersion":', headers: { reason: 'unreadable_message' } });
    });

    it('but a field of a newer release keeps no message from being sent', async () => {
      const visit = await world.visit();
      const message = await world.plan(visit);
      await world.publish({
        ...message,
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      } as never);
      notifier = world.start();
      await world.reaches(message, 'DELIVERED');
    });

    it('so does one about a notification that the ledger does not know', async () => {
      const message = await world.plan(await world.visit());
      notifier = world.start();
      await world.queues.publisher.publish({ ...message, notificationId: '0190a6a0-0000-5000-8000-00000000abcd' });
      expect((await deadLetter()).headers).toMatchObject({ reason: 'unknown_notification' });
    });

    describe('because of an error of our own', () => {
      /** The database refuses this one change. Returns what ends that. */
      const refuse = async (message: NotificationMessage, table: string, when: string) => {
        const name = `refuse_${randomUUID().replaceAll('-', '')}`;
        const run = (text: string) => sql.raw(text).execute(world.database.owner.db);
        await run(
          `create function ${name}() returns trigger language plpgsql as $$ begin raise exception 'refused'; end $$`,
        );
        await run(`create trigger ${name} before insert or update on ${table} for each row
          when (new.notification_id = '${message.notificationId}' and ${when}) execute function ${name}()`);
        return () => run(`drop function ${name} cascade`);
      };

      it('settle the ledger’s row, so that support sees them', async () => {
        const visit = await world.visit();
        const message = await world.plan(visit);
        const mend = await refuse(message, 'delivery_attempt', 'true');
        await world.publish(message);
        notifier = world.start();
        expect(await world.reaches(message, 'FAILED')).toMatchObject({ reason: 'internal_error', attempt: 0 });
        expect((await deadLetter()).messageId).toBe(message.notificationId);
        expect(await settledEvents(visit)).toBe(1);
        await mend();
      });

      it('are not given up at the first one, however often they have come before', async () => {
        const visit = await world.visit();
        const message = await world.plan(visit);
        const mend = await refuse(message, 'delivery_attempt', 'true');
        await world.publish({ ...message, attempt: 9 });
        notifier = world.start();
        await eventually(() => {
          const isOurs = (line: string) => line.includes('notification_error') && line.includes(message.notificationId);
          expect(world.logLines.some(isOurs)).toBe(true);
        });
        await mend();
        await world.reaches(message, 'DELIVERED');
        expect(world.inbox(visit.phone)).toHaveLength(1);
      });

      it('are not given up while they may have been sent', async () => {
        const visit = await world.visit();
        const message = await world.plan(visit);
        await leaveInSending(message, visit);
        const mend = await refuse(message, 'notification', `new.state = 'UNKNOWN'`);
        await world.queues.publisher.publish({ ...message, errors: 4 });
        notifier = world.start();
        const errors = () =>
          world.logLines.filter((line) => line.includes('notification_error') && line.includes(message.notificationId));
        await eventually(() => expect(errors().length).toBeGreaterThanOrEqual(2));
        expect(await world.row(message)).toMatchObject({ state: 'SENDING', attempt: 1 });
        await mend();
        await world.reaches(message, 'DELIVERED');
        expect(world.inbox(visit.phone)).toHaveLength(1);
        expect(await world.queues.count(world.queues.topology.deadLetterQueue)).toBe(0);
      });
    });

    it('and one that fails on an error of our own, after a few tries', async () => {
      const message = await world.plan(await world.visit());
      notifier = world.start();
      await world.queues.publisher.publish({ ...message, notificationId: 'not-a-uuid' });
      expect((await deadLetter()).headers).toMatchObject({ reason: 'internal_error' });
    });
  });

  it('finishes what is under way when it is stopped, and takes nothing more', async () => {
    const [visit, later] = [await world.visit(), await world.visit()];
    const slow = world.sandbox.control.faults.add({
      vendor: 'twilio',
      kind: 'slow',
      ms: 400,
      match: { to: visit.phone },
    });
    const message = await world.plan(visit);
    await world.publish(message);
    const stopping = world.start();
    await eventually(() => {
      expect(world.sandbox.control.faults.list().find(({ id }) => id === slow.id)?.met).toBe(1);
    });
    await stopping.stop();
    expect(['ACCEPTED', 'DELIVERED']).toContain((await world.row(message)).state);

    const next = await world.plan(later);
    await world.publish(next);
    const { workQueue } = world.queues.topology;
    await eventually(async () => expect(await world.queues.count(workQueue.sms)).toBeGreaterThanOrEqual(1));
    expect(await world.row(next)).toMatchObject({ state: 'QUEUED' });
    notifier = world.start();
    await world.reaches(next, 'DELIVERED');
  });
});
