import { randomUUID } from 'node:crypto';
import { fhirError } from './outcome.ts';
import { etagOf } from './exchange.ts';
import type { FhirAnswer, FhirRequest, FhirServer } from './exchange.ts';
import type { StoredResource } from './resource.ts';

const DEFAULT_COUNT = 50;
const MAX_COUNT = 250;
/** How long a page link works, in milliseconds. */
const PAGE_LIFE_MS = 600_000;

/** The `_count` of a query. @throws FhirError 400. */
function readCount(query: URLSearchParams): number {
  const text = query.get('_count');
  if (text === null) return DEFAULT_COUNT;
  if (!/^\d{1,6}$/.test(text)) throw fhirError(400, 'value', '_count must be a number');
  return Math.min(Number(text), MAX_COUNT);
}

/** The first page of a search. The rest is kept as a snapshot that `next` leads to. */
export function firstPage(found: readonly StoredResource[], request: FhirRequest, server: FhirServer): FhirAnswer {
  const count = readCount(request.query);
  const query = request.query.toString();
  const self = `${request.baseUrl}/${request.path}${query === '' ? '' : `?${query}`}`;
  if (count >= found.length || count === 0) return page({ found, offset: 0, count, self, next: undefined }, request);
  const { searches } = server.tenant;
  const now = server.clock().getTime();
  for (const [token, { savedAt }] of searches) if (savedAt + PAGE_LIFE_MS < now) searches.delete(token);
  const token = randomUUID();
  searches.set(token, { resources: found, savedAt: now });
  return page({ found, offset: 0, count, self, next: pageLink(request.baseUrl, token, count, count) }, request);
}

/** A later page. @throws FhirError 410 when the snapshot is gone. */
export function laterPage(request: FhirRequest, server: FhirServer): FhirAnswer {
  const token = request.query.get('_getpages') ?? '';
  const offset = Number(request.query.get('_getpagesoffset') ?? 0);
  const count = readCount(request.query);
  const saved = server.tenant.searches.get(token);
  if (!saved || saved.savedAt + PAGE_LIFE_MS < server.clock().getTime()) {
    throw fhirError(410, 'deleted', 'The search has expired; start again');
  }
  const found = saved.resources;
  const hasMore = offset + count < found.length;
  const self = pageLink(request.baseUrl, token, offset, count);
  const next = hasMore ? pageLink(request.baseUrl, token, offset + count, count) : undefined;
  return page({ found, offset, count, self, next }, request);
}

function pageLink(baseUrl: string, token: string, offset: number, count: number): string {
  const query = { _getpages: token, _getpagesoffset: String(offset), _count: String(count) };
  return `${baseUrl}?${new URLSearchParams(query).toString()}`;
}

interface Page {
  found: readonly StoredResource[];
  offset: number;
  count: number;
  self: string;
  next: string | undefined;
}

function page({ found, offset, count, self, next }: Page, request: FhirRequest): FhirAnswer {
  return bundleAnswer({
    type: 'searchset',
    total: found.length,
    link: [{ relation: 'self', url: self }, ...(next === undefined ? [] : [{ relation: 'next', url: next }])],
    entry: found.slice(offset, offset + count).map((resource) => ({
      fullUrl: `${request.baseUrl}/${resource.resourceType}/${resource.id}`,
      resource,
      search: { mode: 'match' },
    })),
  });
}

/** A history, newest version first. */
export function historyBundle(versions: readonly StoredResource[], request: FhirRequest): FhirAnswer {
  const count = readCount(request.query);
  const since = Date.parse(request.query.get('_since') ?? '1970-01-01T00:00:00Z');
  if (Number.isNaN(since)) throw fhirError(400, 'value', '_since must be an instant');
  const shown = versions
    .filter(({ meta }) => Date.parse(meta.lastUpdated) >= since)
    .toSorted((left, right) => right.meta.lastUpdated.localeCompare(left.meta.lastUpdated) || newerFirst(left, right));
  return bundleAnswer({
    type: 'history',
    total: shown.length,
    link: [{ relation: 'self', url: `${request.baseUrl}/${request.path}` }],
    entry: shown.slice(0, count).map((resource) => {
      const { resourceType, id, meta } = resource;
      const isFirst = meta.versionId === '1';
      return {
        fullUrl: `${request.baseUrl}/${resourceType}/${id}`,
        resource,
        request: { method: isFirst ? 'POST' : 'PUT', url: isFirst ? resourceType : `${resourceType}/${id}` },
        response: {
          status: isFirst ? '201 Created' : '200 OK',
          etag: etagOf(resource),
          lastModified: meta.lastUpdated,
        },
      };
    }),
  });
}

function newerFirst(left: StoredResource, right: StoredResource): number {
  return Number(right.meta.versionId) - Number(left.meta.versionId);
}

/** R4 forbids empty arrays, so an empty bundle has no entries at all. */
function bundleAnswer(bundle: Record<string, unknown> & { entry: unknown[] }): FhirAnswer {
  const { entry, ...rest } = bundle;
  const body = { resourceType: 'Bundle', id: randomUUID(), ...rest, ...(entry.length > 0 ? { entry } : {}) };
  return { status: 200, headers: {}, body };
}
