import { Type, type Static } from 'typebox';
import type { TaskRow } from '../../db/tasks.ts';
import { CALL_OUTCOMES, CALL_REASONS, TASK_KINDS, TASK_STATES } from '../../domain/task.ts';
import { Instant, instantText, instantTextOrNull, NextCursor, Nullable, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';

export const TaskPath = Strict({ taskId: Uuid('The task.') });

export const TaskQuery = Strict({ state: Type.Optional(Type.Enum([...TASK_STATES])), ...PAGE_QUERY });

export const ResolveBody = Strict({
  outcome: Type.Enum([...CALL_OUTCOMES], {
    description:
      'What came of it. Moving or cancelling the visit is a request of its own, which resolves the task by itself.',
  }),
});

export const Task = Type.Object({
  taskId: Uuid('The task.'),
  clinicId: Uuid('Where.'),
  kind: Type.Enum([...TASK_KINDS], { description: 'call: a patient has to be called about a visit.' }),
  appointmentId: Uuid('The visit to speak about.'),
  patientId: Uuid('Whom to call.'),
  sickDayId: Nullable(Uuid('Because of which sick day, where it is one.')),
  reason: Type.Enum([...CALL_REASONS], {
    description:
      'no_contact, message_failed: the patient cannot be reached in another way. starts_soon: too late to wait for an answer. not_accepted, no_slot: no other time was taken, or found. error: it could not be dealt with otherwise.',
  }),
  state: Type.Enum([...TASK_STATES]),
  assignedTo: Nullable(Type.String({ description: 'Who has taken it on.', examples: ['front-desk'] })),
  outcome: Nullable(Type.Enum([...CALL_OUTCOMES])),
  createdAt: Instant('Since when it is to be done.'),
  resolvedAt: Nullable(Instant('When it was done.')),
  resolvedBy: Nullable(
    Type.String({
      description: 'Whose token it was, or who moved, cancelled or began the visit.',
      examples: ['front-desk'],
    }),
  ),
});

export const TaskPage = Type.Object({ tasks: Type.Array(Task), nextCursor: NextCursor });

export function taskBody(row: TaskRow): Static<typeof Task> {
  return {
    taskId: row.task_id,
    clinicId: row.clinic_id,
    kind: row.kind,
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    sickDayId: row.sick_day_id,
    reason: row.reason,
    state: row.state,
    assignedTo: row.assigned_to,
    outcome: row.outcome,
    createdAt: instantText(row.created_at),
    resolvedAt: instantTextOrNull(row.resolved_at),
    resolvedBy: row.resolved_by,
  };
}
