import { setImmediate as nextTurn } from 'node:timers/promises';
import { answerWith } from './exchange.ts';
import { checkResource } from './check-resource.ts';
import { fhirError } from './outcome.ts';
import { firstPage, historyBundle, laterPage } from './bundle.ts';
import { ID_PATTERN, RESOURCE_TYPES } from './resource.ts';
import { permits } from './smart-scopes.ts';
import { search } from './search.ts';
import type { FhirAnswer, FhirRequest, FhirServer } from './exchange.ts';
import type { FhirPermission } from './smart-scopes.ts';
import type { StoredResource } from './resource.ts';

/**
 * Carries out one interaction of the RESTful API. Source: hl7.org/fhir/R4/http.html.
 * @throws FhirError with the status that the client gets.
 */
export async function interact(request: FhirRequest, server: FhirServer): Promise<FhirAnswer> {
  const { method, path, query } = request;
  if (path === '' && method === 'GET' && query.has('_getpages')) return laterPage(request, server);
  const [type = '', second, third, fourth, ...rest] = path.split('/');
  if (!(RESOURCE_TYPES as readonly string[]).includes(type) || rest.length > 0) {
    throw fhirError(404, 'not-supported', `Nothing is served at ${path}`);
  }

  if (second === undefined) {
    if (method === 'GET') return searchType(type, request, server);
    if (method === 'POST') return create(type, request, server);
  } else if (second === '_history' && third === undefined) {
    if (method === 'GET') return typeHistory(type, request, server);
  } else if (second === '_search' && third === undefined) {
    if (method === 'POST') return searchType(type, { ...request, path: type }, server);
  } else {
    checkId(second);
    if (third === undefined) {
      if (method === 'GET') return read(type, second, request, server);
      if (method === 'PUT') return update(type, second, request, server);
    } else if (third === '_history' && method === 'GET') {
      return fourth === undefined
        ? history(type, second, request, server)
        : readVersion(type, second, fourth, request, server);
    }
  }
  throw fhirError(405, 'not-supported', `${method} is not supported here`);
}

function checkId(id: string): void {
  if (!ID_PATTERN.test(id)) throw fhirError(400, 'value', 'The id is not a FHIR id');
}

function checkScope(request: FhirRequest, type: string, permission: FhirPermission): void {
  if (!permits(request.scopes, type, permission)) {
    throw fhirError(403, 'forbidden', `The token's scopes do not allow this on ${type}`);
  }
}

function searchType(type: string, request: FhirRequest, server: FhirServer): FhirAnswer {
  checkScope(request, type, 's');
  return firstPage(search(server.tenant.store.all(type), type, request.query), request, server);
}

function read(type: string, id: string, request: FhirRequest, server: FhirServer): FhirAnswer {
  checkScope(request, type, 'r');
  const resource = existing(server.tenant.store.read(type, id), `${type}/${id}`);
  const answer = answerWith(200, resource, request);
  if (request.ifNoneMatch !== undefined && request.ifNoneMatch === answer.headers['etag']) {
    return { status: 304, headers: answer.headers };
  }
  return answer;
}

function readVersion(type: string, id: string, version: string, request: FhirRequest, server: FhirServer): FhirAnswer {
  checkScope(request, type, 'r');
  const versions = server.tenant.store.versions(type, id);
  const found = versions.find(({ meta }) => meta.versionId === version);
  return answerWith(200, existing(found, `${type}/${id}/_history/${version}`), request);
}

function history(type: string, id: string, request: FhirRequest, server: FhirServer): FhirAnswer {
  checkScope(request, type, 'r');
  const { store } = server.tenant;
  existing(store.read(type, id), `${type}/${id}`);
  return historyBundle(store.versions(type, id), request);
}

function typeHistory(type: string, request: FhirRequest, server: FhirServer): FhirAnswer {
  checkScope(request, type, 's');
  const { store } = server.tenant;
  return historyBundle(
    store.all(type).flatMap(({ id }) => store.versions(type, id)),
    request,
  );
}

/** With If-None-Exist: no match creates, one match is answered as it is, several are refused. */
async function create(type: string, request: FhirRequest, server: FhirServer): Promise<FhirAnswer> {
  checkScope(request, type, 'c');
  const { tenant } = server;
  const { store, settings } = tenant;
  const resource = checkResource(request.body, type, tenant);
  if (request.ifNoneExist !== undefined && settings.conditionalCreate !== 'ignored') {
    const [match, ...others] = search(store.all(type), type, readCriteria(request.ifNoneExist));
    if (others.length > 0) throw fhirError(412, 'multiple-matches', 'More than one resource matches If-None-Exist');
    if (match) return answerWith(200, match, request);
    if (settings.conditionalCreate === 'racy') await nextTurn();
  }
  return answerWith(201, store.create(resource), request);
}

function readCriteria(ifNoneExist: string): URLSearchParams {
  const criteria = new URLSearchParams(ifNoneExist.replace(/^\?/, ''));
  if ([...criteria].length === 0) throw fhirError(400, 'value', 'If-None-Exist holds no search');
  return criteria;
}

/** Clients do not choose ids: an unknown one is refused. */
function update(type: string, id: string, request: FhirRequest, server: FhirServer): FhirAnswer {
  checkScope(request, type, 'u');
  const { tenant } = server;
  const { store, settings } = tenant;
  const resource = checkResource(request.body, type, tenant);
  if (resource.id !== id) throw fhirError(400, 'invalid', 'The id in the body differs from the one in the URL');
  const current = store.read(type, id);
  if (!current) throw fhirError(405, 'not-supported', 'A client may not choose the id of a new resource');
  checkVersion(request.ifMatch, current, settings);
  return answerWith(200, store.update(resource, id), request);
}

function checkVersion(
  ifMatch: string | undefined,
  current: StoredResource,
  settings: FhirServer['tenant']['settings'],
): void {
  if (ifMatch === undefined) {
    if (settings.requireIfMatch) throw fhirError(412, 'required', 'If-Match is required');
    return;
  }
  const version = /^(?:W\/)?"([^"]+)"$/.exec(ifMatch)?.[1];
  if (version === undefined) throw fhirError(412, 'value', 'If-Match is not an ETag');
  if (version !== current.meta.versionId) {
    throw fhirError(settings.staleStatus, 'conflict', 'The resource has changed since that version');
  }
}

function existing(resource: StoredResource | undefined, path: string): StoredResource {
  if (!resource) throw fhirError(404, 'not-found', `${path} does not exist`);
  return resource;
}
