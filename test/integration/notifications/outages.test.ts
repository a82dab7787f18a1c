import { setImmediate as tick } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { v7 as uuidV7 } from 'uuid';
import { notificationId } from '../../../src/domain/notification.ts';
import { refused, unanswered } from '../../../src/integrations/http-failure.ts';
import type { ConsumeOptions } from '../../../src/integrations/rabbitmq/rabbitmq.ts';
import { createTopology } from '../../../src/notifications/topology.ts';
import type { NotificationMessage } from '../../../src/notifications/message.ts';
import { startNotifier } from '../../../src/notifier/consume.ts';
import { aClinic, aPatient, aProvider } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { playedClock, type PlayedClock } from '../../support/played-clock.ts';
import { aLogger } from './world.ts';

/*
 * The notifier through hours of trouble, with the product's own times, on a clock that is played on whenever everybody waits. The ledger is the real one;
 * broker and provider are stand-ins of a few lines, because theirs cannot be played.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** How long the provider takes to answer: with 20 messages under way it takes 100 a second. */
const ANSWER_MS = 200;
/** As the product's look-up: earlier, not finding a message proves nothing. */
const ABSENCE_PROVEN_AFTER_MS = 15 * SECOND;

type Trouble = 'none' | 'server_error' | 'unreachable' | 'too_many';

