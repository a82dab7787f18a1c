import { createMessage } from './create-message.ts';
import { createRateLimit } from '../rate-limit.ts';
import { createTasks } from '../tasks.ts';
import { deliver } from './deliver.ts';
import { faultOf, hookFaults } from '../fault-hooks.ts';
import { genericTwilioError, renderTwilioError, twilioError } from './errors.ts';
import { listMessages } from './list-messages.ts';
import { API_VERSION, renderMessage, showMessage } from './message.ts';
import { rawBody, takeRawBodies } from '../raw-body.ts';
import { receiveText } from './inbound.ts';
import type { DeliveredMessage } from '../delivered-message.ts';
import type { DeliveryDelays } from './deliver.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { InboundResult, InboundText } from './inbound.ts';
import type { TwilioError } from './errors.ts';
import type { TwilioMessage } from './message.ts';
import type { VendorContext } from '../context.ts';

/** The account that the product uses. */
export interface TwilioOptions {
  accountSid: string;
  authToken: string;
  /** The senders of the account, E.164. */
  fromNumbers: readonly string[];
  settings?: Partial<TwilioSettings>;
}

/** What may be changed while the sandbox runs. */
export interface TwilioSettings extends DeliveryDelays {
  /** Create requests a second before 429. */
  messagesPerSecond: number;
}

const DEFAULT_SETTINGS: TwilioSettings = { sentMs: 50, deliveredMs: 100, messagesPerSecond: 10_000 };

/** The stand-in for Twilio. */
export interface TwilioStandIn {
  /** The routes, without a prefix. */
  routes: (app: FastifyInstance) => void;
  /** Every message, oldest first. */
  messages: () => DeliveredMessage[];
  /** Sends a patient's text to the product. */
  inbound: (text: InboundText) => Promise<InboundResult>;
  /** The patients who have opted out, each with the sender they opted out of. */
  optOuts: () => { patient: string; sender: string }[];
  configure: (settings: Partial<TwilioSettings>) => TwilioSettings;
  /** Forgets all messages and opt-outs, and returns to the settings of the start. */
  reset: () => void;
  /** Stops deliveries and webhooks. */
  stop: () => void;
}

/** Creates the stand-in for Twilio. */
export function createTwilio(options: TwilioOptions, context: VendorContext): TwilioStandIn {
  const { accountSid, authToken } = options;
  const { clock, faults } = context;
  const signer = { accountSid, authToken, clock };
  const tasks = createTasks();
  const startSettings = { ...DEFAULT_SETTINGS, ...options.settings };
  let settings = startSettings;
  let takeFromLimit = createRateLimit({ limit: settings.messagesPerSecond, windowMs: 1_000 }, clock);
  let messages: TwilioMessage[] = [];
  const bySid = new Map<string, TwilioMessage>();
  const optedOut = new Set<string>();
  const pair = (patient: string, sender: string) => `${patient} ${sender}`;

  const account = {
    fromNumbers: options.fromNumbers,
    hasOptedOut: (patient: string, sender: string) => optedOut.has(pair(patient, sender)),
    optOut: (patient: string, sender: string) => void optedOut.add(pair(patient, sender)),
    optIn: (patient: string, sender: string) => void optedOut.delete(pair(patient, sender)),
    store(message: TwilioMessage) {
      messages.push(message);
      bySid.set(message.sid, message);
    },
  };

  function configure(changes: Partial<TwilioSettings>): TwilioSettings {
    settings = { ...settings, ...changes };
    takeFromLimit = createRateLimit({ limit: settings.messagesPerSecond, windowMs: 1_000 }, clock);
    return settings;
  }

  function create(request: FastifyRequest, reply: FastifyReply) {
    const limit = takeFromLimit();
    if (!limit.allowed) {
      const seconds = Math.max(1, Math.ceil((limit.resetAt - clock().getTime()) / 1_000));
      return sendError(reply.header('retry-after', String(seconds)), genericTwilioError(429));
    }
    const created = createMessage(formOf(request), account, clock());
    if ('error' in created) return sendError(reply, created.error);
    const { message } = created;
    account.store(message);
    const answer = renderMessage(message, accountSid);
    const fault = faultOf(request);
    deliver(message, { tasks, signer, delays: settings, failure: fault?.deliveryFailure, webhooks: fault?.webhooks });
    return reply.code(201).send(answer);
  }

  function routes(app: FastifyInstance): void {
    takeRawBodies(app);
    hookFaults(app, {
      faults,
      vendor: () => 'twilio',
      describe(request) {
        const form = formOf(request);
        const to = form.get('To');
        return { to: to === null ? [] : [to], body: [...form.values()].join('\n') };
      },
      refuse(fault, status) {
        const generic = genericTwilioError(status);
        const code = fault.code === undefined ? generic.code : Number(fault.code);
        return renderTwilioError({ status, code, message: fault.message ?? generic.message });
      },
    });
    app.addHook('onRequest', async (request, reply) => {
      if (!isAuthentic(request.headers.authorization, accountSid, authToken))
        await sendError(reply, genericTwilioError(401));
    });
    app.setNotFoundHandler((request, reply) => sendError(reply, notFound(request)));

    const base = `/${API_VERSION}/Accounts/${accountSid}`;
    app.post(`${base}/Messages.json`, create);
    app.get(`${base}/Messages.json`, (request, reply) => {
      const query = new URL(request.url, 'http://sandbox').searchParams;
      const listed = listMessages(messages, query, accountSid);
      return 'error' in listed ? sendError(reply, listed.error) : reply.send(listed.page);
    });
    app.get<{ Params: { sid: string } }>(`${base}/Messages/:sid(^SM[0-9a-f]{32}).json`, (request, reply) => {
      const message = bySid.get(request.params.sid);
      return message ? reply.send(renderMessage(message, accountSid)) : sendError(reply, notFound(request));
    });
  }

  return {
    routes,
    messages: () => messages.map(showMessage),
    async inbound(text) {
      return new Promise((resolve, reject) => {
        tasks.run(async (signal) => {
          await receiveText(text, account, signer, signal).then(resolve, reject);
        });
      });
    },
    optOuts: () =>
      [...optedOut].map((entry) => {
        const [patient = '', sender = ''] = entry.split(' ');
        return { patient, sender };
      }),
    configure,
    reset() {
      tasks.stop();
      messages = [];
      bySid.clear();
      optedOut.clear();
      configure(startSettings);
    },
    stop: () => tasks.stop(),
  };
}

/** Only a form is read; Twilio ignores a body of any other type. */
function formOf(request: FastifyRequest): URLSearchParams {
  const isForm = (request.headers['content-type'] ?? '').startsWith('application/x-www-form-urlencoded');
  return new URLSearchParams(isForm ? rawBody(request) : '');
}

function isAuthentic(header: string | undefined, accountSid: string, authToken: string): boolean {
  return header === `Basic ${Buffer.from(`${accountSid}:${authToken}`).toString('base64')}`;
}

function notFound(request: FastifyRequest): TwilioError {
  const path = (request.url.split('?')[0] ?? '').replace(/^\/twilio/, '');
  return twilioError(404, 20404, `The requested resource ${path} was not found`);
}

function sendError(reply: FastifyReply, error: TwilioError) {
  const { headers = {}, body } = renderTwilioError(error);
  return reply.code(error.status).headers(headers).send(body);
}
