import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { randomUUID } from 'node:crypto';
import { audit, auditOf } from '../../../src/db/audit.ts';
import { inContext, type RowContext } from '../../../src/db/connection.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('row-level security', () => {
  let database: TestDatabase;
  let mine: Clinic;
  let other: Clinic;
  let patientId: string;

  beforeAll(async () => {
    database = await createTestDatabase();
    mine = await aClinic(database.owner);
    other = await aClinic(database.owner);
    const deps = createSchedulingDeps(database.app);
    for (const clinic of [mine, other]) {
      const providerId = await aProvider(database.owner, clinic);
      const id = await aPatient(database.owner, clinic);
      if (clinic === other) patientId = id;
      await bookAppointment(
        deps,
        { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() },
        {
          patientId: id,
          providerId,
          appointmentTime: slotAt(clinic, 3, '10:00'),
          durationMinutes: 30,
          registersPatient: false,
        },
      );
    }
  });
  afterAll(() => database.drop());

  const tenantTables = async () => {
    const { rows } = await sql<{ table_name: string }>`select table_name from information_schema.columns
      where table_schema = 'public' and column_name = 'clinic_id'`.execute(database.owner.db);
    return rows.map((row) => row.table_name);
  };

  it('is on for every table that holds tenants’ or callers’ rows', async () => {
    const { rows } = await sql<{
      relname: string;
    }>`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r'
      and not relrowsecurity and relname <> 'migration'`.execute(database.owner.db);
    expect(rows).toEqual([]);
  });

  it('shows a clinic’s user no row of another clinic in any table, by raw SQL as the application role', async () => {
    for (const table of await tenantTables()) {
      const rows = await inContext(database.app.db, { clinicId: mine.clinicId }, async (tx) => {
        const result = await sql<{
          n: string;
        }>`select count(*) as n from ${sql.table(table)} where clinic_id <> ${mine.clinicId}`.execute(tx);
        return result.rows[0]?.n;
      });
      expect([table, rows]).toEqual([table, '0']);
    }
  });

  it('shows nothing at all without a context, also on a connection that had one', async () => {
    await inContext(database.app.db, { clinicId: mine.clinicId }, (tx) =>
      tx.selectFrom('appointment').selectAll().execute(),
    );
    for (const table of [...(await tenantTables()), 'patient', 'idempotency_key']) {
      const { rows } = await sql<{ n: string }>`select count(*) as n from ${sql.table(table)}`.execute(database.app.db);
      expect([table, rows[0]?.n]).toEqual([table, '0']);
    }
  });

  it('lets a clinic’s user write no row of another clinic', async () => {
    const change = inContext(database.app.db, { clinicId: mine.clinicId }, (tx) =>
      tx.insertInto('registration').values({ clinic_id: other.clinicId, patient_id: patientId }).execute(),
    );
    await expect(change).rejects.toMatchObject({ code: '42501' });
    const updated = await inContext(database.app.db, { clinicId: mine.clinicId }, (tx) =>
      tx
        .updateTable('appointment')
        .set({ next_action: 'x' })
        .where('clinic_id', '=', other.clinicId)
        .executeTakeFirst(),
    );
    expect(updated.numUpdatedRows).toBe(0n);
  });

  it('shows a patient their own rows at every clinic and nobody else’s', async () => {
    const seen = await inContext(database.app.db, { patientId }, async (tx) => ({
      appointments: await tx.selectFrom('appointment').select('patient_id').execute(),
      patients: await tx.selectFrom('patient').select('patient_id').execute(),
      reservations: await tx.selectFrom('reservation').select('resource_id').execute(),
    }));
    expect(seen).toEqual({
      appointments: [{ patient_id: patientId }],
      patients: [{ patient_id: patientId }],
      reservations: [],
    });
  });

  it('tells when a patient is busy to a clinic and to the patient, and to nobody without a context', async () => {
    const busy = (context: RowContext, functionCall = sql`busy_ranges(${patientId}, tstzrange(null, null))`) =>
      inContext(
        database.app.db,
        context,
        async (tx) => (await sql`select from ${functionCall}`.execute(tx)).rows.length,
      );
    expect(await busy({ clinicId: other.clinicId })).toBe(1);
    expect(await busy({ patientId })).toBe(1);
    expect(await busy({})).toBe(0);
    expect(await busy({ patientId: randomUUID() })).toBe(0);
    expect(await busy({}, sql`busy_ranges_of(array[${patientId}]::uuid[], tstzrange(null, null))`)).toBe(0);
  });

  it('lets a new patient in with a registration at the context’s clinic, or not at all', async () => {
    const newPatient = (id: string) =>
      JSON.stringify({
        patientId: id,
        givenName: 'Jordan',
        familyName: 'Sample',
        birthDate: '1980-05-17',
        locale: 'en',
        timeZone: 'UTC',
        preferredChannel: 'sms',
      });
    const create = (context: RowContext, id: string) =>
      inContext(database.app.db, context, (tx) =>
        sql`select create_registered_patient(${newPatient(id)}::jsonb)`.execute(tx),
      );
    const entered = randomUUID();
    await create({ clinicId: mine.clinicId }, entered);
    const nobody = randomUUID();
    await expect(create({}, nobody)).rejects.toMatchObject({ code: '23502' });
    await expect(create({ patientId }, nobody)).rejects.toMatchObject({ code: '23502' });
    const known = await database.owner.db
      .selectFrom('patient')
      .leftJoin('registration', 'registration.patient_id', 'patient.patient_id')
      .select(['patient.patient_id', 'registration.clinic_id'])
      .where('patient.patient_id', 'in', [entered, nobody])
      .execute();
    expect(known).toEqual([{ patient_id: entered, clinic_id: mine.clinicId }]);
    const besides = inContext(database.app.db, { clinicId: mine.clinicId }, (tx) =>
      sql`insert into patient select gen_random_uuid(), 'x', 'y', '1980-05-17', null, null, 'en', 'UTC', 'sms'`.execute(
        tx,
      ),
    );
    await expect(besides).rejects.toMatchObject({ code: '42501' });
  });

  it('lets patients write to the audit what they changed of their own, and nothing else', async () => {
    const write = (entity: string, entityId: string, clinicId?: string) =>
      inContext(database.app.db, { patientId }, (tx) =>
        audit(tx, { clinicId, actor: { kind: 'patient', id: 'p' } }, entity, entityId, 'changed'),
      );
    await write('patient', patientId);
    for (const [entity, entityId, clinicId] of [
      ['patient', randomUUID(), undefined],
      ['appointment', patientId, undefined],
      ['patient', patientId, other.clinicId],
    ] as const) {
      await expect(write(entity, entityId, clinicId)).rejects.toMatchObject({ code: '42501' });
    }
    for (const context of [{ patientId }, { clinicId: mine.clinicId }, { clinicId: other.clinicId }]) {
      const seen = await inContext(database.app.db, context, (tx) => auditOf(tx, 'patient', patientId));
      expect(seen).toEqual([]);
    }
  });

  it('keeps idempotency keys to their caller', async () => {
    await inContext(database.app.db, { caller: 'a' }, (tx) =>
      tx
        .insertInto('idempotency_key')
        .values({ caller: 'a', route: 'r', key: 'k', fingerprint: 'f', response: '{}' })
        .execute(),
    );
    const seen = await inContext(database.app.db, { caller: 'b' }, (tx) =>
      tx.selectFrom('idempotency_key').selectAll().execute(),
    );
    expect(seen).toEqual([]);
  });

  it('gives the application and relay roles nothing they could widen it with', async () => {
    for (const [connection, statement] of [
      [database.app, 'alter table appointment disable row level security'],
      [database.app, 'update audit_event set action = action'],
      [database.app, 'delete from audit_event'],
      [database.app, 'delete from appointment'],
      [database.app, 'set role mediconnect_owner'],
      [database.app, `select * from enqueue_live('rounds', null, 1)`],
      [database.relay, 'select * from appointment'],
      [database.relay, 'select * from patient'],
      [database.relay, `select * from busy_ranges('${patientId}', tstzrange(now(), now() + interval '1 day'))`],
      [
        database.relay,
        `select * from busy_ranges_of(array['${patientId}'::uuid], tstzrange(now(), now() + interval '1 day'))`,
      ],
    ] as const) {
      await expect(sql.raw(statement).execute(connection.db)).rejects.toMatchObject({ code: '42501' });
    }
  });

  it('is passed by functions that give ids, times, purposes and counts, and nothing else', async () => {
    const { rows } = await sql<{ what: string; gives: string; path: string | null }>`
      select proname as what, pg_get_function_result(oid) as gives, array_to_string(proconfig, ' ') as path from pg_proc
      where pronamespace = 'public'::regnamespace and prosecdef and not exists (
        select from pg_depend where objid = pg_proc.oid and deptype = 'e')`.execute(database.owner.db);
    expect(rows.map(({ what }) => what)).toEqual(expect.arrayContaining(['clinic_of_provider', 'busy_ranges_of']));
    const instant = 'timestamp with time zone';
    const times = `from_time ${instant}, to_time ${instant}, purpose text, visit_start ${instant}`;
    const harmless = ['void', 'uuid', 'SETOF uuid', 'integer', `TABLE(${times})`, `TABLE(resource_id uuid, ${times})`];
    // For the relay: a count, and after which id and due instant the next page begins.
    harmless.push('TABLE(told integer, last jsonb)');
    expect(rows.filter(({ gives }) => !harmless.includes(gives))).toEqual([]);
    expect(rows.filter(({ path }) => path !== 'search_path=public, pg_temp')).toEqual([]);
  });

  it('goes red without it: the policy off, another clinic’s rows are seen', async () => {
    const bare = await createTestDatabase();
    try {
      await sql`alter table clinic disable row level security`.execute(bare.owner.db);
      const [a] = await Promise.all([aClinic(bare.owner), aClinic(bare.owner)]);
      const seen = await inContext(bare.app.db, { clinicId: a.clinicId }, (tx) =>
        tx.selectFrom('clinic').select('clinic_id').execute(),
      );
      expect(seen).toHaveLength(2);
    } finally {
      await bare.drop();
    }
  });
});
