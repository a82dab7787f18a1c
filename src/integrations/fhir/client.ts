import { Client } from 'fhir-kit-client';
import type { Bundle, BundleEntry, FhirResource } from 'fhir/r4.js';
import type { EhrCapabilities } from './capabilities.ts';
import {
  answerFailure,
  connectionFailure,
  EhrError,
  misconfigured,
  unreadableAnswer,
  type EhrFailure,
} from './failure.ts';
import { createTokenSource, type EhrCredentials, type TokenSource } from './smart-token.ts';

type ResourceType = FhirResource['resourceType'];
type ResourceOf<T extends ResourceType> = Extract<FhirResource, { resourceType: T }>;

/** A resource as the EHR holds it. */
export interface Stored<R> {
  readonly id: string;
  /** The version as the server counts it; null where it tells none. */
  readonly version: string | null;
  /** Undefined when the server answered without it: read it, or there is nothing to compare and merge with. */
  readonly resource: R | undefined;
}

/** A first write, or a change of what is there. */
export type EhrWrite<R> =
  | {
      readonly kind: 'create';
      readonly resource: R;
      /** `system|value`: written only if nothing with this identifier is there yet; null asks for no such check. */
      readonly unlessIdentifier: string | null;
    }
  | {
      readonly kind: 'update';
      readonly id: string;
      /** The version this change was made from; null sends no If-Match. */
      readonly version: string | null;
      readonly resource: R;
    };

/** `created: false` on a create: something with the identifier was there already, and was left as it is. */
export type Written<R> = { readonly created: boolean } & Stored<R>;
export type EntryAnswer<R> =
  { readonly ok: true; readonly written: Written<R> } | { readonly ok: false; readonly failure: EhrFailure };

export interface CallOptions {
  /** Ends the call; its reason is thrown. */
  readonly signal?: AbortSignal;
}

/** One clinic's EHR. Every call may throw an {@link EhrError}. */
export interface Ehr {
  readonly capabilities: EhrCapabilities;
  read<T extends ResourceType>(type: T, id: string, call?: CallOptions): Promise<Stored<ResourceOf<T>>>;
  /** Everything that matches, over all pages (at most {@link MAX_PAGES}). */
  search<T extends ResourceType>(
    type: T,
    query: Readonly<Record<string, string>>,
    call?: CallOptions,
  ): Promise<Stored<ResourceOf<T>>[]>;
  write<R extends FhirResource>(write: EhrWrite<R>, call?: CallOptions): Promise<Written<R>>;
  /** Several writes in one request; each has its own answer, in the same order. Throws when the bundle itself was not served. */
  writeBatch<R extends FhirResource>(writes: readonly EhrWrite<R>[], call?: CallOptions): Promise<EntryAnswer<R>[]>;
}

