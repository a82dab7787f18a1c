import { generateKeyPairSync } from 'node:crypto';
import type { Appointment } from 'fhir/r4.js';
import { v7 as uuidV7 } from 'uuid';
import { createSandbox, type Sandbox } from '../../../sandbox/sandbox.ts';
import type { StoredResource } from '../../../sandbox/ehr/resource.ts';
import { createEhrActivities, type EhrActivityContext, type SyncRunRef } from '../../../src/activities/ehr.ts';
import type { SyncCounts } from '../../../src/db/ehr.ts';
import { IDENTIFIER_SYSTEMS } from '../../../src/integrations/fhir/appointment-resource.ts';
import { createEhrs } from '../../../src/integrations/fhir/client.ts';
import type { EhrCredentials } from '../../../src/integrations/fhir/smart-token.ts';
import { createSchedulingDeps, type Act } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { aClinic, aPatient, aProvider, slotAt } from '../../support/builders.ts';
import type { TestDatabase } from '../../support/database.ts';

const CLIENT_ID = 'mediconnect';
const KEY_ID = 'ehr-key-1';

/** A sandbox, and what MediConnect needs to be let in. */
export interface EhrServer {
  readonly sandbox: Sandbox;
  readonly credentials: EhrCredentials;
}

export async function startEhrServer(): Promise<EhrServer> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const jwk = { ...publicKey.export({ format: 'jwk' }), kty: 'EC', kid: KEY_ID, alg: 'ES384' };
  const sandbox = await createSandbox({
    twilio: { accountSid: `AC${'0'.repeat(32)}`, authToken: 'unused-in-these-tests', fromNumbers: [] },
    sendgrid: { apiKey: 'SG.unused-in-these-tests' },
    oauth2: { jwtSecret: 'a-secret-that-these-tests-do-not-use', audience: 'unused' },
    ehr: { clients: [{ clientId: CLIENT_ID, jwks: { keys: [jwk] } }] },
  });
  return {
    sandbox,
    credentials: {
      clientId: CLIENT_ID,
      privateKey: privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
      keyId: KEY_ID,
    },
  };
}

/** An activity's context as Temporal would give it. */
export type GivenContext = Partial<Omit<EhrActivityContext, 'heartbeat'>> & {
  readonly onHeartbeat?: (details: unknown) => void;
};

export type EhrClinic = Awaited<ReturnType<typeof anEhrClinic>>;

/** A clinic with a provider, a patient and an EHR of its own, and the sync of its appointments. */
export async function anEhrClinic(
  db: TestDatabase,
  server: EhrServer,
  given: { readonly capabilities?: Record<string, unknown>; readonly credentials?: EhrCredentials } = {},
) {
  const clinic = await aClinic(db.owner);
  const patientId = await aPatient(db.owner, clinic);
  const providerId = await aProvider(db.owner, clinic);
  const { clinicId, slug } = clinic;
  const { sandbox } = server;
  sandbox.control.ehr.configure(slug, { requireIfMatch: true });
  await db.owner.db
    .insertInto('ehr_connection')
    .values({
      clinic_id: clinicId,
      base_url: `${sandbox.url}/ehr/${slug}/fhir`,
      capabilities: JSON.stringify(given.capabilities ?? {}),
    })
    .execute();

  const deps = createSchedulingDeps(db.app);
  const ehrOf = createEhrs({ credentials: given.credentials ?? server.credentials });

  function activities(context: GivenContext = {}) {
    const { onHeartbeat = () => undefined, ...rest } = context;
    return createEhrActivities({ connection: db.app, clock: Date.now, newId: () => uuidV7(), ehrOf }, () => ({
      attempt: 1,
      now: new Date(),
      heartbeatDetails: undefined,
      cancellationSignal: new AbortController().signal,
      heartbeat: onHeartbeat,
      ...rest,
    }));
  }

  const act = (now = new Date()): Act => ({ actor: { kind: 'staff', id: 'staff-1' }, clinicId, now });

  async function startRun(): Promise<SyncRunRef> {
    const run = await activities().startSyncRun({ clinicId, trigger: 'nightly' });
    if (run === null) throw new Error('no run');
    return run;
  }

  return {
    clinic,
    clinicId,
    slug,
    patientId,
    providerId,
    deps,
    act,
    activities,
    startRun,

    /** Books at a time of day, so many days ahead. */
    async book(days: number, time: string, durationMinutes = 30): Promise<string> {
      const { appointmentId } = await bookAppointment(deps, act(), {
        patientId,
        providerId,
        appointmentTime: slotAt(clinic, days, time),
        durationMinutes,
        registersPatient: false,
      });
      return appointmentId;
    },

    /** Books so many visits of half an hour, from tomorrow on. */
    async bookMany(count: number): Promise<string[]> {
      const ids: string[] = [];
      for (let index = 0; index < count; index += 1) {
        const half = index % 20;
        const time = `${String(8 + Math.floor(half / 2)).padStart(2, '0')}:${half % 2 === 0 ? '00' : '30'}`;
        ids.push(await this.book(1 + Math.floor(index / 20), time));
      }
      return ids;
    },

    /** The rest of a run, as the workflow drives it. */
    async finish(run: SyncRunRef, context: GivenContext = {}): Promise<SyncCounts> {
      const told = activities(context);
      for (let after: string | null = null; ;) {
        const page: { after: string | null } = await told.syncAppointmentsPage({ ...run, after });
        after = page.after;
        if (after === null) return told.finishSyncRun(run);
      }
    },

    async sync(context: GivenContext = {}): Promise<SyncCounts> {
      return this.finish(await startRun(), context);
    },

    /** What the EHR holds under our identifier. */
    inEhr(appointmentId: string): (Appointment & StoredResource)[] {
      return sandbox.control.ehr
        .resources(slug, 'Appointment')
        .map((resource) => resource as Appointment & StoredResource)
        .filter((resource) =>
          resource.identifier?.some(
            ({ system, value }) => system === IDENTIFIER_SYSTEMS.appointment && value === appointmentId,
          ),
        );
    },

    /** The one resource that the EHR holds under our identifier. */
    theOneInEhr(appointmentId: string): Appointment & StoredResource {
      const found = this.inEhr(appointmentId);
      const [resource] = found;
      if (resource === undefined || found.length > 1) throw new Error(`${found.length} resources`);
      return resource;
    },

    /** Changes it as the clinic's own staff would. */
    editInEhr(appointmentId: string, change: Partial<Appointment>): void {
      const edited: unknown = JSON.parse(JSON.stringify({ ...this.theOneInEhr(appointmentId), ...change }));
      sandbox.control.ehr.seed(slug, [edited]);
    },

    async link(appointmentId: string) {
      return db.owner.db
        .selectFrom('ehr_link')
        .selectAll()
        .where('appointment_id', '=', appointmentId)
        .executeTakeFirst();
    },

    async runs() {
      return db.owner.db
        .selectFrom('ehr_sync_run')
        .selectAll()
        .where('clinic_id', '=', clinicId)
        .orderBy('run_id')
        .execute();
    },

    async items(runId: string) {
      return db.owner.db
        .selectFrom('ehr_sync_item')
        .selectAll()
        .where('run_id', '=', runId)
        .orderBy('appointment_id')
        .execute();
    },
  };
}
