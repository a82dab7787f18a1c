import { afterEach, describe, expect, it } from '@jest/globals';
import type { Appointment } from 'fhir/r4.js';
import { appointmentResource, identifierToken } from '../../../src/integrations/fhir/appointment-resource.ts';
import { ehrCapabilities } from '../../../src/integrations/fhir/capabilities.ts';
import { createEhr, type Ehr, type EhrWrite } from '../../../src/integrations/fhir/client.ts';
import type { TokenSource } from '../../../src/integrations/fhir/smart-token.ts';
import type { EhrFailure } from '../../../src/integrations/fhir/failure.ts';
import { APPOINTMENT_ID, facts } from './facts.ts';
import { startScriptedServer, type Arrived, type Scripted, type ScriptedServer } from './scripted-server.ts';

const appointment = appointmentResource(facts(), 'checked-in');
const stored = (id: string, versionId?: string): Appointment => ({
  ...appointment,
  id,
  meta: versionId === undefined ? {} : { versionId },
});
const create: EhrWrite<Appointment> = {
  kind: 'create',
  resource: appointment,
  unlessIdentifier: identifierToken(APPOINTMENT_ID),
};
const update: EhrWrite<Appointment> = { kind: 'update', id: '42', version: '3', resource: stored('42') };

const servers: ScriptedServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function ehrThat(
  answer: (request: Arrived, count: number) => Scripted,
  given: { readonly tokens?: TokenSource; readonly timeoutMs?: number } = {},
): Promise<{ ehr: Ehr; server: ScriptedServer }> {
  const server = await startScriptedServer(answer);
  servers.push(server);
  const ehr = createEhr({
    baseUrl: `${server.url}/fhir`,
    capabilities: ehrCapabilities({}),
    tokens: { token: () => Promise.resolve('token-1'), replace: () => Promise.resolve('token-2') },
    now: () => new Date('2027-03-15T09:00:00Z'),
    timeoutMs: 20_000,
    ...given,
  });
  return { ehr, server };
}

function failureOf(work: Promise<unknown>): Promise<EhrFailure> {
  return work.then(
    () => {
      throw new Error('it succeeded');
    },
    (error: unknown) => (error as { failure: EhrFailure }).failure,
  );
}

