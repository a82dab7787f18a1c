import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { InjectOptions } from 'light-my-request';
import { SCOPES } from '../../../src/api/authorization.ts';
import { exampleOf, requestExampleOf, type ExampleSchema } from '../../../src/api/documentation/example.ts';
import { aClinic, aPatient, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { aToken } from '../../support/tokens.ts';
import { thingsAt, type Things } from './authorization-world.ts';
import { ALL_OPERATIONS, FIXTURES, requestFor, type Cell } from './operations.ts';
import { startApi, type RunningApi } from './running-api.ts';

/*
 * Text that PostgreSQL cannot hold, in every field of every operation of the OpenAPI document: it is refused where it stands, never an error of ours, and
 * never stored as something else.
 */

interface BodySchema extends ExampleSchema {
  readonly oneOf?: readonly BodySchema[];
  readonly anyOf?: readonly BodySchema[];
  readonly items?: BodySchema;
  readonly properties?: Readonly<Record<string, BodySchema>>;
}

/** A text in a body: where it is, and the whole body with another in its place. */
interface Text {
  readonly pointer: string;
  readonly bodyWith: (text: string) => unknown;
}

/** Every text in a schema, however deep, in a value that is valid but for it. */
function textsIn(schema: BodySchema, name: string, given: unknown): Text[] {
  if (schema.oneOf !== undefined) return schema.oneOf.flatMap((kind) => textsIn(kind, name, undefined));
  if (schema.anyOf !== undefined) return schema.anyOf.flatMap((kind) => textsIn(kind, name, given));
  if (schema.properties !== undefined) {
    const whole = { ...(requestExampleOf(schema) as Record<string, unknown>), ...(given as object | undefined) };
    return Object.entries(schema.properties).flatMap(([field, each]) =>
      textsIn(each, field, whole[field]).map(({ pointer, bodyWith }) => ({
        pointer: `/${field}${pointer}`,
        bodyWith: (text) => ({ ...whole, [field]: bodyWith(text) }),
      })),
    );
  }
  if (schema.items !== undefined) {
    const [first = exampleOf(schema.items, name)] = Array.isArray(given) ? (given as unknown[]) : [];
    return textsIn(schema.items, name, first).map(({ pointer, bodyWith }) => ({
      pointer: `/0${pointer}`,
      bodyWith: (text) => [bodyWith(text)],
    }));
  }
  const holdsText = schema.type === 'string' || schema.enum?.some((value) => typeof value === 'string');
  return holdsText === true ? [{ pointer: '', bodyWith: (text) => text }] : [];
}

/** The media type of an operation's body, and its schema. */
function bodyOf({ operation, name }: Cell): { readonly type: string; readonly schema: BodySchema } {
  const { content } = operation.requestBody as { readonly content: Record<string, { readonly schema: BodySchema }> };
  const [media] = Object.entries(content);
  if (media === undefined) throw new Error(`${name} has a body of no type`);
  return { type: media[0], schema: media[1].schema };
}

const formOf = (fields: Readonly<Record<string, string>> | undefined) => new URLSearchParams(fields).toString();

let database: TestDatabase;
let api: RunningApi;
let clinic: Clinic;
let things: Things;
beforeAll(async () => {
  database = await createTestDatabase();
  api = await startApi(database.app, { limit: 1_000_000 });
  clinic = await aClinic(database.owner);
  things = await thingsAt(api, database, clinic);
});
afterAll(async () => {
  await api.close();
  await database.drop();
});

/** The address of an operation on the things of this world, the kind of a problem included. */
function urlOf({ path }: Cell, instead: Readonly<Record<string, string>> = {}): string {
  const known = new Map(Object.entries({ ...things, code: 'slot_taken', ...instead }));
  return path.replace(/\{(\w+)\}/g, (_match, name: string) => known.get(name) ?? '');
}

/** A request by somebody who may; signed, where that is what counts. */
async function requestOf(cell: Cell, headers: Readonly<Record<string, string>> = {}): Promise<InjectOptions> {
  const authorization = cell.operation['x-authorization'];
  if (authorization === undefined) {
    const signed = { 'x-twilio-signature': 'good', 'x-twilio-email-event-webhook-signature': 'good' };
    return { method: cell.method.toUpperCase() as 'GET', url: urlOf(cell), headers: { ...signed, ...headers } };
  }
  // Administrators reach most; what they may not, patients may.
  const role =
    (['clinic_admin', 'patient', 'operator'] as const).find((each) => each in authorization.roles) ?? 'support';
  const { patientId, clinicId } = things;
  const claims = role === 'patient' ? { patient_id: patientId } : { clinic_id: clinicId };
  const token = await aToken({ sub: `${role}-of-this-test`, role, scope: SCOPES.join(' '), ...claims });
  return requestFor(cell, things, { authorization: `Bearer ${token}`, ...headers });
}

/** What the answer says is wrong with the request. */
async function answerTo(request: InjectOptions) {
  const response = await api.app.inject(request);
  const { errors } = response.body === '' ? {} : response.json<{ errors?: { in: string; pointer: string }[] }>();
  return { status: response.statusCode, field: `${String(errors?.[0]?.in)} ${String(errors?.[0]?.pointer)}` };
}

/** The tables that hold this text anywhere. */
async function tablesWith(text: string): Promise<string[]> {
  const { db } = database.owner;
  const found: string[] = [];
  for (const { name } of await db.introspection.getTables()) {
    const { rows } = await sql`select 1 from ${sql.table(name)} as t where t::text like ${`%${text}%`}`.execute(db);
    if (rows.length > 0) found.push(name);
  }
  return found;
}

const byName = (cells: readonly Cell[]) => cells.map((cell) => [cell.name, cell] as const);

describe('half of a surrogate pair and NUL', () => {
  // A calendar file is one text, in which what cannot be read is left out and named (closures.test.ts).
  const withTexts = ALL_OPERATIONS.filter(
    (cell) => cell.operation.requestBody && bodyOf(cell).type !== 'text/calendar',
  );
  it.each(byName(withTexts))('are refused in every text of a body: %s', async (name, cell) => {
    const { type, schema } = bodyOf(cell);
    const request = await requestOf(cell, { 'content-type': type });
    for (const { pointer, bodyWith } of textsIn(schema, '', FIXTURES[name]?.body?.(things))) {
      for (const wrong of ['abc\ud800', '\udc00abc', 'abc\u0000def']) {
        const body = bodyWith(wrong);
        const payload = type === 'application/json' ? JSON.stringify(body) : formOf(body as Record<string, string>);
        const answer = await answerTo({ ...request, payload });
        expect([wrong, answer]).toEqual([wrong, { status: 400, field: `body ${pointer}` }]);
      }
    }
  });

  it.each(byName(ALL_OPERATIONS))('are nothing that an address or a header can say: %s', async (_name, cell) => {
    const request = await requestOf(cell);
    for (const { in: part, name } of cell.operation.parameters ?? []) {
      const asked = (wrong: string): InjectOptions => {
        if (part === 'path') return { ...request, url: urlOf(cell, { [name]: wrong }) };
        if (part === 'header')
          return { ...request, headers: { ...request.headers, [name]: decodeURIComponent(wrong) } };
        return { ...request, query: `${formOf(request.query as Record<string, string>)}&${name}=${wrong}` };
      };
      const { status } = await answerTo(asked('abc%00'));
      expect([name, String(status)]).toEqual([name, expect.stringMatching(/^4/)]);
      // UTF-8 of half a pair, and the first half of a character's UTF-8: no text, so it is either refused or left as it is written.
      for (const wrong of part === 'header' ? [] : ['abc%ED%A0%80', '%F0%9F%98']) {
        expect([name, wrong, (await answerTo(asked(wrong))).status < 500]).toEqual([name, wrong, true]);
      }
    }
  });

  it('are stored nowhere, nor is U+FFFD, which becomes of them', async () => {
    expect(await tablesWith('\ufffd')).toEqual([]);
    await aPatient(database.owner, clinic, { familyName: 'abc\ud800' });
    expect(await tablesWith('\ufffd')).toEqual(['patient']);
  });
});
