import { Type } from 'typebox';
import type { Static, TProperties } from 'typebox';

/** Every object of the request refuses properties that are not published. */
const closed = { additionalProperties: false };

function strict<Properties extends TProperties>(properties: Properties) {
  return Type.Object(properties, closed);
}

const Address = strict({ email: Type.String(), name: Type.Optional(Type.String()) });
const TextMap = Type.Record(Type.String(), Type.String());
const Toggle = strict({ enable: Type.Optional(Type.Boolean()) });

const Personalization = strict({
  from: Type.Optional(Address),
  to: Type.Array(Address, { minItems: 1 }),
  cc: Type.Optional(Type.Array(Address)),
  bcc: Type.Optional(Type.Array(Address)),
  subject: Type.Optional(Type.String()),
  headers: Type.Optional(TextMap),
  substitutions: Type.Optional(TextMap),
  dynamic_template_data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  custom_args: Type.Optional(TextMap),
  send_at: Type.Optional(Type.Integer()),
});

const Attachment = strict({
  content: Type.String({ minLength: 1 }),
  type: Type.Optional(Type.String({ minLength: 1 })),
  filename: Type.String({ minLength: 1 }),
  disposition: Type.Optional(Type.Union([Type.Literal('inline'), Type.Literal('attachment')])),
  content_id: Type.Optional(Type.String()),
});

const MailSettings = strict({
  bypass_list_management: Type.Optional(Toggle),
  bypass_spam_management: Type.Optional(Toggle),
  bypass_bounce_management: Type.Optional(Toggle),
  bypass_unsubscribe_management: Type.Optional(Toggle),
  footer: Type.Optional(
    strict({
      enable: Type.Optional(Type.Boolean()),
      text: Type.Optional(Type.String()),
      html: Type.Optional(Type.String()),
    }),
  ),
  sandbox_mode: Type.Optional(Toggle),
});

const TrackingSettings = strict({
  click_tracking: Type.Optional(
    strict({ enable: Type.Optional(Type.Boolean()), enable_text: Type.Optional(Type.Boolean()) }),
  ),
  open_tracking: Type.Optional(
    strict({ enable: Type.Optional(Type.Boolean()), substitution_tag: Type.Optional(Type.String()) }),
  ),
  subscription_tracking: Type.Optional(
    strict({
      enable: Type.Optional(Type.Boolean()),
      text: Type.Optional(Type.String()),
      html: Type.Optional(Type.String()),
      substitution_tag: Type.Optional(Type.String()),
    }),
  ),
  ganalytics: Type.Optional(
    strict({
      enable: Type.Optional(Type.Boolean()),
      utm_source: Type.Optional(Type.String()),
      utm_medium: Type.Optional(Type.String()),
      utm_term: Type.Optional(Type.String()),
      utm_content: Type.Optional(Type.String()),
      utm_campaign: Type.Optional(Type.String()),
    }),
  ),
});

/** The body of POST /v3/mail/send. Source: twilio.com/docs/sendgrid/api-reference/mail-send and its OpenAPI document. */
export const MailSchema = strict({
  personalizations: Type.Array(Personalization, { minItems: 1, maxItems: 1_000 }),
  from: Address,
  reply_to: Type.Optional(Address),
  reply_to_list: Type.Optional(Type.Array(Address, { maxItems: 1_000 })),
  subject: Type.Optional(Type.String()),
  content: Type.Optional(
    Type.Array(strict({ type: Type.String({ minLength: 1 }), value: Type.String({ minLength: 1 }) }), { minItems: 1 }),
  ),
  attachments: Type.Optional(Type.Array(Attachment)),
  template_id: Type.Optional(Type.String()),
  sections: Type.Optional(TextMap),
  headers: Type.Optional(TextMap),
  categories: Type.Optional(Type.Array(Type.String({ maxLength: 255 }), { maxItems: 10, uniqueItems: true })),
  custom_args: Type.Optional(TextMap),
  send_at: Type.Optional(Type.Integer()),
  batch_id: Type.Optional(Type.String()),
  asm: Type.Optional(
    strict({
      group_id: Type.Integer(),
      groups_to_display: Type.Optional(Type.Array(Type.Integer(), { maxItems: 25 })),
    }),
  ),
  ip_pool_name: Type.Optional(Type.String({ minLength: 2, maxLength: 64 })),
  mail_settings: Type.Optional(MailSettings),
  tracking_settings: Type.Optional(TrackingSettings),
});

/** A well-formed request. */
export type Mail = Static<typeof MailSchema>;
export type Personalization = Static<typeof Personalization>;