describe('speaking with an EHR', () => {
  it('creates unless the identifier is there, with a token, past every cache', async () => {
    const { ehr, server } = await ehrThat(() => ({ status: 201, body: stored('42', '1') }));
    expect(await ehr.write(create)).toMatchObject({ created: true, id: '42', version: '1' });
    const [request] = server.arrived;
    expect(request).toMatchObject({ method: 'POST', url: '/fhir/Appointment' });
    expect(request?.headers).toMatchObject({
      authorization: 'Bearer token-1',
      'cache-control': 'no-cache',
      'content-type': 'application/fhir+json',
      'if-none-exist': new URLSearchParams({ identifier: identifierToken(APPOINTMENT_ID) }).toString(),
    });
    expect(JSON.parse(request?.body ?? '')).toEqual(appointment);
  });

  it('tells an existing resource from a created one', async () => {
    const { ehr } = await ehrThat(() => ({ status: 200, body: stored('42', '5') }));
    expect(await ehr.write(create)).toMatchObject({ created: false, id: '42', version: '5' });
  });

  it('changes only the version it read', async () => {
    const { ehr, server } = await ehrThat(() => ({ body: stored('42', '4') }));
    expect(await ehr.write(update)).toMatchObject({ id: '42', version: '4' });
    expect(server.arrived[0]).toMatchObject({ method: 'PUT', url: '/fhir/Appointment/42' });
    expect(server.arrived[0]?.headers['if-match']).toBe('W/"3"');
  });

  it.each([
    ['W/"7"', '7'],
    ['"7"', '7'],
    ['7', '7'],
    ['W/"no version!"', null],
  ])(
    'takes id and version from the headers of an answer without a body, the ETag written %s',
    async (etag, version) => {
      const location = 'https://inner.example/fhir/Appointment/42/_history/7';
      const { ehr } = await ehrThat(() => ({ status: 201, headers: { etag, location } }));
      expect(await ehr.write(create)).toEqual({ created: true, id: '42', version, resource: undefined });
    },
  );

  it('replaces a refused token once and repeats the request', async () => {
    const refused: string[] = [];
    const tokens: TokenSource = {
      token: () => Promise.resolve('token-1'),
      replace: (token) => {
        refused.push(token);
        return Promise.resolve('token-2');
      },
    };
    const answer = (_request: Arrived, count: number) => (count === 1 ? { status: 401 } : { body: stored('42', '1') });
    const { ehr, server } = await ehrThat(answer, { tokens });
    expect(await ehr.read('Appointment', '42')).toMatchObject({ id: '42' });
    expect(refused).toEqual(['token-1']);
    expect(server.arrived.map((request) => request.headers.authorization)).toEqual([
      'Bearer token-1',
      'Bearer token-2',
    ]);
  });

  it('gives up when the new token is refused as well', async () => {
    const { ehr, server } = await ehrThat(() => ({ status: 401 }));
    expect(await failureOf(ehr.read('Appointment', '42'))).toMatchObject({ kind: 'permanent', scope: 'server' });
    expect(server.arrived).toHaveLength(2);
  });

  it.each(['../Patient/9', '', '..', 'a/b', 'a?b', 'x'.repeat(65)])('sends nothing for the id %p', async (id) => {
    const { ehr, server } = await ehrThat(() => ({ body: stored('42') }));
    expect(await failureOf(ehr.read('Appointment', id))).toMatchObject({ kind: 'permanent', scope: 'entry' });
    expect(server.arrived).toEqual([]);
  });

  it('reads every page of a search', async () => {
    const { ehr, server } = await ehrThat((request, count) => ({
      body: {
        resourceType: 'Bundle',
        type: 'searchset',
        link:
          count < 3 ? [{ relation: 'next', url: `http://${request.headers.host ?? ''}/fhir?page=${count + 1}` }] : [],
        entry: [{ resource: stored(`id-${count}`) }, { resource: { resourceType: 'OperationOutcome', issue: [] } }],
      },
    }));
    const found = await ehr.search('Appointment', { identifier: identifierToken(APPOINTMENT_ID) });
    expect(found.map(({ id }) => id)).toEqual(['id-1', 'id-2', 'id-3']);
    expect(server.arrived.map(({ url }) => url)).toEqual([
      `/fhir/Appointment?${new URLSearchParams({ identifier: identifierToken(APPOINTMENT_ID) }).toString()}`,
      '/fhir?page=2',
      '/fhir?page=3',
    ]);
  });

  it('takes its token to no other origin, wherever a page link leads', async () => {
    const elsewhere = await ehrThat(() => ({ body: { resourceType: 'Bundle', type: 'searchset' } }));
    const { ehr } = await ehrThat(() => ({
      body: {
        resourceType: 'Bundle',
        type: 'searchset',
        link: [{ relation: 'next', url: `${elsewhere.server.url}/fhir?page=2` }],
      },
    }));
    expect(await failureOf(ehr.search('Appointment', {}))).toMatchObject({ reason: 'page_link_elsewhere' });
    expect(elsewhere.server.arrived).toEqual([]);
  });

  it('follows no redirect', async () => {
    const elsewhere = await ehrThat(() => ({ body: stored('42') }));
    const { ehr } = await ehrThat(() => ({ status: 307, headers: { location: `${elsewhere.server.url}/fhir` } }));
    expect(await failureOf(ehr.write(create))).toMatchObject({ kind: 'permanent', reason: 'http_307' });
    expect(elsewhere.server.arrived).toEqual([]);
  });

  it('leaves pages that link in a circle', async () => {
    const { ehr, server } = await ehrThat((request) => ({
      body: {
        resourceType: 'Bundle',
        type: 'searchset',
        link: [{ relation: 'next', url: `http://${request.headers.host ?? ''}/fhir?page=2` }],
      },
    }));
    expect(await failureOf(ehr.search('Appointment', {}))).toMatchObject({ reason: 'too_many_pages' });
    expect(server.arrived).toHaveLength(50);
  });

  it('waits no longer than it may', async () => {
    const { ehr } = await ehrThat(() => 'hang', { timeoutMs: 50 });
    expect(await failureOf(ehr.write(create))).toMatchObject({
      kind: 'transient',
      mayHaveHappened: true,
      reason: 'timeout',
    });
  });

  it('says that a write may have happened when the connection breaks', async () => {
    const { ehr } = await ehrThat(() => 'close');
    expect(await failureOf(ehr.write(create))).toMatchObject({
      kind: 'transient',
      scope: 'server',
      mayHaveHappened: true,
    });
  });

  it('stops with the caller, and throws the caller’s reason', async () => {
    const stop = new AbortController();
    const { ehr } = await ehrThat(() => {
      stop.abort(new Error('the caller is gone'));
      return 'hang';
    });
    await expect(ehr.write(create, { signal: stop.signal })).rejects.toThrow('the caller is gone');
  });

  it('takes a proxy’s page and a body of null for an answer that cannot be read', async () => {
    const page = await ehrThat(() => ({
      status: 200,
      headers: { 'content-type': 'text/html' },
      body: '<html></html>',
    }));
    expect(await failureOf(page.ehr.write(create))).toMatchObject({ kind: 'transient', mayHaveHappened: true });
    const empty = await ehrThat(() => ({ body: 'null' }));
    expect(await failureOf(empty.ehr.write(create))).toMatchObject({ kind: 'transient', mayHaveHappened: true });
    const gateway = await ehrThat(() => ({
      status: 502,
      headers: { 'content-type': 'text/html' },
      body: '<html></html>',
    }));
    expect(await failureOf(gateway.ehr.write(create))).toMatchObject({ kind: 'transient', reason: 'http_502' });
  });

  it('honours Retry-After', async () => {
    const { ehr } = await ehrThat(() => ({ status: 429, headers: { 'retry-after': '12' } }));
    expect(await failureOf(ehr.write(create))).toMatchObject({ retryAfterMs: 12_000, mayHaveHappened: false });
  });
});

