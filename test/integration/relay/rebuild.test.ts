import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { leaseBatch } from '../../../src/db/outbox-leases.ts';
import { enqueueLive } from '../../../src/db/rebuild.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('rebuild', () => {
  let database: TestDatabase;
  let clinic: Clinic;
  let providerId: string;
  let patientId: string;

  beforeEach(async () => {
    database = await createTestDatabase();
    clinic = await aClinic(database.owner);
    providerId = await aProvider(database.owner, clinic);
    patientId = await aPatient(database.owner, clinic);
  });
  afterEach(() => database.drop());

  const book = async (day: number) => {
    const { appointmentId } = await bookAppointment(
      createSchedulingDeps(database.app),
      { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() },
      {
        patientId,
        providerId,
        appointmentTime: slotAt(clinic, day, '10:00'),
        durationMinutes: 30,
        registersPatient: false,
      },
    );
    return appointmentId;
  };

  /** Five visits, of which the one booked last is due first and one has no plan; a round, replays and a sick day. What was told is told. */
  async function everythingLive() {
    const visits = [await book(1), await book(2), await book(3), await book(4), await book(5)] as const;
    const [first, second, third, fourth, fifth] = visits;
    await sql`update appointment set next_action_at = now() + case appointment_id
      when ${fifth} then interval '1 hour' when ${third} then interval '2 hours' else interval '3 hours' end`.execute(
      database.owner.db,
    );
    await sql`update appointment set next_action = null, next_action_at = null where appointment_id = ${first}`.execute(
      database.owner.db,
    );
    const { rows } = await sql<{ id: string }>`
      with round as (
        insert into waitlist_round (round_id, clinic_id, provider_id, freed_appointment_id, slot_start, duration_minutes, state, deadline)
          select gen_random_uuid(), clinic_id, provider_id, appointment_id, appointment_time, 30, 'OPEN', now() + interval '1 hour'
          from appointment where appointment_id = ${first} returning round_id
      ), replays as (
        insert into replay (replay_id, clinic_id, requested_by, state, finished_at)
          select gen_random_uuid(), ${clinic.clinicId}, 'desk', state, finished_at
          from (values ('RUNNING', null::timestamptz), ('PAUSED', null), ('STOPPED', now()), ('FINISHED', now())) as s (state, finished_at)
          returning replay_id, state
      ), sick_days as (
        insert into sick_day (sick_day_id, clinic_id, provider_id, from_time, to_time, time_off_id, reason, state, steps, offer_minutes, search_days,
            requested_by, finished_at)
          select gen_random_uuid(), ${clinic.clinicId}, ${providerId}, now(), now() + interval '1 day', gen_random_uuid(), 'illness', state, '{call}',
            60, 7, 'desk', finished_at
          from (values ('RUNNING', null::timestamptz), ('PAUSED', null), ('FINISHED', now())) as s (state, finished_at)
          returning sick_day_id, state
      )
      select round_id as id from round
      union all select replay_id from replays where state in ('RUNNING', 'PAUSED')
      union all select sick_day_id from sick_days where state in ('RUNNING', 'PAUSED')`.execute(database.owner.db);
    await sql`update outbox set done_at = now()`.execute(database.owner.db);
    return { inOrder: [fifth, third, ...[second, fourth].sort(), first], others: rows.map(({ id }) => id) };
  }

  const open = () =>
    database.owner.db
      .selectFrom('outbox')
      .select(['aggregate_id', 'aggregate', 'event'])
      .where('done_at', 'is', null)
      .orderBy('outbox_id')
      .execute();

  it('tells what is live in pages, what is due soonest first; killed half-way and repeated, it tells each once', async () => {
    const { inOrder, others } = await everythingLive();

    for await (const page of enqueueLive(database.relay.db, 2)) {
      expect(page).toEqual({ what: 'planned appointments', told: 2 });
      break;
    }
    expect((await open()).map((row) => row.aggregate_id)).toEqual(inOrder.slice(0, 2));

    const pages = [];
    for await (const page of enqueueLive(database.relay.db, 2)) pages.push([page.what, page.told]);
    expect(pages).toEqual([
      ['planned appointments', 0],
      ['planned appointments', 2],
      ['other appointments', 1],
      ['rounds', 1],
      ['replays', 2],
      ['sick days', 2],
    ]);
    const told = await open();
    expect(told.map((row) => row.event)).toEqual(told.map(() => 'overdue'));
    expect(told.slice(0, 5).map((row) => row.aggregate_id)).toEqual(inOrder);
    expect(
      told
        .slice(5)
        .map((row) => row.aggregate_id)
        .sort(),
    ).toEqual(others.sort());
  });

  it('does not keep a new booking waiting, however much it has to tell', async () => {
    await everythingLive();
    for await (const page of enqueueLive(database.relay.db, 1_000)) expect(page.told).toBeGreaterThan(0);
    const booked = await book(6);
    const [next] = await leaseBatch(database.relay.db, 1, 30);
    expect(next).toMatchObject({ event: 'booked', aggregateId: booked });
  });
});
