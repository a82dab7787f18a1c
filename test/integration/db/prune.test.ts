import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { sql } from 'kysely';
import { prune, PRUNED_TABLES } from '../../../src/db/prune.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { placeHold } from '../../../src/scheduling/claims/hold.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('pruning', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;
  let providerId: string;
  let visit: { readonly patientId: string; readonly providerId: string; readonly durationMinutes: number };

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
  });
  afterAll(() => database.drop());
  beforeEach(async () => {
    await pruned();
    clinic = await aClinic(database.owner);
    providerId = await aProvider(database.owner, clinic);
    visit = { patientId: await aPatient(database.owner, clinic), providerId, durationMinutes: 30 };
  });

  const act = (): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() });
  const book = (time: string, key?: string) =>
    bookAppointment(deps, act(), {
      ...visit,
      appointmentTime: slotAt(clinic, 3, time),
      registersPatient: false,
      ...(key === undefined
        ? {}
        : { idempotency: { caller: 'desk', route: 'POST /api/v1/appointments', key, fingerprint: time } }),
    });
  const hold = async (time: string) => {
    const slot = { providerId, slotStart: slotAt(clinic, 3, time), durationMinutes: 30, heldBy: 'desk' };
    return (await placeHold(deps, act(), slot)).hold.hold_id;
  };
  const pruned = async () => {
    let count = 0;
    for (const table of PRUNED_TABLES) count += await prune(database.relay.db, table, 1_000);
    return count;
  };
  const count = async (table: 'reservation' | 'hold' | 'idempotency_key' | 'outbox') => {
    const { rows } = await sql<{ n: number }>`select count(*)::integer as n from ${sql.table(table)}`.execute(
      database.owner.db,
    );
    return rows[0]?.n;
  };

  it('leaves everything that somebody may still read', async () => {
    const { appointmentId } = await book('09:00', 'key-1');
    await hold('10:00');
    expect(await pruned()).toBe(0);
    await moveAppointment(deps, act(), {
      appointmentId,
      expectedVersion: 1,
      appointmentTime: slotAt(clinic, 3, '11:00'),
    });
    await cancelAppointment(deps, act(), { appointmentId, reason: 'patient_request' });
    expect(await pruned()).toBe(0);
  });

  it('deletes the reservations of the day before yesterday, and of yesterday none: they count against its limit', async () => {
    const before = await count('reservation');
    await book('09:00');
    const shift = (interval: string) =>
      sql`update reservation set during = tstzrange(now() - ${interval}::interval, now() - ${interval}::interval + interval '30 minutes'),
          visit_start = null
        where clinic_id = ${clinic.clinicId}`.execute(database.owner.db);
    await shift('2 days');
    expect(await pruned()).toBe(0);
    await shift('2 days 31 minutes');
    expect(await pruned()).toBe(2);
    expect(await count('reservation')).toBe(before);
  });

  it('deletes a hold long after it has expired, its reservation first', async () => {
    const holdId = await hold('09:00');
    const ranOut = (interval: string) =>
      sql`with gone as (update hold set expires_at = now() - ${interval}::interval where hold_id = ${holdId})
        update reservation set expires_at = now() - ${interval}::interval where hold_id = ${holdId}`.execute(
        database.owner.db,
      );
    await ranOut('59 minutes');
    expect(await pruned()).toBe(0);
    await ranOut('61 minutes');
    expect(await pruned()).toBe(1);
    await expect(hold('09:00')).resolves.toEqual(expect.any(String));
    await ranOut('7 days 1 minute');
    expect(await pruned()).toBe(1);
  });

  it('forgets a key after three days, and what the relay has told after seven', async () => {
    const first = await book('09:00', 'key-2');
    const age = (days: number) =>
      sql`with keys as (update idempotency_key set created_at = now() - make_interval(days => ${days}) where key = 'key-2')
        update outbox set done_at = now() - make_interval(days => ${days}) where aggregate_id = ${first.appointmentId}`.execute(
        database.owner.db,
      );
    await age(2);
    expect(await pruned()).toBe(0);
    await expect(book('09:00', 'key-2')).resolves.toMatchObject({ appointmentId: first.appointmentId, replayed: true });
    await age(4);
    expect(await pruned()).toBe(1);
    await expect(book('09:00', 'key-2')).rejects.toMatchObject({ code: 'slot_taken' });
    await age(8);
    expect(await pruned()).toBe(1);
  });

  it('passes over what somebody works on, and takes no more of a table than it was told', async () => {
    for (const time of ['09:00', '10:00', '11:00']) await book(time);
    await sql`update outbox set done_at = now() - interval '8 days' where clinic_id = ${clinic.clinicId}`.execute(
      database.owner.db,
    );
    await database.owner.db.transaction().execute(async (tx) => {
      await sql`select from outbox where clinic_id = ${clinic.clinicId} order by outbox_id limit 1 for update`.execute(
        tx,
      );
      expect(await prune(database.relay.db, 'outbox', 1)).toBe(1);
      expect(await pruned()).toBe(1);
    });
    expect(await pruned()).toBe(1);
  });

  it('forgets what an operator has long looked at: rounds, wishes, replays, syncs, attempts and what was parked', async () => {
    const { appointmentId } = await book('09:00');
    // What they refer to does not matter here.
    await sql`alter table delivery_attempt drop constraint delivery_attempt_clinic_id_notification_id_fkey;
      alter table replay_item drop constraint replay_item_clinic_id_notification_id_fkey`.execute(database.owner.db);
    const write = (days: number) => {
      const at = sql`now() - make_interval(days => ${days}) - interval '1 minute'`;
      return sql`
        with known as (
          select clinic_id, appointment_id, patient_id, provider_id, gen_random_uuid() as id from appointment
          where appointment_id = ${appointmentId}
        ), entry as (
          insert into waitlist_entry (entry_id, clinic_id, patient_id, provider_id, duration_minutes, earliest_date, latest_date, status, updated_at)
            select id, clinic_id, patient_id, provider_id, 30, now(), now(), 'LEFT', ${at} from known
        ), round as (
          insert into waitlist_round (round_id, clinic_id, provider_id, freed_appointment_id, slot_start, duration_minutes, state, deadline, closed_at)
            select id, clinic_id, provider_id, appointment_id, now(), 30, 'RELEASED', now(), ${at} from known
        ), offer as (
          insert into round_candidate (candidate_id, clinic_id, round_id, entry_id, state) select id, clinic_id, id, id, 'PASSED' from known
        ), repeated as (
          insert into replay (replay_id, clinic_id, requested_by, state, finished_at) select id, clinic_id, 'desk', 'FINISHED', ${at} from known
        ), repeated_item as (
          insert into replay_item (replay_id, clinic_id, notification_id, state) select id, clinic_id, id, 'QUEUED' from known
        ), run as (
          insert into ehr_sync_run (run_id, clinic_id, trigger, state, finished_at) select id, clinic_id, 'nightly', 'FINISHED', ${at} from known
        ), run_item as (
          insert into ehr_sync_item (run_id, clinic_id, appointment_id, appointment_version, outcome)
            select id, clinic_id, appointment_id, 1, 'CREATED' from known
        ), attempt as (
          insert into delivery_attempt (clinic_id, notification_id, attempt, started_at) select clinic_id, id, 1, ${at} from known
        )
        insert into outbox (clinic_id, aggregate, aggregate_id, event, parked_reason, created_at)
          select clinic_id, 'appointment', id, 'booked', 'unknown', ${at} from known`.execute(database.owner.db);
    };
    await write(89);
    expect(await pruned()).toBe(0);
    await write(90);
    // All but the wish, which an older offer could name.
    expect(await pruned()).toBe(8);
    await write(364);
    expect(await pruned()).toBe(8);
    await write(365);
    expect(await pruned()).toBe(9);
    expect(await pruned()).toBe(0);
  });

  it('says of every table in one line when its rows go, in the database and in ARCHITECTURE.md', async () => {
    const { rows: tables } = await sql<{ name: string; line: string | null }>`
      select relname as name, obj_description(oid, 'pg_class') as line from pg_class
      where relnamespace = 'public'::regnamespace and relkind = 'r'`.execute(database.owner.db);
    const unsaid = tables.filter(({ line }) => line === null || !/^(Stays|Goes )/.test(line));
    expect(unsaid).toEqual([]);

    // What goes by itself is what prune deletes.
    const goes = tables.filter(({ line }) => /^Goes (\d|after|with its)/.test(line ?? '')).map(({ name }) => name);
    expect(goes.sort()).toEqual([...PRUNED_TABLES].sort());

    const [, section = ''] = readFileSync('ARCHITECTURE.md', 'utf8').split('## What is kept how long');
    const rows =
      section
        .split('\n## ')[0]
        ?.split('\n')
        .filter((line) => line.startsWith('| `')) ?? [];
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map(([, name]) => name));
    expect(named.sort()).toEqual(tables.map(({ name }) => name).sort());
  });

  it('is not for the application role', async () => {
    await expect(prune(database.app.db, 'outbox', 1)).rejects.toThrow(/permission denied/);
  });
});