describe('several writes in one batch', () => {
  const outcome = { resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'business-rule' }] };
  const response = (...entry: unknown[]) => ({ body: { resourceType: 'Bundle', type: 'batch-response', entry } });

  it('is posted to the base itself, each entry with its condition', async () => {
    const { ehr, server } = await ehrThat(() =>
      response(
        { response: { status: '201 Created', location: 'Appointment/1/_history/1' } },
        { response: { status: '200' }, resource: stored('42', '4') },
      ),
    );
    await ehr.writeBatch([create, update]);
    expect(server.arrived[0]?.url).toBe('/fhir');
    expect(JSON.parse(server.arrived[0]?.body ?? '')).toEqual({
      resourceType: 'Bundle',
      type: 'batch',
      entry: [
        {
          resource: appointment,
          request: {
            method: 'POST',
            url: 'Appointment',
            ifNoneExist: new URLSearchParams({ identifier: identifierToken(APPOINTMENT_ID) }).toString(),
          },
        },
        { resource: stored('42'), request: { method: 'PUT', url: 'Appointment/42', ifMatch: 'W/"3"' } },
      ],
    });
  });

  it('gives every entry the answer that is its own', async () => {
    const { ehr } = await ehrThat(() =>
      response(
        { response: { status: '201 Created', location: 'Appointment/1/_history/1', etag: '1' } },
        { response: { status: '200 OK' }, resource: stored('42', '4') },
        { response: { status: '422 Unprocessable Entity', outcome } },
        { response: { status: '429' }, resource: { ...outcome, issue: [{ severity: 'error', code: 'throttled' }] } },
        { response: {} },
      ),
    );
    const answers = await ehr.writeBatch([create, update, create, create, create]);
    expect(answers).toMatchObject([
      { ok: true, written: { created: true, id: '1', version: '1', resource: undefined } },
      { ok: true, written: { created: false, id: '42', version: '4' } },
      { ok: false, failure: { kind: 'permanent', reason: 'http_422 business-rule' } },
      { ok: false, failure: { kind: 'transient', reason: 'http_429 throttled' } },
      { ok: false, failure: { kind: 'transient', scope: 'entry', mayHaveHappened: true } },
    ]);
  });

  it('believes nothing when there is not an answer for each', async () => {
    const { ehr } = await ehrThat(() => response({ response: { status: '201', location: 'Appointment/1' } }));
    expect(await failureOf(ehr.writeBatch([create, update]))).toMatchObject({
      kind: 'transient',
      mayHaveHappened: true,
    });
  });
});
