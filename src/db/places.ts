import { sql } from 'kysely';
import type { ErrorCode } from '../domain/errors.ts';
import type { OverridableRule } from '../domain/override.ts';
import type { Tx } from './connection.ts';

/*
 * The doors' side of the functions `place_visits` and `book_appointment`: what they are asked and what they say. Instants are ISO texts; what is
 * undefined is left out.
 */

/** What is to be written at a place. */
export type PlaceWrites =
  | {
      readonly appointmentId: string;
      readonly confirmationCode: string;
      readonly bookedVia: 'api' | 'waitlist';
      readonly timeSetAt: Date;
      /** The patient's own first booking registers them; staff may only name a patient who is registered. */
      readonly registers?: true | undefined;
      readonly mustBeRegistered?: true | undefined;
      readonly seriesId?: string | undefined;
      readonly seriesIndex?: number | undefined;
      readonly noticeVisits?: number | undefined;
      readonly announcedBy?: string | undefined;
      /** For the audit. */
      readonly entryId?: string | undefined;
    }
  /** The visit is there, and moves. */
  | { readonly appointmentId: string; readonly confirmationCode?: undefined }
  | {
      readonly newHoldId: string;
      readonly heldBy: string;
      readonly holdMinutes: number;
      readonly maxHolds: number;
      /** The moment by whose notice and horizon the slot is granted. */
      readonly judgedAt: Date;
    };

/** What a place has a right to that somebody already has: its time is in nobody's way, and goes with the placing. */
export type PlaceClaim = { readonly holdId: string; readonly heldBy: string } | { readonly roundId: string };

export interface PlaceRequest {
  readonly clinicId: string;
  readonly actorKind: string;
  readonly actorId: string;
  readonly requestId: string | undefined;
  readonly waived: readonly OverridableRule[] | undefined;
  readonly reason: string | undefined;
  /** The visits whose present times are given back first. */
  readonly free: readonly string[] | undefined;
  /** Each is judged and named, whatever becomes of those before it. */
  readonly asSeries: true | undefined;
  readonly places: readonly object[];
}

/** A time that a visit had. Epoch milliseconds, buffers inside. */
export interface FreedTime {
  readonly appointmentId: string;
  readonly resourceId: string;
  readonly from: number;
  readonly to: number;
}

export type PlaceAnswer =
  | {
      readonly outcome: 'placed';
      readonly freed: readonly FreedTime[];
      /** In the order of the places. If one is refused, the transaction must be given up. */
      readonly places: readonly {
        readonly refusal: ErrorCode | null;
        readonly overridden: readonly OverridableRule[];
      }[];
    }
  /** The rules by which the places were judged are others now; the locks are taken. */
  | { readonly outcome: 'stale' }
  | { readonly outcome: 'not_found' };

/** Places visits, or a hold, under the locks that it takes; see the function `place_visits`. */
export async function placeVisits(tx: Tx, request: PlaceRequest): Promise<PlaceAnswer> {
  const { rows } = await sql<{ answer: PlaceAnswer }>`
    select place_visits(${JSON.stringify(request)}::jsonb) as answer`.execute(tx);
  return rows[0]?.answer ?? { outcome: 'not_found' };
}
