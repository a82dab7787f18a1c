import { Type, type Static } from 'typebox';
import type { AppointmentRow } from '../../db/appointments.ts';
import { APPOINTMENT_STATUSES, CANCEL_REASONS, CANCELLED_BY } from '../../domain/appointment.ts';
import { CHANNELS, isReminderKind, NOTIFICATION_STATES } from '../../domain/notification.ts';
import { OFFER_STATES } from '../../domain/offer.ts';
import { OVERRIDABLE_RULES, type OverridableRule } from '../../domain/override.ts';
import {
  CREATED_HEADERS,
  DurationMinutes,
  ETAG_HEADER,
  Instant,
  instantText,
  instantTextOrNull,
  NextCursor,
  Nullable,
  PAGE_QUERY,
  PlainText,
  Strict,
  Uuid,
} from '../schemas.ts';
import type { AppointmentHistory } from './queries.ts';

export const AppointmentPath = Strict({ appointmentId: Uuid('The appointment.') });

const HoldId = Type.Optional(Uuid('A live hold of the caller for exactly this slot; it is used up.'));

/** For administrators: the rules that refuse are set aside on purpose. */
export const Override = Type.Optional(
  Strict({
    rules: Type.Array(Type.Enum([...OVERRIDABLE_RULES]), {
      minItems: 1,
      maxItems: OVERRIDABLE_RULES.length,
      uniqueItems: true,
      description: 'The codes of the rules that may be broken. A slot that is taken is nobody’s to give.',
    }),
    reason: PlainText(200, 'Why. It is kept in the audit and shown to staff with the appointment.', 3),
  }),
);

/** The specification's body; what goes beyond it is optional. */
export const BookingBody = Strict({
  patientId: Uuid('Who the visit is for. Patients name themselves; staff name a patient registered at their clinic.'),
  providerId: Uuid('Whom they will see. The clinic follows from it.'),
  appointmentTime: Instant('When the visit starts: a start that the availability search offers.'),
  durationMinutes: DurationMinutes,
  holdId: HoldId,
  override: Override,
});

/** The specification's answer, exactly. */
export const BookedAnswer = Type.Object(
  {
    appointmentId: Uuid('The new appointment.'),
    confirmationCode: Type.String({ description: 'Six characters to read out on the phone.', examples: ['ABC123'] }),
    status: Type.Enum(['SCHEDULED']),
  },
  {
    description: 'Booked.',
    headers: CREATED_HEADERS,
  },
);

/** For a visit of a series. */
const Scope = Type.Optional(
  Type.Enum(['this', 'following'], {
    description:
      'Of a series: this visit alone (so without it), or this one and those that follow, all of them or none. Of a visit that belongs to none both mean the same.',
  }),
);

export const MoveBody = Strict(
  {
    appointmentTime: Type.Optional(Instant('The new start.')),
    durationMinutes: Type.Optional(DurationMinutes),
    providerId: Type.Optional(Uuid('Another provider of the same clinic.')),
    holdId: HoldId,
    override: Override,
    scope: Scope,
  },
  { minProperties: 1 },
);

export const CancelQuery = Strict({
  reason: Type.Optional(
    Type.Enum([...CANCEL_REASONS], {
      description: 'Why. Without it: patient_request from a patient, other from staff.',
    }),
  ),
  scope: Scope,
});

export const ListQuery = Strict({
  status: Type.Optional(Type.Enum([...APPOINTMENT_STATUSES])),
  clinicId: Type.Optional(Uuid('Only visits at this clinic. Staff: their own, with or without it.')),
  providerId: Type.Optional(Uuid('Only visits with this provider.')),
  patientId: Type.Optional(Uuid('Only visits of this patient.')),
  from: Type.Optional(Instant('Only visits that start at or after this.')),
  to: Type.Optional(Instant('Only visits that start before this.')),
  ...PAGE_QUERY,
});

export const Appointment = Type.Object({
  appointmentId: Uuid('The appointment.'),
  patientId: Uuid('Who it is for.'),
  providerId: Uuid('Whom they see.'),
  clinicId: Uuid('Where.'),
  appointmentTime: Instant('When the visit starts.'),
  durationMinutes: Type.Integer(),
  status: Type.Enum([...APPOINTMENT_STATUSES]),
  confirmationCode: Type.String({ examples: ['ABC123'] }),
  seriesId: Nullable(Uuid('The series that it is a visit of.')),
  bookedVia: Type.Enum(['api', 'waitlist']),
  checkedInAt: Nullable(Instant('When the patient arrived.')),
  cancelledAt: Nullable(Instant('When it was cancelled.')),
  cancelledBy: Nullable(Type.Enum([...CANCELLED_BY])),
  cancelReason: Nullable(Type.String()),
  cancelledLate: Nullable(Type.Boolean({ description: "Later than the clinic's notice." })),
  moves: Type.Integer({ description: 'How often its time, length or provider was changed.' }),
  override: Nullable(
    Type.Object(
      {
        rules: Type.Array(Type.Enum([...OVERRIDABLE_RULES])),
        reason: Type.Optional(Type.String({ description: 'For staff only.' })),
      },
      { description: 'The rules that staff set aside for its present time.' },
    ),
  ),
  reminderState: Type.String({ description: 'NONE, PLANNED, SENT, FAILED or DONE.' }),
  nextAction: Nullable(Type.String({ description: 'What its workflow does next; see the timeline.' })),
  nextActionAt: Nullable(Instant('When.')),
  createdAt: Instant('When it was booked.'),
  updatedAt: Instant('When it last changed.'),
  version: Type.Integer({ description: 'The number in the ETag.' }),
});

