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

const ITEM_STATES = ['PENDING', 'QUEUED', 'ACCEPTED', 'DELIVERED', 'FAILED', 'NOT_DUE', 'NOT_FAILED'] as const;
type ItemState = (typeof ITEM_STATES)[number];

export const Replay = Type.Object({
  replayId: Uuid('The replay.'),
  clinicId: Uuid('Whose messages.'),
  requestedBy: Type.String(),
  reason: Nullable(Type.String()),
  state: Type.Enum(['RUNNING', 'PAUSED', 'STOPPED', 'FINISHED'], {
    description: 'FINISHED: every message had its turn; the counts say what came of it.',
  }),
  createdAt: Instant('When it was asked for.'),
  finishedAt: Nullable(Instant('When every message had its turn.')),
  counts: Type.Object(
    {
      pending: Type.Integer(),
      queued: Type.Integer(),
      accepted: Type.Integer(),
      delivered: Type.Integer(),
      failed: Type.Integer(),
      notDue: Type.Integer(),
      notFailed: Type.Integer(),
    },
    { description: 'How many messages are in which state.' },
  ),
  items: Type.Array(
    Type.Object({
      notificationId: Uuid('The message.'),
      state: Type.Enum([...ITEM_STATES], {
        description:
          'QUEUED: on its way again. ACCEPTED: the provider took it. DELIVERED, FAILED: what became of it this time. NOT_DUE: it has lost its point, so it is not sent. NOT_FAILED: there was nothing to repeat.',
      }),
      reason: Nullable(Type.String()),
    }),
  ),
});

/** What became of a message by now: once it is queued again, the ledger says it. */
function itemOf(item: ReplayWithItems['items'][number]): { readonly state: ItemState; readonly reason: string | null } {
  if (item.state !== 'QUEUED') return { state: item.state, reason: item.reason };
  const { message_state: state, message_reason: reason } = item;
  if (state === 'SKIPPED') return { state: 'NOT_DUE', reason };
  if (state === 'ACCEPTED' || state === 'DELIVERED' || state === 'FAILED') return { state, reason };
  return { state: 'QUEUED', reason: item.reason };
}

export function replayBody({ replay, items }: ReplayWithItems): Static<typeof Replay> {
  const shown = items.map((item) => ({ notificationId: item.notification_id, ...itemOf(item) }));
  const count = (state: ItemState) => shown.filter((item) => item.state === state).length;
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
      accepted: count('ACCEPTED'),
      delivered: count('DELIVERED'),
      failed: count('FAILED'),
      notDue: count('NOT_DUE'),
      notFailed: count('NOT_FAILED'),
    },
    items: shown,
  };
}
