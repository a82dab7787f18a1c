import {
  ActivityCancellationType,
  allHandlersFinished,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  startChild,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import { WorkflowExecutionAlreadyStartedError, type SearchAttributeUpdatePair } from '@temporalio/common';
import type { Activities } from '../activities/index.ts';
import type { ProceedInput } from '../activities/appointment/index.ts';
import type { PlannedStep } from '../activities/appointment/plan.ts';
import {
  cancelled,
  checkedIn,
  checkInUndone,
  completed,
  completionUndone,
  noShowMarked,
  noShowUndone,
  noticeTakenOver,
  notificationSettled,
  overdue,
  rescheduled,
  TASK_QUEUES,
  workflowIds,
  type AppointmentInput,
  type Changed,
} from './messages.ts';
import { rebookFreedSlot } from './rebook-freed-slot.ts';
import { searchAttributes } from './search-attributes.ts';

type AppointmentActivities = Pick<Activities, 'proceedWithAppointment' | 'publishNotification'>;

// Reading the row, planning and handing a message to the broker take milliseconds: done within the workflow's own task, they cost one event.
const { proceedWithAppointment: proceedAtOnce } = proxyLocalActivities<AppointmentActivities>({
  startToCloseTimeout: '5 seconds',
  retry: { maximumAttempts: 1 },
});

// PostgreSQL is away: the same is tried until it is back.
const { proceedWithAppointment } = proxyActivities<AppointmentActivities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '8 seconds' },
});

// The broker may be away for hours: the message waits on a queue of its own, and every try decides anew whether it is still due.
const { publishNotification } = proxyActivities<AppointmentActivities>({
  taskQueue: TASK_QUEUES.notifications,
  startToCloseTimeout: '1 minute',
  cancellationType: ActivityCancellationType.TRY_CANCEL,
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

const WAITS_FOR = { complete: 'completion', day_end_list: 'the day-end list' } as const;

/**
 * The life of one appointment.
 *
 * 1. Booked: the confirmation goes out, and the workflow sleeps until the first reminder is due.
 * 2. Moved, checked in, marked: a signal wakes it, and what comes next is planned anew from the row.
 * 3. Reminded: when it wakes by itself, what is due goes out (three days, one day and two hours before, by the clinic's policy).
 * 4. Cancelled or moved: the patient is told, and each slot that this left free looks for another patient in a child workflow.
 * 5. Over: the visit of a patient who was checked in is completed, one that nobody marked is left to the day-end list, and the workflow ends. What is decided and when stands in `domain/appointment-plan.ts`.
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
  for (const signal of [
    rescheduled,
    cancelled,
    checkedIn,
    checkInUndone,
    completed,
    completionUndone,
    noShowMarked,
    noShowUndone,
  ])
    setHandler(signal, onChange);
  for (const signal of [noticeTakenOver, notificationSettled, overdue]) setHandler(signal, onWake);

  let known = 0;
  /** What happens from here on was not seen by what the activity reads. */
  const looking = <T>(activity: (input: ProceedInput) => Promise<T>): Promise<T> => {
    known = told;
    woken = false;
    return activity({ ...input, now: new Date().toISOString() });
  };
  const proceed = (): Promise<PlannedStep> => looking(proceedWhateverHappens);

  const show = createDisplay(input.clinicId);
  const startedRounds = new Set<string>();

  for (let step = await proceed(); ;) {
    const { action, openRoundIds, version } = step;
    const hasChanged = (): boolean => told > Math.max(known, version);
    const hasNews = (): boolean => woken || hasChanged();
    show(step);

    for (const roundId of openRoundIds.filter((id) => !startedRounds.has(id))) {
      await startRebooking(input, roundId);
      startedRounds.add(roundId);
    }
    if (hasNews()) {
      step = await proceed();
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

    const what = action.kind === 'notify' ? action.notificationKind : WAITS_FOR[action.kind];
    const wait = Date.parse(action.at) - Date.now();
    if (wait > 0) {
      await condition(hasNews, wait, { summary: `until ${what}, due ${action.at}` });
      step = await proceed();
    } else {
      // It was tried just now, and the broker did not take it.
      step = (await looking((at) => waitForBroker(at, what, hasChanged))) ?? (await proceed());
    }
  }
}

async function proceedWhateverHappens(input: ProceedInput): Promise<PlannedStep> {
  const summary = 'do what is due, plan what comes next';
  try {
    return await proceedAtOnce.executeWithOptions({ summary }, [input]);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return await proceedWithAppointment.executeWithOptions({ summary }, [input]);
  }
}

/** Undefined when the visit has changed meanwhile: then there may be more to do than to wait, such as to give its slot to somebody else. */
async function waitForBroker(
  input: ProceedInput,
  summary: string,
  hasChanged: () => boolean,
): Promise<PlannedStep | undefined> {
  const scope = new CancellationScope();
  const ends = [
    scope.run(() => publishNotification.executeWithOptions({ summary }, [input])),
    scope.run(() => condition(hasChanged).then(() => undefined)),
  ];
  // Whichever is left is given up.
  for (const end of ends) end.catch(() => undefined);
  try {
    return await Promise.race(ends);
  } finally {
    scope.cancel();
  }
}

/** Shows an operator how things stand; each part is told to Temporal only when it changes. */
function createDisplay(clinicId: string): (step: PlannedStep) => void {
  const shown = new Map<string, string | undefined>();
  const isNew = (name: string, value: string | undefined): boolean => {
    if (shown.get(name) === value) return false;
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
      [searchAttributes.attention, step.attention],
    ] as const;
    for (const [key, value] of keywords) if (isNew(key.name, value)) changes.push({ key, value: value ?? null });
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
      args: [{ roundId, clinicId, requestId }],
    });
  } catch (error) {
    // Somebody started it before: by the sweep, or an earlier run of this workflow.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
}
