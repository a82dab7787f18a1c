import { Type, type Static } from 'typebox';
import { Instant, instantText, instantTextOrNull, Nullable, PlainText, Strict, Uuid } from '../schemas.ts';
import type { ReplayWithItems } from './queries.ts';

/** One page of the list of notifications, ten times over. */
const MAX_REPLAYED = 1_000;

const Reason = PlainText(200, 'Why, for the audit. No patient data.');

export const ReplayBody = Strict({
  notificationIds: Type.Array(Uuid('A failed message.'), { minItems: 1, maxItems: MAX_REPLAYED, uniqueItems: true }),
  reason: Reason,
});

/** The body may be left out. */
export const ReplayOneBody = Nullable(Strict({ reason: Type.Optional(Reason) }));

export const ReplayPath = Strict({ replayId: Uuid('The replay.') });

export const ReplayQuery = Strict({ clinicId: Type.Optional(Uuid('The clinic; needed when the token names none.')) });

export const ReplayStarted = Type.Object(
  { replayId: Uuid('The replay.') },
  {
    description: 'Written down; a workflow sends what is still due.',
    headers: { Location: { type: 'string', description: 'The replay.' } },
  },
);

export const Replay = Type.Object({
  replayId: Uuid('The replay.'),
  clinicId: Uuid('Whose messages.'),
  requestedBy: Type.String(),
  reason: Nullable(Type.String()),
  state: Type.Enum(['RUNNING', 'FINISHED']),
  createdAt: Instant('When it was asked for.'),
  finishedAt: Nullable(Instant('When every message had its turn.')),
  counts: Type.Object(
    { pending: Type.Integer(), queued: Type.Integer(), notDue: Type.Integer(), notFailed: Type.Integer() },
    { description: 'How many messages are in which state.' },
  ),
  items: Type.Array(
    Type.Object({
      notificationId: Uuid('The message.'),
      state: Type.Enum(['PENDING', 'QUEUED', 'NOT_DUE', 'NOT_FAILED'], {
        description:
          'QUEUED: on its way again. NOT_DUE: it has lost its point, so it is not sent. NOT_FAILED: there was nothing to repeat.',
      }),
      reason: Nullable(Type.String()),
    }),
  ),
});

export function replayBody({ replay, items }: ReplayWithItems): Static<typeof Replay> {
  const count = (state: (typeof items)[number]['state']) => items.filter((item) => item.state === state).length;
  return {
    replayId: replay.replay_id,
    clinicId: replay.clinic_id,
    requestedBy: replay.requested_by,
    reason: replay.reason,
    state: replay.state,
    createdAt: instantText(replay.created_at),
    finishedAt: instantTextOrNull(replay.finished_at),
    counts: {
      pending: count('PENDING'),
      queued: count('QUEUED'),
      notDue: count('NOT_DUE'),
      notFailed: count('NOT_FAILED'),
    },
    items: items.map((item) => ({
      notificationId: item.notification_id,
      state: item.state,
      reason: item.reason,
    })),
  };
}
