import type { FastifyRequest, FastifyServerOptions } from 'fastify';

/*
 * What a valid value looks like, stricter than the validator's own formats: whatever passes here is something PostgreSQL and Date understand alike.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const DATE = /^(\d{4})-(\d\d)-(\d\d)$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,9})?(Z|[+-](0\d|1[0-4]):[0-5]\d)$/;

/** A calendar date `YYYY-MM-DD` from 1900 to 2999: nothing that anybody books is outside, and every database type can hold it. */
export function isDate(text: string): boolean {
  const [, year, month, day] = (DATE.exec(text) ?? []).map(Number);
  if (year === undefined || month === undefined || day === undefined || year < 1900 || year > 2999) return false;
  return month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}

/** An RFC 3339 instant with its offset, from 1900 to 2999. Leap seconds are refused, as Date has none. */
export function isDateTime(text: string): boolean {
  const date = DATE_TIME.exec(text)?.[1];
  return date !== undefined && isDate(date);
}

/**
 * Text that UTF-8, and so PostgreSQL, can write: without halves of surrogate pairs, which JSON can send (RFC 8259 §8.2). No pattern says it, because the
 * regular expressions of some languages cannot name a surrogate.
 */
export function isText(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}

export function isUuid(text: string): boolean {
  return UUID.test(text);
}

/** Ajv: nothing is converted, filled in or removed; unknown fields are refused where the schema says so. */
export const ajvOptions: NonNullable<FastifyServerOptions['ajv']> = {
  customOptions: {
    coerceTypes: false,
    removeAdditional: false,
    useDefaults: true,
    // A refused body names all its faults; how many are shown is bounded in problem.ts, how much there is by the body's size.
    allErrors: true,
    // Bodies of several kinds are validated as the kind that they name.
    discriminator: true,
  },
  onCreate: (ajv) => {
    ajv.addFormat('uuid', isUuid);
    ajv.addFormat('date', isDate);
    ajv.addFormat('date-time', isDateTime);
    ajv.addFormat('text', isText);
  },
};

/** The serializer of answers knows the formats too, and looks at none: what we say is what we keep. */
export const serializerOptions = { ajv: { formats: { text: true } } } as const;

interface PropertySchema {
  readonly type?: string;
  readonly format?: string;
}

/**
 * Query parameters are text: those whose schema is a number or a boolean are converted here when they are written in the one plain way, and left as
 * text, so that validation refuses them, when they are not (`0x1e`, ` 30`, `3e1`, `yes`).
 */
export function convertQuery(request: FastifyRequest): void {
  const query = request.query as Record<string, unknown> | undefined;
  for (const [name, schema] of Object.entries(propertiesOf(request.routeOptions.schema?.querystring))) {
    const text = query?.[name];
    if (query === undefined || typeof text !== 'string') continue;
    if (schema.type === 'integer' && /^(0|[1-9]\d{0,14})$/.test(text)) query[name] = Number(text);
    if (schema.type === 'boolean' && (text === 'true' || text === 'false')) query[name] = text === 'true';
  }
}

/** Ids are compared as text further in, and UUIDs may come in capitals (RFC 9562 §4): one spelling from here on. */
export function lowerCaseIds(request: FastifyRequest): void {
  const { schema } = request.routeOptions;
  for (const [values, part] of [
    [request.params, schema?.params],
    [request.query, schema?.querystring],
    [request.body, schema?.body],
  ]) {
    if (typeof values !== 'object' || values === null) continue;
    const fields = values as Record<string, unknown>;
    for (const [name, property] of Object.entries(propertiesOf(part))) {
      const text = fields[name];
      if (property.format === 'uuid' && typeof text === 'string') fields[name] = text.toLowerCase();
    }
  }
}

function propertiesOf(schema: unknown): Record<string, PropertySchema> {
  return (schema as { properties?: Record<string, PropertySchema> } | undefined)?.properties ?? {};
}
