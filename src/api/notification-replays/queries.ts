import type { Tx } from '../../db/connection.ts';

/** A replay and how each of its messages fared. */
export async function findReplay(tx: Tx, replayId: string) {
  const replay = await tx.selectFrom('replay').selectAll().where('replay_id', '=', replayId).executeTakeFirst();
  if (replay === undefined) return undefined;
  const items = await tx
    .selectFrom('replay_item')
    .select(['notification_id', 'state', 'reason', 'updated_at'])
    .where('replay_id', '=', replayId)
    .orderBy('notification_id')
    .execute();
  return { replay, items };
}

export type ReplayWithItems = NonNullable<Awaited<ReturnType<typeof findReplay>>>;
