import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { InjectOptions } from 'light-my-request';
import { openApiDocument } from '../../../scripts/build/openapi.ts';
import { ROLES, type Role } from '../../../src/api/authentication.ts';
import { SCOPES, type Reach } from '../../../src/api/authorization.ts';
import { DEFAULT_POLICY } from '../../../src/domain/policy.ts';
import { aClinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aToken } from '../../support/tokens.ts';
import { nothing, thingsAt, type Things } from './authorization-world.ts';
import { startApi, type RunningApi } from './running-api.ts';

/*
 * Every operation of the OpenAPI document × every role × whose the thing is, on real rows. What is expected follows from the operation's x-authorization.
 * An operation that is new fails here until FIXTURES says what to send.
 */

interface Documented {
  readonly operationId: string;
  readonly requestBody?: object;
  readonly 'x-authorization'?: { readonly scopes: readonly string[]; readonly roles: Partial<Record<Role, Reach>> };
}
interface Fixture {
  readonly query?: (things: Things) => Record<string, string>;
  /** Text is a calendar file. */
  readonly body?: (things: Things) => object | string;
  /** The id by which a list shows whose rows it gives; a list is about nothing in particular. */
  readonly lists?: keyof Things;
  /** What is made belongs to the caller's own clinic: there is nothing of anybody else's to touch. */
  readonly makesInOwnClinic?: true;
  /** It can be done once: whoever may and comes later finds nothing. */
  readonly endsIt?: true;
  /** A patient may do it with anybody's provider: what comes of it is their own. */
  readonly withAnyProvider?: true;
}

const visit = ({ patientId, providerId, freeStart }: Things) => ({
  patientId,
  providerId,
  appointmentTime: freeStart,
  durationMinutes: 30,
});
const search = ({ date }: Things) => ({ date, durationMinutes: '30' });

const FIXTURES: Readonly<Record<string, Fixture>> = {
  bookAppointment: { body: visit },
  listAppointments: { lists: 'appointmentId', query: () => ({ limit: '100' }) },
  moveAppointment: { body: () => ({ durationMinutes: 45 }) },
  bookAppointmentSeries: { body: (things) => ({ ...visit(things), everyWeeks: 1, count: 2 }) },
  placeHold: {
    body: ({ providerId, freeStart }) => ({ providerId, startTime: freeStart, durationMinutes: 30 }),
    withAnyProvider: true,
  },
  listClinics: { lists: 'clinicId', query: () => ({ limit: '100' }) },
  changeClinic: { body: () => ({ name: 'Riverside Clinic' }) },
  changePolicy: { body: () => DEFAULT_POLICY },
  searchAvailability: { query: search },
  searchClinicAvailability: { query: search },
  listProviders: { lists: 'providerId', query: () => ({ limit: '100' }) },
  createProvider: {
    makesInOwnClinic: true,
    body: () => ({ name: 'Dr. New', specialty: 'Cardiology', maxDailyAppointments: 8 }),
  },
  changeProvider: { body: () => ({ name: 'Dr. Ada Example' }) },
  changeHours: { body: () => ({ weekly: [], breaks: [] }) },
  overrideDate: { body: () => ({ windows: [{ startTime: '08:00', endTime: '18:00' }] }) },
  clearOverride: { endsIt: true },
  addTimeOff: { body: () => ({ from: '2090-02-01T08:00:00Z', to: '2090-02-01T12:00:00Z' }) },
  removeTimeOff: { endsIt: true },
  addClosure: { body: () => ({ fromDate: '2090-02-01', toDate: '2090-02-01', name: 'Holiday' }) },
  removeClosure: { endsIt: true },
  importClosures: { body: () => 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n' },
  previewScheduleChange: { body: ({ providerId, date }) => ({ kind: 'override', providerId, date, windows: [] }) },
  createPatient: {
    makesInOwnClinic: true,
    body: () => ({
      givenName: 'Alex',
      familyName: 'Sample',
      birthDate: '1990-01-01',
      locale: 'en-US',
      timeZone: 'Europe/Berlin',
      preferredChannel: 'email',
      email: 'alex@patients.example',
    }),
  },
  listPatients: { lists: 'patientId', query: () => ({ limit: '100' }) },
  changePatient: { body: () => ({ givenName: 'Jordan' }) },
  joinWaitlist: {
    body: ({ patientId, providerId, date }) => ({
      patientId,
      providerId,
      durationMinutes: 45,
      earliestDate: date,
      latestDate: date,
    }),
  },
  listWaitlistEntries: { lists: 'entryId', query: () => ({ limit: '100' }) },
  callInSick: {
    body: ({ providerId, freeStart }) => {
      const from = Date.parse(freeStart) + 40 * 86_400_000;
      return { providerId, from: new Date(from).toISOString(), to: new Date(from + 3_600_000).toISOString() };
    },
  },
  listSickDays: { lists: 'sickDayId', query: () => ({ limit: '100' }) },
  listMoveOffers: { lists: 'moveOfferId', query: () => ({ limit: '100' }) },
  listCallTasks: { lists: 'callTaskId', query: () => ({ limit: '100' }) },
  completeCallTask: { body: () => ({ outcome: 'kept' }) },
  listNotifications: { lists: 'notificationId', query: () => ({ limit: '100' }) },
  replayNotification: { body: () => ({ reason: 'a test' }) },
  replayNotifications: { body: (things) => ({ notificationIds: [things.notificationId], reason: 'a test' }) },
  syncEhr: { body: ({ clinicId }) => ({ clinicId }) },
  listEhrSyncs: { lists: 'runId' },
};

const SITUATIONS = ['own', "another's at the clinic", "another clinic's", 'nothing'] as const;
type Situation = (typeof SITUATIONS)[number];

const document = (await openApiDocument()) as { paths: Record<string, Record<string, Documented>> };
const operations = Object.entries(document.paths)
  .flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation, name: operation.operationId })),
  )
  .filter(({ path, operation }) => path.startsWith('/api/v1/') && operation['x-authorization'] !== undefined);