export interface EhrOptions {
  /** The FHIR base. */
  readonly baseUrl: string;
  readonly capabilities: EhrCapabilities;
  readonly tokens: TokenSource;
  readonly now: () => Date;
  /** How long one request may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** One EHR per clinic, each with its own tokens; made once and kept as long as base and capabilities stay the same. */
export function createEhrs(options: {
  readonly credentials: EhrCredentials;
  readonly now?: () => Date;
  readonly timeoutMs?: number;
}): (connection: {
  readonly clinicId: string;
  readonly baseUrl: string;
  readonly capabilities: EhrCapabilities;
}) => Ehr {
  const { credentials, now = () => new Date(), timeoutMs = 20_000 } = options;
  const known = new Map<string, { readonly key: string; readonly ehr: Ehr }>();
  return ({ clinicId, baseUrl, capabilities }) => {
    const key = JSON.stringify([baseUrl, capabilities]);
    const found = known.get(clinicId);
    if (found?.key === key) return found.ehr;
    const tokens = createTokenSource({ baseUrl, credentials, scope: capabilities.scope, now, timeoutMs });
    const ehr = createEhr({ baseUrl, capabilities, tokens, now, timeoutMs });
    known.set(clinicId, { key, ehr });
    return ehr;
  };
}

/** More pages than any search by identifier has: a server that links in a circle is left. */
const MAX_PAGES = 50;

interface Outgoing {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: FhirResource;
}

interface Incoming {
  /** Undefined when the answer had no body. */
  readonly body: unknown;
  readonly status: number;
  readonly labels: Labels;
}

/**
 * Speaks R4 with one EHR. Reads are never from a cache (`no-cache`: HAPI answers a repeated search from one for a minute), redirects are not
 * followed, ids and page links are checked, because the library sends our token to whatever they name.
 */
export function createEhr({ baseUrl, capabilities, tokens, now, timeoutMs }: EhrOptions): Ehr {
  const base = baseUrl.replace(/\/$/, '');
  const client = new Client({ baseUrl: base });

  async function send(
    { method, url, headers = {}, body }: Outgoing,
    token: string,
    call: CallOptions,
  ): Promise<Incoming> {
    call.signal?.throwIfAborted();
    const timeout = AbortSignal.timeout(timeoutMs);
    const answer = await client.request(url, {
      method,
      body,
      options: {
        signal: call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal]),
        redirect: 'manual',
        // With keepalive, the Fetch standard allows bodies of 64 KiB only.
        keepalive: false,
        headers: {
          authorization: `Bearer ${token}`,
          'cache-control': 'no-cache',
          prefer: 'return=representation',
          ...(body === undefined ? {} : { 'content-type': 'application/fhir+json' }),
          ...headers,
        },
      },
    });
    const { response } = Client.httpFor(answer);
    const location = response?.headers.get('location') ?? response?.headers.get('content-location');
    return { body: answer, status: response?.status ?? 0, labels: { etag: response?.headers.get('etag'), location } };
  }

  /** One request; a refused token is replaced once. */
  async function request(outgoing: Outgoing, call: CallOptions): Promise<Incoming> {
    const token = await tokens.token();
    try {
      return await send(outgoing, token, call).catch(async (error: unknown) => {
        if (statusOf(error) !== 401) throw error;
        return send(outgoing, await tokens.replace(token), call);
      });
    } catch (error) {
      call.signal?.throwIfAborted();
      throw toEhrError(error, now());
    }
  }

  return {
    capabilities,

    async read<T extends ResourceType>(type: T, id: string, call: CallOptions = {}) {
      const answer = await request({ method: 'GET', url: `${base}/${type}/${checkedId(id)}` }, call);
      return storedFrom(received<ResourceOf<T>>(type, answer.body), answer.labels, id);
    },

    async search<T extends ResourceType>(type: T, query: Readonly<Record<string, string>>, call: CallOptions = {}) {
      const found: Stored<ResourceOf<T>>[] = [];
      let url: string | undefined = `${base}/${type}?${new URLSearchParams(query).toString()}`;
      for (let page = 1; url !== undefined; page += 1) {
        if (page > MAX_PAGES) throw new EhrError(misconfigured('too_many_pages'));
        const answer: Incoming = await request({ method: 'GET', url }, call);
        const bundle = received<Bundle>('Bundle', answer.body);
        if (bundle === undefined) throw new EhrError(unreadableAnswer(answer.status));
        for (const entry of bundle.entry ?? []) {
          // A searchset may also carry an OperationOutcome with warnings, and what the matches refer to.
          const match = received<ResourceOf<T>>(type, entry.resource);
          if (match !== undefined) found.push(storedFrom(match, {}));
        }
        url = nextPage(bundle, base);
      }
      return found;
    },

    async write<R extends FhirResource>(write: EhrWrite<R>, call: CallOptions = {}) {
      const { method, url, ifMatch, ifNoneExist } = requestOf(write);
      const headers = {
        ...(ifMatch === undefined ? {} : { 'if-match': ifMatch }),
        ...(ifNoneExist === undefined ? {} : { 'if-none-exist': ifNoneExist }),
      };
      const answer = await request({ method, url: `${base}/${url}`, headers, body: write.resource }, call);
      return writtenFrom(write, answer);
    },

    async writeBatch<R extends FhirResource>(writes: readonly EhrWrite<R>[], call: CallOptions = {}) {
      const entry = writes.map((write) => ({ resource: write.resource, request: requestOf(write) }));
      const body: Bundle = { resourceType: 'Bundle', type: 'batch', entry };
      // Posted to the base itself: some gateways refuse the trailing slash that the library's own batch() adds.
      const answer = await request({ method: 'POST', url: base, body }, call);
      const entries = received<Bundle>('Bundle', answer.body)?.entry ?? [];
      // Without one answer for each nobody knows what was written.
      if (entries.length !== writes.length) throw new EhrError(unreadableAnswer(answer.status));
      return writes.map((write, index) => readEntry(write, entries[index], now()));
    },
  };
}

interface WriteRequest {
  readonly method: 'POST' | 'PUT';
  readonly url: string;
  readonly ifMatch?: string;
  readonly ifNoneExist?: string;
}

/** A write as an entry of a batch names it; sent alone, the conditions go into the headers of the same names. */
function requestOf(write: EhrWrite<FhirResource>): WriteRequest {
  const { resourceType } = write.resource;
  if (write.kind === 'update') {
    const ifMatch = write.version === null ? {} : { ifMatch: weakEtag(write.version) };
    return { method: 'PUT', url: `${resourceType}/${checkedId(write.id)}`, ...ifMatch };
  }
  // The header and the element hold the query alone.
  const query =
    write.unlessIdentifier === null ? '' : new URLSearchParams({ identifier: write.unlessIdentifier }).toString();
  return { method: 'POST', url: resourceType, ...(query === '' ? {} : { ifNoneExist: query }) };
}

