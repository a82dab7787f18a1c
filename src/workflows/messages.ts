import { defineSignal } from '@temporalio/workflow';

/**
 * The vocabulary between the relay and the workflows: ids, versions and instants, never patient data. A signal is named for what happened and
 * means one thing: read the row again.
 */

/**
 * `sync` is apart so that a night's sync never delays a reminder, and `notifications` so that messages that wait for the broker never delay planning or
 * rebooking.
 */
export const TASK_QUEUES = { appointments: 'appointments', notifications: 'notifications', sync: 'sync' } as const;

export interface AppointmentInput {
  readonly appointmentId: string;
  readonly clinicId: string;
  /** Travels from the request that booked into activities, messages and provider calls. */
  readonly requestId?: string | undefined;
}

export interface RebookFreedSlotInput {
  readonly roundId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface ReplayNotificationsInput {
  readonly replayId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface SickDayInput {
  readonly sickDayId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface SyncEhrInput {
  readonly trigger: 'nightly' | 'on_demand';
}

export interface SyncClinicEhrInput {
  readonly clinicId: string;
  readonly trigger: 'nightly' | 'on_demand';
  /** Given when the run was asked for through the API: its row exists already. */
  readonly runId?: string;
  readonly requestId?: string | undefined;
}

/** A change of the appointment; `version <= seen` is ignored. */
export interface Changed {
  readonly version: number;
}

export const rescheduled = defineSignal<[Changed]>('rescheduled');
export const cancelled = defineSignal<[Changed]>('cancelled');
export const checkedIn = defineSignal<[Changed]>('checkedIn');
export const checkInUndone = defineSignal<[Changed]>('checkInUndone');
export const completed = defineSignal<[Changed]>('completed');
export const completionUndone = defineSignal<[Changed]>('completionUndone');
export const noShowMarked = defineSignal<[Changed]>('noShowMarked');
export const noShowUndone = defineSignal<[Changed]>('noShowUndone');
/** These raise no version, or tell of no change of the visit itself, and always wake. */
export const noticeTakenOver = defineSignal('noticeTakenOver');
export const notificationSettled = defineSignal('notificationSettled');
export const overdue = defineSignal('overdue');

/** A clinic's EHR sync was asked for. */
export const requested = defineSignal('requested');

/** A patient has answered an offer of a sick day. */
export const answered = defineSignal('answered');
/** A visit that has an open offer of a sick day was moved, cancelled or begun by hand. */
export const visitChanged = defineSignal('visitChanged');

/** What a replay and a sick day are told of their rows. */
export const paused = defineSignal('paused');
export const resumed = defineSignal('resumed');
export const stopped = defineSignal('stopped');

export const WORKFLOWS = {
  appointment: 'appointment',
  rebookFreedSlot: 'rebookFreedSlot',
  replayNotifications: 'replayNotifications',
  sickDay: 'sickDay',
  syncEhr: 'syncEhr',
  syncClinicEhr: 'syncClinicEhr',
} as const;

export const workflowIds = {
  appointment: (appointmentId: string) => `appointment-${appointmentId}`,
  rebook: (roundId: string) => `rebook-${roundId}`,
  replay: (replayId: string) => `replay-${replayId}`,
  sickDay: (sickDayId: string) => `sick-day-${sickDayId}`,
  syncClinicEhr: (clinicId: string) => `sync-ehr-${clinicId}`,
} as const;

export const EHR_NIGHTLY_SYNC_SCHEDULE = 'ehr-nightly-sync';

/** How an event reaches its workflow. */
interface Telling {
  /**
   * `start`: started unless it runs. `signal`: told, and started anew where it has ended. `signalIfRunning`: one that has ended need not know. The
   * signal has the event's name.
   */
  readonly how: 'start' | 'signal' | 'signalIfRunning';
  /** The row says which version the change made, and the signal passes it on as {@link Changed}. */
  readonly carries?: 'version';
}

/** What the relay knows of the workflow that sees to one kind of thing. */
export interface AggregateWorkflow {
  readonly workflowType: string;
  readonly taskQueue: string;
  /** One line for the Web UI, at most 200 bytes. */
  readonly summary: string;
  readonly workflowId: (about: { readonly aggregateId: string; readonly clinicId: string }) => string;
  /** The workflow's input; where it happened and on which request is added. */
  readonly input: (aggregateId: string) => object;
  readonly events: Readonly<Record<string, Telling>>;
}

const START = { how: 'start' } as const;
const WAKE = { how: 'signal' } as const;
const CHANGE = { how: 'signal', carries: 'version' } as const;
const CHANGE_IF_RUNNING = { how: 'signalIfRunning', carries: 'version' } as const;

/**
 * Every word between PostgreSQL's outbox and Temporal: what may be written about what, and which workflow learns of it how. Writers are checked against
 * it when they compile; the relay does what it says.
 */
export const VOCABULARY = {
  appointment: {
    workflowType: WORKFLOWS.appointment,
    taskQueue: TASK_QUEUES.appointments,
    summary: 'confirmation, reminders and completion of one appointment',
    workflowId: ({ aggregateId }) => workflowIds.appointment(aggregateId),
    input: (appointmentId): Omit<AppointmentInput, 'clinicId'> => ({ appointmentId }),
    events: {
      booked: START,
      rescheduled: CHANGE,
      cancelled: CHANGE,
      checkedIn: CHANGE,
      checkInUndone: CHANGE,
      completionUndone: CHANGE,
      noShowUndone: CHANGE,
      // Nothing is left to do: the door has cleared the plan.
      completed: CHANGE_IF_RUNNING,
      noShowMarked: CHANGE_IF_RUNNING,
      // Only what may call for another message is told; the notice of a cancelling outlives the workflow that sent it.
      notificationSettled: WAKE,
      // It has something to send now. The workflow of a visit that was cancelled has ended and is started anew.
      noticeTakenOver: WAKE,
      overdue: WAKE,
    },
  },
  round: {
    workflowType: WORKFLOWS.rebookFreedSlot,
    taskQueue: TASK_QUEUES.appointments,
    summary: 'fill the freed slot from the waitlist',
    workflowId: ({ aggregateId }) => workflowIds.rebook(aggregateId),
    input: (roundId): Omit<RebookFreedSlotInput, 'clinicId'> => ({ roundId }),
    // The workflow of the appointment that freed the slot starts it as its child; only the sweep and a rebuild come here.
    events: { overdue: WAKE },
  },
  replay: {
    workflowType: WORKFLOWS.replayNotifications,
    taskQueue: TASK_QUEUES.appointments,
    summary: 'send failed notifications again',
    workflowId: ({ aggregateId }) => workflowIds.replay(aggregateId),
    input: (replayId): Omit<ReplayNotificationsInput, 'clinicId'> => ({ replayId }),
    events: { requested: START, paused: WAKE, resumed: WAKE, stopped: WAKE, overdue: WAKE },
  },
  sick_day: {
    workflowType: WORKFLOWS.sickDay,
    taskQueue: TASK_QUEUES.appointments,
    summary: 'see to the visits of a provider who is away',
    workflowId: ({ aggregateId }) => workflowIds.sickDay(aggregateId),
    input: (sickDayId): Omit<SickDayInput, 'clinicId'> => ({ sickDayId }),
    events: {
      requested: START,
      answered: WAKE,
      visitChanged: WAKE,
      notificationSettled: WAKE,
      paused: WAKE,
      resumed: WAKE,
      stopped: WAKE,
      overdue: WAKE,
    },
  },
  ehr_sync: {
    workflowType: WORKFLOWS.syncClinicEhr,
    taskQueue: TASK_QUEUES.sync,
    summary: 'EHR sync of one clinic, on demand',
    workflowId: ({ clinicId }) => workflowIds.syncClinicEhr(clinicId),
    input: (runId): Omit<SyncClinicEhrInput, 'clinicId'> => ({ trigger: 'on_demand', runId }),
    // One that is at work already takes up this run too before it ends.
    events: { requested: WAKE },
  },
} as const satisfies Readonly<Record<string, AggregateWorkflow>>;

type Vocabulary = typeof VOCABULARY;
type EventsOf<Aggregate extends keyof Vocabulary> = Vocabulary[Aggregate]['events'];

/** What a change says to the relay: no other pair of thing and event is known. */
export type OutboxEvent = {
  [Aggregate in keyof Vocabulary]: {
    [Event in keyof EventsOf<Aggregate>]: {
      readonly aggregate: Aggregate;
      readonly aggregateId: string;
      readonly event: Event;
    } & (EventsOf<Aggregate>[Event] extends { readonly carries: 'version' }
      ? { readonly version: number }
      : { readonly version?: number | undefined });
  }[keyof EventsOf<Aggregate>];
}[keyof Vocabulary];

/** The events of one kind of thing. */
export type OutboxEventName<Aggregate extends keyof Vocabulary> = keyof EventsOf<Aggregate>;
