import { ApplicationFailure } from '@temporalio/common';
import { planAppointment, type AppointmentFacts, type LedgerFacts } from '../../src/domain/appointment-plan.ts';
import type { ProceedInput } from '../../src/activities/appointment/index.ts';
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
  'proceedWithAppointment' | 'publishNotification' | 'beginRound' | 'fillRound'
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
  openRoundIds: string[];
  /** How often PostgreSQL is away when it is asked. */
  databaseRefusals: number;
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
    openRoundIds: [],
    databaseRefusals: 0,
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
  const plan = (world: AppointmentWorld, now: number) =>
    planAppointment({
      appointment: world.row,
      policy: DEFAULT_POLICY,
      timeZone: 'UTC',
      ledger: world.ledger,
      now,
    });

  const stepOf = (world: AppointmentWorld, now: number): PlannedStep => {
    const { action, reminderState } = plan(world, now);
    return {
      version: world.row.version,
      status: world.row.status,
      providerId: 'provider-1',
      action: action.kind === 'none' ? action : { ...action, at: new Date(action.at).toISOString() },
      reminderState,
      attention: world.ledger.some(({ state }) => state === 'FAILED') ? 'MESSAGE_FAILED' : undefined,
      openRoundIds: [...world.openRoundIds],
      detailsMarkdown: `**${world.row.status}** next ${action.kind === 'notify' ? action.notificationKind : action.kind}`,
    };
  };

  /** Does what is due, as the real one does. */
  const proceed = ({ appointmentId, now: at }: ProceedInput, waitsForBroker: boolean): Promise<PlannedStep> => {
    const world = worldOf(appointmentId);
    const now = Date.parse(at);
    if (world.databaseRefusals > 0) {
      world.databaseRefusals -= 1;
      throw ApplicationFailure.retryable('database_unavailable', 'database_unavailable');
    }
    for (;;) {
      const { action } = plan(world, now);
      if (action.kind === 'none' || action.at > now) break;
      if (action.kind === 'complete') change(world, { status: 'COMPLETED' });
      else if (action.kind === 'day_end_list') break;
      else if (world.brokerRefusals > 0) {
        world.brokerRefusals -= 1;
        if (waitsForBroker) throw ApplicationFailure.retryable('broker_unavailable', 'broker_unavailable');
        break;
      } else {
        settle(world, action.notificationKind, 'ACCEPTED', action.at);
        world.sent.push({ kind: action.notificationKind, at: now });
      }
    }
    world.plans.push(now);
    return Promise.resolve(stepOf(world, now));
  };

  return {
    proceedWithAppointment: (input) => proceed(input, false),
    publishNotification: (input) => proceed(input, true),

    beginRound: () =>
      Promise.resolve({
        state: 'OPEN' as const,
        providerId: 'provider-1',
        slotStart: new Date().toISOString(),
        deadline: new Date(Date.now() + 5 * MINUTE).toISOString(),
      }),

    fillRound({ roundId }) {
      for (const world of worlds.values()) {
        if (!world.openRoundIds.includes(roundId)) continue;
        world.filledRounds.push(roundId);
        world.openRoundIds = world.openRoundIds.filter((id) => id !== roundId);
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
