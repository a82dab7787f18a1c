import { STATUS_CODES } from 'node:http';
import { FhirError, fhirError, issueCodeOf, operationOutcome } from './outcome.ts';
import { interact } from './interactions.ts';
import { isObject } from '../raw-body.ts';
import type { ArmedFault } from '../faults.ts';
import type { FhirAnswer, FhirRequest, FhirServer } from './exchange.ts';

/**
 * Carries out a batch: every entry on its own, in order, each with its own status. Transactions are refused.
 * Source: hl7.org/fhir/R4/http.html#transaction.
 * @throws FhirError 400 when the bundle itself cannot be read.
 */
export async function runBatch(request: FhirRequest, server: FhirServer): Promise<FhirAnswer> {
  const { body } = request;
  if (!isObject(body) || body['resourceType'] !== 'Bundle') throw fhirError(400, 'invalid', 'The body is not a Bundle');
  if (body['type'] !== 'batch') throw fhirError(400, 'not-supported', 'Only bundles of type batch are supported');
  const entries: unknown = body['entry'] ?? [];
  if (!Array.isArray(entries)) throw fhirError(400, 'structure', 'Bundle.entry is not an array');
  const requests = entries.map((entry: unknown) => readEntry(entry, request));
  const answers = [];
  for (const entryRequest of requests) answers.push(await runEntry(entryRequest, server));
  return {
    status: 200,
    headers: {},
    body: {
      resourceType: 'Bundle',
      type: 'batch-response',
      ...(answers.length > 0 ? { entry: answers } : {}),
    },
  };
}

function readEntry(entry: unknown, batch: FhirRequest): FhirRequest {
  const request = isObject(entry) ? entry['request'] : undefined;
  if (!isObject(entry) || !isObject(request)) throw fhirError(400, 'required', 'A batch entry has no request');
  const { method, url, ifMatch, ifNoneExist } = request;
  if (typeof method !== 'string' || typeof url !== 'string') {
    throw fhirError(400, 'required', 'A batch entry needs method and url');
  }
  const [path = '', query = ''] = url.split('?', 2);
  return {
    method,
    path: path.replace(/^\//, ''),
    query: new URLSearchParams(query),
    baseUrl: batch.baseUrl,
    scopes: batch.scopes,
    prefer: batch.prefer ?? (method === 'GET' ? undefined : 'return=minimal'),
    ifMatch: typeof ifMatch === 'string' ? ifMatch : undefined,
    ifNoneExist: typeof ifNoneExist === 'string' ? ifNoneExist : undefined,
    body: entry['resource'],
  };
}

async function runEntry(request: FhirRequest, server: FhirServer) {
  const fault = server.faults.take({
    vendor: 'ehr',
    method: request.method,
    path: `/${request.path}`,
    to: [],
    body: JSON.stringify(request.body ?? null),
    entry: true,
  });
  try {
    if (fault?.kind === 'status') throw refusalOf(fault);
    const answer = await interact(request, server);
    if (fault?.kind?.startsWith('accept-then')) throw fhirError(504, 'timeout', 'The entry took too long');
    return renderEntry(answer);
  } catch (error) {
    if (!(error instanceof FhirError)) throw error;
    return { response: { status: statusLine(error.status), outcome: operationOutcome(error.issues) } };
  }
}

function refusalOf(fault: ArmedFault): FhirError {
  const status = fault.status ?? 500;
  const hint = fault.retryAfter === undefined ? '' : `; retry after ${String(fault.retryAfter)} s`;
  return fhirError(status, String(fault.code ?? issueCodeOf(status)), `${fault.message ?? 'Refused'}${hint}`);
}

function renderEntry({ status, headers, body }: FhirAnswer) {
  const { location, etag } = headers;
  const lastModified = headers['last-modified'];
  return {
    ...(body === undefined ? {} : { resource: body }),
    response: {
      status: statusLine(status),
      ...(location === undefined ? {} : { location }),
      ...(etag === undefined ? {} : { etag }),
      ...(lastModified === undefined ? {} : { lastModified: new Date(lastModified).toISOString() }),
    },
  };
}

function statusLine(status: number): string {
  return `${String(status)} ${STATUS_CODES[status] ?? ''}`.trim();
}
