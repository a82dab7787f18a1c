import { v5 as uuidV5 } from 'uuid';

export const CHANNELS = ['sms', 'email'] as const;
export type Channel = (typeof CHANNELS)[number];

/** A reminder's kind carries the policy's offset, e.g. `reminder:P3D`. */
export type ReminderKind = `reminder:${string}`;

/** A notice answers a change of the appointment and is due at once. */
export const NOTICE_KINDS = [
  'confirmation',
  'rescheduled',
  'cancelled',
  'waitlist_booked',
  'series_confirmation',
  'series_rescheduled',
  'series_cancelled',
] as const;
export type NoticeKind = (typeof NOTICE_KINDS)[number];

/** The notices that speak for several visits of a series at once. */
export const SERIES_NOTICE_KINDS = [
  'series_confirmation',
  'series_rescheduled',
  'series_cancelled',
] as const satisfies readonly NoticeKind[];

/** Another time is held for a visit that cannot take place. */
export type OfferKind = 'move_offer';

/** What an appointment's own plan calls for. */
export type PlannedKind = NoticeKind | ReminderKind;

export type NotificationKind = PlannedKind | OfferKind;

export function isReminderKind(kind: string): kind is ReminderKind {
  return kind.startsWith('reminder:');
}

export function isSeriesNotice(kind: string): boolean {
  return SERIES_NOTICE_KINDS.some((known) => known === kind);
}

/** Does it tell that visits were cancelled? Every other message is about visits that take place. */
export function tellsOfCancelling(kind: string): boolean {
  return kind === 'cancelled' || kind === 'series_cancelled';
}

/**
 * What can be true of a notification, with the rank that orders reports about one attempt: callbacks come late, repeated and out of
 * order, and a report never takes a notification back to a lower rank.
 */
export const NOTIFICATION_STATE_RANK = {
  /** In the ledger, not yet at the broker. */
  PLANNED: 0,
  /** The broker has confirmed it. */
  QUEUED: 1,
  /** Waiting for the next attempt after a passing error. */
  RETRY: 2,
  /** Written before the call to the provider. */
  SENDING: 3,
  /** The provider's answer was lost: it may or may not have been sent. */
  UNKNOWN: 4,
  /** The provider took it. */
  ACCEPTED: 5,
  FAILED: 6,
  /** No longer due when its turn came: moved, cancelled, begun or opted out. */
  SKIPPED: 6,
  DELIVERED: 7,
} as const;

export type NotificationState = keyof typeof NOTIFICATION_STATE_RANK;

export const NOTIFICATION_STATES = Object.keys(NOTIFICATION_STATE_RANK) as readonly NotificationState[];

const TRANSITIONS: Readonly<Record<NotificationState, readonly NotificationState[]>> = {
  // The notifier may be faster than the publisher's own note that the broker confirmed.
  PLANNED: ['QUEUED', 'SENDING', 'SKIPPED', 'FAILED'],
  // What an earlier attempt sent may prove to have arrived while the next one waits.
  QUEUED: ['SENDING', 'SKIPPED', 'FAILED', 'DELIVERED'],
  RETRY: ['QUEUED', 'SENDING', 'SKIPPED', 'FAILED', 'DELIVERED'],
  // A callback may be faster than the provider's answer to the call.
  SENDING: ['ACCEPTED', 'DELIVERED', 'FAILED', 'RETRY', 'UNKNOWN'],
  // Back to RETRY only after a conclusive look-up or a person's decision: it is never sent again blindly.
  UNKNOWN: ['ACCEPTED', 'DELIVERED', 'FAILED', 'RETRY'],
  ACCEPTED: ['DELIVERED', 'FAILED'],
  // A replay queues it again; a late proof of delivery outranks the failure.
  FAILED: ['QUEUED', 'SKIPPED', 'DELIVERED'],
  SKIPPED: [],
  DELIVERED: [],
};

/** May a notification go from one state to the other? Staying where it is is no transition. */
export function mayBecome(from: NotificationState, to: NotificationState): boolean {
  return TRANSITIONS[from].includes(to);
}

/** The states from which a notification may become `to`: for the `WHERE state = ANY (…)` of an update. */
export function statesBefore(to: NotificationState): NotificationState[] {
  return NOTIFICATION_STATES.filter((from) => mayBecome(from, to));
}

/** Waits at the broker for its turn, the first or the next. */
export const WAITING: readonly NotificationState[] = ['QUEUED', 'RETRY'];

/** Settled: nothing more happens to it unless somebody replays it. */
export function isSettled(state: NotificationState): boolean {
  return state === 'DELIVERED' || state === 'FAILED' || state === 'SKIPPED';
}

/** What makes a notification the one it is. Instants in epoch milliseconds. */
export type NotificationIdParts =
  | {
      readonly appointmentId: string;
      readonly kind: ReminderKind;
      /** The visit's planned start: a move makes new reminders, moving back makes the old ones again. */
      readonly appointmentTime: number;
      readonly channel: Channel;
    }
  | {
      readonly appointmentId: string;
      readonly kind: NoticeKind;
      /** The appointment's version that the notice tells of. */
      readonly version: number;
      readonly channel: Channel;
    }
  | {
      readonly appointmentId: string;
      readonly kind: OfferKind;
      readonly offerId: string;
      readonly channel: Channel;
    };

const NOTIFICATION_NAMESPACE = '6c2a4a52-52c5-4f0e-9d0c-3f6d2f5b8a17';

/**
 * The id of a notification, the same whenever it is computed from the same parts (a UUID of version 5, RFC 9562 §5.5),
 * so that planning or publishing twice is publishing once.
 */
export function notificationId(parts: NotificationIdParts): string {
  return uuidV5(`${parts.appointmentId} ${parts.kind} ${occasionOf(parts)} ${parts.channel}`, NOTIFICATION_NAMESPACE);
}

function occasionOf(parts: NotificationIdParts): string {
  if ('version' in parts) return `version ${parts.version}`;
  return 'offerId' in parts ? `offer ${parts.offerId}` : `time ${parts.appointmentTime}`;
}

/**
 * The one channel on which a patient is told something: the first they want on which they can be reached.
 * A patient who stated no preference gets an SMS, or an email where there is no phone.
 *
 * @param preferences - the channels the patient accepts, best first
 * @returns undefined when they cannot be reached on any of them
 */
export function chooseChannel(
  preferences: readonly Channel[],
  hasPhone: boolean,
  hasEmail: boolean,
): Channel | undefined {
  const reachable: Readonly<Record<Channel, boolean>> = { sms: hasPhone, email: hasEmail };
  const wanted = preferences.length > 0 ? preferences : CHANNELS;
  return wanted.find((channel) => reachable[channel]);
}
