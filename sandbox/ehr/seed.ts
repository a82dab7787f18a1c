import { checkResource } from './check-resource.ts';
import { fhirError } from './outcome.ts';
import { isObject } from '../raw-body.ts';
import { ID_PATTERN, RESOURCE_TYPES } from './resource.ts';
import { search } from './search.ts';
import type { EhrTenant } from './tenant.ts';
import type { FhirResource, StoredResource } from './resource.ts';

/**
 * Writes resources as the clinic's own staff would: valid, but without a token. A resource with an id, or with an
 * identifier that is already there, replaces the one it names, so seeding twice changes nothing but versions.
 * @throws FhirError.
 */
export function seedResources(resources: readonly unknown[], tenant: EhrTenant): StoredResource[] {
  return resources.map((value) => {
    const type = isObject(value) ? value['resourceType'] : undefined;
    if (typeof type !== 'string' || !(RESOURCE_TYPES as readonly string[]).includes(type)) {
      throw fhirError(400, 'not-supported', `The EHR holds ${RESOURCE_TYPES.join(', ')} only`);
    }
    const resource = checkResource(value, type, tenant);
    const id = resource.id ?? findByIdentifier(resource, tenant)?.id;
    if (id === undefined) return tenant.store.create(resource);
    if (!ID_PATTERN.test(id)) throw fhirError(400, 'value', 'The id is not a FHIR id');
    return tenant.store.update(resource, id);
  });
}

function findByIdentifier(resource: FhirResource, { store }: EhrTenant): StoredResource | undefined {
  const identifiers: unknown = resource['identifier'];
  const [first]: unknown[] = Array.isArray(identifiers) ? (identifiers as unknown[]) : [];
  if (!isObject(first) || typeof first['value'] !== 'string') return undefined;
  const system = typeof first['system'] === 'string' ? first['system'] : '';
  const query = new URLSearchParams({ identifier: `${system}|${first['value']}` });
  return search(store.all(resource.resourceType), resource.resourceType, query)[0];
}
