import type { CheckedInStatus } from './appointment-resource.ts';

/**
 * What one clinic's EHR accepts. EHRs differ: Oracle Health lets no client write `noshow` and refuses a PUT without If-Match, some servers
 * ignore If-None-Exist or know no batch. Kept per clinic in `ehr_connection.capabilities`; what is left out there is as below.
 */
export interface EhrCapabilities {
  /** May a client write `noshow`? Else a no-show is parked for a person. */
  readonly noShowWritable: boolean;
  /** Does it honour If-Match? Then every update names the version it was made from. Else every update is preceded by a read, and goes without. */
  readonly ifMatchHonoured: boolean;
  /** Does it take several writes in one batch Bundle? */
  readonly batch: boolean;
  /** Does it honour If-None-Exist? Else every first write is preceded by a search. */
  readonly conditionalCreate: boolean;
  readonly checkedInAs: CheckedInStatus;
  /** The scopes to ask for, separated by spaces; servers of SMART v1 want `system/Appointment.read system/Appointment.write`. */
  readonly scope: string;
}

const DEFAULTS: EhrCapabilities = {
  noShowWritable: true,
  ifMatchHonoured: true,
  batch: true,
  conditionalCreate: true,
  checkedInAs: 'checked-in',
  scope: 'system/Appointment.crus',
};

/** The profile as it is stored, completed by the defaults; what is unknown or of another type is as if it were left out. */
export function ehrCapabilities(stored: Readonly<Record<string, unknown>>): EhrCapabilities {
  const flag = (name: 'noShowWritable' | 'ifMatchHonoured' | 'batch' | 'conditionalCreate') => {
    const value = stored[name];
    return typeof value === 'boolean' ? value : DEFAULTS[name];
  };
  const { checkedInAs, scope } = stored;
  return {
    noShowWritable: flag('noShowWritable'),
    ifMatchHonoured: flag('ifMatchHonoured'),
    batch: flag('batch'),
    conditionalCreate: flag('conditionalCreate'),
    checkedInAs: checkedInAs === 'arrived' || checkedInAs === 'checked-in' ? checkedInAs : DEFAULTS.checkedInAs,
    scope: typeof scope === 'string' && scope.trim() !== '' ? scope.trim() : DEFAULTS.scope,
  };
}