export const AppointmentAnswer = Type.Object(Appointment.properties, {
  description: 'The appointment.',
  headers: ETAG_HEADER,
});

export const AppointmentPage = Type.Object({ appointments: Type.Array(Appointment), nextCursor: NextCursor });

/** @param forStaff - patients are told that a rule was set aside, not in which words */
export function appointmentBody(row: AppointmentRow, forStaff: boolean): Static<typeof Appointment> {
  return {
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    providerId: row.provider_id,
    clinicId: row.clinic_id,
    appointmentTime: instantText(row.appointment_time),
    durationMinutes: row.duration_minutes,
    status: row.status,
    confirmationCode: row.confirmation_code,
    seriesId: row.series_id,
    bookedVia: row.booked_via,
    checkedInAt: instantTextOrNull(row.checked_in_at),
    cancelledAt: instantTextOrNull(row.cancelled_at),
    cancelledBy: row.cancelled_by,
    cancelReason: row.cancel_reason,
    cancelledLate: row.cancelled_late,
    moves: row.moves,
    override:
      row.override_reason === null
        ? null
        : {
            rules: row.override_rules as OverridableRule[],
            ...(forStaff ? { reason: row.override_reason } : {}),
          },
    reminderState: row.reminder_state,
    nextAction: outwardAction(row.next_action),
    nextActionAt: row.next_action === 'plan' ? null : instantTextOrNull(row.next_action_at),
    createdAt: instantText(row.created_at),
    updatedAt: instantText(row.updated_at),
    version: row.version,
  };
}

export const Timeline = Type.Object({
  appointmentId: Uuid('The appointment.'),
  status: Type.Enum([...APPOINTMENT_STATUSES]),
  appointmentTime: Instant('When the visit starts.'),
  version: Type.Integer(),
  reminderState: Type.String(),
  next: Type.Object({
    action: Nullable(
      Type.String({
        description:
          'answer_offer, call, complete, day_end_list, or the kind of the message that is due; null while it is being worked out, and when nothing is left to do.',
      }),
    ),
    at: Nullable(Instant('When it is due.')),
    why: Type.String({ description: 'In words.' }),
  }),
  events: Type.Array(
    Type.Object({
      at: Instant('When it happened.'),
      action: Type.String({ examples: ['booked'] }),
      actor: Type.Object({
        kind: Type.String({ description: 'patient, staff, system or ehr.' }),
        id: Type.Optional(Type.String({ description: "The token's subject; for staff only." })),
      }),
      requestId: Nullable(Type.String()),
      detail: Type.Record(Type.String(), Type.Unknown(), { description: 'Ids, codes, versions and instants.' }),
    }),
  ),
  notifications: Type.Array(
    Type.Object({
      notificationId: Uuid('The message.'),
      kind: Type.String({ examples: ['reminder:P1D'] }),
      channel: Type.Enum([...CHANNELS]),
      state: Type.Enum([...NOTIFICATION_STATES]),
      dueAt: Instant('When it was due.'),
      plannedFor: Instant('The start of the visit that it speaks of.'),
      attempt: Type.Integer({ description: 'How many times it was handed to the provider.' }),
      reason: Nullable(Type.String({ description: 'Why it failed or was skipped.' })),
      acceptedAt: Nullable(Instant('When the provider took it.')),
      settledAt: Nullable(Instant('When it was delivered, or failed for good.')),
    }),
  ),
  rounds: Type.Array(
    Type.Object({
      roundId: Uuid('The freed slot being offered to the waitlist.'),
      state: Type.Enum(['OPEN', 'FILLED', 'RELEASED']),
      openedAt: Instant('When the slot was freed.'),
      closedAt: Nullable(Instant('When it was filled or released.')),
      closedReason: Nullable(Type.String()),
      filledAppointmentId: Nullable(Uuid('The visit that took the slot; for staff only.')),
    }),
  ),
  offers: Type.Array(
    Type.Object({
      offerId: Uuid('Another time that was offered, as the visit cannot take place.'),
      state: Type.Enum([...OFFER_STATES]),
      providerId: Uuid('With whom instead.'),
      startTime: Instant('When instead.'),
      offeredAt: Instant('When it was offered.'),
      expiresAt: Instant('Until when it can be answered.'),
    }),
  ),
  tasks: Type.Array(
    Type.Object({
      taskId: Uuid('Something that the desk does about the visit.'),
      kind: Type.Enum(['call']),
      state: Type.Enum(['OPEN', 'RESOLVED']),
      since: Instant('Since when it is wanted.'),
    }),
  ),
});

