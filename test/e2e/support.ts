import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import { logIn, inboxOf, type ApiClient, type InboxMessage } from '../../scripts/local/client.ts';
import { NETWORK, type SeededPatient } from '../../scripts/local/network.ts';
import { startSystem, type LocalSystem, type LocalSystemOptions } from '../../scripts/local/system.ts';
import { workflowIds } from '../../src/workflows/messages.ts';
import { eventually } from '../support/eventually.ts';
import { testServers } from '../support/servers.ts';
import { skipTime } from '../support/time-skipping.ts';

/** The whole product as processes of their own, for one test file. */
export interface TestSystem extends LocalSystem {
  readonly temporal: Client;
  readonly desk: ApiClient;
  readonly close: () => Promise<void>;
}

/** Starts it on the test servers; `urls` replaces those that the file starts for itself. */
export async function startTestSystem(urls: Partial<LocalSystemOptions['urls']> = {}): Promise<TestSystem> {
  const servers = { ...testServers(), temporalUiUrl: '', ...urls };
  const system = await startSystem({
    root: process.cwd(),
    urls: servers,
    name: `mediconnect_e2e_${randomBytes(4).toString('hex')}`,
    // Tests ask more often than a person would.
    env: { RATE_LIMIT_PER_MINUTE: '5000' },
  });
  const connection = await Connection.connect({ address: servers.temporalAddress });
  return {
    ...system,
    temporal: new Client({ connection, namespace: system.namespace }),
    desk: await logIn(system, `${CLINIC.slug}-desk`),
    close: async () => {
      await connection.close();
      await system.stop();
    },
  };
}

const [clinic] = NETWORK;
if (clinic === undefined) throw new Error('the network is empty');
export const CLINIC = clinic;

export function patient(n: number): SeededPatient {
  const found = CLINIC.patients[n];
  if (found === undefined) throw new Error(`no patient ${n}`);
  return found;
}

export function providerId(n: number): string {
  const found = CLINIC.providers[n];
  if (found === undefined) throw new Error(`no provider ${n}`);
  return found.providerId;
}

/** Books through the front desk. */
export async function book(system: TestSystem, patientNumber: number, startsAt: string, provider = 0): Promise<string> {
  const answer = await system.desk.post('/appointments', {
    patientId: patient(patientNumber).patientId,
    providerId: providerId(provider),
    appointmentTime: startsAt,
    durationMinutes: 30,
  });
  if (answer.status !== 201) throw new Error(`booking answered ${answer.status} ${JSON.stringify(answer.body)}`);
  return String(answer.body['appointmentId']);
}

/** What the patient has received by SMS and email together, oldest first. */
export async function messagesTo(system: LocalSystem, n: number): Promise<InboxMessage[]> {
  const { phone, email } = patient(n);
  const all = await Promise.all([phone, email].map((address) => inboxOf(system.sandboxUrl, address)));
  return all.flat().sort((a, b) => a.createdAt.localeCompare(b.createdAt));
}

/** Waits until the patient has received exactly so many messages, all delivered. */
export function delivered(system: LocalSystem, n: number, count: number, timeoutMs = 30_000): Promise<InboxMessage[]> {
  return eventually(
    async () => {
      const messages = await messagesTo(system, n);
      if (messages.length !== count || messages.some((message) => message.status !== 'delivered')) {
        throw new Error(
          `patient ${n} has ${messages.length} message(s): ${messages.map((message) => message.status).join(', ')}`,
        );
      }
      return messages;
    },
    { timeoutMs },
  );
}

/** Waits until the appointment's plan names the action, and says when it is due. */
export function nextAction(system: TestSystem, appointmentId: string, action: string): Promise<number> {
  return eventually(async () => {
    const { body } = await system.desk.get(`/appointments/${appointmentId}/timeline`);
    const next = body['next'] as { action: string | null; at: string | null };
    if (next.action !== action || next.at === null) throw new Error(`next is ${next.action ?? 'nothing'}`);
    return Date.parse(next.at);
  });
}

/** The clock of one appointment's workflow: moves forward only. */
export function workflowClock(system: TestSystem, appointmentId: string) {
  let now = Date.now();
  return {
    /** Skips to the instant. */
    to: async (instant: number) => {
      await skipTime(system.temporal, workflowIds.appointment(appointmentId), instant - now);
      now = instant;
    },
  };
}

/** The kinds of the ledger's messages in a state, in the order in which they were due. */
export async function ledger(system: TestSystem, appointmentId: string): Promise<string[]> {
  const { body } = await system.desk.get(`/appointments/${appointmentId}/timeline`);
  const notifications = body['notifications'] as { kind: string; state: string; dueAt: string }[];
  return notifications.sort((a, b) => a.dueAt.localeCompare(b.dueAt)).map(({ kind, state }) => `${kind} ${state}`);
}
