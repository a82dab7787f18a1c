import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { planAppointment, type AppointmentFacts, type LedgerFacts } from '../../src/domain/appointment-plan.ts';
import type { PlannedStep } from '../../src/activities/appointment/plan.ts';
import type { Activities } from '../../src/activities/index.ts';
import {
  isReminderKind,
  notificationId,
  tellsOfCancelling,
  type PlannedKind,
  type NotificationState,
} from '../../src/domain/notification.ts';
import { DEFAULT_POLICY } from '../../src/domain/policy.ts';

type AppointmentActivities = Pick<
  Activities,
  'planNextAction' | 'publishNotification' | 'completeAppointment' | 'beginRound' | 'fillRound'
>;

export const DAY = 86_400_000;
export const HOUR = 3_600_000;
export const MINUTE = 60_000;

/** One appointment without a database: the row, what went out, and what the workflow asked for. */
export interface AppointmentWorld {
  row: AppointmentFacts;
  readonly ledger: LedgerFacts[];
  /** What was published, in order, and when by the workflow's clock. */
  readonly sent: { readonly kind: string; readonly at: number }[];
  readonly plans: number[];
  openRoundId: string | undefined;
  /** How often the broker refuses before it takes a message. */
  brokerRefusals: number;
  readonly filledRounds: string[];
}

/** An appointment that starts in `inMs`, booked now. */
export function aWorld(appointmentId: string, inMs: number): AppointmentWorld {
  const now = Date.now();
  return {
    row: {
      appointmentId,
      status: 'SCHEDULED',
      appointmentTime: now + inMs,
      durationMinutes: 30,
      bookedVia: 'api',
      timeSetAt: now,
      timeSetVersion: 1,
      changedAt: now,
      version: 1,
      checkedIn: false,
      noticeVisits: 1,
    },
    ledger: [],
    sent: [],
    plans: [],
    openRoundId: undefined,
    brokerRefusals: 0,
    filledRounds: [],
  };
}

/** Changes the row as the doors do, and returns the new version. */
export function change(world: AppointmentWorld, changes: Partial<AppointmentFacts>): number {
  const version = world.row.version + 1;
  const moved = changes.appointmentTime !== undefined;
  world.row = { ...world.row, ...changes, version, ...(moved ? { timeSetVersion: version } : {}) };
  return version;
}

/** The activities over these appointments, by the same planning as the real ones. Only Temporal's clock counts. */
export function worldActivities(worlds: ReadonlyMap<string, AppointmentWorld>) {
  const worldOf = (appointmentId: string): AppointmentWorld => {
    const world = worlds.get(appointmentId);
    if (world === undefined) throw ApplicationFailure.nonRetryable('not_found', 'not_found');
    return world;
  };
  const plan = (world: AppointmentWorld) =>
    planAppointment({
      appointment: world.row,
      policy: DEFAULT_POLICY,
      leftToPeople: false,
      timeZone: 'UTC',
      ledger: world.ledger,
      now: now(),
    });

  const stepOf = (world: AppointmentWorld): PlannedStep => {
    const { action, reminderState } = plan(world);
    return {
      version: world.row.version,
      status: world.row.status,
      providerId: 'provider-1',
      action: action.kind === 'none' ? action : { ...action, at: new Date(action.at).toISOString() },
      reminderState,
      ...(world.openRoundId === undefined ? {} : { openRoundId: world.openRoundId }),
      detailsMarkdown: `**${world.row.status}** next ${action.kind === 'notify' ? action.notificationKind : action.kind}`,
    };
  };

  return {
    planNextAction({ appointmentId }): Promise<PlannedStep> {
      const world = worldOf(appointmentId);
      world.plans.push(now());
      return Promise.resolve(stepOf(world));
    },

    publishNotification({ appointmentId, notificationKind }) {
      const world = worldOf(appointmentId);
      const { action } = plan(world);
      if (action.kind !== 'notify' || action.notificationKind !== notificationKind || action.at > now())
        return Promise.resolve({ outcome: 'not_due' as const });
      if (world.brokerRefusals > 0) {
        world.brokerRefusals -= 1;
        throw ApplicationFailure.retryable('broker_unavailable', 'broker_unavailable');
      }
      settle(world, notificationKind, 'ACCEPTED', action.at);
      world.sent.push({ kind: notificationKind, at: now() });
      world.plans.push(now());
      return Promise.resolve({ outcome: 'queued' as const, next: stepOf(world) });
    },

    completeAppointment({ appointmentId }) {
      change(worldOf(appointmentId), { status: 'COMPLETED' });
      return Promise.resolve({ outcome: 'completed' as const });
    },

    beginRound: () =>
      Promise.resolve({
        state: 'OPEN' as const,
        providerId: 'provider-1',
        slotStart: new Date(now()).toISOString(),
        deadline: new Date(now() + 5 * MINUTE).toISOString(),
      }),

    fillRound({ roundId }) {
      for (const world of worlds.values()) {
        if (world.openRoundId !== roundId) continue;
        world.filledRounds.push(roundId);
        world.openRoundId = undefined;
      }
      return Promise.resolve({ outcome: 'filled' as const, appointmentId: 'appointment-of-somebody-else' });
    },
  } satisfies AppointmentActivities;
}

/** Writes the ledger row of a message about the appointment as it is now. */
function settle(world: AppointmentWorld, kind: PlannedKind, state: NotificationState, dueAt: number): void {
  const { appointmentId, appointmentTime, timeSetVersion, version } = world.row;
  const id = isReminderKind(kind)
    ? notificationId({ appointmentId, kind, appointmentTime, channel: 'sms' })
    : notificationId({
        appointmentId,
        kind,
        version: tellsOfCancelling(kind) ? version : timeSetVersion,
        channel: 'sms',
      });
  world.ledger.push({ notificationId: id, state, dueAt });
}

function now(): number {
  return Context.current().info.currentAttemptScheduledTimestampMs;
}
