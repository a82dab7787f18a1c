import { createBackendServices } from './backend-services.ts';
import { createResourceStore } from './store.ts';
import type { BackendServices, EhrClient } from './backend-services.ts';
import type { Clock } from '../context.ts';
import type { ResourceStore } from './store.ts';
import type { StoredResource } from './resource.ts';

/** How one clinic's EHR behaves; real ones differ in all of these. */
export interface EhrSettings {
  /** Refuse an update without If-Match (412). */
  requireIfMatch: boolean;
  /** The answer to a stale If-Match. */
  staleStatus: 409 | 412;
  /** The answer to a resource that is not valid. */
  invalidStatus: 400 | 422;
  /** Refuse references to resources that the EHR does not hold. */
  checkReferences: boolean;
  /** `racy`: two creates at once may both succeed. `ignored`: the header has no effect. */
  conditionalCreate: 'atomic' | 'racy' | 'ignored';
  /** Appointment statuses that a client may not write, for example `noshow`. */
  refusedStatuses: readonly string[];
}

const DEFAULT_SETTINGS: EhrSettings = {
  requireIfMatch: false,
  staleStatus: 412,
  invalidStatus: 422,
  checkReferences: true,
  conditionalCreate: 'atomic',
  refusedStatuses: [],
};

/** The rest of a search that did not fit on one page: a snapshot. */
export interface SavedSearch {
  resources: readonly StoredResource[];
  savedAt: number;
}

/** The EHR of one clinic. */
export interface EhrTenant {
  slug: string;
  settings: EhrSettings;
  store: ResourceStore;
  tokens: BackendServices;
  searches: Map<string, SavedSearch>;
}

/** Creates an empty EHR. */
export function createTenant(slug: string, clients: ReadonlyMap<string, EhrClient>, clock: Clock): EhrTenant {
  return {
    slug,
    settings: { ...DEFAULT_SETTINGS },
    store: createResourceStore(clock),
    tokens: createBackendServices(clients, clock),
    searches: new Map(),
  };
}
