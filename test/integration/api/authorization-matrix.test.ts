import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ROLES, type Role } from '../../../src/api/authentication.ts';
import { SCOPES } from '../../../src/api/authorization.ts';
import { aClinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aToken } from '../../support/tokens.ts';
import { nothing, thingsAt, type Things } from './authorization-world.ts';
import { ALL_OPERATIONS, FIXTURES, KNOWN_TO_COLLEAGUES, namingsOf, requestFor, type Cell } from './operations.ts';
import { startApi, type RunningApi } from './running-api.ts';

/*
 * Every operation of the OpenAPI document × every role × whose the thing is, on real rows. What is expected follows from the operation's x-authorization.
 * An operation that is new fails here until FIXTURES in operations.ts say what to send.
 */

const SITUATIONS = ['own', "another's at the clinic", "another clinic's", 'nothing'] as const;
type Situation = (typeof SITUATIONS)[number];

const operations = ALL_OPERATIONS.filter(
  ({ path, operation }) => path.startsWith('/api/v1/') && operation['x-authorization'] !== undefined,
);

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

async function as(role: Role, scopes: readonly string[] = SCOPES): Promise<{ authorization: string }> {
  const { patientId, providerId, clinicId } = world.own;
  const token = await aToken({
    sub: role === 'patient' ? patientId : `${role}-of-the-matrix`,
    role,
    scope: scopes.join(' '),
    ...(role === 'patient' ? { patient_id: patientId } : { clinic_id: clinicId }),
    ...(role === 'provider' ? { provider_id: providerId } : {}),
  });
  return { authorization: `Bearer ${token}` };
}

/** What the table makes of a cell. `answered`: done, or refused by a rule of the business. */
type Outcome = 'answered' | '401' | '403' | '404';
function expected(cell: Cell, role: Role, situation: Situation): readonly Outcome[] {
  const { name, operation } = cell;
  const reach = operation['x-authorization']?.roles[role];
  const fixture = FIXTURES[name] ?? {};
  if (reach === undefined) return ['403'];
  if (fixture.lists !== undefined || fixture.makesInOwnClinic === true) return ['answered'];
  if (situation === 'nothing') return ['404'];
  if (situation === 'own' || reach === 'any') return ['answered'];
  if (role === 'patient') return [fixture.withAnyProvider === true ? 'answered' : '404'];
  if (situation === "another clinic's") return ['404'];
  if (reach !== 'own') return ['answered'];
  // Staff see their clinic; what they see there and is not theirs to touch is refused as such.
  return [namingsOf(cell).some(({ field }) => KNOWN_TO_COLLEAGUES.has(`${name} ${field}`)) ? '403' : '404'];
}

function outcomeOf(status: number): string {
  return (status >= 200 && status < 300) || [409, 412, 422].includes(status) ? 'answered' : String(status);
}

const ended = new Set<string>();

describe.each(operations.map((cell) => [cell.name, cell] as const))('%s', (name, cell) => {
  it('asks for a token', async () => {
    for (const situation of SITUATIONS) {
      const { statusCode } = await api.app.inject(requestFor(cell, world[situation], {}));
      expect(statusCode).toBe(401);
    }
  });

  // Deleting last: what is gone by then nobody else asks for.
  it.each(ROLES)('as the table says for a %s, whosever it is', async (role) => {
    const headers = await as(role);
    const said: Record<string, string> = {};
    const meant: Record<string, string> = {};
    for (const situation of [...SITUATIONS].reverse()) {
      const { statusCode, body } = await api.app.inject(requestFor(cell, world[situation], headers));
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
      const statusWith = async (scopesOfToken: readonly string[]) =>
        (await api.app.inject(requestFor(cell, world.own, await as(role, scopesOfToken)))).statusCode;
      expect({ name, role, status: await statusWith(others) }).toEqual({
        name,
        role,
        status: 403,
      });
      for (const scope of scopes) expect(await statusWith([scope])).not.toBe(403);
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
