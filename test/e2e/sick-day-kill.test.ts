import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import pg from 'pg';
import { answerOf, findSlots } from '../../scripts/local/client.ts';
import { createConnection, type Connection } from '../../src/db/connection.ts';
import {
  book,
  delivered,
  ledger,
  messagesTo,
  providerId,
  readAppointment,
  startTestSystem,
  type TestSystem,
} from './support.ts';
import { eventually } from '../support/eventually.ts';
import { integrityFaults } from '../support/integrity.ts';

/** Who is away, and one patient for each of their visits that day. Nobody at the clinic shares their specialty: another day comes first, then the waitlist. */
const AWAY = 0;
const PATIENTS = [50, 51, 52, 53, 54, 55, 56, 57] as const;
/** Temporal misses a dead worker when its heartbeat is 30 s late. */
const AFTER_A_KILL = { timeoutMs: 90_000, everyMs: 200 };

/* kill -9 of the worker in the middle of a sick day, at chosen points: nothing lost, nothing twice. */
describe('a sick day whose worker is killed', () => {
  let system: TestSystem;
  let owner: Connection;
  let gates: Gates;
  /** The visits, soonest first, as PATIENTS. */
  const visits: string[] = [];
  let sickDayId: string;

  beforeAll(async () => {
    system = await startTestSystem();
    owner = createConnection({ url: system.databaseUrls.ownerUrl, poolSize: 2, name: 'sick-day-kill' });
    gates = await installGates(owner, system.databaseUrls.ownerUrl);
  }, 180_000);
  afterAll(async () => {
    await gates.close();
    await owner.close();
    await system.close();
  }, 60_000);

  const visit = (n: number): string => {
    const appointmentId = visits[n];
    if (appointmentId === undefined) throw new Error(`no visit ${n}`);
    return appointmentId;
  };
  /** Kills the worker while it waits at the gate, and lets its transaction go on to find nobody there. */
  const killAt = async (gate: Gate) => {
    await gates.waitsAt(gate);
    await system.stopRole('worker', 'SIGKILL');
    await gates.open(gate);
  };
  const states = async () => {
    const params = { path: { sickDayId } };
    const { outcomes } = await answerOf(system.desk.GET('/api/v1/sick-days/{sickDayId}', { params }));
    return outcomes.map((outcome) => outcome.state);
  };
  const offers = () => owner.db.selectFrom('offer').selectAll().orderBy('slot_start').execute();
  const offerOf = async (appointmentId: string) => {
    const found = (await offers()).find((offer) => offer.appointment_id === appointmentId);
    if (found === undefined) throw new Error(`no offer of ${appointmentId}`);
    return found;
  };
  /** What was done about the visit, once for each time that it was done. */
  const stepsOf = async (appointmentId: string) =>
    (
      await owner.db
        .selectFrom('audit_event')
        .select('action')
        .where('entity_id', '=', sickDayId)
        .where(sql<string>`detail ->> 'appointmentId'`, '=', appointmentId)
        .orderBy('audit_id')
        .execute()
    ).map(({ action }) => action);

  it('offers every patient one time, holds it once and tells them once', async () => {
    const { date, starts } = await findSlots(system.desk, providerId(AWAY), 10);
    // They start every quarter of an hour, and a visit takes two.
    const apart = starts.filter((_, index) => index % 2 === 0);
    for (const [index, n] of PATIENTS.entries()) visits.push(await book(system, n, apart[index] ?? '', AWAY));
    await Promise.all(PATIENTS.map((n) => delivered(system, n, 1)));
    const during = {
      step: { at: 'offered', appointmentId: visit(2) },
      told: { at: 'told', appointmentId: visit(5) },
    } as const;
    await gates.shut(during.step);
    await gates.shut(during.told);

    await system.stopRole('worker', 'SIGKILL');
    const begun = await answerOf(
      system.desk.POST('/api/v1/sick-days', {
        body: {
          providerId: providerId(AWAY),
          from: `${date}T00:00:00Z`,
          to: new Date(Date.parse(`${date}T00:00:00Z`) + 86_400_000).toISOString(),
        },
      }),
    );
    expect(begun.affectedAppointments).toBe(PATIENTS.length);
    ({ sickDayId } = begun);
    expect(await states()).toEqual(PATIENTS.map(() => 'PENDING'));
    await system.startRole('worker');

    // In the third visit's transaction: the time is held and the offer written, and none of it stays.
    await killAt(during.step);
    expect(await states()).toEqual([...Array<string>(2).fill('OFFERED'), ...Array<string>(6).fill('PENDING')]);
    expect(await offers()).toHaveLength(2);
    await system.startRole('worker');

    // The broker has the sixth visit's message, and PostgreSQL does not know it.
    await killAt(during.told);
    expect(await states()).toEqual([...Array<string>(6).fill('OFFERED'), ...Array<string>(2).fill('PENDING')]);
    expect(await offerOf(visit(5))).toMatchObject({ told_at: null });
    await delivered(system, PATIENTS[5], 2);
    await system.startRole('worker');

    await eventually(async () => {
      expect(await states()).toEqual(PATIENTS.map(() => 'OFFERED'));
      expect((await offers()).filter((offer) => offer.told_at === null)).toEqual([]);
    }, AFTER_A_KILL);
    const made = await offers();
    expect(made.map((offer) => offer.appointment_id).sort()).toEqual([...visits].sort());
    expect(new Set(made.map((offer) => offer.slot_start.getTime())).size).toBe(PATIENTS.length);
    const holds = await owner.db.selectFrom('hold').select(['hold_id', 'state']).execute();
    expect(holds.map((hold) => hold.state)).toEqual(PATIENTS.map(() => 'LIVE'));
    const reserved = await owner.db.selectFrom('reservation').select('hold_id').where('purpose', '=', 'HOLD').execute();
    expect(reserved.map((row) => row.hold_id).sort()).toEqual(made.map((offer) => offer.hold_id).sort());
    for (const [index, n] of PATIENTS.entries()) {
      await delivered(system, n, 2);
      expect(await stepsOf(visit(index))).toEqual(['offered']);
      expect((await ledger(system, visit(index))).map((line) => line.split(' ')[0])).toEqual([
        'confirmation',
        'move_offer',
      ]);
    }
    expect(await integrityFaults(owner)).toEqual([]);
  }, 300_000);

  it('moves the visit of who accepts, and takes the next step of who declines, once', async () => {
    const [accepted, declined] = [await offerOf(visit(0)), await offerOf(visit(1))];
    const next = { at: 'offered', appointmentId: visit(1) } as const;
    await gates.shut(next);
    for (const [offer, verb] of [
      [accepted, 'accept'],
      [declined, 'decline'],
    ] as const) {
      const params = { path: { offerId: offer.offer_id } };
      await answerOf(system.desk.POST(`/api/v1/offers/{offerId}/${verb}`, { params }));
    }
    // In the step's transaction: a second time is held and offered, and none of it stays.
    await killAt(next);
    expect((await states()).slice(0, 2)).toEqual(['MOVED', 'PENDING']);
    await system.startRole('worker');

    await eventually(
      async () => expect(await states()).toEqual(['MOVED', ...Array<string>(7).fill('OFFERED')]),
      AFTER_A_KILL,
    );
    const moved = await readAppointment(system, visit(0));
    expect(moved).toMatchObject({ status: 'SCHEDULED', version: 2, providerId: providerId(AWAY) });
    expect(Date.parse(moved.appointmentTime)).toBe(accepted.slot_start.getTime());
    expect(await readAppointment(system, visit(1))).toMatchObject({ status: 'SCHEDULED', version: 1 });
    expect(await stepsOf(visit(1))).toEqual(['offered', 'offered']);

    // The offer and the news of what came of it, or another offer; the others have heard nothing since, nor a second time what they were told before.
    await delivered(system, PATIENTS[0], 3, 60_000);
    await delivered(system, PATIENTS[1], 3, 60_000);
    for (const n of PATIENTS.slice(2)) expect(await messagesTo(system, n)).toHaveLength(2);
    expect((await offers()).map((offer) => offer.state).sort()).toEqual([
      'ACCEPTED',
      'DECLINED',
      ...Array<string>(7).fill('OPEN'),
    ]);
    expect(await integrityFaults(owner)).toEqual([]);
  }, 300_000);
});

