import type { WorkflowDefinitionOptions } from '@temporalio/common';
import { setWorkflowOptions, workflowInfo } from '@temporalio/workflow';
import { appointment } from './appointment.ts';
import { replayNotifications } from './replay-notifications.ts';
import { sickDay } from './sick-day.ts';

// What the worker's bundle contains: every workflow, by its name.
export { appointment, replayNotifications, sickDay };
export { rebookFreedSlot } from './rebook-freed-slot.ts';
export { syncClinicEhr } from './sync-clinic-ehr.ts';
export { syncEhr } from './sync-ehr.ts';

// A life of days or months must run on the newest release: it moves to it at its next wake, and patched() guards what changes. The others are pinned to
// the release that began them, by the worker's default. An unversioned worker must name no behaviour: the server refuses its workflow tasks otherwise.
const onNewestRelease = (): WorkflowDefinitionOptions =>
  workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {};
setWorkflowOptions(onNewestRelease, appointment);
setWorkflowOptions(onNewestRelease, replayNotifications);
setWorkflowOptions(onNewestRelease, sickDay);
