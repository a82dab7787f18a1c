import { checkMail } from './check-mail.ts';
import { createEventWebhook } from './event-webhook.ts';
import { createRateLimit } from '../rate-limit.ts';
import { createTasks } from '../tasks.ts';
import { createWebhookKey } from './webhook-key.ts';
import { deliver } from './deliver.ts';
import { emailsOf, newRequestId, showEmail } from './email.ts';
import { faultOf, hookFaults } from '../fault-hooks.ts';
import { fieldError, genericMessage } from './errors.ts';
import { isObject, parseJson, rawBody, takeRawBodies } from '../raw-body.ts';
import { readActivityQuery, renderActivity, renderActivityDetail } from './activity.ts';
import type { DeliveredMessage } from '../delivered-message.ts';
import type { Email } from './email.ts';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { RateLimitOptions } from '../rate-limit.ts';
import type { SendGridError } from './errors.ts';
import type { VendorContext } from '../context.ts';

/** The account that the product uses. */
export interface SendGridOptions {
  apiKey: string;
  /** Signs event webhooks: base64 of PKCS #8 DER, on P-256. One is made when it is left out. */
  webhookPrivateKey?: string;
  /** Where events are posted. Without it, nobody is told. */
  eventWebhookUrl?: string;
  settings?: Partial<SendGridSettings>;
}

/** What may be changed while the sandbox runs. */
export interface SendGridSettings {
  eventWebhookUrl: string | undefined;
  /** How long an email is on its way, in milliseconds. */
  deliveredMs: number;
  /** How long events are collected before they are posted, in milliseconds. */
  eventBatchMs: number;
  /** How late the Email Activity API learns of an email, in milliseconds. */
  activityDelayMs: number;
  rateLimit: RateLimitOptions;
}

/** The stand-in for SendGrid. */
export interface SendGridStandIn {
  /** The routes, without a prefix. */
  routes: (app: FastifyInstance) => void;
  /** Every email, oldest first, one for each recipient. */
  messages: () => DeliveredMessage[];
  /** Base64 of the DER public key with which events are verified. */
  webhookPublicKey: string;
  configure: (settings: Partial<SendGridSettings>) => SendGridSettings;
  /** Forgets all emails and suppressed addresses, and returns to the settings of the start. */
  reset: () => void;
  /** Stops deliveries and webhooks. */
  stop: () => void;
}

