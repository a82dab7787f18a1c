import { capabilityStatement, smartConfiguration } from './capability.ts';
import { createTenant } from './tenant.ts';
import { FhirError, fhirError, issueCodeOf, operationOutcome } from './outcome.ts';
import { hookFaults } from '../fault-hooks.ts';
import { interact } from './interactions.ts';
import { NO_STORE, tokenErrorStatus } from '../oauth2/token-request.ts';
import { parseJson, rawBody, takeRawBodies } from '../raw-body.ts';
import { runBatch } from './batch.ts';
import { seedResources } from './seed.ts';
import type { EhrClient } from './backend-services.ts';
import type { EhrSettings, EhrTenant } from './tenant.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { FhirAnswer, FhirRequest } from './exchange.ts';
import type { StoredResource } from './resource.ts';
import type { VendorContext } from '../context.ts';

/** The EHRs: one tenant for each clinic. */
export interface EhrOptions {
  /** The programs that may ask for tokens, with their public keys. */
  clients: readonly EhrClient[];
  /** Tenants that exist from the start. Others come to be when they are seeded or configured. */
  tenants?: readonly string[];
}

/** The stand-in for the EHRs. */
export interface EhrStandIn {
  /** The routes, without a prefix. */
  routes: (app: FastifyInstance) => void;
  /** The tenants that exist. */
  tenants: () => string[];
  /** The current resources of a type, oldest first. */
  resources: (tenant: string, type: string) => StoredResource[];
  /** Writes resources as the clinic's own staff would. @throws FhirError when one is not valid. */
  seed: (tenant: string, resources: readonly unknown[]) => StoredResource[];
  configure: (tenant: string, settings: Partial<EhrSettings>) => EhrSettings;
  /** Forgets every resource, token and setting. */
  reset: () => void;
}

const SLUG = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const FHIR_JSON = 'application/fhir+json; charset=utf-8';

