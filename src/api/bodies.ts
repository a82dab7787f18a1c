import type { FastifyInstance, FastifyRequest } from 'fastify';
import { AppError, type ErrorCode } from '../domain/errors.ts';
import { RequestError } from './problem.ts';

/* What bytes a body may be. */

/** The text of bytes that are UTF-8, without a byte order mark: what cannot be read is refused, never replaced by U+FFFD. */
const UTF_8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A body as text.
 * @param unreadable - the code for bytes that are no UTF-8
 * @throws AppError `unsupported_media_type` for a `Content-Encoding` or another charset
 */
export function textOf(request: FastifyRequest, body: Buffer, unreadable: ErrorCode): string {
  if (!/^(identity)?$/i.test(request.headers['content-encoding'] ?? '')) {
    // RFC 9110 §15.5.16
    throw new RequestError('unsupported_media_type', { headers: { 'accept-encoding': 'identity' } });
  }
  const charset = /;\s*charset\s*=\s*"?([^\s";]*)/i.exec(request.headers['content-type'] ?? '')?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) throw new AppError('unsupported_media_type');
  try {
    return UTF_8.decode(body);
  } catch {
    throw new AppError(unreadable);
  }
}

/** Bodies are JSON; one that is announced and empty is none, as many clients announce JSON whatever they send. */
export function takeJsonOnly(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body: Buffer, done) => {
    if (body.length === 0) done(null, undefined);
    else void parse(request, textOf(request, body, 'malformed_json'), done);
  });
}
