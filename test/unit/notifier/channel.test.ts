import { setImmediate as tick } from 'node:timers/promises';
import { beforeEach, describe, expect, it } from '@jest/globals';
import { createChannelGate, type ChannelGate, type Turn } from '../../../src/notifier/channel.ts';
import { playedClock, type PlayedClock } from '../../support/played-clock.ts';

const REST_MS = 10_000;
const MINUTE = 60_000;

describe('a channel', () => {
  let clock: PlayedClock;
  let gate: ChannelGate;
  let logged: string[];
  const never = new AbortController().signal;
  const turnNow = async (): Promise<Turn> => {
    const turn = await gate.turn(never);
    if (turn === undefined) throw new Error('no turn');
    return turn;
  };
  const trouble = async (notificationId: string, sure = false, retryAfterMs?: number) =>
    (await turnNow()).trouble({ notificationId, reason: 'twilio_http_503', sure, retryAfterMs });
  /** Somebody who waits for a turn; `given` when there is one, with the instant. */
  const waiter = (signal = never) => {
    const state: { given?: Turn | 'none'; at?: number } = {};
    const done = gate.turn(signal).then((turn) => {
      state.given = turn ?? 'none';
      state.at = clock.now();
    });
    return { state, done };
  };

  beforeEach(() => {
    clock = playedClock(Date.parse('2027-03-15T09:00:00Z'));
    logged = [];
    const log = (fields: object) => void logged.push((fields as { event: string }).event);
    gate = createChannelGate({
      channel: 'sms',
      clock: clock.now,
      pause: clock.pause,
      logger: { info: log, error: log },
      restMs: REST_MS,
    });
  });

  it('gives everybody a turn at once while all is well', async () => {
    for (let turns = 0; turns < 100; turns += 1) (await turnNow()).well();
    expect(logged).toEqual([]);
  });

  it('does not rest for the errors of one message, however many, nor for a few among successes', async () => {
    for (let tries = 0; tries < 10; tries += 1) await trouble('a');
    (await turnNow()).well();
    await trouble('b');
    await trouble('c');
    (await turnNow()).well();
    await trouble('d');
    expect(await gate.turn(never)).toBeDefined();
    expect(logged).toEqual([]);
  });

  it.each([
    [
      'three different messages in a row fail',
      async () => {
        for (const id of ['a', 'b', 'c']) await trouble(id);
      },
    ],
    ['no message can be taken', () => trouble('a', true)],
  ])('rests when %s; then one probes, and when it goes through all go on', async (_, fails) => {
    await fails();
    const [first, second, third] = [waiter(), waiter(), waiter()];
    await tick();
    expect([first, second, third].map(({ state }) => state.given)).toEqual([undefined, undefined, undefined]);

    const since = clock.now();
    clock.next();
    await tick();
    const probes = [first, second, third].filter(({ state }) => state.given !== undefined);
    expect(probes).toHaveLength(1);
    expect(clock.now() - since).toBe(REST_MS);

    (probes[0]?.state.given as Turn).well();
    await Promise.all([first.done, second.done, third.done]);
    expect(clock.now() - since).toBe(REST_MS);
    expect(logged).toEqual(['channel_rests', 'channel_goes_on']);
  });

  it('rests again when the probe fails, and tries every ten seconds for as long as it takes', async () => {
    await trouble('a', true);
    const began = clock.now();
    for (let probes = 1; probes <= 50; probes += 1) {
      const probe = waiter();
      await tick();
      clock.next();
      await probe.done;
      expect(clock.now() - began).toBe(probes * REST_MS);
      (probe.state.given as Turn).trouble({ notificationId: 'a', reason: 'x', sure: false });
    }
    expect(logged).toEqual(['channel_rests']);
  });

  it('rests as long as the provider asks for', async () => {
    await trouble('a', true, 90_000);
    const began = clock.now();
    const probe = waiter();
    await tick();
    clock.next();
    await probe.done;
    expect(clock.now() - began).toBe(90_000);
  });

  it('lets the next one probe when the first did not call the provider', async () => {
    await trouble('a', true);
    const [first, second] = [waiter(), waiter()];
    await tick();
    clock.next();
    await first.done;
    expect(second.state.given).toBeUndefined();
    (first.state.given as Turn).untried();
    await second.done;
    expect(second.state.given).not.toBe('none');
  });

  it('is not opened by a success that was under way before the trouble', async () => {
    const early = await turnNow();
    await trouble('a', true);
    early.well();
    const later = waiter();
    await tick();
    expect(later.state.given).toBeUndefined();
  });

  it('keeps nobody for longer than the broker lets a message be held', async () => {
    await trouble('a', true, 60 * MINUTE);
    const held = waiter();
    await tick();
    const began = clock.now();
    while (held.state.given === undefined) {
      clock.next();
      await tick();
    }
    expect(held.state.given).toBe('none');
    expect(clock.now() - began).toBe(10 * MINUTE);
  });

  it('lets go of who gives up', async () => {
    await trouble('a', true);
    const stopping = new AbortController();
    const { done } = waiter(stopping.signal);
    await tick();
    stopping.abort(new Error('stopping'));
    await expect(done).rejects.toThrow('stopping');
  });

  it('knows whether the provider was well since an instant', async () => {
    const began = clock.now();
    expect(gate.wasWellSince(began)).toBe(false);
    (await turnNow()).well();
    expect(gate.wasWellSince(began)).toBe(true);
    expect(gate.wasWellSince(began + 1)).toBe(false);
  });
});
