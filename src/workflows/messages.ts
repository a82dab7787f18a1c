import { defineSignal } from '@temporalio/workflow';

/**
 * The vocabulary between the relay and the workflows: ids, versions and instants, never patient data. A signal is named for what happened and
 * means one thing: read the row again.
 */

/** `sync` is apart so that a night's sync never delays a reminder. */
export const TASK_QUEUES = { appointments: 'appointments', sync: 'sync' } as const;

export interface AppointmentInput {
  readonly appointmentId: string;
  readonly clinicId: string;
  /** Travels from the request that booked into activities, messages and provider calls. */
  readonly requestId?: string;
}

export interface RebookFreedSlotInput {
  readonly roundId: string;
  readonly clinicId: string;
  readonly requestId?: string;
}

export interface ReplayNotificationsInput {
  readonly replayId: string;
  readonly clinicId: string;
  readonly requestId?: string;
  /** Carried over when it continues as new. */
  readonly paused?: boolean;
}

export interface SickDayInput {
  readonly sickDayId: string;
  readonly clinicId: string;
  readonly requestId?: string;
}

export interface SyncEhrInput {
  readonly trigger: 'nightly' | 'on_demand';
}

export interface SyncClinicEhrInput {
  readonly clinicId: string;
  readonly trigger: 'nightly' | 'on_demand';
  /** Given when the run was asked for through the API: its row exists already. */
  readonly runId?: string;
  readonly requestId?: string;
}

/** A change of the appointment; `version <= seen` is ignored. */
export interface Changed {
  readonly version: number;
}

export const rescheduled = defineSignal<[Changed]>('rescheduled');
export const cancelled = defineSignal<[Changed]>('cancelled');
export const checkedIn = defineSignal<[Changed]>('checkedIn');
export const completed = defineSignal<[Changed]>('completed');
export const noShowMarked = defineSignal<[Changed]>('noShowMarked');
export const noShowUndone = defineSignal<[Changed]>('noShowUndone');
/** These two raise no version and always wake. */
export const notificationSettled = defineSignal('notificationSettled');
export const overdue = defineSignal('overdue');

/** A patient has answered an offer of a sick day. */
export const answered = defineSignal('answered');
/** A visit that has an open offer of a sick day was moved, cancelled or begun by hand. */
export const visitChanged = defineSignal('visitChanged');

/** What an operator may tell a running replay, and what a sick day is told of its row. */
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
