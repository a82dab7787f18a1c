import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'fhir-kit-client';
import { CLINIC_RESOURCES, appointment, byIdentifier, connect, fhirUrl } from './ehr-access.ts';
import { EHR_CLIENT_ID, TENANT, createAssertionKey, startSandbox } from './start-sandbox.ts';
import { loadValidator } from '../../../sandbox/ehr/validation.ts';
import type { FhirResource } from '../../../sandbox/ehr/resource.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const key = createAssertionKey('ES384', 'key-1');

let sandbox: Sandbox;
let client: Client;

beforeAll(async () => {
  sandbox = await startSandbox({ ehr: { clients: [{ clientId: EHR_CLIENT_ID, jwks: { keys: [key.publicJwk] } }] } });
});

beforeEach(async () => {
  sandbox.control.reset();
  sandbox.control.ehr.seed(TENANT, CLINIC_RESOURCES);
  client = await connect(sandbox, key);
});

afterAll(async () => sandbox.close());

type Stored = Record<string, unknown> & {
  resourceType: string;
  id: string;
  meta: { versionId: string; lastUpdated: string };
};
type Bundle = {
  resourceType: 'Bundle';
  total: number;
  link: { relation: string; url: string }[];
  entry?: {
    resource: Stored;
    fullUrl: string;
    response: { status: string; location?: string; etag?: string; outcome?: unknown };
  }[];
};

async function create(
  value: string,
  changes: Record<string, unknown> = {},
  headers: Record<string, string> = {},
): Promise<Stored> {
  return (await client.create({
    resourceType: 'Appointment',
    body: appointment(value, changes),
    options: { headers },
  })) as unknown as Stored;
}

async function find(query: string): Promise<Stored[]> {
  const bundle = (await client.request(`Appointment?${query}`)) as unknown as Bundle;
  return (bundle.entry ?? []).map(({ resource }) => resource);
}

function identifiersOf(resources: readonly Stored[]): string[] {
  return resources.flatMap((resource) => (resource['identifier'] as { value: string }[]).map(({ value }) => value));
}

/** The status and the OperationOutcome with which a call is refused. */
async function refusal(call: Promise<unknown>): Promise<{ status: number; outcome: { issue: { code: string }[] } }> {
  const error = (await call.then(
    () => new Error('it was not refused'),
    (caught: unknown) => caught,
  )) as { response?: { status: number; data: { issue: { code: string }[] } } };
  if (!error.response) throw error as unknown as Error;
  return { status: error.response.status, outcome: error.response.data };
}

