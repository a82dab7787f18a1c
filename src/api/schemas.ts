import { Type, type TProperties } from 'typebox';

/*
 * What the resources' schemas share.
 */

export const Uuid = (description: string) => Type.String({ format: 'uuid', description });

export const Instant = (description: string) =>
  Type.String({ format: 'date-time', description, examples: ['2025-03-15T10:00:00Z'] });

export const LocalDate = (description: string) =>
  Type.String({ format: 'date', description, examples: ['2025-03-15'] });

export const Nullable = <T extends Parameters<typeof Type.Union>[0][number]>(schema: T) =>
  Type.Union([schema, Type.Null()]);

export const DurationMinutes = Type.Integer({
  minimum: 1,
  maximum: 1_440,
  description: 'How long the visit is, in whole minutes.',
  examples: [30],
});

/** A body, path or query: what is not listed is refused. */
export const Strict = <T extends TProperties>(
  properties: T,
  options: { minProperties?: number; examples?: readonly object[] } = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

/** Query parameters of a list. */
export const PAGE_QUERY = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 100, default: 25, description: 'How many to answer with, at most.' }),
  ),
  cursor: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 512,
      pattern: '^[A-Za-z0-9_-]+$',
      description: 'nextCursor of the page before; leave it out for the first.',
    }),
  ),
};

export const NextCursor = Type.Optional(
  Type.String({ description: 'Send it as cursor for the next page. Absent on the last.' }),
);

const CHARACTER = '[^\\u0000-\\u001f\\u007f-\\u009f]';
const VISIBLE = '[^\\s\\u0000-\\u001f\\u007f-\\u009f]';
const E164 = '^\\+[1-9][0-9]{6,14}$';
const ADDRESS = '^[!#-\\u0027*+./0-9=?A-Z^-~-]{1,64}@[A-Za-z0-9-]{1,63}(\\.[A-Za-z0-9-]{1,63})+$';
const PLAIN = `^${VISIBLE}(${CHARACTER}*${VISIBLE})?$`;

/** Text that people read: without control characters, and not blank at either end. */
export const PlainText = (maxLength: number, description: string, minLength = 1) =>
  Type.String({
    minLength,
    maxLength,
    pattern: PLAIN,
    format: 'text',
    description,
  });

/** Others' text that is kept as it comes: whatever PostgreSQL can hold. */
export const StorableText = (maxLength: number, description?: string) =>
  Type.String({
    maxLength,
    pattern: '^[^\\u0000]*$',
    format: 'text',
    ...(description === undefined ? {} : { description }),
  });

/** For whatever is changed from a version that the client has read. */
export const VersionHeaders = Type.Object({
  'if-match': Type.Optional(
    Type.String({ description: 'The ETag of the answer in which you have read it.', examples: ['"1"'] }),
  ),
});

/** The headers of answers, as OpenAPI describes them. */
export const ETAG_HEADER = { ETag: { type: 'string', description: 'The version, for If-Match.' } };
export const CREATED_HEADERS = {
  Location: { type: 'string', description: 'What was created.' },
  ...ETAG_HEADER,
};

/** For whatever creates something. */
export const IdempotencyHeaders = Type.Object({
  'idempotency-key': Type.Optional(
    Type.String({
      description:
        'Up to 255 printable characters of your choice. The same key with the same body is done once, however often it is sent; the answer then says Idempotency-Replayed.',
    }),
  ),
});

/** An answer without a body. */
export const Nothing = (description: string) => Type.Null({ description });

/** An instant as the specification writes it: UTC, without milliseconds where there are none. */
export function instantText(instant: Date | number): string {
  return new Date(instant).toISOString().replace('.000Z', 'Z');
}

/** An instant that may be left out. */
export function instantOf(text: string | undefined): Date | undefined {
  return text === undefined ? undefined : new Date(text);
}

export function instantTextOrNull(instant: Date | null): string | null {
  return instant === null ? null : instantText(instant);
}

/** A phone number as it is stored and dialled. */
export const Phone = Type.String({
  pattern: E164,
  description: 'In international form (E.164).',
  examples: ['+4930123456'],
});

/** What SMTP carries without extensions (RFC 5321 §4.1.2), without quoting. */
export const Email = Type.String({
  maxLength: 254,
  pattern: ADDRESS,
  examples: ['jordan@example.org'],
});

/** What the patterns that many fields have mean in words. */
export const PATTERN_WORDS: ReadonlyMap<unknown, string> = new Map([
  [PLAIN, 'text without control characters, and not blank at either end'],
  [E164, 'a phone number in international form (E.164), as +4930123456'],
  [ADDRESS, 'an email address'],
]);
