import { Type } from 'typebox';
import type { TProperties } from 'typebox';

function strict<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, { additionalProperties: false });
}

function oneOf<Values extends string[]>(...values: [...Values]) {
  return Type.Union(values.map((value) => Type.Literal(value)));
}

const Name = Type.String({ minLength: 1 });
const Count = Type.Integer({ minimum: 0 });
const Positive = Type.Integer({ minimum: 1 });
const Limit = strict({ limit: Count, windowMs: Positive });

export const FaultBody = strict({
  vendor: oneOf('twilio', 'sendgrid', 'ehr', 'oauth2'),
  match: Type.Optional(
    strict({
      to: Type.Optional(Name),
      path: Type.Optional(Name),
      method: Type.Optional(Name),
      bodyIncludes: Type.Optional(Name),
      entry: Type.Optional(Type.Boolean()),
    }),
  ),
  kind: Type.Optional(oneOf('status', 'drop', 'timeout-before', 'slow', 'accept-then-hang', 'accept-then-drop')),
  status: Type.Optional(Type.Integer({ minimum: 400, maximum: 599 })),
  code: Type.Optional(Type.Union([Type.String(), Type.Integer()])),
  message: Type.Optional(Type.String()),
  retryAfter: Type.Optional(Count),
  html: Type.Optional(Type.Boolean()),
  ms: Type.Optional(Count),
  times: Type.Optional(Positive),
  deliveryFailure: Type.Optional(
    strict({
      errorCode: Type.Union([Name, Type.Integer()]),
      status: Type.Optional(oneOf('undelivered', 'failed')),
    }),
  ),
  webhooks: Type.Optional(oneOf('none', 'twice', 'reversed', 'forged')),
});

export const InboundBody = strict({
  from: Name,
  to: Name,
  body: Type.String(),
  url: Type.String({ pattern: '^https?://' }),
});

export const TwilioSettingsBody = strict({
  sentMs: Type.Optional(Count),
  deliveredMs: Type.Optional(Count),
  messagesPerSecond: Type.Optional(Count),
});

export const SendGridSettingsBody = strict({
  eventWebhookUrl: Type.Optional(Type.String({ pattern: '^https?://' })),
  deliveredMs: Type.Optional(Count),
  eventBatchMs: Type.Optional(Count),
  activityDelayMs: Type.Optional(Count),
  rateLimit: Type.Optional(Limit),
});

const Claims = strict({
  role: oneOf('patient', 'provider', 'clinic_admin', 'support', 'operator'),
  clinic_id: Type.Optional(Name),
  patient_id: Type.Optional(Name),
  provider_id: Type.Optional(Name),
});

export const ClientBody = strict({
  clientId: Name,
  clientSecret: Name,
  claims: Claims,
  scopes: Type.Array(Name),
  subject: Type.Optional(Name),
  tokenLifetime: Type.Optional(Type.Integer({ minimum: 1, maximum: 86_400 })),
});

export const TokenBody = strict({
  subject: Name,
  claims: Claims,
  scopes: Type.Array(Name),
  lifetime: Type.Optional(Type.Integer()),
});

export const SeedBody = strict({ resources: Type.Array(Type.Unknown()) });

export const EhrSettingsBody = strict({
  requireIfMatch: Type.Optional(Type.Boolean()),
  staleStatus: Type.Optional(Type.Union([Type.Literal(409), Type.Literal(412)])),
  invalidStatus: Type.Optional(Type.Union([Type.Literal(400), Type.Literal(422)])),
  checkReferences: Type.Optional(Type.Boolean()),
  conditionalCreate: Type.Optional(oneOf('atomic', 'racy', 'ignored')),
  refusedStatuses: Type.Optional(Type.Array(Name)),
});

export const MessageQuery = strict({
  to: Type.Optional(Name),
  channel: Type.Optional(oneOf('sms', 'email')),
});
