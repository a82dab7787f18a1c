import type { FastifyReply } from 'fastify';
import { entityTag } from './entity-tag.ts';
import { REPLAYED_HEADER } from './idempotency.ts';

/** Where the thing is that a request made. */
interface Made {
  /** Under `/api/v1`. */
  readonly at: string;
  /** Where it has an ETag. */
  readonly version?: number;
  /** It was made by an earlier request with this Idempotency-Key. */
  readonly replayed: boolean;
}

/** 201: it is there. */
export function created(reply: FastifyReply, made: Made, body: object): FastifyReply {
  return answer(reply.code(201), made, body);
}

/** 202: it is begun; the address tells how it goes. */
export function accepted(reply: FastifyReply, made: Made, body: object): FastifyReply {
  return answer(reply.code(202), made, body);
}

function answer(reply: FastifyReply, { at, version, replayed }: Made, body: object): FastifyReply {
  if (replayed) void reply.header(REPLAYED_HEADER, 'true');
  if (version !== undefined) void reply.header('etag', entityTag(version));
  return reply.header('location', `/api/v1${at}`).send(body);
}
