import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { enqueueLive } from '../../../src/db/rebuild.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { acceptOffer, declineOffer } from '../../../src/scheduling/claims/answer-offer.ts';
import { callInSick, pauseSickDay, resumeSickDay, stopSickDay } from '../../../src/scheduling/sick-day/sick-day.ts';
import { workflowIds } from '../../../src/workflows/messages.ts';
import { aClinic, aPatient, aProvider, slotAt } from '../../support/builders.ts';
import { eventually } from '../../support/eventually.ts';
import { skipTime } from '../../support/time-skipping.ts';
import { workerWorld, type WorkerWorld } from './worker-world.ts';

const MINUTE = 60_000;

describe('a sick day over real rows', () => {
  let world: WorkerWorld;
  beforeAll(async () => {
    world = await workerWorld();
  });
  afterAll(() => world.close());

  const anAbsence = async (visits: number) => {
    // A specialty of its own: nobody else's colleagues step in.
    const specialty = `Specialty ${crypto.randomUUID().slice(0, 8)}`;
    const { database, clinic, deps } = world;
    const providerId = await aProvider(database.owner, clinic, { specialty });
    const colleague = await aProvider(database.owner, clinic, { specialty });
    const booked: { appointmentId: string; patientId: string }[] = [];
    for (let index = 0; index < visits; index += 1) {
      const patientId = await aPatient(database.owner, clinic);
      const { appointmentId } = await bookAppointment(deps, world.act(), {
        patientId,
        providerId,
        appointmentTime: new Date(slotAt(clinic, 3, '09:00').getTime() + index * 30 * MINUTE),
        durationMinutes: 30,
        registersPatient: false,
      });
      booked.push({ appointmentId, patientId });
    }
    const { sickDayId } = await callInSick(deps, world.act(), {
      providerId,
      from: slotAt(clinic, 3, '00:00'),
      to: slotAt(clinic, 4, '00:00'),
      reason: 'illness',
    });
    return { sickDayId, providerId, colleague, booked, workflowId: workflowIds.sickDay(sickDayId) };
  };
  const itemsOf = (sickDayId: string) =>
    world.database.owner.db
      .selectFrom('sick_day_item')
      .selectAll()
      .where('sick_day_id', '=', sickDayId)
      .orderBy('visit_start')
      .execute();
  const statesBecome = (sickDayId: string, ...states: string[]) =>
    eventually(async () => {
      expect((await itemsOf(sickDayId)).map(({ state }) => state)).toEqual(states);
    });
  const offersOf = (sickDayId: string) =>
    world.database.owner.db
      .selectFrom('offer')
      .selectAll()
      .where('sick_day_id', '=', sickDayId)
      .orderBy('offer_id')
      .execute();
  const stateBecomes = (sickDayId: string, state: string) =>
    eventually(async () => {
      const row = await world.database.owner.db
        .selectFrom('sick_day')
        .select('state')
        .where('sick_day_id', '=', sickDayId)
        .executeTakeFirstOrThrow();
      expect(row.state).toBe(state);
    });
  /** The messages about offers that reached the broker, one for each time it did. */
  const messagesAbout = async (sickDayId: string) => {
    const rows = await world.database.owner.db
      .selectFrom('notification as n')
      .innerJoin('offer as o', 'o.offer_id', 'n.offer_id')
      .select(['n.notification_id', 'o.offer_id', 'n.state'])
      .where('o.sick_day_id', '=', sickDayId)
      .execute();
    const offers = new Map(rows.map((row) => [row.notification_id, row.offer_id]));
    return world.published.flatMap((message) => offers.get(message.notificationId) ?? []);
  };
  const offerTo = async (sickDayId: string, appointmentId: string | undefined) => {
    const offer = (await offersOf(sickDayId)).find(
      (each) => each.appointment_id === appointmentId && each.state === 'OPEN',
    );
    if (offer === undefined) throw new Error('no open offer');
    return { offerId: offer.offer_id };
  };

  it('offers, tells once, and goes on as the patients answer or do not, until everybody is dealt with', async () => {
    const { sickDayId, booked, workflowId, colleague } = await anAbsence(3);
    await statesBecome(sickDayId, 'OFFERED', 'OFFERED', 'OFFERED');
    await eventually(async () => {
      expect(await messagesAbout(sickDayId)).toHaveLength(3);
    });

    await acceptOffer(world.deps, world.act(), await offerTo(sickDayId, booked[0]?.appointmentId));
    await declineOffer(world.deps, world.act(), await offerTo(sickDayId, booked[1]?.appointmentId));
    await eventually(async () => {
      expect((await offersOf(sickDayId)).map(({ step, state }) => `${step} ${state}`).sort()).toEqual([
        'colleague ACCEPTED',
        'colleague DECLINED',
        'colleague OPEN',
        'other_day OPEN',
      ]);
    });
    // Nobody says anything any more: each is asked three times in all, and then called.
    const ended = async () =>
      (await itemsOf(sickDayId)).every(({ state }) => state !== 'OFFERED' && state !== 'PENDING');
    for (let day = 1; day <= 4 && !(await ended()); day += 1) {
      const open = async () =>
        (await offersOf(sickDayId)).flatMap((offer) => (offer.state === 'OPEN' ? offer.offer_id : []));
      const before = await open();
      await skipTime(world.temporal.client, workflowId, 24 * 60 * MINUTE);
      await eventually(async () => {
        expect(await open()).not.toEqual(before);
      });
    }
    await eventually(async () => {
      const states = (await itemsOf(sickDayId)).map(({ state }) => state);
      expect(states[0]).toBe('MOVED');
      for (const state of states.slice(1)) expect(['WAITLISTED', 'CALL']).toContain(state);
    });
    for (const { appointmentId } of booked.slice(1)) {
      const { status } = await world.database.owner.db
        .selectFrom('appointment')
        .select('status')
        .where('appointment_id', '=', appointmentId)
        .executeTakeFirstOrThrow();
      expect(status).toBe('SCHEDULED');
    }
    await stateBecomes(sickDayId, 'FINISHED');
    expect(await world.temporal.client.workflow.getHandle(workflowId).result()).toMatchObject({ state: 'FINISHED' });
    const told = await messagesAbout(sickDayId);
    expect(told).toHaveLength(new Set(told).size);
    expect(told).toHaveLength((await offersOf(sickDayId)).length);
    const moved = await world.database.owner.db
      .selectFrom('appointment')
      .select('provider_id')
      .where('appointment_id', '=', booked[0]?.appointmentId ?? '')
      .executeTakeFirst();
    expect(moved).toEqual({ provider_id: colleague });
  });

  it('offers nothing that it cannot tell of while the broker is away, and loses nobody', async () => {
    world.broker.refuses = 3;
    const { sickDayId } = await anAbsence(2);
    await statesBecome(sickDayId, 'OFFERED', 'OFFERED');
    await eventually(async () => {
      const told = await messagesAbout(sickDayId);
      expect(told).toHaveLength(2);
      expect(new Set(told).size).toBe(2);
    });
    world.broker.refuses = 0;
  });

  it('makes an offer again that ran out while the broker was away, and its step is not lost', async () => {
    world.broker.refuses = Infinity;
    const { sickDayId } = await anAbsence(1);
    await statesBecome(sickDayId, 'OFFERED');
    await sql`with o as (update offer set expires_at = now() - interval '1 second' where sick_day_id = ${sickDayId} returning hold_id)
      update reservation r set expires_at = now() - interval '1 second' from o where r.hold_id = o.hold_id`.execute(
      world.database.owner.db,
    );
    // Made again while the broker is still away: whatever was under way before has been refused by then.
    await eventually(async () => {
      expect((await offersOf(sickDayId)).map((offer) => offer.state)).toEqual(['EXPIRED', 'OPEN']);
    });
    world.broker.refuses = 0;
    await eventually(async () => {
      expect((await offersOf(sickDayId)).map((offer) => [offer.step, offer.state, offer.told_at !== null])).toEqual([
        ['colleague', 'EXPIRED', false],
        ['colleague', 'OPEN', true],
      ]);
    });
    expect(await messagesAbout(sickDayId)).toHaveLength(1);
  });

  it('is paused, resumed and stopped by its row', async () => {
    const { sickDayId, booked, workflowId } = await anAbsence(2);
    await statesBecome(sickDayId, 'OFFERED', 'OFFERED');
    await pauseSickDay(world.deps, world.act(), { sickDayId });
    await declineOffer(world.deps, world.act(), await offerTo(sickDayId, booked[0]?.appointmentId));
    const handle = world.temporal.client.workflow.getHandle(workflowId);
    await eventually(async () => {
      const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
      expect(currentDetails).toContain('**PAUSED** · waiting 1 · offered 1');
    });
    await resumeSickDay(world.deps, world.act(), { sickDayId });
    await statesBecome(sickDayId, 'OFFERED', 'OFFERED');
    await stopSickDay(world.deps, world.act(), { sickDayId });
    expect(await handle.result()).toMatchObject({ state: 'STOPPED', counts: { STOPPED: 2 } });
  });

  it('is told again by the sweep and by a rebuild when Temporal has forgotten it', async () => {
    const { sickDayId, workflowId } = await anAbsence(1);
    await statesBecome(sickDayId, 'OFFERED');
    await world.temporal.client.workflow.getHandle(workflowId).terminate('lost');
    const { owner, relay } = world.database;
    const late = sql`now() - interval '10 minutes'`;
    await sql`alter table sick_day disable trigger sick_day_is_touched`.execute(owner.db);
    await sql`update offer set expires_at = ${late} where sick_day_id = ${sickDayId}`.execute(owner.db);
    await sql`update sick_day set updated_at = ${late} where sick_day_id = ${sickDayId}`.execute(owner.db);
    await sql`alter table sick_day enable trigger sick_day_is_touched`.execute(owner.db);
    await sql`select enqueue_overdue('1 minute', 100)`.execute(relay.db);
    await eventually(async () => {
      expect(await offersOf(sickDayId)).toHaveLength(2);
    });
    await world.temporal.client.workflow.getHandle(workflowId).terminate('lost again');
    for await (const page of enqueueLive(relay.db, 100)) expect(page.told).toBeGreaterThanOrEqual(0);
    await eventually(async () => {
      const { status } = await world.temporal.client.workflow.getHandle(workflowId).describe();
      expect(status.name).toBe('RUNNING');
    });
  });

  it('sends no word of it to another clinic', async () => {
    const elsewhere = await aClinic(world.database.owner);
    const { sickDayId } = await anAbsence(1);
    await expect(
      stopSickDay(world.deps, { ...world.act(), clinicId: elsewhere.clinicId }, { sickDayId }),
    ).rejects.toMatchObject({ code: 'not_found' });
    await stopSickDay(world.deps, world.act(), { sickDayId });
  });
});