describe('the notifier in long trouble', () => {
  let database: TestDatabase;
  let clinicId: string;
  let visits: { readonly patientId: string; readonly providerId: string };
  beforeAll(async () => {
    database = await createTestDatabase();
    const clinic = await aClinic(database.owner);
    clinicId = clinic.clinicId;
    visits = { patientId: await aPatient(database.owner, clinic), providerId: await aProvider(database.owner, clinic) };
  });
  afterAll(() => database.drop());

  let world: ReturnType<typeof aWorld>;
  beforeEach(() => {
    world = aWorld();
  });

  /** So many reminders of visits in two days, each in the ledger and its message in the queue. */
  async function due(count: number): Promise<string[]> {
    const { patientId, providerId } = visits;
    const appointmentTime = new Date(Date.now() + 48 * HOUR);
    const appointmentIds = Array.from({ length: count }, () => uuidV7());
    const ids = appointmentIds.map((appointmentId) =>
      notificationId({
        appointmentId,
        kind: 'reminder:P1D',
        appointmentTime: appointmentTime.getTime(),
        channel: 'sms',
      }),
    );
    await sql`
      insert into appointment (appointment_id, patient_id, provider_id, clinic_id, appointment_time, duration_minutes, status, confirmation_code,
        booked_via, policy_version, next_action, next_action_at)
      select id, ${patientId}::uuid, ${providerId}::uuid, ${clinicId}::uuid, ${appointmentTime}::timestamptz, 30, 'SCHEDULED',
        translate(lpad(upper(to_hex((select count(*) from appointment) + n)), 6, '0'), '01', 'XY'), 'api', 1, 'plan', now()
      from unnest(${appointmentIds}::uuid[]) with ordinality as each (id, n)`.execute(database.owner.db);
    await sql`
      insert into notification (notification_id, clinic_id, appointment_id, patient_id, kind, channel, state, planned_for, appointment_version, due_at)
      select n.id, a.clinic_id, a.appointment_id, a.patient_id, 'reminder:P1D', 'sms', 'QUEUED', a.appointment_time, 1, now()
      from unnest(${appointmentIds}::uuid[], ${ids}::uuid[]) as n (appointment_id, id) join appointment a using (appointment_id)`.execute(
      database.owner.db,
    );
    for (const [index, id] of ids.entries())
      world.queue({ notificationId: id, appointmentId: appointmentIds[index] ?? '' });
    return ids;
  }

  const statesOf = async (ids: readonly string[]) => {
    const { rows } = await sql<{ state: string; count: number; tried: number }>`
      select state, count(*)::integer as count, max(attempt - first_attempt + 1)::integer as tried from notification
      where notification_id = any (${ids}::uuid[]) group by state`.execute(database.owner.db);
    return Object.fromEntries(rows.map((row) => [row.state, row.count]));
  };

  function aWorld() {
    const began = Date.now();
    const clock: PlayedClock = playedClock(began);
    const { logger, lines } = aLogger();
    const waiting: NotificationMessage[] = [];
    const dead: string[] = [];
    /** When the provider took each message. */
    const taken = new Map<string, number[]>();
    const tried = new Map<string, number>();
    let trouble: (notificationId: string) => Trouble = () => 'none';
    let busy = 0;

    /** Whoever waits for the clock is not busy. */
    const pause = async (durationMs: number, signal?: AbortSignal): Promise<void> => {
      busy -= 1;
      try {
        await clock.pause(durationMs, signal);
      } finally {
        busy += 1;
      }
    };
    const later = (message: NotificationMessage, delayMs: number): void =>
      void clock.pause(delayMs).then(() => {
        waiting.push(message);
        take();
      });

    const topology = createTopology({ prefix: '' });
    const delays = [...new Set([...topology.retryDelaysMs, ...topology.lookUpDelaysMs])].sort((a, b) => a - b);
    let consumer: ConsumeOptions | undefined;
    let underWay = 0;
    const never = new AbortController().signal;
    function take(): void {
      while (consumer !== undefined && underWay < consumer.prefetch) {
        const message = waiting.shift();
        if (message === undefined) return;
        underWay += 1;
        busy += 1;
        void consumer.onDelivery({ content: Buffer.from(JSON.stringify(message)), signal: never }).finally(() => {
          underWay -= 1;
          busy -= 1;
          take();
        });
      }
    }

    startNotifier({
      db: database.app.db,
      rabbitmq: {
        consume: (options) => {
          if (options.queue === topology.workQueue.sms) consumer = options;
          return { stop: () => Promise.resolve() };
        },
      },
      publisher: {
        publish: () => Promise.reject(new Error('not expected')),
        publishLater: (message, delayMs) => {
          later(message, delays.find((each) => each >= delayMs) ?? delayMs);
          return Promise.resolve();
        },
        postpone: () => Promise.reject(new Error('not expected')),
        deadLetter: (_content, reason) => Promise.resolve(void dead.push(reason)),
      },
      topology,
      senders: {
        sms: {
          async send({ notificationId: id }) {
            tried.set(id, clock.now());
            const met = trouble(id);
            if (met === 'unreachable') throw unanswered({ code: 'ECONNREFUSED' });
            await pause(ANSWER_MS);
            if (met === 'server_error') throw refused(500, { providerCode: '20500' });
            if (met === 'too_many') throw refused(429, { providerCode: '20429', retryAfter: '30' });
            taken.set(id, [...(taken.get(id) ?? []), clock.now()]);
            return { providerMessageId: `SM${id.replaceAll('-', '')}` };
          },
          find: ({ since }) =>
            // The text names nobody here: the one that is looked for was never taken, as the provider's errors were errors.
            Promise.resolve({
              found:
                clock.now() - since.getTime() >= ABSENCE_PROVEN_AFTER_MS ? ('absent' as const) : ('unsure' as const),
            }),
        },
        email: { send: () => Promise.reject(new Error('no email')), find: () => Promise.reject(new Error('no email')) },
      },
      logger,
      clock: clock.now,
      pause,
      leaseMs: 20 * SECOND,
      textKey: 'a key',
    });

    return {
      lines,
      dead,
      taken,
      tried,
      began,
      queue: ({ notificationId: id, appointmentId }: { notificationId: string; appointmentId: string }) => {
        waiting.push({
          schemaVersion: 1,
          notificationId: id,
          clinicId,
          appointmentId,
          channel: 'sms',
          now: new Date(began).toISOString(),
          attempt: 1,
        });
      },
      /** Plays until nobody waits for anything, or until the instant. */
      async play({ until = Number.POSITIVE_INFINITY }: { readonly until?: number } = {}): Promise<void> {
        take();
        for (;;) {
          // A few turns of the loop: what one wait has set off may not have begun to be busy yet.
          for (let turns = 0; turns < 5 || busy > 0; turns += 1) await tick();
          if (clock.now() >= until || !clock.next()) return;
        }
      },
      meets: (met: typeof trouble) => {
        trouble = met;
      },
      now: clock.now,
    };
  }

  const sentOnce = (ids: readonly string[]) => ids.every((id) => world.taken.get(id)?.length === 1);
  const lastTaken = () => Math.max(...[...world.taken.values()].flat());

  it('sends 2,000 reminders once each, within a minute of the end of three minutes of server errors, and fails none', async () => {
    const ids = await due(2_000);
    const back = world.began + 3 * MINUTE;
    world.meets(() => (world.now() < back ? 'server_error' : 'none'));
    await world.play();

    expect(await statesOf(ids)).toEqual({ ACCEPTED: 2_000 });
    expect(sentOnce(ids)).toBe(true);
    expect(world.dead).toEqual([]);
    const after = (lastTaken() - back) / SECOND;
    process.stderr.write(
      `server errors for 3 min, 2,000 due: the last was taken ${after.toFixed(1)} s after their end\n`,
    );
    expect(after).toBeLessThanOrEqual(60);
  }, 300_000);

  it('goes on within ten seconds of the end of two hours in which the provider could not be reached', async () => {
    const ids = await due(300);
    const back = world.began + 2 * HOUR;
    world.meets(() => (world.now() < back ? 'unreachable' : 'none'));
    await world.play();

    expect(await statesOf(ids)).toEqual({ ACCEPTED: 300 });
    expect(sentOnce(ids)).toBe(true);
    const first = Math.min(...[...world.taken.values()].flat());
    process.stderr.write(
      `unreachable for 2 h: the first was taken ${(first - back) / SECOND} s after, the last ${(lastTaken() - back) / SECOND} s\n`,
    );
    expect(first - back).toBeLessThanOrEqual(10 * SECOND + ANSWER_MS);
    expect(lastTaken() - back).toBeLessThanOrEqual(MINUTE);
  }, 300_000);

  it('waits for as long as Retry-After says, for all messages at once, and counts it against none', async () => {
    const ids = await due(100);
    const back = world.began + 20 * MINUTE;
    let calls = 0;
    world.meets(() => {
      if (world.now() >= back) return 'none';
      calls += 1;
      return 'too_many';
    });
    await world.play();

    expect(await statesOf(ids)).toEqual({ ACCEPTED: 100 });
    expect(sentOnce(ids)).toBe(true);
    // Those under way at once, then one each half minute.
    expect(calls).toBeLessThanOrEqual(20 + 2 * 20 + 1);
    const { rows } = await sql<{ counted: number }>`
      select max(attempt - first_attempt)::integer as counted from notification where notification_id = any (${ids}::uuid[])`.execute(
      database.owner.db,
    );
    expect(rows[0]?.counted).toBe(0);
  }, 300_000);

  it('gives one message that the provider cannot digest its tries and then up, and holds nobody else back for it', async () => {
    const ids = await due(200);
    const [poison = ''] = ids;
    world.meets((id) => (id === poison ? 'server_error' : 'none'));
    const traffic = world.began + 2 * HOUR;
    // Others go out all the time, so that the provider is seen to be well.
    const others: string[] = [];
    for (let at = world.began; at < traffic; at += 5 * MINUTE) {
      await world.play({ until: at });
      others.push(...(await due(2)));
    }
    await world.play();

    expect(await statesOf([poison])).toEqual({ FAILED: 1 });
    expect(world.dead).toEqual(['attempts_used_up']);
    expect(await statesOf([...ids.slice(1), ...others])).toEqual({ ACCEPTED: ids.length - 1 + others.length });
    expect(world.lines.join('\n')).not.toContain('channel_rests');
  }, 300_000);
});
