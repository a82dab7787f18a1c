import {
  CancellationScope,
  ChildWorkflowFailure,
  continueAsNew,
  executeChild,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import type { createEhrActivities } from '../activities/ehr.ts';
import { workflowIds, type SyncEhrInput } from './messages.ts';
import { syncClinicEhr } from './sync-clinic-ehr.ts';

type EhrActivities = ReturnType<typeof createEhrActivities>;

const { listClinicsWithEhr } = proxyActivities<EhrActivities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** How many clinics are told at the same time: each holds one activity and one database connection. */
const CLINICS_AT_ONCE = 4;

export interface SyncEhrResult {
  readonly told: number;
  readonly failed: number;
  /** Somebody had asked for that clinic's sync, and it was at work already. */
  readonly alreadyRunning: number;
}

interface SyncEhrProgress extends SyncEhrResult {
  readonly left: readonly string[];
}

/** Every clinic's EHR is told what changed: one child a clinic, a few at once. A clinic that fails stops no other. */
export async function syncEhr(input: SyncEhrInput, resumed?: SyncEhrProgress): Promise<SyncEhrResult> {
  const left =
    resumed === undefined
      ? await listClinicsWithEhr.executeWithOptions({ summary: 'which clinics have an EHR' }, [])
      : [...resumed.left];
  const result = {
    told: resumed?.told ?? 0,
    failed: resumed?.failed ?? 0,
    alreadyRunning: resumed?.alreadyRunning ?? 0,
  };
  const show = () => setCurrentDetails(describeAll(result, left.length));
  show();

  const tellSome = async (): Promise<void> => {
    while (!workflowInfo().continueAsNewSuggested) {
      const clinicId = left.shift();
      if (clinicId === undefined) return;
      result[await tellClinic(clinicId, input)] += 1;
      show();
    }
  };
  await Promise.all(Array.from({ length: CLINICS_AT_ONCE }, tellSome));

  if (left.length > 0) await continueAsNew<typeof syncEhr>(input, { ...result, left });
  return result;
}

async function tellClinic(clinicId: string, { trigger }: SyncEhrInput): Promise<keyof SyncEhrResult> {
  try {
    await executeChild(syncClinicEhr, {
      workflowId: workflowIds.syncClinicEhr(clinicId),
      args: [{ clinicId, trigger }],
      staticSummary: 'EHR sync of one clinic',
      staticDetails: `clinic \`${clinicId}\`, ${trigger}`,
      // A clinic's run ends by itself: nothing is gained by cutting it off in the middle of a write.
      parentClosePolicy: ParentClosePolicy.ABANDON,
    });
    return 'told';
  } catch (error) {
    // An operator who cancels one clinic's run has not cancelled the others.
    if (CancellationScope.current().consideredCancelled) throw error;
    if (error instanceof WorkflowExecutionAlreadyStartedError) return 'alreadyRunning';
    if (error instanceof ChildWorkflowFailure) return 'failed';
    throw error;
  }
}

function describeAll({ told, failed, alreadyRunning }: SyncEhrResult, left: number): string {
  return `clinics told ${told} · failed ${failed} · at work already ${alreadyRunning} · left ${left}`;
}
