import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Activities } from '../../src/activities/index.ts';
import type { SickDayItemState } from '../../src/domain/sick-day.ts';
import { MINUTE } from './appointment-world.ts';

/** One sick day without a database: every visit is offered another time once, and called about when nobody answers. */
export interface SickDayWorld {
  state: 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FINISHED';
  pending: number;
  /** When each open offer runs out. */
  offers: number[];
  moved: number;
  calls: number;
  /** When the workflow asked, by its own clock. */
  readonly asked: number[];
  /** How often the database is away before it answers. */
  outages: number;
}

export const OFFER_MINUTES = 120;

export function aSickDay(visits: number): SickDayWorld {
  return { state: 'RUNNING', pending: visits, offers: [], moved: 0, calls: 0, asked: [], outages: 0 };
}

export function sickDayActivities(worlds: ReadonlyMap<string, SickDayWorld>) {
  return {
    proceedWithSickDay({ sickDayId, limit }) {
      const world = worlds.get(sickDayId);
      if (world === undefined) throw ApplicationFailure.nonRetryable('not_found', 'not_found');
      if (world.outages > 0) {
        world.outages -= 1;
        throw ApplicationFailure.retryable('database_unavailable', 'database_unavailable');
      }
      const now = Context.current().info.currentAttemptScheduledTimestampMs;
      world.asked.push(now);
      if (world.state === 'RUNNING') {
        const open = world.offers.filter((until) => until > now);
        world.calls += world.offers.length - open.length;
        const offered = Math.min(limit, world.pending);
        world.pending -= offered;
        world.offers = [...open, ...Array.from({ length: offered }, () => now + OFFER_MINUTES * MINUTE)];
        if (world.pending + world.offers.length === 0) world.state = 'FINISHED';
      }
      const counts: Record<SickDayItemState, number> = {
        PENDING: world.pending,
        OFFERED: world.offers.length,
        MOVED: world.moved,
        WAITLISTED: 0,
        CALL: world.calls,
        GONE: 0,
        STOPPED: world.state === 'STOPPED' ? world.pending : 0,
      };
      return Promise.resolve({
        state: world.state,
        counts,
        due: world.pending,
        ...(world.offers.length === 0 ? {} : { nextDeadline: new Date(Math.min(...world.offers)).toISOString() }),
      });
    },
  } satisfies Pick<Activities, 'proceedWithSickDay'>;
}