/** Creates the stand-in for the EHRs. */
export function createEhr(options: EhrOptions, context: VendorContext): EhrStandIn {
  const { clock, faults } = context;
  const clients = new Map(options.clients.map((client) => [client.clientId, client]));
  const tenants = new Map<string, EhrTenant>();
  const startedAt = clock();

  function tenantNamed(slug: string): EhrTenant {
    if (!SLUG.test(slug)) throw fhirError(400, 'value', 'A tenant is named by lower-case letters, digits and hyphens');
    const tenant = tenants.get(slug) ?? createTenant(slug, clients, clock);
    tenants.set(slug, tenant);
    return tenant;
  }
  const addConfigured = () => options.tenants?.forEach(tenantNamed);
  addConfigured();

  function existingTenant(request: FastifyRequest): EhrTenant {
    const { tenant: slug = '' } = request.params as { tenant?: string };
    const tenant = tenants.get(slug);
    if (!tenant) throw fhirError(404, 'not-found', 'There is no such tenant; seed it first');
    return tenant;
  }

  async function serve(request: FastifyRequest): Promise<FhirAnswer> {
    const tenant = existingTenant(request);
    const { baseUrl, tokenUrl } = addressesOf(request, tenant);
    const { '*': rest = '' } = request.params as { '*'?: string };
    const path = rest.replace(/\/$/, '');
    if (request.method === 'GET' && path === 'metadata') {
      return { status: 200, headers: {}, body: capabilityStatement(tenant.settings, startedAt) };
    }
    if (request.method === 'GET' && path === '.well-known/smart-configuration') {
      return { status: 200, headers: { 'content-type': 'application/json' }, body: smartConfiguration(tokenUrl) };
    }
    const token = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
    const scopes = token === undefined ? undefined : tenant.tokens.scopesOf(token);
    if (!scopes) throw fhirError(401, 'login', 'A valid access token is required');
    const fhirRequest = readRequest(request, path, baseUrl, scopes);
    const server = { tenant, clock, faults };
    const isBatch = path === '' && request.method === 'POST';
    return isBatch ? runBatch(fhirRequest, server) : interact(fhirRequest, server);
  }

  async function answer(request: FastifyRequest, reply: FastifyReply) {
    const { status, headers, body } = await serve(request).catch((error: unknown): FhirAnswer => {
      if (!(error instanceof FhirError)) throw error;
      const challenge: Record<string, string> = error.status === 401 ? { 'www-authenticate': 'Bearer' } : {};
      return { status: error.status, headers: challenge, body: operationOutcome(error.issues) };
    });
    const text = body === undefined ? '' : JSON.stringify(body);
    return reply.code(status).type(FHIR_JSON).headers(headers).send(text);
  }

  async function grantToken(request: FastifyRequest, reply: FastifyReply) {
    const tenant = existingTenant(request);
    const { tokenUrl } = addressesOf(request, tenant);
    const contentType = request.headers['content-type'];
    const granted = await tenant.tokens.grant({ contentType, body: rawBody(request), tokenUrl });
    if ('failure' in granted)
      return reply.code(tokenErrorStatus(granted.failure)).headers(NO_STORE).send(granted.failure);
    return reply.headers(NO_STORE).send(granted);
  }

  function routes(app: FastifyInstance): void {
    takeRawBodies(app);
    hookFaults(app, {
      faults,
      vendor: (request) => (isTokenRequest(request) ? 'oauth2' : 'ehr'),
      describe: (request) => ({ to: [], body: rawBody(request) }),
      refuse(fault, status, request) {
        if (isTokenRequest(request)) {
          return { body: { error: fault.code ?? 'server_error', error_description: fault.message ?? '' } };
        }
        const code = String(fault.code ?? issueCodeOf(status));
        const issue = { severity: 'error' as const, code, diagnostics: fault.message ?? 'Refused' };
        return { headers: { 'content-type': FHIR_JSON }, body: operationOutcome([issue]) };
      },
    });
    app.setErrorHandler((error, _request, reply) => {
      const refusal = error instanceof FhirError ? error : fhirError(500, 'exception', 'The server failed');
      return reply
        .code(refusal.status)
        .type(FHIR_JSON)
        .send(JSON.stringify(operationOutcome(refusal.issues)));
    });
    app.post('/:tenant/oauth2/token', grantToken);
    for (const url of ['/:tenant/fhir', '/:tenant/fhir/*']) {
      app.route({ method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'], url, exposeHeadRoute: false, handler: answer });
    }
  }

  return {
    routes,
    tenants: () => [...tenants.keys()],
    resources: (slug, type) => structuredClone(tenants.get(slug)?.store.all(type) ?? []),
    seed: (slug, resources) => structuredClone(seedResources(resources, tenantNamed(slug))),
    configure(slug, settings) {
      const tenant = tenantNamed(slug);
      tenant.settings = { ...tenant.settings, ...settings };
      return tenant.settings;
    },
    reset() {
      tenants.clear();
      addConfigured();
    },
  };
}

function isTokenRequest(request: FastifyRequest): boolean {
  return (request.url.split('?')[0] ?? '').endsWith('/oauth2/token');
}

/** Addresses follow the Host header, as behind a proxy, so that links lead back the way the client came. */
function addressesOf(request: FastifyRequest, tenant: EhrTenant): { baseUrl: string; tokenUrl: string } {
  const root = `${request.protocol}://${request.host}/ehr/${tenant.slug}`;
  return { baseUrl: `${root}/fhir`, tokenUrl: `${root}/oauth2/token` };
}

function readRequest(request: FastifyRequest, path: string, baseUrl: string, scopes: readonly string[]): FhirRequest {
  const { headers } = request;
  const isForm = (headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  const query = new URL(request.url, baseUrl).searchParams;
  const body = rawBody(request);
  if (isForm) for (const [name, value] of new URLSearchParams(body)) query.append(name, value);
  const ifNoneExist = headers['if-none-exist'];
  const prefer = headers['prefer'];
  return {
    method: request.method,
    path,
    query,
    baseUrl,
    scopes,
    ifMatch: headers['if-match'],
    ifNoneMatch: headers['if-none-match'],
    ifNoneExist: typeof ifNoneExist === 'string' ? ifNoneExist : undefined,
    prefer: typeof prefer === 'string' ? prefer : undefined,
    body: isForm ? undefined : parseJson(body),
  };
}