/** A point in the worker's writing about one visit: its item becomes so in a transaction not yet committed, or its offer is about to be noted as told. */
interface Gate {
  readonly at: 'offered' | 'told';
  readonly appointmentId: string;
}

interface Gates {
  readonly shut: (gate: Gate) => Promise<void>;
  /** Until whoever waited has gone through. */
  readonly open: (gate: Gate) => Promise<void>;
  /** Until the worker has come to it. */
  readonly waitsAt: (gate: Gate) => Promise<void>;
  readonly close: () => Promise<void>;
}

/** The first half of the gates' advisory locks: the product's own have but one. */
const GATES = 1_717;

/** Puts the gates into the test's database, so that a kill hits the same statement every time. All are open. */
async function installGates(owner: Connection, ownerUrl: string): Promise<Gates> {
  await sql`
    create function pass_gate() returns trigger language plpgsql as $$
      begin
        perform pg_advisory_xact_lock_shared(${sql.lit(GATES)}, hashtext(concat_ws(' ', coalesce(tg_argv[0], lower(to_jsonb(new) ->> 'state')), new.appointment_id)));
        return new;
      end $$;
    create trigger pass_gate before update of state on sick_day_item for each row
      when (new.state = 'OFFERED') execute function pass_gate();
    create trigger pass_gate before update of told_at on offer for each row execute function pass_gate('told')`.execute(
    owner.db,
  );
  // A session of its own and no pool's, which ends one that is idle: the locks are the session's.
  const keeper = new pg.Client({ connectionString: ownerUrl, application_name: 'gates' });
  await keeper.connect();
  const about = ({ at, appointmentId }: Gate) => [GATES, `${at} ${appointmentId}`];
  const waiting = async (gate: Gate): Promise<number> => {
    const { rows } = await keeper.query<{ pid: number }>(
      `select pid from pg_locks join pg_database d on d.oid = database
        where d.datname = current_database() and locktype = 'advisory' and not granted
          and classid = $1::integer::oid and objid = (hashtext($2)::bigint & 4294967295)::oid`,
      about(gate),
    );
    return rows.length;
  };
  return {
    shut: async (gate) => {
      await keeper.query('select pg_advisory_lock($1, hashtext($2))', about(gate));
    },
    open: async (gate) => {
      const { rows } = await keeper.query('select pg_advisory_unlock($1, hashtext($2)) as was_shut', about(gate));
      expect(rows).toEqual([{ was_shut: true }]);
      await eventually(async () => expect(await waiting(gate)).toBe(0));
    },
    waitsAt: (gate) => eventually(async () => expect(await waiting(gate)).toBe(1), AFTER_A_KILL),
    close: () => keeper.end(),
  };
}
