import type { Appointment } from 'fhir/r4.js';
import { sql, type Selectable } from 'kysely';
import type pg from 'pg';
import { AppError } from '../domain/errors.ts';
import type { AppointmentRow } from './appointments.ts';
import { translated, type Connection, type Tx } from './connection.ts';
import type { Database } from './schema.ts';

/** Where the clinic's EHR is and what it accepts, as it was configured. */
export type EhrConnectionRow = Selectable<Database['ehr_connection']>;

/** The clinic's EHR connection. @throws AppError `ehr_not_configured` */
export async function ehrConnection(tx: Tx): Promise<EhrConnectionRow> {
  const row = await tx.selectFrom('ehr_connection').selectAll().executeTakeFirst();
  if (row === undefined) throw new AppError('ehr_not_configured');
  return row;
}

/** What `ehr_link.snapshot` holds of one appointment. */
export interface EhrSnapshot {
  /** What we said when the EHR last took it; null if it did not store it as told. */
  readonly told: Appointment | null;
  /** What the EHR held after that, its own additions included. */
  readonly stored: Appointment | null;
  /** What was sent since without an answer, oldest first. */
  readonly unanswered: readonly Appointment[];
}

/** How an appointment stands with the EHR: `UNKNOWN` has been sent and not answered. */
export type EhrLinkState = Selectable<Database['ehr_link']>['state'];

/** An appointment whose version the EHR has not been told, and what is known of it there. */
export interface AppointmentAhead {
  readonly appointment: AppointmentRow;
  readonly ehrId: string | null;
  readonly ehrVersion: string | null;
  readonly syncedVersion: number;
  readonly snapshot: EhrSnapshot;
}

/**
 * The next appointments that are ahead of the EHR, by id after `after`: those for whose present version it has not answered. What it has refused waits
 * for the next version. What this run has given up at its present version is left out, so that a page that is read again after a crash goes on where it
 * was.
 */
export async function appointmentsAhead(tx: Tx, page: PageAhead): Promise<AppointmentAhead[]> {
  const rows = await queryAhead(tx, page).execute();
  return rows.map(({ ehr_id, ehr_version_there, snapshot, synced_version, ...appointment }) => ({
    appointment,
    ehrId: ehr_id,
    ehrVersion: ehr_version_there,
    syncedVersion: synced_version ?? 0,
    snapshot: { told: null, stored: null, unanswered: [], ...(snapshot as Partial<EhrSnapshot> | null) },
  }));
}

interface PageAhead {
  readonly clinicId: string;
  readonly runId: string;
  readonly after: string | null;
  readonly limit: number;
}

/** The query of {@link appointmentsAhead}, whose plan a test looks at. */
export function queryAhead(tx: Tx, page: PageAhead) {
  return (
    tx
      .selectFrom('appointment as a')
      .leftJoin('ehr_link as l', 'l.appointment_id', 'a.appointment_id')
      .leftJoin('ehr_sync_item as i', (join) =>
        join
          .onRef('i.appointment_id', '=', 'a.appointment_id')
          .on('i.run_id', '=', page.runId)
          .onRef('i.appointment_version', '=', 'a.version')
          .on('i.outcome', '=', 'PARKED'),
      )
      .selectAll('a')
      .select(['l.ehr_id', 'l.ehr_version as ehr_version_there', 'l.snapshot', 'l.synced_version'])
      // Row-level security says the same, in a form that keeps the planner from the clinic's own index.
      .where('a.clinic_id', '=', page.clinicId)
      .where('i.run_id', 'is', null)
      .whereRef('a.ehr_version', '<', 'a.version')
      .$if(page.after !== null, (query) => query.where('a.appointment_id', '>', page.after))
      .orderBy('a.clinic_id')
      .orderBy('a.appointment_id')
      .limit(page.limit)
  );
}

/** An appointment's whole standing with the EHR. */
export interface EhrLinkChange {
  readonly appointmentId: string;
  readonly state: EhrLinkState;
  readonly reason: string | null;
  readonly ehrId: string | null;
  readonly ehrVersion: string | null;
  /** The version the EHR holds; 0 if none. */
  readonly syncedVersion: number;
  readonly snapshot: EhrSnapshot;
  /** Left out: as it was. */
  readonly syncedAt?: Date;
  /** The version for which the EHR has just answered, whether it took it or not. */
  readonly answeredVersion?: number;
}

