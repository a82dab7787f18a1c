import type { Tx } from '../../db/connection.ts';
import { one } from '../read.ts';

/** A replay and how each of its messages fared. */
async function findReplay(tx: Tx, replayId: string) {
  const replay = await tx.selectFrom('replay').selectAll().where('replay_id', '=', replayId).executeTakeFirst();
  if (replay === undefined) return undefined;
  const items = await tx
    .selectFrom('replay_item as i')
    .innerJoin('notification as n', 'n.notification_id', 'i.notification_id')
    .select(['i.notification_id', 'i.state', 'i.reason', 'n.state as message_state', 'n.reason as message_reason'])
    .where('i.replay_id', '=', replayId)
    .orderBy('i.notification_id')
    .execute();
  return { replay, items };
}

export type ReplayWithItems = NonNullable<Awaited<ReturnType<typeof findReplay>>>;

export const replayReads = { replay: one('replay', findReplay) };
