import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../../src/activities/index.ts';

type SyncActivities = Pick<
  Activities,
  'listClinicsWithEhr' | 'startSyncRun' | 'syncAppointmentsPage' | 'finishSyncRun'
>;

/** Two clinics with an EHR: one takes two pages, the other one refuses. */
export function syncActivities(clinicIds: readonly [string, string]) {
  const counts = { created: 2, updated: 1, unchanged: 0, parked: 0 };
  const begun = new Set<string>();
  return {
    listClinicsWithEhr: () => Promise.resolve([...clinicIds]),
    startSyncRun({ clinicId, onlyOpen }) {
      if (onlyOpen === true && begun.has(clinicId)) return Promise.resolve(null);
      begun.add(clinicId);
      return Promise.resolve({ clinicId, runId: `run-of-${clinicId}` });
    },
    syncAppointmentsPage({ clinicId, after }) {
      if (clinicId === clinicIds[1])
        throw ApplicationFailure.create({
          type: 'ehr_refused',
          message: 'ehr_refused',
          nonRetryable: true,
          details: [{ reason: 'token_refused' }],
        });
      return Promise.resolve({ after: after === null ? 'appointment-100' : null, counts });
    },
    finishSyncRun: () => Promise.resolve(counts),
  } satisfies SyncActivities;
}