/** A bundle is answered with 200 whatever became of its entries: only an entry's own status counts. */
function readEntry<R extends FhirResource>(
  write: EhrWrite<R>,
  entry: BundleEntry | undefined,
  now: Date,
): EntryAnswer<R> {
  const { response, resource } = entry ?? {};
  const status = Number(/^\s*(\d{3})\b/.exec(response?.status ?? '')?.[1] ?? Number.NaN);
  if (Number.isNaN(status)) return { ok: false, failure: { ...unreadableAnswer(0), scope: 'entry' } };
  if (status < 200 || status >= 300) {
    // Some servers put the outcome where the resource would be.
    return { ok: false, failure: answerFailure(status, response?.outcome ?? resource, undefined, now) };
  }
  try {
    const labels = { etag: response?.etag, location: response?.location };
    return { ok: true, written: writtenFrom(write, { body: resource, status, labels }) };
  } catch (error) {
    if (error instanceof EhrError) return { ok: false, failure: { ...error.failure, scope: 'entry' } };
    throw error;
  }
}

/** What came, if it is of the type that was meant. The one cast from untyped JSON: callers check what they rely on. */
// eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the caller names the type it asked for
function received<R extends FhirResource>(type: string, body: unknown): R | undefined {
  return (body as { resourceType?: unknown } | null | undefined)?.resourceType === type ? (body as R) : undefined;
}

interface Labels {
  readonly etag?: string | null | undefined;
  readonly location?: string | null | undefined;
}

function writtenFrom<R extends FhirResource>(write: EhrWrite<R>, { body, status, labels }: Incoming): Written<R> {
  const resource = received<R>(write.resource.resourceType, body);
  const stored = storedFrom(resource, labels, write.kind === 'update' ? write.id : undefined);
  return { created: write.kind === 'create' && status === 201, ...stored };
}

/** The id is taken from the body; a server that sends none, or no Location, is met by the other. */
function storedFrom<R extends FhirResource>(resource: R | undefined, labels: Labels, fallbackId?: string): Stored<R> {
  const id = resource?.id ?? idFromLocation(labels.location) ?? fallbackId;
  if (id === undefined || !FHIR_ID.test(id)) throw new EhrError(unreadableAnswer(200));
  return { id, version: resource?.meta?.versionId ?? versionFromEtag(labels.etag), resource };
}

/** hl7.org/fhir/R4/datatypes.html#id. The library does not encode ids: `../Patient/9` would reach another resource. */
const FHIR_ID = /^[A-Za-z0-9\-.]{1,64}$/;

function checkedId(id: string): string {
  if (!FHIR_ID.test(id) || id === '.' || id === '..')
    throw new EhrError({ ...misconfigured('invalid_id'), scope: 'entry' });
  return id;
}

function idFromLocation(location: string | null | undefined): string | undefined {
  return /\/?[A-Z][A-Za-z]+\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?\/?$/.exec(location ?? '')?.[1];
}

/** `W/"3"`; some servers leave out the `W/`, some the quotes as well. */
function versionFromEtag(etag: string | null | undefined): string | null {
  return /^(?:W\/)?"?([A-Za-z0-9\-.]{1,64})"?$/.exec(etag?.trim() ?? '')?.[1] ?? null;
}

function weakEtag(version: string): string {
  if (!FHIR_ID.test(version)) throw new EhrError({ ...misconfigured('invalid_version'), scope: 'entry' });
  return `W/"${version}"`;
}

/** The next page's address, if it is at the same origin: our token goes nowhere else. @throws EhrError */
function nextPage(bundle: Bundle, base: string): string | undefined {
  const link = bundle.link?.find((one) => one.relation === 'next')?.url;
  if (link === undefined) return undefined;
  const next = URL.canParse(link, `${base}/`) ? new URL(link, `${base}/`) : undefined;
  if (next?.origin !== new URL(base).origin) throw new EhrError(misconfigured('page_link_elsewhere'));
  return next.href;
}

/** What the library throws for an answer that is no success, or not JSON. */
interface AnsweredError {
  readonly response: { readonly status: number; readonly data: unknown };
  readonly config: { readonly headers?: Headers };
}

function statusOf(error: unknown): number | undefined {
  return isAnswered(error) ? error.response.status : undefined;
}

function isAnswered(error: unknown): error is AnsweredError {
  return typeof (error as Partial<AnsweredError> | null)?.response?.status === 'number';
}

/** The library's message holds the address, and its data what the server said: neither is passed on. */
function toEhrError(error: unknown, now: Date): EhrError {
  if (error instanceof EhrError) return error;
  if (!isAnswered(error)) return new EhrError(connectionFailure(error));
  const { status, data } = error.response;
  if (status >= 200 && status < 300) return new EhrError(unreadableAnswer(status));
  return new EhrError(answerFailure(status, data, error.config.headers?.get('retry-after'), now));
}
