import { PROBLEM_MEDIA_TYPE } from '../problem.ts';
import { exampleOf, requestExampleOf, type ExampleSchema } from './example.ts';

/*
 * What is the same for many operations is added to the finished document, so that no route has to say it and none can forget it.
 */

interface Content {
  readonly schema?: ExampleSchema;
  example?: unknown;
  readonly examples?: Readonly<Record<string, unknown>>;
}
interface Parameter {
  readonly name: string;
  readonly required?: boolean;
  readonly schema?: ExampleSchema;
  example?: unknown;
}
interface Answer {
  headers?: Record<string, object>;
  readonly content?: Readonly<Record<string, Content>>;
}
interface Operation {
  readonly security?: readonly object[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> };
  readonly responses: Readonly<Record<string, Answer>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  components: { headers?: object };
}

const header = (description: string, schema: object, example: unknown) => ({ description, schema, example });

const HEADERS = {
  'X-Request-Id': header(
    'Follows the request through the system.',
    { type: 'string' },
    '01980f5e-7a3c-7000-8000-000000000000',
  ),
  RateLimit: header(
    'How many requests are left (r), and in how many seconds there is room for more (t).',
    { type: 'string' },
    '"user";r=99;t=60',
  ),
  'RateLimit-Policy': header(
    'How many requests (q) in how many seconds (w), counted by user, or by address without a valid token.',
    { type: 'string' },
    '"user";q=100;w=60',
  ),
  'Idempotency-Replayed': header(
    'true: this is the answer to an earlier request with the same key.',
    { type: 'string', enum: ['true'] },
    'true',
  ),
  'Retry-After': header('Seconds.', { type: 'integer', minimum: 1 }, 5),
  'WWW-Authenticate': header(
    'What is wrong with the token (RFC 6750).',
    { type: 'string' },
    'Bearer realm="mediconnect", error="insufficient_scope", scope="appointments:write"',
  ),
} as const;

/** Adds the headers that go without saying, and an example to every body and parameter. */
export function completeDocument(openapi: object): void {
  const document = openapi as Document;
  document.components.headers = HEADERS;
  for (const operation of Object.values(document.paths).flatMap((methods) => Object.values(methods))) {
    for (const [status, answer] of Object.entries(operation.responses)) {
      addHeaders(answer, headersFor(status, answer, operation));
      addExamples(answer.content, (schema) => exampleOf(schema, ''));
    }
    addExamples(operation.requestBody?.content, requestExampleOf);
    // What may be left out is left out: pages that try the API fill in the examples.
    for (const parameter of operation.parameters ?? []) {
      if (parameter.required === true) parameter.example ??= exampleOf(parameter.schema ?? {}, parameter.name);
    }
  }
}

function headersFor(status: string, answer: Answer, operation: Operation): (keyof typeof HEADERS)[] {
  const isOpen = operation.security?.length === 0;
  const isOnce = operation.parameters?.some(({ name }) => name === 'idempotency-key') ?? false;
  const problems = Object.keys(answer.content?.[PROBLEM_MEDIA_TYPE]?.examples ?? {});
  const passes = status === '429' || (status === '503' && problems.length > 0);
  return [
    'X-Request-Id',
    ...(isOnce && status.startsWith('2') ? (['Idempotency-Replayed'] as const) : []),
    ...(isOpen ? [] : (['RateLimit', 'RateLimit-Policy'] as const)),
    ...(passes || problems.includes('idempotency_in_progress') ? (['Retry-After'] as const) : []),
    ...(!isOpen && (status === '401' || status === '403') ? (['WWW-Authenticate'] as const) : []),
  ];
}

function addHeaders(answer: Answer, names: readonly string[]): void {
  const common = names.map((name) => [name, { $ref: `#/components/headers/${name}` }] as const);
  answer.headers = { ...answer.headers, ...Object.fromEntries(common) };
}

function addExamples(
  content: Readonly<Record<string, Content>> | undefined,
  exampleFor: (schema: ExampleSchema) => unknown,
): void {
  for (const media of Object.values(content ?? {})) {
    if (media.schema === undefined || media.examples !== undefined) continue;
    media.example ??= exampleFor(media.schema);
  }
}
