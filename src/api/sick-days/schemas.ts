import { Type, type Static } from 'typebox';
import { SICK_DAY_STEPS } from '../../domain/policy.ts';
import {
  SICK_DAY_ITEM_STATES,
  SICK_DAY_REASONS,
  SICK_DAY_STATES,
  type SickDayItemState,
} from '../../domain/sick-day.ts';
import { Instant, instantText, instantTextOrNull, NextCursor, Nullable, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';
import type { SickDayWithCounts, SickDayWithItems } from './queries.ts';

export const SickDayPath = Strict({ sickDayId: Uuid('The sick day.') });

export const AbsenceBody = Strict({
  providerId: Uuid('Who is away. Providers name themselves.'),
  from: Instant('From when they are away; it may have begun.'),
  to: Instant('When they are back. At most 366 days after from.'),
  reason: Type.Optional(
    Type.Enum([...SICK_DAY_REASONS], {
      description: 'For the clinic alone: patients are not told. illness when left out.',
    }),
  ),
  steps: Type.Optional(
    Type.Array(Type.Enum([...SICK_DAY_STEPS]), {
      maxItems: SICK_DAY_STEPS.length,
      uniqueItems: true,
      description:
        "Only these of the steps of the clinic's policy, in the policy's order. A call by the desk is always the last resort.",
    }),
  ),
});

export const SickDayQuery = Strict({
  providerId: Type.Optional(Uuid('Only those of this provider.')),
  state: Type.Optional(Type.Enum([...SICK_DAY_STATES])),
  ...PAGE_QUERY,
});

export const SickDayBegun = Type.Object(
  {
    sickDayId: Uuid('The sick day.'),
    affectedAppointments: Type.Integer({ description: 'How many visits it sees to.' }),
  },
  {
    description: 'The time off is entered, and a workflow sees to the visits.',
    headers: {
      Location: { type: 'string', description: 'The sick day.' },
      'Idempotency-Replayed': { type: 'string', description: 'true: this is the answer to an earlier request.' },
    },
  },
);

const Counts = Type.Object(
  {
    pending: Type.Integer(),
    offered: Type.Integer(),
    moved: Type.Integer(),
    waitlisted: Type.Integer(),
    call: Type.Integer(),
    gone: Type.Integer(),
    stopped: Type.Integer(),
  },
  { description: 'How many visits are in which state.' },
);

const SUMMARY = {
  sickDayId: Uuid('The sick day.'),
  clinicId: Uuid('Where.'),
  providerId: Uuid('Who is away.'),
  from: Instant('From when.'),
  to: Instant('Until when.'),
  reason: Type.Enum([...SICK_DAY_REASONS]),
  state: Type.Enum([...SICK_DAY_STATES], {
    description:
      'PAUSED: nothing new is offered; offers that are out can be answered. STOPPED: offers are withdrawn, and what was not dealt with stays booked.',
  }),
  steps: Type.Array(Type.Enum([...SICK_DAY_STEPS])),
  requestedBy: Type.String(),
  createdAt: Instant('When it was entered.'),
  finishedAt: Nullable(Instant('When it was finished or stopped.')),
  counts: Counts,
};

const Outcome = Type.Object({
  appointmentId: Uuid('The visit.'),
  patientId: Uuid('Whose.'),
  visitStart: Instant('When it was to start.'),
  state: Type.Enum([...SICK_DAY_ITEM_STATES], {
    description:
      'PENDING: has yet to have its turn. OFFERED: another time is held for the patient. MOVED: done. WAITLISTED: waits for a better time, and the desk calls. CALL: the desk calls. The visit stands with both. GONE: somebody moved, cancelled or began it meanwhile. STOPPED: not dealt with, still booked.',
  }),
  reason: Nullable(Type.String({ description: 'Which step it was, or why it came to this. A code.' })),
  offerId: Nullable(Uuid('The offer that is open.')),
  offerExpiresAt: Nullable(Instant('Until when it can be answered.')),
  taskId: Nullable(Uuid('The call.')),
  called: Type.Boolean({ description: 'The call has been made.' }),
  updatedAt: Instant('When it came to this.'),
});

export const SickDaySummary = Type.Object(SUMMARY);

export const SickDay = Type.Object({
  ...SUMMARY,
  outcomes: Type.Array(Outcome, { description: 'What became of each visit, the soonest first.' }),
  unreachable: Type.Array(Uuid('A visit.'), {
    description:
      'The visits whose patients could not be reached: they have neither phone nor email, or the message failed.',
  }),
});

export const SickDayPage = Type.Object({ sickDays: Type.Array(SickDaySummary), nextCursor: NextCursor });

export function summaryBody({ sickDay, counts }: SickDayWithCounts): Static<typeof SickDaySummary> {
  const count = (state: SickDayItemState) => counts[state] ?? 0;
  return {
    sickDayId: sickDay.sick_day_id,
    clinicId: sickDay.clinic_id,
    providerId: sickDay.provider_id,
    from: instantText(sickDay.from_time),
    to: instantText(sickDay.to_time),
    reason: sickDay.reason,
    state: sickDay.state,
    steps: sickDay.steps,
    requestedBy: sickDay.requested_by,
    createdAt: instantText(sickDay.created_at),
    finishedAt: instantTextOrNull(sickDay.finished_at),
    counts: {
      pending: count('PENDING'),
      offered: count('OFFERED'),
      moved: count('MOVED'),
      waitlisted: count('WAITLISTED'),
      call: count('CALL'),
      gone: count('GONE'),
      stopped: count('STOPPED'),
    },
  };
}

export function sickDayBody({ sickDay, items }: SickDayWithItems): Static<typeof SickDay> {
  const counts: Partial<Record<SickDayItemState, number>> = {};
  for (const { state } of items) counts[state] = (counts[state] ?? 0) + 1;
  return {
    ...summaryBody({ sickDay, counts }),
    outcomes: items.map((item) => ({
      appointmentId: item.appointment_id,
      patientId: item.patient_id,
      visitStart: instantText(item.visit_start),
      state: item.state,
      reason: item.reason,
      offerId: item.offer_id,
      offerExpiresAt: instantTextOrNull(item.offer_until),
      taskId: item.task_id,
      called: item.call_state === 'RESOLVED',
      updatedAt: instantText(item.updated_at),
    })),
    unreachable: items.filter((item) => item.unreachable).map((item) => item.appointment_id),
  };
}
