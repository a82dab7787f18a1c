import { Type, type Static } from 'typebox';
import type { CallTaskRow } from '../../db/sick-days.ts';
import { CALL_OUTCOMES, CALL_REASONS } from '../../domain/sick-day.ts';
import { Instant, instantText, instantTextOrNull, NextCursor, Nullable, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';

const STATES = ['OPEN', 'DONE'] as const;

export const CallTaskPath = Strict({ callTaskId: Uuid('The call task.') });

export const CallTaskQuery = Strict({ state: Type.Optional(Type.Enum([...STATES])), ...PAGE_QUERY });

export const CallDoneBody = Strict({
  outcome: Type.Enum([...CALL_OUTCOMES], {
    description:
      'What came of it. Moving or cancelling the visit is a request of its own, which ticks the call off by itself.',
  }),
});

export const CallTask = Type.Object({
  callTaskId: Uuid('The call task.'),
  clinicId: Uuid('Where.'),
  appointmentId: Uuid('The visit to speak about.'),
  patientId: Uuid('Whom to call.'),
  sickDayId: Uuid('Because of which sick day.'),
  reason: Type.Enum([...CALL_REASONS], {
    description:
      'no_contact, message_failed: the patient cannot be reached in another way. starts_soon: too late to wait for an answer. not_accepted, no_slot: no other time was taken, or found.',
  }),
  state: Type.Enum([...STATES]),
  outcome: Nullable(Type.Enum([...CALL_OUTCOMES])),
  createdAt: Instant('Since when it is to be made.'),
  doneAt: Nullable(Instant('When it was made.')),
  doneBy: Nullable(
    Type.String({
      description: 'Whose token it was, or who moved, cancelled or began the visit.',
      examples: ['front-desk'],
    }),
  ),
});

export const CallTaskPage = Type.Object({ callTasks: Type.Array(CallTask), nextCursor: NextCursor });

export function callTaskBody(row: CallTaskRow): Static<typeof CallTask> {
  return {
    callTaskId: row.call_task_id,
    clinicId: row.clinic_id,
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    sickDayId: row.sick_day_id,
    reason: row.reason,
    state: row.state,
    outcome: row.outcome,
    createdAt: instantText(row.created_at),
    doneAt: instantTextOrNull(row.done_at),
    doneBy: row.done_by,
  };
}
