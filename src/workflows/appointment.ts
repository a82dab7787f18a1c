import {
  allHandlersFinished,
  condition,
  continueAsNew,
  ParentClosePolicy,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  setWorkflowOptions,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError, type SearchAttributeUpdatePair } from '@temporalio/common';
import type { Activities } from '../activities/index.ts';
import type { PlannedStep } from '../activities/appointment/plan.ts';
import {
  cancelled,
  checkedIn,
  completed,
  noShowMarked,
  noShowUndone,
  noticeTakenOver,
  notificationSettled,
  overdue,
  rescheduled,
  workflowIds,
  type AppointmentInput,
  type Changed,
} from './messages.ts';
import { rebookFreedSlot } from './rebook-freed-slot.ts';
import { searchAttributes } from './search-attributes.ts';

const { planNextAction, completeAppointment } = proxyActivities<
  Pick<Activities, 'planNextAction' | 'completeAppointment'>
>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '8 seconds' },
});

// The broker may be away for hours: the message waits here, and every try decides anew whether it is still due.
const { publishNotification } = proxyActivities<Pick<Activities, 'publishNotification'>>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/**
 * The life of one appointment: it sleeps until the next thing that is due, does it, plans again, and ends when nothing is left. Signals only say that
 * the row has changed; what to do is always read from the row.
 */
export async function appointment(input: AppointmentInput): Promise<void> {
  // The highest version a signal told of, and whether something that raises no version happened.
  let told = 0;
  let woken = false;
  const onChange = ({ version }: Changed): void => {
    told = Math.max(told, version);
  };
  const onWake = (): void => {
    woken = true;
  };
  for (const signal of [rescheduled, cancelled, checkedIn, completed, noShowMarked, noShowUndone])
    setHandler(signal, onChange);
  for (const signal of [noticeTakenOver, notificationSettled, overdue]) setHandler(signal, onWake);

  let known = 0;
  /** What happens from here on was not seen by what the activity reads. */
  const looking = <T>(activity: () => Promise<T>): Promise<T> => {
    known = told;
    woken = false;
    return activity();
  };
  const plan = (): Promise<PlannedStep> =>
    looking(() => planNextAction.executeWithOptions({ summary: 'read the row, plan what comes next' }, [input]));

  const show = createDisplay(input.clinicId);
  const startedRounds = new Set<string>();

  for (let step = await plan(); ;) {
    const { action, openRoundId, version } = step;
    const hasNews = (): boolean => woken || told > Math.max(known, version);
    show(step);

    if (openRoundId !== undefined && !startedRounds.has(openRoundId)) {
      await startRebooking(input, openRoundId);
      startedRounds.add(openRoundId);
    }
    if (hasNews()) {
      step = await plan();
      continue;
    }
    if (action.kind === 'none') {
      await condition(allHandlersFinished);
      return;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof appointment>(input);
    }

    const what = action.kind === 'notify' ? action.notificationKind : 'completion';
    const wait = Date.parse(action.at) - Date.now();
    if (wait > 0 && (await condition(hasNews, wait, { summary: `until ${what}, due ${action.at}` }))) {
      step = await plan();
      continue;
    }

    if (action.kind === 'notify') {
      const { next } = await looking(() =>
        publishNotification.executeWithOptions({ summary: what }, [
          { ...input, notificationKind: action.notificationKind },
        ]),
      );
      step = next ?? (await plan());
    } else {
      await completeAppointment.executeWithOptions({ summary: 'nobody marked the visit: it took place' }, [input]);
      step = await plan();
    }
  }
}

// A life of months must run on the newest release: it moves to it at its next wake, and patched() guards what changes. The others are pinned by the
// worker's default. An unversioned worker must name no behaviour: the server refuses its workflow tasks otherwise.
setWorkflowOptions(
  () => (workflowInfo().currentDeploymentVersion?.deploymentName ? { versioningBehavior: 'AUTO_UPGRADE' } : {}),
  appointment,
);

/** Shows an operator how things stand; each part is told to Temporal only when it changes. */
function createDisplay(clinicId: string): (step: PlannedStep) => void {
  const shown = new Map<string, string | undefined>();
  const isNew = (name: string, value: string | undefined): boolean => {
    if (shown.has(name) && shown.get(name) === value) return false;
    shown.set(name, value);
    return true;
  };

  return (step) => {
    const nextActionAt = step.action.kind === 'none' ? undefined : step.action.at;
    const changes: SearchAttributeUpdatePair[] = [];
    const keywords = [
      [searchAttributes.clinicId, clinicId],
      [searchAttributes.providerId, step.providerId],
      [searchAttributes.appointmentStatus, step.status],
      [searchAttributes.reminderState, step.reminderState],
    ] as const;
    for (const [key, value] of keywords) if (isNew(key.name, value)) changes.push({ key, value });
    if (isNew(searchAttributes.nextActionAt.name, nextActionAt)) {
      const value = nextActionAt === undefined ? null : new Date(nextActionAt);
      changes.push({ key: searchAttributes.nextActionAt, value });
    }
    if (changes.length > 0) upsertSearchAttributes(changes);
    if (isNew('details', step.detailsMarkdown)) setCurrentDetails(step.detailsMarkdown);
  };
}

/** Starts the search for another patient. Awaited, because a child whose start is not yet recorded never starts when its parent ends. */
async function startRebooking(input: AppointmentInput, roundId: string): Promise<void> {
  const { clinicId, requestId } = input;
  try {
    await startChild(rebookFreedSlot, {
      workflowId: workflowIds.rebook(roundId),
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: 'fill the freed slot from the waitlist',
      args: [{ roundId, clinicId, ...(requestId === undefined ? {} : { requestId }) }],
    });
  } catch (error) {
    // Somebody started it before: by the sweep, or an earlier run of this workflow.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
