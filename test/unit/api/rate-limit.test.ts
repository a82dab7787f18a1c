import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createRateLimiter } from '../../../src/api/rate-limit.ts';
import type { WindowDecision } from '../../../src/integrations/redis/sliding-window.ts';

const size = { limit: 3, windowMs: 60_000 };
const away = () => Promise.reject(new Error('Command timed out'));

/** A clock that stands still until it is told. */
function aClock() {
  let at = 1_000_000;
  return { now: () => at, pass: (ms: number) => (at += ms) };
}

describe('the limiter while the shared counter is away', () => {
  it('lets exactly the limit through and says when there is room again', async () => {
    const clock = aClock();
    const take = createRateLimiter({ size, shared: away, now: clock.now });
    expect(await take('user:a')).toEqual({ allowed: true, remaining: 2, roomInMs: 60_000 });
    clock.pass(10_000);
    expect(await take('user:a')).toEqual({ allowed: true, remaining: 1, roomInMs: 50_000 });
    expect(await take('user:a')).toEqual({ allowed: true, remaining: 0, roomInMs: 50_000 });
    expect(await take('user:a')).toEqual({ allowed: false, remaining: 0, roomInMs: 50_000 });
    expect((await take('user:b')).allowed).toBe(true);
    clock.pass(49_999);
    expect((await take('user:a')).allowed).toBe(false);
    clock.pass(1);
    expect((await take('user:a')).allowed).toBe(true);
    expect((await take('user:a')).allowed).toBe(false);
  });

  it('never lets more than the limit through in any window, whatever the pauses', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 40_000 }), { maxLength: 60 }), async (pauses) => {
        const clock = aClock();
        const take = createRateLimiter({ size, shared: away, now: clock.now });
        const through: number[] = [];
        for (const pause of pauses) {
          clock.pass(pause);
          if ((await take('user:a')).allowed) through.push(clock.now());
        }
        for (const start of through) {
          const inWindow = through.filter((at) => at >= start && at < start + size.windowMs);
          expect(inWindow.length).toBeLessThanOrEqual(size.limit);
        }
      }),
    );
  });

  it('asks the shared counter again only after a pause, so that a frozen one costs one time-out', async () => {
    const clock = aClock();
    let asked = 0;
    const take = createRateLimiter({
      size: { ...size, limit: 100 },
      now: clock.now,
      shared: () => {
        asked += 1;
        return away();
      },
    });
    for (let requests = 0; requests < 10; requests += 1) await take('user:a');
    expect(asked).toBe(1);
    clock.pass(1_000);
    await take('user:a');
    expect(asked).toBe(2);
  });
});

describe('the limiter with a shared counter', () => {
  it('goes by what the shared counter says', async () => {
    const said: WindowDecision = { allowed: false, remaining: 0, roomInMs: 1_234 };
    const take = createRateLimiter({ size, shared: () => Promise.resolve(said) });
    expect(await take('user:a')).toEqual(said);
  });

  it('reads what has arrived before it calls the shared counter slow, when this process was the slow one', async () => {
    const said: WindowDecision = { allowed: true, remaining: 7, roomInMs: 60_000 };
    const take = createRateLimiter({
      size,
      sharedMs: 20,
      shared: () => new Promise((resolve) => setImmediate(resolve, said)),
    });
    const decision = take('user:a');
    const busyUntil = performance.now() + 60;
    while (performance.now() < busyUntil);
    expect(await decision).toEqual(said);
  });

  it('does not wait for one that says nothing', async () => {
    const take = createRateLimiter({ size, sharedMs: 20, shared: () => new Promise(() => undefined) });
    expect(await take('user:a')).toMatchObject({ allowed: true, remaining: 2 });
  });

  it('decides within 150 ms by itself when the shared one is frozen', async () => {
    const frozen = () => new Promise<never>(() => undefined);
    const took: number[] = [];
    for (let times = 0; times < 5; times += 1) {
      const take = createRateLimiter({ size, shared: frozen });
      const from = performance.now();
      await take('user:a');
      took.push(performance.now() - from);
    }
    // The best of five: what a busy machine adds is not the limiter's.
    expect(Math.min(...took)).toBeLessThanOrEqual(150);
  });

  it('gives nobody a second helping when the shared counter goes away', async () => {
    const clock = aClock();
    let isAway = false;
    const take = createRateLimiter({
      size,
      now: clock.now,
      shared: () => (isAway ? away() : Promise.resolve({ allowed: true, remaining: 1, roomInMs: 60_000 })),
    });
    await take('user:a');
    await take('user:a');
    isAway = true;
    expect((await take('user:a')).allowed).toBe(true);
    expect((await take('user:a')).allowed).toBe(false);
  });
});
