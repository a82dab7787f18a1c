import type { Clock } from '../context.ts';
import type { EhrTenant } from './tenant.ts';
import type { Faults } from '../faults.ts';
import type { StoredResource } from './resource.ts';

/** A request to the FHIR API, sent alone or as an entry of a batch. */
export interface FhirRequest {
  method: string;
  /** Below the base, without a leading slash: `Appointment/1`. */
  path: string;
  query: URLSearchParams;
  /** The base of this tenant, without a trailing slash. */
  baseUrl: string;
  scopes: readonly string[];
  ifMatch?: string | undefined;
  ifNoneMatch?: string | undefined;
  ifNoneExist?: string | undefined;
  prefer?: string | undefined;
  /** The parsed body; undefined when there is none or it is not JSON. */
  body: unknown;
}

/** The answer to it. */
export interface FhirAnswer {
  status: number;
  headers: Record<string, string>;
  body?: unknown;
}

/** What the interactions work on. */
export interface FhirServer {
  tenant: EhrTenant;
  clock: Clock;
  faults: Faults;
}

/** The weak ETag of a version. */
export function etagOf(resource: StoredResource): string {
  return `W/"${resource.meta.versionId}"`;
}

/** An answer about one version of a resource. */
export function answerWith(status: number, resource: StoredResource, request: FhirRequest): FhirAnswer {
  const { resourceType, id, meta } = resource;
  const location = `${request.baseUrl}/${resourceType}/${id}/_history/${meta.versionId}`;
  return {
    status,
    headers: {
      etag: etagOf(resource),
      'last-modified': new Date(meta.lastUpdated).toUTCString(),
      ...(request.method === 'GET' ? { 'content-location': location } : { location }),
    },
    ...(request.prefer?.includes('return=minimal') ? {} : { body: resource }),
  };
}
