import { randomUUID } from 'node:crypto';
import type { Clock } from '../context.ts';
import type { FhirResource, StoredResource } from './resource.ts';

/**
 * The resources of one tenant with all their versions. Every operation is synchronous, and so indivisible.
 * What is handed out is the stored object itself: nobody changes it.
 */
export interface ResourceStore {
  /** The current versions of a type, oldest resource first. */
  all(type: string): StoredResource[];
  read(type: string, id: string): StoredResource | undefined;
  /** All versions of one resource, oldest first. */
  versions(type: string, id: string): readonly StoredResource[];
  /** Stores the first version, under a new id unless one is given. */
  create(resource: FhirResource, id?: string): StoredResource;
  /** Stores the next version. */
  update(resource: FhirResource, id: string): StoredResource;
}

/** Creates an empty store. */
export function createResourceStore(clock: Clock): ResourceStore {
  const current = new Map<string, Map<string, StoredResource>>();
  const history = new Map<string, readonly StoredResource[]>();
  let latest = 0;

  const versions = (type: string, id: string): readonly StoredResource[] => history.get(`${type}/${id}`) ?? [];

  /** The time of a write never goes back, whatever the clock does. */
  function add(resource: FhirResource, id: string): StoredResource {
    const { resourceType: type } = resource;
    const earlier = versions(type, id);
    latest = Math.max(latest, clock().getTime());
    const meta = {
      ...resource.meta,
      versionId: String(earlier.length + 1),
      lastUpdated: new Date(latest).toISOString(),
    };
    const stored = structuredClone({ ...resource, id, meta });
    const ofType = current.get(type) ?? new Map<string, StoredResource>();
    current.set(type, ofType.set(id, stored));
    history.set(`${type}/${id}`, [...earlier, stored]);
    return stored;
  }

  return {
    all: (type) => [...(current.get(type)?.values() ?? [])],
    read: (type, id) => current.get(type)?.get(id),
    versions,
    create: (resource, id) => add(resource, id ?? randomUUID()),
    update: add,
  };
}