describe('writing an appointment', () => {
  it('creates, reads and updates it, with versions', async () => {
    const created = await create('a-1');
    expect(created).toMatchObject({ status: 'booked', meta: { versionId: '1' } });
    const { response } = Client.httpFor(created) as unknown as { response: Response };
    expect(response.status).toBe(201);
    expect(response.headers.get('etag')).toBe('W/"1"');
    expect(response.headers.get('last-modified')).toMatch(/GMT$/);
    expect(response.headers.get('location')).toBe(`${fhirUrl(sandbox)}/Appointment/${created.id}/_history/1`);

    const read = await client.read({ resourceType: 'Appointment', id: created.id });
    expect(read).toEqual(created);
    const updated = await client.update({
      resourceType: 'Appointment',
      id: created.id,
      body: { ...created, status: 'fulfilled' },
      options: { headers: { 'If-Match': 'W/"1"' } },
    });
    expect(updated).toMatchObject({ status: 'fulfilled', meta: { versionId: '2' } });

    const history = (await client.history({ resourceType: 'Appointment', id: created.id })) as unknown as Bundle;
    expect(history.entry?.map(({ resource }) => resource['status'])).toEqual(['fulfilled', 'booked']);
    const first = await client.vread({ resourceType: 'Appointment', id: created.id, version: '1' });
    expect(first).toMatchObject({ status: 'booked' });
    expect(sandbox.control.ehr.resources(TENANT, 'Appointment')).toHaveLength(1);
  });

  it('answers without a body when only little is preferred', async () => {
    const created = await create('a-1', {}, { Prefer: 'return=minimal' });
    expect(created).toEqual({});
    expect(await find(byIdentifier('a-1'))).toHaveLength(1);
  });

  it.each<[string, Record<string, unknown>]>([
    ['a status that does not exist', { status: 'scheduled' }],
    [
      'a participant status that does not exist',
      { participant: [{ actor: { reference: 'Patient/ada' }, status: 'yes' }] },
    ],
    ['no participant', { participant: [] }],
    ['an instant without a zone', { start: '2031-03-15T10:00:00' }],
    ['a duration of zero', { minutesDuration: 0 }],
    ['a start without an end', { end: undefined }],
    ['booked without a time', { start: undefined, end: undefined }],
    ['a reason without a cancellation', { cancelationReason: { text: 'ill' } }],
    ['an unknown property', { cancellationReason: { text: 'ill' } }],
    ['an unknown patient', { participant: [{ actor: { reference: 'Patient/nobody' }, status: 'accepted' }] }],
  ])('refuses %s', async (_what, changes) => {
    const { status, outcome } = await refusal(create('a-1', changes));
    expect(status).toBe(422);
    expect(outcome).toMatchObject({
      resourceType: 'OperationOutcome',
      issue: expect.arrayContaining([expect.objectContaining({ severity: 'error' })]),
    });
    expect(await find(byIdentifier('a-1'))).toEqual([]);
  });

  it('answers 400 instead when the tenant is set so, and refuses statuses it does not let a client write', async () => {
    sandbox.control.ehr.configure(TENANT, { invalidStatus: 400, refusedStatuses: ['noshow'] });
    expect(await refusal(create('a-1', { status: 'scheduled' }))).toMatchObject({ status: 400 });
    expect(await refusal(create('a-1', { status: 'noshow' }))).toMatchObject({
      status: 422,
      outcome: { issue: [{ code: 'business-rule' }] },
    });
  });

  it('refuses a stale version, and a missing one when it is required', async () => {
    const created = await create('a-1');
    const update = (headers: Record<string, string>) =>
      client.update({ resourceType: 'Appointment', id: created.id, body: created, options: { headers } });
    await update({ 'If-Match': 'W/"1"' });
    expect(await refusal(update({ 'If-Match': 'W/"1"' }))).toMatchObject({ status: 412 });
    expect(await refusal(update({ 'If-Match': 'garbage' }))).toMatchObject({ status: 412 });
    sandbox.control.ehr.configure(TENANT, { staleStatus: 409, requireIfMatch: true });
    expect(await refusal(update({ 'If-Match': 'W/"1"' }))).toMatchObject({ status: 409 });
    expect(await refusal(update({}))).toMatchObject({ status: 412, outcome: { issue: [{ code: 'required' }] } });
    await expect(update({ 'If-Match': 'W/"2"' })).resolves.toMatchObject({ meta: { versionId: '3' } });
  });

  it('lets no client choose an id, delete, or write another id than the one in the URL', async () => {
    const created = await create('a-1');
    const body = { ...created, id: 'mine' };
    expect(await refusal(client.update({ resourceType: 'Appointment', id: 'mine', body }))).toMatchObject({
      status: 405,
    });
    expect(await refusal(client.update({ resourceType: 'Appointment', id: created.id, body }))).toMatchObject({
      status: 400,
    });
    expect(await refusal(client.delete({ resourceType: 'Appointment', id: created.id }))).toMatchObject({
      status: 405,
    });
    expect(await refusal(client.read({ resourceType: 'Appointment', id: 'mine' }))).toMatchObject({ status: 404 });
    expect(await refusal(client.read({ resourceType: 'Slot', id: 'mine' }))).toMatchObject({ status: 404 });
  });
});

describe('conditional create', () => {
  const onlyIfNew = (value: string) => ({ 'If-None-Exist': byIdentifier(value) });

  it('creates once, then answers with what is there, and refuses when that is not clear', async () => {
    const created = await create('a-1', {}, onlyIfNew('a-1'));
    const again = await create('a-1', { status: 'fulfilled' }, onlyIfNew('a-1'));
    expect((Client.httpFor(again) as unknown as { response: Response }).response.status).toBe(200);
    expect(again).toEqual(created);
    await create('a-1');
    expect(await refusal(create('a-1', {}, onlyIfNew('a-1')))).toMatchObject({ status: 412 });
  });

  it('creates one resource when twenty ask at once', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('a-1', {}, onlyIfNew('a-1'))));
    const statuses = answers.map(
      (answer) => (Client.httpFor(answer) as unknown as { response: Response }).response.status,
    );
    expect(statuses.toSorted()).toEqual([...Array.from({ length: 19 }, () => 200), 201]);
    expect(await find(byIdentifier('a-1'))).toHaveLength(1);
  });

  it('lets duplicates through when the tenant is set to be racy, as real servers are', async () => {
    sandbox.control.ehr.configure(TENANT, { conditionalCreate: 'racy' });
    await Promise.all(Array.from({ length: 20 }, () => create('a-1', {}, onlyIfNew('a-1'))));
    expect((await find(byIdentifier('a-1'))).length).toBeGreaterThan(1);
  });

  it('has no effect when the tenant ignores it', async () => {
    sandbox.control.ehr.configure(TENANT, { conditionalCreate: 'ignored' });
    await create('a-1', {}, onlyIfNew('a-1'));
    await create('a-1', {}, onlyIfNew('a-1'));
    expect(await find(byIdentifier('a-1'))).toHaveLength(2);
  });
});