/** Replaces what is known of these appointments at the EHR. Only for the clinic's one writer: it has read what it replaces. */
export async function saveLinks(tx: Tx, clinicId: string, links: readonly EhrLinkChange[]): Promise<void> {
  if (links.length === 0) return;
  await tx
    .insertInto('ehr_link')
    .values(
      links.map((link) => ({
        appointment_id: link.appointmentId,
        clinic_id: clinicId,
        ehr_id: link.ehrId,
        ehr_version: link.ehrVersion,
        synced_version: link.syncedVersion,
        snapshot: JSON.stringify(link.snapshot),
        state: link.state,
        reason: link.reason,
        synced_at: link.syncedAt ?? null,
      })),
    )
    .onConflict((conflict) =>
      conflict.column('appointment_id').doUpdateSet((eb) => ({
        ehr_id: eb.ref('excluded.ehr_id'),
        ehr_version: eb.ref('excluded.ehr_version'),
        synced_version: eb.ref('excluded.synced_version'),
        snapshot: eb.ref('excluded.snapshot'),
        state: eb.ref('excluded.state'),
        reason: eb.ref('excluded.reason'),
        synced_at: eb.fn.coalesce('excluded.synced_at', 'ehr_link.synced_at'),
      })),
    )
    .execute();
  const answered = links.filter((link) => link.answeredVersion !== undefined);
  if (answered.length === 0) return;
  const ids = answered.map((link) => link.appointmentId);
  const versions = answered.map((link) => link.answeredVersion);
  // In the order in which the doors lock the visits of a series.
  await sql`
    with answered as (
      select appointment_id, answer.version from unnest(${ids}::uuid[], ${versions}::integer[]) as answer (appointment_id, version)
        join appointment using (appointment_id) where clinic_id = ${clinicId} order by appointment_id for no key update of appointment
    )
    update appointment a set ehr_version = answered.version from answered where a.appointment_id = answered.appointment_id`.execute(
    tx,
  );
}

/** What the EHR has refused is to be told again: somebody has seen to it, here or there. */
export async function tellRefusedAgain(tx: Tx, clinicId: string): Promise<void> {
  await sql`
    with refused as (
      select appointment_id from ehr_link join appointment using (appointment_id)
        where ehr_link.clinic_id = ${clinicId} and state = 'REFUSED' order by appointment_id for no key update of appointment
    )
    update appointment a set ehr_version = least(ehr_version, version - 1) from refused where a.appointment_id = refused.appointment_id`.execute(
    tx,
  );
}

/** What became of one appointment in one run. */
export interface EhrSyncItem {
  readonly appointmentId: string;
  readonly appointmentVersion: number;
  readonly outcome: Selectable<Database['ehr_sync_item']>['outcome'];
  readonly reason: string | null;
  readonly ehrId: string | null;
}

/** Records outcomes; the later one counts when an appointment is met twice in a run. */
export async function saveItems(
  tx: Tx,
  run: { readonly clinicId: string; readonly runId: string },
  items: readonly EhrSyncItem[],
  recordedAt: Date,
): Promise<void> {
  if (items.length === 0) return;
  await tx
    .insertInto('ehr_sync_item')
    .values(
      items.map((item) => ({
        run_id: run.runId,
        clinic_id: run.clinicId,
        appointment_id: item.appointmentId,
        appointment_version: item.appointmentVersion,
        outcome: item.outcome,
        reason: item.reason,
        ehr_id: item.ehrId,
        recorded_at: recordedAt,
      })),
    )
    .onConflict((conflict) =>
      conflict.columns(['run_id', 'appointment_id']).doUpdateSet((eb) => ({
        appointment_version: eb.ref('excluded.appointment_version'),
        outcome: eb.ref('excluded.outcome'),
        reason: eb.ref('excluded.reason'),
        ehr_id: eb.ref('excluded.ehr_id'),
        recorded_at: eb.ref('excluded.recorded_at'),
      })),
    )
    .execute();
}

export interface SyncCounts {
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly parked: number;
}

/** Counts the run's outcomes anew and writes them on the run: counting up would count twice what a crash makes happen twice. */
export async function recountRun(tx: Tx, runId: string): Promise<SyncCounts> {
  const counted = tx
    .selectFrom('ehr_sync_item')
    .where('run_id', '=', runId)
    .select(({ fn }) => [
      fn.countAll<number>().filterWhere('outcome', '=', 'CREATED').as('created'),
      fn.countAll<number>().filterWhere('outcome', '=', 'UPDATED').as('updated'),
      fn.countAll<number>().filterWhere('outcome', '=', 'UNCHANGED').as('unchanged'),
      fn.countAll<number>().filterWhere('outcome', '=', 'PARKED').as('parked'),
    ]);
  return tx
    .with('counted', () => counted)
    .updateTable('ehr_sync_run')
    .from('counted')
    .set((eb) => ({
      created: eb.ref('counted.created'),
      updated: eb.ref('counted.updated'),
      unchanged: eb.ref('counted.unchanged'),
      parked: eb.ref('counted.parked'),
    }))
    .where('run_id', '=', runId)
    .returning(['ehr_sync_run.created', 'ehr_sync_run.updated', 'ehr_sync_run.unchanged', 'ehr_sync_run.parked'])
    .executeTakeFirstOrThrow();
}

export type SyncRunState = Selectable<Database['ehr_sync_run']>['state'];

/** The run's state. @throws AppError `not_found` */
export async function syncRunState(tx: Tx, runId: string): Promise<SyncRunState> {
  const row = await tx.selectFrom('ehr_sync_run').select('state').where('run_id', '=', runId).executeTakeFirst();
  if (row === undefined) throw new AppError('not_found');
  return row.state;
}