/** @param forStaff - patients see what was done, not which member of staff did it, nor who got the slot they gave back */
export function timelineBody(
  row: AppointmentRow,
  history: AppointmentHistory,
  forStaff: boolean,
): Static<typeof Timeline> {
  const { events, notifications, rounds, offers, tasks } = history;
  return {
    appointmentId: row.appointment_id,
    status: row.status,
    appointmentTime: instantText(row.appointment_time),
    version: row.version,
    reminderState: row.reminder_state,
    next: nextOf(row, history),
    events: events.map((event) => ({
      at: instantText(event.occurred_at),
      action: event.action,
      actor: { kind: event.actor_kind, ...(forStaff ? { id: event.actor_id } : {}) },
      requestId: event.request_id,
      detail: forStaff ? event.detail : withoutReason(event.detail),
    })),
    notifications: notifications.map((message) => ({
      notificationId: message.notification_id,
      kind: message.kind,
      channel: message.channel,
      state: message.state,
      dueAt: instantText(message.due_at),
      plannedFor: instantText(message.planned_for),
      attempt: message.attempt,
      reason: message.reason,
      acceptedAt: instantTextOrNull(message.accepted_at),
      settledAt: instantTextOrNull(message.settled_at),
    })),
    rounds: rounds.map((round) => ({
      roundId: round.round_id,
      state: round.state,
      openedAt: instantText(round.created_at),
      closedAt: instantTextOrNull(round.closed_at),
      closedReason: round.closed_reason,
      filledAppointmentId: forStaff ? round.filled_appointment_id : null,
    })),
    offers: offers.map((offer) => ({
      offerId: offer.offer_id,
      state: offer.state,
      providerId: offer.provider_id,
      startTime: instantText(offer.slot_start),
      offeredAt: instantText(offer.created_at),
      expiresAt: instantText(offer.expires_at),
    })),
    tasks: tasks.map((task) => ({
      taskId: task.task_id,
      kind: task.kind,
      state: task.state,
      since: instantText(task.created_at),
    })),
  };
}

/** The words in which staff set rules aside are for staff. */
function withoutReason(detail: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { override, ...rest } = detail as { override?: { rules: unknown } };
  return override === undefined ? rest : { ...rest, override: { rules: override.rules } };
}

/** A plan that has yet to be made is nobody's business outside. */
function outwardAction(action: string | null): string | null {
  return action === 'plan' ? null : action;
}

/** What happens next. Nothing is promised of a visit that cannot take place: first another time is found for it. */
function nextOf(
  row: AppointmentRow,
  { offers, tasks, beingMoved }: AppointmentHistory,
): Static<typeof Timeline>['next'] {
  const offer = offers.find(({ state }) => state === 'OPEN');
  if (offer !== undefined) {
    const why = 'The provider is away then. The patient has been offered another time, and can answer until this.';
    return { action: 'answer_offer', at: instantText(offer.expires_at), why };
  }
  if (row.status === 'SCHEDULED' && tasks.some(({ state }) => state === 'OPEN')) {
    return { action: 'call', at: null, why: 'The provider is away then. The desk is about to call the patient.' };
  }
  if (row.status === 'SCHEDULED' && beingMoved) {
    return { action: null, at: null, why: 'The provider is away then. Another time is being looked for.' };
  }
  const at = row.next_action === 'plan' ? null : instantTextOrNull(row.next_action_at);
  return { action: outwardAction(row.next_action), at, why: whyNext(row) };
}

/** What the workflow waits for, in words. */
function whyNext(row: AppointmentRow): string {
  const { next_action: action, status } = row;
  if (action === null && status === 'SCHEDULED') {
    return 'Nothing happens by itself: the visit is over and nobody marked it. It is on the day-end list until somebody completes it or marks a no-show.';
  }
  if (action === null) return `The appointment is ${status} and nothing is left to do.`;
  if (action === 'plan') return 'The appointment has just changed: what comes next is being worked out.';
  if (action === 'complete') {
    return "The patient is here: the visit counts as completed after its end and the clinic's grace, unless somebody marks it before.";
  }
  if (action === 'day_end_list') {
    return 'Every reminder has had its turn. If nobody marks the visit, it is on the day-end list from its end on.';
  }
  if (isReminderKind(action)) {
    return `The reminder that is due ${action.slice('reminder:'.length)} before the visit has not gone out yet.`;
  }
  return `The patient has not been told yet (${action}).`;
}
