import { randomUUID } from 'node:crypto';
import type { Clock } from '../context.ts';
import type { FhirResource, StoredResource } from './resource.ts';

/** The resources of one tenant with all their versions. Every operation is synchronous, and so indivisible. */
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
  const types = new Map<string, Map<string, StoredResource[]>>();
  let latest = 0;

  function versionsOf(type: string, id: string): StoredResource[] {
    return types.get(type)?.get(id) ?? [];
  }

  /** The time of a write never goes back, whatever the clock does. */
  function add(resource: FhirResource, id: string): StoredResource {
    const { resourceType } = resource;
    const versions = versionsOf(resourceType, id);
    latest = Math.max(latest, clock().getTime());
    const meta = {
      ...resource.meta,
      versionId: String(versions.length + 1),
      lastUpdated: new Date(latest).toISOString(),
    };
    const stored = structuredClone({ ...resource, id, meta });
    const ofType = types.get(resourceType) ?? new Map<string, StoredResource[]>();
    types.set(resourceType, ofType.set(id, [...versions, stored]));
    return structuredClone(stored);
  }

  return {
    all: (type) => [...(types.get(type)?.values() ?? [])].flatMap((versions) => structuredClone(versions.slice(-1))),
    read: (type, id) => structuredClone(versionsOf(type, id).at(-1)),
    versions: (type, id) => structuredClone(versionsOf(type, id)),
    create: (resource, id) => add(resource, id ?? randomUUID()),
    update: add,
  };
}
