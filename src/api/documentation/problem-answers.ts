import type { FastifySchema, RouteOptions } from 'fastify';
import type { ErrorCode } from '../../domain/errors.ts';
import { PROBLEM_MEDIA_TYPE, problemDocument, PROBLEMS } from '../problem.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The error codes of this route, apart from those that any route with a token or with a body can answer with. */
    problems?: readonly ErrorCode[];
  }
}

/** Any route that asks for a token. */
const WITH_TOKEN: readonly ErrorCode[] = [
  'validation_failed',
  'token_missing',
  'token_invalid',
  'token_expired',
  'forbidden',
  'rate_limited',
];
/** Any route whose method may carry a body: it is read first, also where none is asked for. */
const WITH_BODY: readonly ErrorCode[] = [
  'validation_failed',
  'malformed_json',
  'body_too_large',
  'unsupported_media_type',
];
/** Any route under /api/v1. */
const ALWAYS: readonly ErrorCode[] = ['internal_error', 'database_unavailable', 'temporarily_unavailable'];

/** What a request with one of these methods carries is read; what any other carries is never looked at. */
const BODY_METHODS: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/**
 * Adds a route's problem answers to what its schema says of the others: one entry a status, with an example a code. They are not in the schema itself,
 * because Fastify would compile a serializer for each and a problem document needs none.
 */
export function withProblemAnswers(
  schema: FastifySchema,
  { method, url, config }: Pick<RouteOptions, 'method' | 'url' | 'config'>,
): FastifySchema {
  const codes = new Set([
    ...(schema.security === undefined ? WITH_TOKEN : []),
    ...([method].flat().some((each) => BODY_METHODS.has(each)) ? WITH_BODY : []),
    ...(config?.problems ?? []),
    ...(url.startsWith('/api/v1/') ? ALWAYS : []),
  ]);
  return { ...schema, response: { ...(schema.response as object | undefined), ...answersOf([...codes]) } };
}

const CLASHES = [
  { appointmentTime: '2025-03-15T10:00:00Z', code: 'slot_taken' },
  { appointmentTime: '2025-03-29T10:00:00Z', code: 'provider_closed' },
] as const;

function answersOf(codes: readonly ErrorCode[]): object {
  const statuses = new Set(codes.map((code) => PROBLEMS[code].status));
  return Object.fromEntries(
    [...statuses].map((status) => {
      const ofStatus = codes.filter((code) => PROBLEMS[code].status === status);
      return [
        status,
        {
          description: ofStatus.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join('\n\n'),
          content: {
            [PROBLEM_MEDIA_TYPE]: {
              schema: { $ref: 'Problem#' },
              examples: Object.fromEntries(
                ofStatus.map((code) => [
                  code,
                  {
                    value: problemDocument(
                      code,
                      '01980f5e-7a3c-7000-8000-000000000000',
                      code === 'series_clash' ? { clashes: CLASHES } : {},
                    ),
                  },
                ]),
              ),
            },
          },
        },
      ];
    }),
  );
}
