import { randomUUID } from 'node:crypto';
import { SignJWT } from 'jose';
import { Client } from 'fhir-kit-client';
import { EHR_CLIENT_ID, TENANT } from './start-sandbox.ts';
import type { AssertionKey } from './start-sandbox.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';

const IDENTIFIER_SYSTEM = 'https://mediconnect.example/appointment';

/** What may differ from a right assertion. */
export interface AssertionChanges {
  claims?: Record<string, unknown>;
  header?: Record<string, unknown>;
  /** Seconds until it expires. */
  lifetime?: number;
}

/** The base of a tenant's FHIR API. */
export function fhirUrl(sandbox: Sandbox, tenant = TENANT): string {
  return `${sandbox.url}/ehr/${tenant}/fhir`;
}

/** Where the tenant's SMART configuration says that tokens are to be had. */
export async function tokenUrlOf(sandbox: Sandbox, tenant = TENANT): Promise<string> {
  const response = await fetch(`${fhirUrl(sandbox, tenant)}/.well-known/smart-configuration`);
  return ((await response.json()) as { token_endpoint: string }).token_endpoint;
}

/** Signs a client assertion as SMART Backend Services asks, with changes for the tests of what is refused. */
export async function signAssertion(key: AssertionKey, audience: string, changes: AssertionChanges = {}) {
  const now = Math.floor(Date.now() / 1_000);
  const claims = { iss: EHR_CLIENT_ID, sub: EHR_CLIENT_ID, aud: audience, jti: randomUUID(), ...changes.claims };
  return new SignJWT({ exp: now + (changes.lifetime ?? 240), ...claims })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT', ...changes.header })
    .sign(key.privateKey);
}

/** Asks for a token. */
export function requestToken(tokenUrl: string, assertion: string, scope = 'system/*.cruds'): Promise<Response> {
  return fetch(tokenUrl, {
    method: 'POST',
    body: new URLSearchParams({
      grant_type: 'client_credentials',
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: assertion,
      scope,
    }),
  });
}

/** A FHIR client with a token of these scopes. */
export async function connect(sandbox: Sandbox, key: AssertionKey, scope?: string, tenant = TENANT): Promise<Client> {
  const tokenUrl = await tokenUrlOf(sandbox, tenant);
  const response = await requestToken(tokenUrl, await signAssertion(key, tokenUrl), scope);
  const { access_token: bearerToken } = (await response.json()) as { access_token: string };
  return new Client({ baseUrl: fhirUrl(sandbox, tenant), bearerToken });
}

/** The clinic's own resources. */
export const CLINIC_RESOURCES = [
  {
    resourceType: 'Practitioner',
    id: 'dr-lin',
    identifier: [{ system: 'https://mediconnect.example/provider', value: 'p-1' }],
    name: [{ family: 'Lin', given: ['Mei'] }],
  },
  {
    resourceType: 'Patient',
    id: 'ada',
    identifier: [{ system: 'https://mediconnect.example/patient', value: 'pt-1' }],
    name: [{ family: 'Byron', given: ['Ada'] }],
    birthDate: '1980-12-10',
  },
  { resourceType: 'Location', id: 'main', name: 'Harbor Clinic' },
];

/** An appointment that every rule allows. */
export function appointment(value: string, changes: Record<string, unknown> = {}) {
  return {
    resourceType: 'Appointment',
    identifier: [{ system: IDENTIFIER_SYSTEM, value }],
    status: 'booked',
    start: '2031-03-15T10:00:00Z',
    end: '2031-03-15T10:30:00Z',
    minutesDuration: 30,
    participant: [
      { actor: { reference: 'Patient/ada' }, status: 'accepted' },
      { actor: { reference: 'Practitioner/dr-lin' }, status: 'accepted' },
      { actor: { reference: 'Location/main' }, status: 'accepted' },
    ],
    ...changes,
  };
}

/** The search that finds an appointment by our identifier. */
export function byIdentifier(value: string): string {
  return `identifier=${encodeURIComponent(`${IDENTIFIER_SYSTEM}|${value}`)}`;
}