/** Creates the stand-in for SendGrid. */
export function createSendGrid(options: SendGridOptions, context: VendorContext): SendGridStandIn {
  const { clock, faults } = context;
  const tasks = createTasks();
  const key = createWebhookKey(options.webhookPrivateKey);
  const startSettings: SendGridSettings = {
    eventWebhookUrl: options.eventWebhookUrl,
    deliveredMs: 100,
    eventBatchMs: 50,
    activityDelayMs: 0,
    rateLimit: { limit: 10_000, windowMs: 1_000 },
    ...options.settings,
  };
  let settings = startSettings;
  let takeFromLimit = createRateLimit(settings.rateLimit, clock);
  let emails: Email[] = [];
  const suppressed = new Set<string>();
  const events = createEventWebhook({ key, tasks, clock, settings: () => settings });

  function configure(changes: Partial<SendGridSettings>): SendGridSettings {
    settings = { ...settings, ...changes };
    takeFromLimit = createRateLimit(settings.rateLimit, clock);
    return settings;
  }

  function send(request: FastifyRequest, reply: FastifyReply) {
    if (!(request.headers['content-type'] ?? '').startsWith('application/json')) return sendErrors(reply, 415);
    const body = parseJson(rawBody(request));
    if (body === undefined) return sendErrors(reply, 400, [fieldError(null, 'Bad Request')]);
    const checked = checkMail(body, clock());
    if ('errors' in checked) return sendErrors(reply, 400, checked.errors);
    const requestId = newRequestId();
    if (checked.mail.mail_settings?.sandbox_mode?.enable) return reply.code(200).send('');
    const fault = faultOf(request);
    for (const email of emailsOf(checked.mail, requestId, clock())) {
      emails.push(email);
      deliver(email, {
        tasks,
        clock,
        events,
        suppressed,
        deliveredMs: settings.deliveredMs,
        failure: fault?.deliveryFailure,
        webhooks: fault?.webhooks,
      });
    }
    return reply.code(202).header('x-message-id', requestId).send('');
  }

  function visibleInActivity(): Email[] {
    const latest = clock().getTime() - settings.activityDelayMs;
    return emails.filter((email) => email.createdAt.getTime() <= latest).reverse();
  }

  function search(request: FastifyRequest, reply: FastifyReply) {
    const parameters = new URL(request.url, 'http://sandbox').searchParams;
    const limit = Number(parameters.get('limit') ?? 10);
    if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
      return sendErrors(reply, 400, [fieldError('limit', 'limit must be between 1 and 1000')]);
    }
    const matches = readActivityQuery(parameters.get('query') ?? '');
    if (!matches) return sendErrors(reply, 400, [fieldError('query', 'the query could not be parsed')]);
    return reply.send({ messages: visibleInActivity().filter(matches).slice(0, limit).map(renderActivity) });
  }

  function routes(app: FastifyInstance): void {
    takeRawBodies(app);
    hookFaults(app, {
      faults,
      vendor: () => 'sendgrid',
      describe: (request) => ({ to: recipientsOf(parseJson(rawBody(request))), body: rawBody(request) }),
      refuse: (fault, status) => ({ body: { errors: [fieldError(null, fault.message ?? genericMessage(status))] } }),
    });
    app.addHook('onRequest', async (request, reply) => {
      if (request.headers.authorization !== `Bearer ${options.apiKey}`) {
        await sendErrors(reply, 401);
        return;
      }
      const limit = takeFromLimit();
      reply.headers({
        'x-ratelimit-limit': String(limit.limit),
        'x-ratelimit-remaining': String(limit.remaining),
        'x-ratelimit-reset': String(Math.ceil(limit.resetAt / 1_000)),
      });
      if (!limit.allowed) await sendErrors(reply, 429);
    });
    app.setNotFoundHandler((_request, reply) => sendErrors(reply, 404));

    app.post('/v3/mail/send', send);
    app.get('/v3/messages', search);
    app.get<{ Params: { id: string } }>('/v3/messages/:id', (request, reply) => {
      const email = visibleInActivity().find(({ messageId }) => messageId === request.params.id);
      return email ? reply.send(renderActivityDetail(email)) : sendErrors(reply, 404);
    });
  }

  return {
    routes,
    messages: () => emails.map(showEmail),
    webhookPublicKey: key.publicKey,
    configure,
    reset() {
      tasks.stop();
      emails = [];
      suppressed.clear();
      configure(startSettings);
    },
    stop: () => tasks.stop(),
  };
}

function sendErrors(reply: FastifyReply, status: number, errors?: SendGridError[]) {
  return reply.code(status).send({ errors: errors ?? [fieldError(null, genericMessage(status))] });
}

/** The recipients of a body that may still be malformed. */
function recipientsOf(body: unknown): string[] {
  const personalizations = isObject(body) ? body['personalizations'] : undefined;
  if (!Array.isArray(personalizations)) return [];
  return personalizations.flatMap((personalization: unknown) =>
    ['to', 'cc', 'bcc'].flatMap((list) => {
      const addresses: unknown = isObject(personalization) ? personalization[list] : undefined;
      return Array.isArray(addresses) ? addresses.map((address: unknown) => emailIn(address)) : [];
    }),
  );
}

function emailIn(address: unknown): string {
  const email = isObject(address) ? address['email'] : undefined;
  return typeof email === 'string' ? email : '';
}
