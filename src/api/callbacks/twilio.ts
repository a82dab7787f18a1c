import formbody from '@fastify/formbody';
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';
import { AppError } from '../../domain/errors.ts';
import { Nothing, Strict, Uuid } from '../schemas.ts';
import { CALLBACK_PROBLEMS, limitUnsigned, type CallbackRoutes } from './callbacks.ts';

const StatusPath = Strict({ notificationId: Uuid('The message, as we wrote it into the address that Twilio calls.') });

const StatusBody = Type.Object(
  {
    MessageSid: Type.String({ pattern: '^[A-Za-z0-9]{1,64}$' }),
    MessageStatus: Type.String({ pattern: '^[A-Za-z_]{1,32}$' }),
    ErrorCode: Type.Optional(Type.String({ pattern: '^[0-9]{1,10}$' })),
  },
  { description: 'What we read of it; Twilio sends more.' },
);

/** Twilio's reports on messages (twilio.com/docs/messaging/guides/track-outbound-message-status). */
export const twilioCallbacks: FastifyPluginAsyncTypebox<CallbackRoutes> = async (app, { callbacks, limit }) => {
  app.removeAllContentTypeParsers();
  await app.register(formbody, { bodyLimit: 64 * 1_024 });
  limitUnsigned(app, limit);
  // Before anything of it is judged. The fields are what is signed, so they are read.
  app.addHook('preValidation', (request, _reply, done) => {
    const signature = request.headers['x-twilio-signature'];
    const signed = callbacks.isFromTwilio({
      path: request.originalUrl,
      fields: (request.body ?? {}) as Readonly<Record<string, unknown>>,
      signature: typeof signature === 'string' ? signature : undefined,
    });
    done(signed ? undefined : new AppError('signature_invalid'));
  });
  app.post(
    '/callbacks/twilio/status/:notificationId',
    {
      config: { problems: [...CALLBACK_PROBLEMS] },
      schema: {
        operationId: 'receiveTwilioStatus',
        tags: ['callbacks'],
        summary: 'Twilio reports on an SMS',
        description:
          'Signed by X-Twilio-Signature over the public address and the form fields. Repeats and late reports are harmless.',
        security: [],
        consumes: ['application/x-www-form-urlencoded'],
        params: StatusPath,
        headers: Type.Object({ 'x-twilio-signature': Type.Optional(Type.String()) }),
        body: StatusBody,
        response: { 204: Nothing('Taken, or about nothing we know.') },
      },
    },
    async (request, reply) => {
      const { MessageSid, MessageStatus, ErrorCode } = request.body;
      await callbacks.settle([
        {
          channel: 'sms',
          notificationId: request.params.notificationId,
          providerMessageId: MessageSid,
          providerState: MessageStatus,
          errorCode: ErrorCode,
        },
      ]);
      return reply.code(204).send(null);
    },
  );
};
