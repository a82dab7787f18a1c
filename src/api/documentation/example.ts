import { createHash } from 'node:crypto';

/** As much of a JSON Schema as an example is made of. */
export interface ExampleSchema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly default?: unknown;
  readonly minimum?: number;
  readonly examples?: readonly unknown[];
  readonly example?: unknown;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, ExampleSchema>>;
  readonly items?: ExampleSchema;
  readonly anyOf?: readonly ExampleSchema[];
}

/** What a text of this name holds, where its schema does not show it: a name means the same everywhere. */
const TEXTS: Readonly<Record<string, string>> = {
  action: 'reminder:P1D',
  cancelReason: 'patient_request',
  closedReason: 'filled',
  code: 'slot_taken',
  cursor: 'eyJhdCI6IjIwMjUtMDMtMTVUMTA6MDA6MDBaIn0',
  detail: 'Ask for the availability again and choose another start.',
  ehrId: '42',
  errorCode: '30005',
  ErrorCode: '30005',
  event: 'delivered',
  familyName: 'Sample',
  givenName: 'Jordan',
  id: 'desk-1',
  kind: 'staff',
  MessageSid: 'SM0123456789abcdef0123456789abcdef',
  MessageStatus: 'delivered',
  name: 'Dr. Ada Example',
  nextAction: 'reminder:P1D',
  nextCursor: 'eyJhdCI6IjIwMjUtMDMtMTVUMTA6MDA6MDBaIn0',
  notificationId: idNamed('notificationId'),
  outcome: 'DELIVERED',
  providerMessageId: 'SM0123456789abcdef0123456789abcdef',
  reason: 'The provider asked for it.',
  reminderState: 'PLANNED',
  requestedBy: 'support-1',
  requestId: '01980f5e-7a3c-7000-8000-000000000000',
  sg_message_id: '14c5d75ce93.dfd.64b469',
  specialty: 'General practice',
  status: '5.1.1',
  timeZone: 'Europe/Berlin',
  title: 'The slot is taken',
  type: '/problems/slot_taken',
  why: 'The reminder that is due P1D before the visit has not gone out yet.',
};

/**
 * An example of a schema, put together from those of its fields: an author gives one where a field's name, format or list of values does not tell it all,
 * and every body has one.
 *
 * @param name - the field's: an id is the same one wherever it appears
 */
export function exampleOf(schema: ExampleSchema, name: string): unknown {
  const [given = schema.example ?? schema.const ?? schema.enum?.[0] ?? schema.default] = schema.examples ?? [];
  if (given !== undefined) return given;
  if (schema.anyOf !== undefined) {
    const [first] = schema.anyOf.filter(({ type }) => type !== 'null');
    return first === undefined ? null : exampleOf(first, name);
  }
  switch (schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {}).map(([field, each]) => [field, exampleOf(each, field)]),
      );
    case 'array':
      return schema.items === undefined ? [] : [exampleOf(schema.items, name.replace(/s$/, ''))];
    case 'string':
      return schema.format === 'uuid' ? idNamed(name) : (TEXTS[name] ?? '');
    case 'integer':
    case 'number':
      return schema.minimum ?? 1;
    case 'boolean':
      return true;
    default:
      return null;
  }
}

/** An example of a request's body: what must be sent, or all of it where nothing must. */
export function requestExampleOf(schema: ExampleSchema): unknown {
  const { required, properties = {}, examples } = schema;
  if (required === undefined || examples !== undefined) return exampleOf(schema, '');
  const needed = Object.entries(properties).filter(([field]) => required.includes(field));
  return exampleOf({ ...schema, properties: Object.fromEntries(needed) }, '');
}

/** A UUIDv7 of 2025 whose end is the field's own. */
function idNamed(name: string): string {
  return `01980f5e-7a3c-7000-8000-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`;
}
