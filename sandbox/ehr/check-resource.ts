import { FhirError, fhirError } from './outcome.ts';
import { isObject } from '../raw-body.ts';
import { loadValidator } from './validation.ts';
import { RESOURCE_TYPES } from './resource.ts';
import type { EhrTenant } from './tenant.ts';
import type { FhirResource } from './resource.ts';

/**
 * Checks what somebody wants to write: a resource of the right type, valid R4, with references that lead somewhere.
 * @throws FhirError 400 or 422.
 */
export function checkResource(body: unknown, type: string, tenant: EhrTenant): FhirResource {
  if (!isObject(body)) throw fhirError(400, 'structure', 'The body is not a JSON object');
  if (body['resourceType'] !== type) {
    throw fhirError(400, 'invalid', `The body is not of type ${type}`);
  }
  const resource = body as FhirResource;
  const issues = loadValidator()(resource);
  const { settings } = tenant;
  if (issues.length > 0) throw new FhirError(settings.invalidStatus, issues);
  if (settings.checkReferences) checkReferences(resource, tenant);
  const status = resource['status'];
  if (type === 'Appointment' && typeof status === 'string' && settings.refusedStatuses.includes(status)) {
    throw fhirError(422, 'business-rule', `A client may not write the status ${status}`);
  }
  return resource;
}

function checkReferences(resource: FhirResource, { store, settings }: EhrTenant): void {
  for (const reference of referencesIn(resource)) {
    const [type = '', id = '', ...rest] = reference.split('/');
    if (rest.length > 0 || !(RESOURCE_TYPES as readonly string[]).includes(type)) continue;
    if (!store.read(type, id)) throw fhirError(settings.invalidStatus, 'not-found', `Unknown reference: ${reference}`);
  }
}

function referencesIn(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isObject(value)) return [];
  const { reference } = value;
  const own = typeof reference === 'string' ? [reference] : [];
  return [...own, ...Object.values(value).flatMap(referencesIn)];
}
