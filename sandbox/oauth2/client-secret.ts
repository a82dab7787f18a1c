import { createHash, timingSafeEqual } from 'node:crypto';
import { tokenError } from './token-request.ts';
import type { OAuth2Client } from './oauth2.ts';
import type { TokenError } from './token-request.ts';

/** Finds and authenticates a client: client_secret_basic or client_secret_post, never both. Source: RFC 6749 §2.3.1. */
export function authenticateClient(
  authorization: string | undefined,
  form: URLSearchParams,
  clients: ReadonlyMap<string, OAuth2Client>,
): { client: OAuth2Client } | { failure: TokenError } {
  const basic = readBasic(authorization);
  const posted = form.has('client_secret');
  if (authorization !== undefined && !basic) {
    return { failure: tokenError('invalid_client', 'The Authorization header could not be read') };
  }
  if (basic && posted) {
    return { failure: tokenError('invalid_request', 'The client authenticated in more than one way') };
  }
  const [clientId, secret] = basic ?? [form.get('client_id'), form.get('client_secret')];
  const client = clients.get(clientId ?? '');
  if (!client || secret === null || !isSame(secret, client.clientSecret)) {
    return { failure: tokenError('invalid_client', 'Client authentication failed') };
  }
  return { client };
}

/** User name and password are form-encoded before they are joined. */
function readBasic(header: string | undefined): [string, string] | undefined {
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/i.exec(header ?? '')?.[1];
  if (encoded === undefined) return undefined;
  const [, name, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (name === undefined || password === undefined) return undefined;
  return [formDecode(name), formDecode(password)];
}

function formDecode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch {
    return text;
  }
}

function isSame(given: string, expected: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(given), digest(expected));
}
