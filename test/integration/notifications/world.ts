import { randomInt, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, type GetMessage } from 'amqplib';
import { inContext, type Tx } from '../../../src/db/connection.ts';
import {
  CHANNELS,
  isReminderKind,
  notificationId,
  type Channel,
  type PlannedKind,
} from '../../../src/domain/notification.ts';
import { createRabbitmq, type Rabbitmq } from '../../../src/integrations/rabbitmq/rabbitmq.ts';
import { createEmailSender } from '../../../src/integrations/sendgrid/email-sender.ts';
import { createSmsSender } from '../../../src/integrations/twilio/sms-sender.ts';
import { verifyTwilioSignature } from '../../../src/integrations/twilio/signature.ts';
import { createLogger, type Logger } from '../../../src/logger.ts';
import { settleByCallback } from '../../../src/notifications/ledger/reports.ts';
import {
  markQueued,
  planNotification,
  type NotificationRow,
  type PlannedNotification,
} from '../../../src/notifications/ledger/rows.ts';
import type { NotificationMessage } from '../../../src/notifications/message.ts';
import { createPublisher, type Publisher } from '../../../src/notifications/publish.ts';
import { createTopology, type Topology } from '../../../src/notifications/topology.ts';
import { startNotifier, type Notifier, type NotifierDeps } from '../../../src/notifier/consume.ts';
import { createSchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import type { Sandbox } from '../../../sandbox/sandbox.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { eventually } from '../../support/eventually.ts';
import { testServers } from '../../support/servers.ts';
import { ACCOUNT_SID, API_KEY, AUTH_TOKEN, OUR_NUMBER, startSandbox } from '../sandbox/start-sandbox.ts';

export const OUR_ADDRESS = 'appointments@mediconnect.example';

/** A logger whose lines a test can read. */
export function aLogger(): { readonly logger: Logger; readonly lines: string[] } {
  const lines: string[] = [];
  return {
    logger: createLogger({ level: 'debug', role: 'test' }, { write: (line: string) => void lines.push(line) }),
    lines,
  };
}

/** Queues of a test file's own on the test broker. */
export interface TestQueues {
  readonly rabbitmq: Rabbitmq;
  readonly topology: Topology;
  readonly publisher: Publisher;
  /** Takes the next message of a queue off it. */
  readonly take: (queue: string) => Promise<GetMessage>;
  /** How many messages wait in a queue. */
  readonly count: (queue: string) => Promise<number>;
  /** Throws away what an earlier test has left going round. */
  readonly empty: () => Promise<void>;
  readonly close: () => Promise<void>;
}

export async function createTestQueues(
  logger: Logger,
  delays: { readonly retryDelaysMs: readonly number[]; readonly lookUpDelaysMs: readonly number[] },
): Promise<TestQueues> {
  const { amqpUrl } = testServers();
  const rabbitmq = createRabbitmq({ url: amqpUrl, name: 'test', logger });
  const topology = createTopology({ prefix: `test-${randomUUID().slice(0, 8)}.`, ...delays });
  const publisher = createPublisher(rabbitmq, topology);
  const connection = await connect(amqpUrl);
  const channel = await connection.createChannel();
  await topology.declare(channel);
  const delayed = [...topology.retryDelaysMs, ...topology.lookUpDelaysMs];
  const queues = new Set([
    ...CHANNELS.flatMap((each) => [
      topology.workQueue[each],
      ...delayed.map((delay) => topology.delayQueue(each, delay)),
    ]),
    topology.deadLetterQueue,
  ]);
  return {
    rabbitmq,
    topology,
    publisher,
    take: (queue) =>
      eventually(async () => {
        const message = await channel.get(queue, { noAck: true });
        if (message === false) throw new Error(`${queue} is empty`);
        return message;
      }),
    count: async (queue) => (await channel.checkQueue(queue)).messageCount,
    empty: async () => {
      for (const queue of queues) await channel.purgeQueue(queue);
    },
    close: async () => {
      await rabbitmq.close();
      for (const queue of queues) await channel.deleteQueue(queue);
      await connection.close();
    },
  };
}

export interface Visit {
  readonly appointmentId: string;
  readonly patientId: string;
  readonly appointmentTime: Date;
  readonly phone: string;
  readonly email: string;
}

/** A booked visit of a patient who can be reached on both channels. */
export async function aVisit(
  database: TestDatabase,
  clinic: Clinic,
  given: { readonly phone?: string; readonly givenName?: string } = {},
): Promise<Visit> {
  const phone = given.phone ?? `+1555${randomInt(1_000_000, 9_999_999)}`;
  const email = `${randomUUID()}@patients.example`;
  const patientId = await aPatient(database.owner, clinic, { givenName: given.givenName ?? 'Jordan', phone, email });
  const appointmentTime = slotAt(clinic, 4, '10:00');
  const { appointmentId } = await bookAppointment(
    createSchedulingDeps(database.app),
    { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() },
    {
      patientId,
      providerId: await aProvider(database.owner, clinic),
      appointmentTime,
      durationMinutes: 30,
      registersPatient: false,
    },
  );
  return { appointmentId, patientId, appointmentTime, phone, email };
}

/** What the workflow would plan for a visit. */
export function aNotification(
  clinic: Clinic,
  visit: Visit,
  given: {
    readonly kind?: PlannedKind;
    readonly channel?: Channel;
    readonly dueAt?: Date;
    readonly version?: number;
  } = {},
): PlannedNotification {
  const { appointmentId, patientId, appointmentTime } = visit;
  const { kind = 'reminder:P3D', channel = 'sms', version = 1 } = given;
  return {
    notificationId: notificationId(
      isReminderKind(kind)
        ? { appointmentId, kind, appointmentTime: appointmentTime.getTime(), channel }
        : { appointmentId, kind, version, channel },
    ),
    clinicId: clinic.clinicId,
    appointmentId,
    patientId,
    kind,
    channel,
    plannedFor: appointmentTime,
    appointmentVersion: version,
    dueAt: given.dueAt ?? new Date(),
    requestId: 'request-1',
  };
}

/** One clinic, its database, the sandbox, and the notifier between queues of its own. */
export interface World {
  readonly database: TestDatabase;
  readonly clinic: Clinic;
  readonly sandbox: Sandbox;
  readonly queues: TestQueues;
  readonly logLines: string[];
  readonly inClinic: <T>(work: (tx: Tx) => Promise<T>) => Promise<T>;
  readonly visit: (given?: { readonly phone?: string; readonly givenName?: string }) => Promise<Visit>;
  /** Writes the ledger row and returns the message about it. */
  readonly plan: (visit: Visit, given?: Parameters<typeof aNotification>[2]) => Promise<NotificationMessage>;
  /** Publishes it and notes that in the ledger, as the workflow's activity does. */
  readonly publish: (message: NotificationMessage) => Promise<void>;
  readonly row: (message: NotificationMessage) => Promise<NotificationRow>;
  /** Waits until the ledger says so. */
  readonly reaches: (message: NotificationMessage, ...states: NotificationRow['state'][]) => Promise<NotificationRow>;
  readonly attempts: (message: NotificationMessage) => Promise<{ outcome: string | null; errorCode: string | null }[]>;
  /** What the patient was sent, oldest first. */
  readonly inbox: (address: string) => { readonly text: string; readonly status: string }[];
  readonly start: (given?: Partial<NotifierDeps>) => Notifier;
  readonly close: () => Promise<void>;
}

const RETRY_DELAY_MS = 300;
const LOOK_UP_DELAY_MS = 500;
export const TEXT_KEY = 'a key of the tests';
export const PROVIDER_TIMEOUT_MS = 2_000;

export async function createWorld(): Promise<World> {
  const { logger, lines } = aLogger();
  const database = await createTestDatabase();
  const clinic = await aClinic(database.owner);
  const sandbox = await startSandbox();
  const queues = await createTestQueues(logger, {
    retryDelaysMs: [RETRY_DELAY_MS],
    lookUpDelaysMs: [LOOK_UP_DELAY_MS],
  });
  const inClinic = <T>(work: (tx: Tx) => Promise<T>) => inContext(database.app.db, { clinicId: clinic.clinicId }, work);
  const callbacks = await startCallbackServer(inClinic);
  sandbox.control.sendgrid.configure({ eventWebhookUrl: `${callbacks.url}/sendgrid` });
  const senders = {
    sms: createSmsSender({
      accountSid: ACCOUNT_SID,
      authToken: AUTH_TOKEN,
      from: OUR_NUMBER,
      baseUrl: `${sandbox.url}/twilio`,
      statusCallbackUrl: (id) => `${callbacks.url}/twilio/${id}`,
      timeoutMs: PROVIDER_TIMEOUT_MS,
      absenceProvenAfterMs: 0,
    }),
    email: createEmailSender({
      apiKey: API_KEY,
      from: OUR_ADDRESS,
      baseUrl: `${sandbox.url}/sendgrid`,
      timeoutMs: PROVIDER_TIMEOUT_MS,
      absenceProvenAfterMs: 0,
    }),
  };
  const row = (message: NotificationMessage) =>
    database.owner.db
      .selectFrom('notification')
      .selectAll()
      .where('notification_id', '=', message.notificationId)
      .executeTakeFirstOrThrow();

  return {
    database,
    clinic,
    sandbox,
    queues,
    logLines: lines,
    inClinic,
    visit: (given) => aVisit(database, clinic, given),
    async plan(visit, given) {
      const planned = aNotification(clinic, visit, given);
      await inClinic((tx) => planNotification(tx, planned));
      return {
        schemaVersion: 1,
        notificationId: planned.notificationId,
        clinicId: clinic.clinicId,
        appointmentId: visit.appointmentId,
        channel: planned.channel,
        now: new Date().toISOString(),
        attempt: 1,
      };
    },
    async publish(message) {
      await queues.publisher.publish(message);
      await inClinic((tx) => markQueued(tx, message.notificationId));
    },
    row,
    reaches: (message, ...states) =>
      eventually(async () => {
        const found = await row(message);
        if (!states.includes(found.state)) {
          throw new Error(`the notification is ${found.state} (${found.reason ?? 'no reason'}), not ${states.join()}`);
        }
        return found;
      }),
    attempts: (message) =>
      database.owner.db
        .selectFrom('delivery_attempt')
        .select(['outcome', 'error_code as errorCode'])
        .where('notification_id', '=', message.notificationId)
        .orderBy('attempt')
        .execute(),
    inbox: (address) => sandbox.control.messages({ to: address }).toReversed(),
    start: (given = {}) =>
      startNotifier({
        db: database.app.db,
        rabbitmq: queues.rabbitmq,
        publisher: queues.publisher,
        topology: queues.topology,
        senders,
        logger,
        clock: Date.now,
        leaseMs: 30_000,
        textKey: TEXT_KEY,
        channelRestMs: 200,
        ...given,
      }),
    close: async () => {
      await queues.close();
      await sandbox.close();
      await callbacks.close();
      await database.drop();
    },
  };
}

/** Stands where the API takes callbacks. */
async function startCallbackServer(inClinic: World['inClinic']) {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      const taken = path.startsWith('/twilio/')
        ? takeTwilio(path, body, request.headers['x-twilio-signature'])
        : takeSendgrid(body);
      taken.then(
        () => response.writeHead(204).end(),
        () => response.writeHead(500).end(),
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function takeTwilio(path: string, body: string, signature: string | string[] | undefined): Promise<void> {
    const fields = Object.fromEntries(new URLSearchParams(body));
    if (!verifyTwilioSignature(AUTH_TOKEN, `${url}${path}`, fields, String(signature))) throw new Error('forged');
    await inClinic((tx) =>
      settleByCallback(tx, {
        channel: 'sms',
        notificationId: path.slice('/twilio/'.length),
        providerMessageId: fields['MessageSid'],
        providerState: fields['MessageStatus'] ?? '',
        errorCode: fields['ErrorCode'],
      }),
    );
  }

  async function takeSendgrid(body: string): Promise<void> {
    for (const event of JSON.parse(body) as Record<string, string>[]) {
      await inClinic((tx) =>
        settleByCallback(tx, {
          channel: 'email',
          notificationId: event['notificationId'] ?? '',
          providerMessageId: event['sg_message_id'],
          providerState: event['event'] ?? '',
        }),
      );
    }
  }

  return {
    url,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
