import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type, type Static } from 'typebox';
import { AppError } from '../../domain/errors.ts';
import type { ProviderReport } from '../../notifications/ledger/reports.ts';
import { textOf } from '../bodies.ts';
import { Nothing, StorableText } from '../schemas.ts';
import { isUuid } from '../validation.ts';
import { CALLBACK_PROBLEMS, limitUnsigned, type CallbackRoutes } from './callbacks.ts';

/** SendGrid posts events in batches. */
const BODY_LIMIT = 1_024 * 1_024;

const Event = Type.Object(
  {
    event: StorableText(64),
    timestamp: Type.Optional(Type.Number({ description: 'Epoch seconds.' })),
    sg_message_id: Type.Optional(StorableText(256)),
    status: Type.Optional(StorableText(256)),
    notificationId: Type.Optional(StorableText(256, 'Our custom argument.')),
  },
  { description: 'What we read of it; SendGrid sends more.' },
);

/** SendGrid's events (twilio.com/docs/sendgrid/for-developers/tracking-events/event). */
export const sendgridCallbacks: FastifyPluginCallbackTypebox<CallbackRoutes> = (app, { callbacks, limit }, done) => {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    'application/json',
    { parseAs: 'buffer', bodyLimit: BODY_LIMIT },
    (request, body: Buffer, done) => {
      // Nothing is parsed of what SendGrid has not signed, byte for byte.
      const signed = callbacks.isFromSendgrid({
        rawBody: body,
        signature: oneOf(request.headers['x-twilio-email-event-webhook-signature']),
        timestamp: oneOf(request.headers['x-twilio-email-event-webhook-timestamp']),
      });
      if (signed) void parse(request, textOf(request, body, 'malformed_json'), done);
      else done(new AppError('signature_invalid'));
    },
  );
  limitUnsigned(app, limit);
  app.post(
    '/callbacks/sendgrid/events',
    {
      bodyLimit: BODY_LIMIT,
      config: { problems: [...CALLBACK_PROBLEMS] },
      schema: {
        operationId: 'receiveSendgridEvents',
        tags: ['callbacks'],
        summary: 'SendGrid reports on emails',
        description: 'Signed over the timestamp header and the raw body. Repeats and late reports are harmless.',
        security: [],
        headers: Type.Object({
          'x-twilio-email-event-webhook-signature': Type.Optional(Type.String()),
          'x-twilio-email-event-webhook-timestamp': Type.Optional(Type.String()),
        }),
        body: Type.Array(Event, { maxItems: 2_000 }),
        response: {
          204: Nothing('Taken, or about nothing we know.'),
        },
      },
    },
    async (request, reply) => {
      await callbacks.settle(request.body.flatMap((event) => reportOf(event) ?? []));
      return reply.code(204).send(null);
    },
  );
  done();
};

function oneOf(header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' ? header : undefined;
}

/** An event about one of our messages. The reason in words is left out: it names the address. */
function reportOf(event: Static<typeof Event>): ProviderReport | undefined {
  const { notificationId, timestamp, status } = event;
  if (notificationId === undefined || !isUuid(notificationId)) return undefined;
  const isEnhancedCode = status !== undefined && /^[245]\.\d{1,3}\.\d{1,3}$/.test(status);
  return {
    channel: 'email',
    notificationId: notificationId.toLowerCase(),
    providerMessageId: event.sg_message_id,
    providerState: event.event,
    errorCode: isEnhancedCode ? status : undefined,
    occurredAt: timestamp === undefined ? undefined : instantOf(timestamp),
  };
}

function instantOf(epochSeconds: number): Date | undefined {
  const instant = new Date(epochSeconds * 1_000);
  return instant.getUTCFullYear() >= 2_000 && instant.getUTCFullYear() < 3_000 ? instant : undefined;
}
