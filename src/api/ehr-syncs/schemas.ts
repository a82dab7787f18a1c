import { Type, type Static } from 'typebox';
import { Instant, instantText, instantTextOrNull, NextCursor, Nullable, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';
import type { SyncRunRow, SyncRunWithItems } from './queries.ts';

/** The body may be left out. */
export const SyncBody = Nullable(
  Strict({ clinicId: Type.Optional(Uuid('The clinic; needed when the token names none.')) }),
);

export const SyncStarted = Type.Object(
  { runId: Uuid('The sync run.') },
  {
    description: 'Written down; a workflow tells the EHR.',
    headers: { Location: { type: 'string', description: 'The sync run.' } },
  },
);

export const RunPath = Strict({ runId: Uuid('The sync run.') });

const clinicId = Type.Optional(Uuid('The clinic; needed when the token names none.'));
export const RunsQuery = Strict({ clinicId, ...PAGE_QUERY });
export const RunQuery = Strict({ clinicId });

export const SyncRun = Type.Object({
  runId: Uuid('The sync run.'),
  clinicId: Uuid('Whose appointments.'),
  trigger: Type.Enum(['nightly', 'on_demand']),
  state: Type.Enum(['RUNNING', 'FINISHED', 'FAILED']),
  counts: Type.Object({
    created: Type.Integer(),
    updated: Type.Integer(),
    unchanged: Type.Integer(),
    parked: Type.Integer({ description: 'Refused by the EHR: a person has to look.' }),
  }),
  reason: Nullable(Type.String({ description: 'Why it failed.' })),
  startedAt: Instant('When it was asked for.'),
  finishedAt: Nullable(Instant('When it ended.')),
});

export const SyncRunPage = Type.Object({ ehrSyncs: Type.Array(SyncRun), nextCursor: NextCursor });

export const SyncRunDetail = Type.Object({
  ...SyncRun.properties,
  items: Type.Array(
    Type.Object({
      appointmentId: Uuid('The appointment.'),
      appointmentVersion: Type.Integer(),
      outcome: Type.Enum(['CREATED', 'UPDATED', 'UNCHANGED', 'PARKED']),
      reason: Nullable(Type.String()),
      ehrId: Nullable(Type.String({ description: 'Its id in the EHR.' })),
    }),
    { description: 'What became of each appointment; the first thousand.' },
  ),
});

export function runBody(row: SyncRunRow): Static<typeof SyncRun> {
  return {
    runId: row.run_id,
    clinicId: row.clinic_id,
    trigger: row.trigger,
    state: row.state,
    counts: { created: row.created, updated: row.updated, unchanged: row.unchanged, parked: row.parked },
    reason: row.reason,
    startedAt: instantText(row.started_at),
    finishedAt: instantTextOrNull(row.finished_at),
  };
}

export function runDetailBody({ run, items }: SyncRunWithItems): Static<typeof SyncRunDetail> {
  return {
    ...runBody(run),
    items: items.map((item) => ({
      appointmentId: item.appointment_id,
      appointmentVersion: item.appointment_version,
      outcome: item.outcome,
      reason: item.reason,
      ehrId: item.ehr_id,
    })),
  };
}