describe('searching', () => {
  beforeEach(async () => {
    await create('early', { start: '2031-03-14T23:30:00-05:00', end: '2031-03-15T00:00:00-05:00' });
    await create('late', { start: '2031-03-16T10:00:00Z', end: '2031-03-16T10:30:00Z', status: 'cancelled' });
  });

  it.each([
    ['date=2031-03-15', ['early']],
    ['date=2031-03-14', []],
    ['date=2031-03', ['early', 'late']],
    ['date=ge2031-03-15&date=lt2031-03-16', ['early']],
    ['date=gt2031-03-15T12:00:00Z', ['late']],
    ['date=le2031-03-15T04:30:00Z', ['early']],
    ['status=booked', ['early']],
    ['status=booked,cancelled', ['early', 'late']],
    ['patient=Patient/ada', ['early', 'late']],
    ['patient=ada&practitioner=dr-lin&location=Location/main', ['early', 'late']],
    ['patient=dr-lin', []],
    ['identifier=early', ['early']],
    ['identifier=https://mediconnect.example/appointment|', ['early', 'late']],
    ['identifier=|early', []],
    ['_sort=-date', ['late', 'early']],
    ['_sort=status,-date', ['early', 'late']],
    ['_lastUpdated=ge2020', ['early', 'late']],
    ['_lastUpdated=lt2020', []],
  ])('finds by %s', async (query, expected) => {
    expect(identifiersOf(await find(query))).toEqual(expected);
  });

  it('finds what has changed since a moment', async () => {
    const [late] = (await find('identifier=late')) as [Stored];
    const updated = await client.update({
      resourceType: 'Appointment',
      id: late.id,
      body: { ...late, comment: 'moved' },
    });
    const since = (updated as unknown as Stored).meta.lastUpdated;
    expect(identifiersOf(await find(`_lastUpdated=ge${since}&_sort=_lastUpdated`))).toContain('late');
    expect(await find(`_lastUpdated=gt${since}`)).toEqual([]);
    const history = (await client.history({ resourceType: 'Appointment' })) as unknown as Bundle;
    expect(history.entry).toHaveLength(3);
  });

  it('pages by next links over a snapshot', async () => {
    for (const value of ['c', 'd', 'e']) await create(value);
    let bundle = (await client.request('Appointment?_count=2&_sort=_lastUpdated')) as unknown as Bundle;
    const seen = [...(bundle.entry ?? [])];
    await create('after the first page');
    while (bundle.link.some(({ relation }) => relation === 'next')) {
      bundle = (await client.nextPage({ bundle: bundle })) as unknown as Bundle;
      seen.push(...(bundle.entry ?? []));
    }
    expect(bundle.total).toBe(5);
    expect(identifiersOf(seen.map(({ resource }) => resource))).toEqual(['early', 'late', 'c', 'd', 'e']);
    expect(seen.at(0)?.fullUrl).toBe(`${fhirUrl(sandbox)}/Appointment/${seen.at(0)?.resource.id ?? ''}`);
  });

  it('finds people and places by identifier, also by POST', async () => {
    const query = 'identifier=https://mediconnect.example/patient|pt-1';
    const bundle = (await client.request(`Patient?${query}`)) as unknown as Bundle;
    expect(bundle.entry).toMatchObject([{ resource: { id: 'ada' } }]);
    const posted = (await client.resourceSearch({
      resourceType: 'Practitioner',
      searchParams: { identifier: 'p-1' },
      options: { postSearch: true },
    })) as unknown as Bundle;
    expect(posted.entry).toMatchObject([{ resource: { id: 'dr-lin' } }]);
  });

  it.each(['colour=red', 'date=tomorrow', 'status=', '_count=many', '_sort=colour'])('refuses %s', async (query) => {
    expect(await refusal(find(query))).toMatchObject({ status: 400 });
  });
});