let database: TestDatabase;
let api: RunningApi;
let world: Record<Situation, Things>;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app, { limit: 1_000_000 });
  const clinic = await aClinic(database.owner);
  const own = await thingsAt(api, database, clinic);
  world = {
    own,
    "another's at the clinic": await thingsAt(api, database, clinic),
    "another clinic's": await thingsAt(api, database, await aClinic(database.owner)),
    nothing: nothing(own),
  };
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

async function tokenOf(role: Role, scopes: readonly string[] = SCOPES): Promise<string> {
  const { patientId, providerId, clinicId } = world.own;
  return aToken({
    sub: role === 'patient' ? patientId : `${role}-of-the-matrix`,
    role,
    scope: scopes.join(' '),
    ...(role === 'patient' ? { patient_id: patientId } : { clinic_id: clinicId }),
    ...(role === 'provider' ? { provider_id: providerId } : {}),
  });
}

type Cell = (typeof operations)[number];
function requestFor({ path, method, operation, name }: Cell, things: Things, token?: string): InjectOptions {
  const fixture = FIXTURES[name];
  if (fixture?.body === undefined && operation.requestBody !== undefined) throw new Error(`${name} needs a body`);
  if (fixture === undefined && !path.includes('{')) throw new Error(`${name} needs a fixture`);
  const url = path.replace(/\{(\w+)\}/g, (_match, parameter: string) => {
    const value = (things as unknown as Record<string, string | undefined>)[parameter];
    if (value === undefined) throw new Error(`${name}: the world has no ${parameter}`);
    return value;
  });
  const payload = fixture?.body?.(things);
  return {
    method: method.toUpperCase() as 'GET',
    url,
    ...(fixture?.query === undefined ? {} : { query: fixture.query(things) }),
    ...(payload === undefined ? {} : { payload }),
    headers: {
      'if-match': '"1"',
      ...(typeof payload === 'string' ? { 'content-type': 'text/calendar' } : {}),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    },
  };
}

/** What the table makes of a cell. `answered`: done, or refused by a rule of the business. */
type Outcome = 'answered' | '401' | '403' | '404';
function expected({ name, operation }: Cell, role: Role, situation: Situation): readonly Outcome[] {
  const reach = operation['x-authorization']?.roles[role];
  const fixture = FIXTURES[name] ?? {};
  if (reach === undefined) return ['403'];
  if (fixture.lists !== undefined || fixture.makesInOwnClinic === true) return ['answered'];
  if (situation === 'nothing') return ['404'];
  if (situation === 'own' || reach === 'any') return ['answered'];
  if (role === 'patient') return [fixture.withAnyProvider === true ? 'answered' : '404'];
  if (situation === "another clinic's") return ['404'];
  // Staff see their clinic; what is not theirs to touch there is refused as such.
  return [reach === 'own' ? '403' : 'answered'];
}

function outcomeOf(status: number): string {
  return (status >= 200 && status < 300) || [409, 412, 422].includes(status) ? 'answered' : String(status);
}

const ended = new Set<string>();

describe.each(operations.map((cell) => [cell.name, cell] as const))('%s', (name, cell) => {
  it('asks for a token', async () => {
    for (const situation of SITUATIONS) {
      const { statusCode } = await api.app.inject(requestFor(cell, world[situation]));
      expect(statusCode).toBe(401);
    }
  });

  // Deleting last: what is gone by then nobody else asks for.
  it.each(ROLES)('as the table says for a %s, whosever it is', async (role) => {
    const token = await tokenOf(role);
    const said: Record<string, string> = {};
    const meant: Record<string, string> = {};
    for (const situation of [...SITUATIONS].reverse()) {
      const { statusCode, body } = await api.app.inject(requestFor(cell, world[situation], token));
      const outcomes = expected(cell, role, situation);
      said[situation] = outcomeOf(statusCode);
      meant[situation] = outcomes.join(' or ');
      const done = `${name}: ${situation}`;
      if (said[situation] === '404' && ended.has(done) && meant[situation] === 'answered') said[situation] = 'answered';
      if (FIXTURES[name]?.endsIt === true && statusCode < 300) ended.add(done);
      if (said[situation] === 'answered') expectOnlyVisible(cell, role, body);
    }
    expect(said).toEqual(meant);
  });

  it('is refused without its scope, and each of its scopes will do', async () => {
    const { scopes, roles } = cell.operation['x-authorization'] ?? { scopes: [], roles: {} };
    const others = SCOPES.filter((scope) => !scopes.includes(scope));
    for (const role of Object.keys(roles) as Role[]) {
      const statusWith = async (token: string) => (await api.app.inject(requestFor(cell, world.own, token))).statusCode;
      expect({ name, role, status: await statusWith(await tokenOf(role, others)) }).toEqual({
        name,
        role,
        status: 403,
      });
      for (const scope of scopes) expect(await statusWith(await tokenOf(role, [scope]))).not.toBe(403);
    }
  });
});

/** A list shows the rows within reach and no others. */
function expectOnlyVisible(cell: Cell, role: Role, body: string): void {
  const key = FIXTURES[cell.name]?.lists;
  const reach = cell.operation['x-authorization']?.roles[role];
  if (key === undefined) return;
  expect(body).toContain(world.own[key]);
  if (reach === 'any' || key === 'clinicId') return;
  expect(body.includes(world["another's at the clinic"][key])).toBe(reach === 'clinic');
  expect(body).not.toContain(world["another clinic's"][key]);
}
