import type { FastifyInstance } from 'fastify';

/**
 * Makes every body of this part of the server arrive as the string that was sent, so that each vendor can refuse a
 * malformed one in its own words.
 */
export function takeRawBodies(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => {
    done(null, body);
  });
}

/** The body as it was sent; empty when there was none. */
export function rawBody(request: { body: unknown }): string {
  return typeof request.body === 'string' ? request.body : '';
}

/** Parses JSON; `undefined` when it is not JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Whether a value is a JSON object, neither an array nor null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
