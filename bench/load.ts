import autocannon from 'autocannon';
import { Agent, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';

export interface Call {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** How many answers of each status came back. */
export type Statuses = Readonly<Record<string, number>>;

export interface Flood {
  readonly perSecond: number;
  readonly statuses: Statuses;
}

/** As many requests as the connections can carry: each sends its next one when it has its answer. */
export async function flood(
  url: URL,
  options: { readonly connections: number; readonly seconds: number; readonly next: () => Call },
): Promise<Flood> {
  const statuses: Record<string, number> = {};
  const result = await autocannon({
    url: url.href,
    connections: options.connections,
    duration: options.seconds,
    requests: [
      {
        setupRequest: (given) => ({ ...given, ...options.next() }),
        onResponse: (status) => {
          statuses[status] = (statuses[status] ?? 0) + 1;
        },
      },
    ],
  });
  const answered = Object.values(statuses).reduce((sum, count) => sum + count, 0);
  return { perSecond: answered / result.duration, statuses };
}

export interface Timed {
  /** Milliseconds from when each request was due: one that waits for its turn is late. */
  readonly latencies: readonly number[];
  readonly statuses: Statuses;
}

/** Requests at even intervals, whether or not the ones before are answered: how long people wait at a given rate. */
export async function steady(
  url: URL,
  options: { readonly perSecond: number; readonly seconds: number; readonly next: () => Call },
): Promise<Timed> {
  const agent = new Agent({ keepAlive: true, maxSockets: 256 });
  const statuses: Record<string, number> = {};
  const latencies: number[] = [];
  const open: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < options.perSecond * options.seconds; n += 1) {
    const due = began + (n * 1_000) / options.perSecond;
    const early = due - performance.now();
    if (early > 0) await delay(early);
    open.push(
      send(agent, url, options.next()).then((status) => {
        latencies.push(performance.now() - due);
        statuses[status] = (statuses[status] ?? 0) + 1;
      }),
    );
  }
  await Promise.all(open);
  agent.destroy();
  return { latencies, statuses };
}

/** All at the same instant, on connections that are open already. */
export async function volley(agent: Agent, url: URL, calls: readonly Call[]): Promise<Timed> {
  const statuses: Record<string, number> = {};
  const began = performance.now();
  const latencies = await Promise.all(
    calls.map(async (call) => {
      const status = await send(agent, url, call);
      statuses[status] = (statuses[status] ?? 0) + 1;
      return performance.now() - began;
    }),
  );
  return { latencies, statuses };
}

function send(agent: Agent, url: URL, call: Call): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(call.path, url),
      {
        agent,
        method: call.method,
        headers: { ...call.headers, 'content-length': Buffer.byteLength(call.body ?? '') },
      },
      (answer) => {
        answer.resume();
        answer.once('end', () => resolve(answer.statusCode ?? 0));
        answer.once('error', reject);
      },
    );
    sent.once('error', reject);
    sent.end(call.body);
  });
}
