import { randomBytes } from 'node:crypto';
import { v7 as uuidV7 } from 'uuid';
import type { Connection } from '../db/connection.ts';
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
  readonly requestId?: string;
  /** The caller's now; rules use the later of this and the database's. */
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
