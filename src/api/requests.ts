import { inContext, type Db, type Tx } from '../db/connection.ts';
import { requestSync } from '../db/ehr.ts';
import { once, type Idempotency } from '../db/idempotency.ts';
import { requestReplay, type ReplayRequest } from '../notifications/replay.ts';
import type { Act } from '../scheduling/act.ts';

/** What was asked for: its id, and whether an earlier request under the same key had asked for it already. */
export interface Requested {
  readonly id: string;
  readonly replayed: boolean;
}

/** Work that a workflow does: written down with its outbox row in one transaction. */
export interface Requests {
  readonly replay: (act: Act, replay: ReplayRequest, idempotency: Idempotency | undefined) => Promise<Requested>;
  readonly syncEhr: (act: Act, idempotency: Idempotency | undefined) => Promise<Requested>;
}

export function createRequests(db: Db, newId: () => string): Requests {
  /** `write` writes the work down under the id it is given. */
  const ask = (act: Act, idempotency: Idempotency | undefined, write: (tx: Tx, id: string) => Promise<unknown>) =>
    inContext(db, { clinicId: act.clinicId, caller: idempotency?.caller }, (tx) =>
      once(tx, idempotency, async () => {
        const id = newId();
        await write(tx, id);
        return { id };
      }),
    );
  return {
    replay: (act, replay, idempotency) => ask(act, idempotency, (tx, id) => requestReplay(tx, act, replay, () => id)),
    syncEhr: (act, idempotency) => ask(act, idempotency, (tx, id) => requestSync(tx, act, id)),
  };
}