describe('a batch', () => {
  function batch(...entries: { resource: unknown; request: Record<string, string> }[]): Promise<Bundle> {
    const body = { resourceType: 'Bundle' as const, type: 'batch' as const, entry: entries };
    return client.batch({ body: body }) as unknown as Promise<Bundle>;
  }
  const post = (value: string, changes: Record<string, unknown> = {}) => ({
    resource: appointment(value, changes),
    request: { method: 'POST', url: 'Appointment', ifNoneExist: byIdentifier(value) },
  });

  it('carries out each entry on its own', async () => {
    const existing = await create('there');
    const bundle = await batch(
      post('a-1'),
      post('a-2', { status: 'scheduled' }),
      post('there'),
      {
        resource: { ...existing, status: 'fulfilled' },
        request: { method: 'PUT', url: `Appointment/${existing.id}`, ifMatch: 'W/"1"' },
      },
      {
        resource: { ...existing, status: 'booked' },
        request: { method: 'PUT', url: `Appointment/${existing.id}`, ifMatch: 'W/"1"' },
      },
    );
    expect(bundle).toMatchObject({ resourceType: 'Bundle', type: 'batch-response' });
    expect(bundle.entry?.map(({ response }) => response.status)).toEqual([
      '201 Created',
      '422 Unprocessable Entity',
      '200 OK',
      '200 OK',
      '412 Precondition Failed',
    ]);
    expect(bundle.entry?.[0]?.response).toMatchObject({
      etag: 'W/"1"',
      location: expect.stringContaining('/_history/1'),
    });
    expect(bundle.entry?.[1]?.response.outcome).toMatchObject({ resourceType: 'OperationOutcome' });
    expect(identifiersOf(await find('_sort=_lastUpdated'))).toEqual(['a-1', 'there']);
  });

  it('refuses one entry on command', async () => {
    sandbox.control.faults.add({
      vendor: 'ehr',
      match: { entry: true, bodyIncludes: '"a-2"' },
      kind: 'status',
      status: 429,
      retryAfter: 3,
      times: 1,
    });
    const bundle = await batch(post('a-1'), post('a-2'));
    expect(bundle.entry?.map(({ response }) => response.status)).toEqual(['201 Created', '429 Too Many Requests']);
    expect(bundle.entry?.[1]?.response.outcome).toMatchObject({ issue: [{ code: 'throttled' }] });
    expect((await batch(post('a-2'))).entry).toMatchObject([{ response: { status: '201 Created' } }]);
  });

  it('refuses transactions and bundles that it cannot read', async () => {
    const transaction = { resourceType: 'Bundle' as const, type: 'transaction' as const, entry: [] };
    expect(await refusal(client.transaction({ body: transaction }))).toMatchObject({ status: 400 });
    expect(await refusal(batch({ resource: {}, request: {} }))).toMatchObject({ status: 400 });
  });
});

describe('faults on command', () => {
  it('refuses with an OperationOutcome and Retry-After', async () => {
    sandbox.control.faults.add({ vendor: 'ehr', kind: 'status', status: 429, retryAfter: 2, times: 1 });
    const error = (await create('a-1').catch((caught: unknown) => caught)) as {
      response: { status: number; data: unknown };
      config: { headers: Headers };
    };
    expect(error.response).toMatchObject({
      status: 429,
      data: { resourceType: 'OperationOutcome', issue: [{ code: 'throttled' }] },
    });
    expect(error.config.headers.get('retry-after')).toBe('2');
    await expect(create('a-1')).resolves.toMatchObject({ status: 'booked' });
  });

  it('writes and drops the connection; the write is found by identifier', async () => {
    sandbox.control.faults.add({
      vendor: 'ehr',
      match: { method: 'POST', path: '/Appointment' },
      kind: 'accept-then-drop',
      times: 1,
    });
    await expect(create('a-1')).rejects.toThrow('fetch failed');
    expect(await find(byIdentifier('a-1'))).toHaveLength(1);
  });
});

describe('what the server says of itself', () => {
  it('is valid FHIR', async () => {
    const metadata = (await client.capabilityStatement()) as unknown as FhirResource;
    expect(loadValidator()(metadata)).toEqual([]);
    await create('a-1');
    const bundle = (await client.request('Appointment')) as unknown as FhirResource;
    expect(loadValidator()(bundle)).toEqual([]);
  });

  it('takes no invalid seed, and the same seed twice without duplicates', () => {
    expect(() => sandbox.control.ehr.seed(TENANT, [{ resourceType: 'Patient', gender: 'none' }])).toThrow();
    const people = [
      { resourceType: 'Patient', identifier: [{ system: 'urn:s', value: 'pt-2' }], name: [{ text: 'Bo' }] },
    ];
    const [first] = sandbox.control.ehr.seed(TENANT, people);
    const [second] = sandbox.control.ehr.seed(TENANT, people);
    expect(second?.id).toBe(first?.id);
    expect(sandbox.control.ehr.resources(TENANT, 'Patient')).toHaveLength(2);
  });
});
