import { randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import { inContext, type Connection, type Tx } from '../db/connection.ts';
import { once, type Idempotency } from '../db/idempotency.ts';
import { createProviderSchedules, type ProviderSchedules } from './provider-schedules.ts';

/** Who acts. `id` is the token's subject, or the name of the part that acts on nobody's behalf; it is written to the audit. */
export interface Actor {
  readonly kind: 'patient' | 'staff' | 'system' | 'ehr';
  readonly id: string;
}

/** What every door is told besides its own input. */
export interface Act {
  readonly actor: Actor;
  /** Resolved and authorized by the caller. */
  readonly clinicId: string;
  readonly requestId?: string | undefined;
  /** The caller's now, by which the rules judge (ADR 0006); holds and rounds expire by the database's. */
  readonly now: Date;
}

/** What every door needs. */
export interface SchedulingDeps {
  readonly connection: Connection;
  readonly schedules: ProviderSchedules;
  /** Draws a UUIDv7. */
  readonly newId: () => string;
  readonly randomBytes: (size: number) => Uint8Array;
}

/** The doors' needs over one connection, with real ids and randomness. */
export function createSchedulingDeps(connection: Connection): SchedulingDeps {
  return { connection, schedules: createProviderSchedules(connection), newId: () => uuidV7(), randomBytes };
}

/** One act is one transaction that sees the clinic's rows: whatever `work` writes is there, or nothing of it. */
export function door<T>(deps: Pick<SchedulingDeps, 'connection'>, act: Act, work: (tx: Tx) => Promise<T>): Promise<T> {
  return inContext(deps.connection.db, { clinicId: act.clinicId }, work);
}

type Replayable<Kept> = Kept & {
  /** It is the answer of an earlier request under the same idempotency key. */
  readonly replayed: boolean;
};

/**
 * As {@link door}, once under an idempotency key. What `work` returns is kept with the key; `answer`, if given, makes the door's answer of it.
 * @throws AppError `idempotency_in_progress`, `idempotency_mismatch`
 */
export function doorOnce<Kept extends object>(
  deps: Pick<SchedulingDeps, 'connection'>,
  act: Act,
  idempotency: Idempotency | undefined,
  work: (tx: Tx) => Promise<Kept>,
): Promise<Replayable<Kept>>;
export function doorOnce<Kept extends object, Answer>(
  deps: Pick<SchedulingDeps, 'connection'>,
  act: Act,
  idempotency: Idempotency | undefined,
  work: (tx: Tx) => Promise<Kept>,
  answer: (tx: Tx, kept: Replayable<Kept>) => Promise<Answer>,
): Promise<Answer>;
export function doorOnce<Kept extends object, Answer>(
  deps: Pick<SchedulingDeps, 'connection'>,
  act: Act,
  idempotency: Idempotency | undefined,
  work: (tx: Tx) => Promise<Kept>,
  answer?: (tx: Tx, kept: Replayable<Kept>) => Promise<Answer>,
): Promise<Answer | Replayable<Kept>> {
  return inContext(deps.connection.db, { clinicId: act.clinicId, caller: idempotency?.caller }, async (tx) => {
    const kept = await once(tx, idempotency, () => work(tx));
    return answer === undefined ? kept : answer(tx, kept);
  });
}
