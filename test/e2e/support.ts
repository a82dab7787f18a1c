import { randomBytes } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { MediConnectClient } from '../../client/index.ts';
import { answerOf, inboxOf, logIn, type InboxMessage } from '../../scripts/local/client.ts';
import { NETWORK, type SeededPatient } from '../../scripts/local/network.ts';
import { startSystem, type LocalSystem, type LocalSystemOptions } from '../../scripts/local/system.ts';
import { workflowIds } from '../../src/workflows/messages.ts';
import { eventually } from '../support/eventually.ts';
import { testServers } from '../support/servers.ts';
import { skipTime } from '../support/time-skipping.ts';

/** The whole product as processes of their own, for one test file. */
export interface TestSystem extends LocalSystem {
  readonly temporal: Client;
  readonly desk: MediConnectClient;
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
  const { appointmentId } = await answerOf(
    system.desk.POST('/api/v1/appointments', {
      body: {
        patientId: patient(patientNumber).patientId,
        providerId: providerId(provider),
        appointmentTime: startsAt,
        durationMinutes: 30,
      },
    }),
  );
  return appointmentId;
}

/** The appointment as the front desk reads it. */
export function readAppointment(system: TestSystem, appointmentId: string) {
  const params = { path: { appointmentId } };
  return answerOf(system.desk.GET('/api/v1/appointments/{appointmentId}', { params }));
}

/** Cancels through the front desk. */
export async function cancel(system: TestSystem, appointmentId: string): Promise<void> {
  const params = { path: { appointmentId } };
  const { error } = await system.desk.DELETE('/api/v1/appointments/{appointmentId}', { params });
  if (error !== undefined) throw new Error(`cancelling answered ${error.code}`);
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
    const { next } = await timeline(system, appointmentId);
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
  const { notifications } = await timeline(system, appointmentId);
  return notifications.sort((a, b) => a.dueAt.localeCompare(b.dueAt)).map(({ kind, state }) => `${kind} ${state}`);
}

function timeline(system: TestSystem, appointmentId: string) {
  const params = { path: { appointmentId } };
  return answerOf(system.desk.GET('/api/v1/appointments/{appointmentId}/timeline', { params }));
}