/** The clinic's oldest run that nobody has ended: asked for and not begun, or left by a run that was killed. */
export async function openSyncRun(tx: Tx): Promise<string | undefined> {
  const row = await tx
    .selectFrom('ehr_sync_run')
    .select('run_id')
    .where('state', '=', 'RUNNING')
    .orderBy('run_id')
    .limit(1)
    .executeTakeFirst();
  return row?.run_id;
}

export async function insertSyncRun(
  tx: Tx,
  run: {
    readonly runId: string;
    readonly clinicId: string;
    readonly trigger: 'nightly' | 'on_demand';
    readonly startedAt: Date;
  },
): Promise<void> {
  await tx
    .insertInto('ehr_sync_run')
    .values({
      run_id: run.runId,
      clinic_id: run.clinicId,
      trigger: run.trigger,
      state: 'RUNNING',
      reason: null,
      started_at: run.startedAt,
    })
    .execute();
}

/** Says on the run why it is waiting, while it is tried again. */
export async function noteTrouble(tx: Tx, runId: string, reason: string): Promise<void> {
  await tx
    .updateTable('ehr_sync_run')
    .set({ reason })
    .where('run_id', '=', runId)
    .where('state', '=', 'RUNNING')
    .execute();
}

/** Ends a run that reached its end. A run that has ended stays as it is. */
export async function finishRun(tx: Tx, runId: string, finishedAt: Date): Promise<void> {
  await tx
    .updateTable('ehr_sync_run')
    .set({ state: 'FINISHED', reason: null, finished_at: finishedAt })
    .where('run_id', '=', runId)
    .where('state', '=', 'RUNNING')
    .execute();
}

/** Ends every open run of the clinic as failed: what waits behind the one that failed would meet the same. */
export async function failOpenRuns(tx: Tx, reason: string, finishedAt: Date): Promise<void> {
  await tx
    .updateTable('ehr_sync_run')
    .set({ state: 'FAILED', reason, finished_at: finishedAt })
    .where('state', '=', 'RUNNING')
    .execute();
}

/** Sees to it that a clinic's EHR has one writer at a time, over all processes. */
export interface ClinicWriters {
  /**
   * @param work - is told when the lock is lost, and must stop
   * @throws AppError `temporarily_unavailable` while another one is at it, `database_unavailable`
   */
  alone<T>(clinicId: string, work: (lost: AbortSignal) => Promise<T>): Promise<T>;
}

/**
 * One writer a clinic, because no server makes a conditional create safe against a second one. The locks are a session's, since the work waits for
 * another system and must not keep a transaction open; all of a process share one connection, so that slow EHRs take none from the reminders. They end
 * with the connection, and with the process.
 */
export function createClinicWriters(connection: Connection): ClinicWriters {
  const writing = new Map<string, AbortController>();
  let session: { readonly client: pg.PoolClient; readonly onError: () => void } | undefined;
  let lastTurn: Promise<unknown> = Promise.resolve();

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = lastTurn.then(work);
    lastTurn = turn.catch(() => undefined);
    return turn;
  }

  async function openSession(): Promise<pg.PoolClient> {
    if (session !== undefined) return session.client;
    const client = await connection.pool.connect();
    session = { client, onError: () => closeSession(client, true) };
    client.on('error', session.onError);
    return client;
  }

  function closeSession(client: pg.PoolClient, isBroken: boolean): void {
    if (session?.client !== client) return;
    client.off('error', session.onError);
    session = undefined;
    client.release(isBroken);
    if (isBroken) for (const lost of writing.values()) lost.abort(new AppError('database_unavailable'));
  }

  async function ask(statement: 'pg_try_advisory_lock' | 'pg_advisory_unlock', clinicId: string): Promise<boolean> {
    const client = await openSession();
    try {
      const text = `select ${statement}(hashtextextended($1, 0)) as done`;
      const { rows } = await client.query<{ done: boolean }>(text, [`ehr-writer:${clinicId}`]);
      return rows[0]?.done === true;
    } catch (error) {
      closeSession(client, true);
      throw error;
    }
  }

  async function leave(clinicId: string): Promise<void> {
    writing.delete(clinicId);
    if (session === undefined) return;
    const { client } = session;
    await ask('pg_advisory_unlock', clinicId).catch(() => undefined);
    if (writing.size === 0) closeSession(client, false);
  }

  return {
    async alone(clinicId, work) {
      // The session would let itself in twice.
      if (writing.has(clinicId)) throw new AppError('temporarily_unavailable');
      const lost = new AbortController();
      writing.set(clinicId, lost);
      try {
        if (!(await translated(() => inTurn(() => ask('pg_try_advisory_lock', clinicId))))) {
          throw new AppError('temporarily_unavailable');
        }
        return await work(lost.signal);
      } finally {
        await inTurn(() => leave(clinicId));
      }
    },
  };
}
