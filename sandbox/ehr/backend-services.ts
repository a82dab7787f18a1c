import { randomBytes } from 'node:crypto';
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, errors, jwtVerify } from 'jose';
import { grantScopes } from './smart-scopes.ts';
import { readTokenRequest, tokenError } from '../oauth2/token-request.ts';
import type { Clock } from '../context.ts';
import type { JSONWebKeySet } from 'jose';
import type { TokenError } from '../oauth2/token-request.ts';

/** A client of the EHRs, registered at every tenant. */
export interface EhrClient {
  clientId: string;
  jwks: JSONWebKeySet;
  /** The scopes it may have. Default: reading and writing everything. */
  scopes?: readonly string[];
}

/** The token service of one tenant: SMART Backend Services. */
export interface BackendServices {
  /** Answers a token request that was sent to this address. */
  grant(request: {
    contentType: string | undefined;
    body: string;
    tokenUrl: string;
  }): Promise<{ failure: TokenError } | TokenAnswer>;
  /** The scopes of a live token; undefined when it is unknown or has expired. */
  scopesOf(token: string): readonly string[] | undefined;
}

/** A granted token. */
export interface TokenAnswer {
  access_token: string;
  token_type: 'bearer';
  expires_in: number;
  scope: string;
}

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
/** Source: SMART App Launch 2.2, "Protocol details": RS384 and ES384, at most five minutes, tokens of five minutes. */
const ALGORITHMS = ['RS384', 'ES384'];
const MAX_ASSERTION_SECONDS = 300;
const TOKEN_SECONDS = 300;
const EVERYTHING = ['system/*.cruds'];

/** Creates the token service of one tenant. */
export function createBackendServices(clients: ReadonlyMap<string, EhrClient>, clock: Clock): BackendServices {
  const usedAssertions = new Map<string, number>();
  const tokens = new Map<string, { scopes: readonly string[]; expiresAt: number }>();

  /** Remembers an assertion until it expires; false when it was used before. */
  function isFirstUse(clientId: string, jti: string, expiresAt: number): boolean {
    const now = clock().getTime();
    for (const [key, until] of usedAssertions) if (until <= now) usedAssertions.delete(key);
    const key = `${clientId} ${jti}`;
    if (usedAssertions.has(key)) return false;
    usedAssertions.set(key, expiresAt);
    return true;
  }

  async function verify(assertion: string, tokenUrl: string): Promise<EhrClient> {
    const { alg, kid } = readHeader(assertion);
    if (alg === undefined || !ALGORITHMS.includes(alg))
      throw new AssertionError('The algorithm must be RS384 or ES384');
    if (kid === undefined) throw new AssertionError('The header has no kid');
    const client = clients.get(decodeJwt(assertion).iss ?? '');
    if (!client) throw new AssertionError('The client is not registered');
    const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks), {
      algorithms: ALGORITHMS,
      audience: tokenUrl,
      issuer: client.clientId,
      subject: client.clientId,
      requiredClaims: ['exp', 'jti'],
      currentDate: clock(),
    });
    const { exp = 0, jti = '' } = payload;
    if (exp * 1_000 > clock().getTime() + MAX_ASSERTION_SECONDS * 1_000) {
      throw new AssertionError('exp is more than five minutes ahead');
    }
    if (!isFirstUse(client.clientId, jti, exp * 1_000)) throw new AssertionError('jti was used before');
    return client;
  }

  return {
    async grant({ contentType, body, tokenUrl }) {
      const request = readTokenRequest(contentType, body);
      if ('failure' in request) return request;
      const { form } = request;
      const assertion = form.get('client_assertion');
      if (form.get('client_assertion_type') !== ASSERTION_TYPE || !assertion) {
        return { failure: tokenError('invalid_client', 'A signed client assertion is required') };
      }
      const asked = form.get('scope')?.split(' ').filter(Boolean) ?? [];
      if (asked.length === 0) return { failure: tokenError('invalid_scope', 'scope is missing') };
      try {
        const client = await verify(assertion, tokenUrl);
        if (form.has('client_id') && form.get('client_id') !== client.clientId) {
          return { failure: tokenError('invalid_client', 'client_id differs from the assertion') };
        }
        const scopes = grantScopes(asked, client.scopes ?? EVERYTHING);
        if (scopes.length === 0) return { failure: tokenError('invalid_scope', 'None of the scopes may be granted') };
        const now = clock().getTime();
        for (const [old, { expiresAt }] of tokens) if (expiresAt <= now) tokens.delete(old);
        const token = randomBytes(32).toString('base64url');
        tokens.set(token, { scopes, expiresAt: now + TOKEN_SECONDS * 1_000 });
        return { access_token: token, token_type: 'bearer', expires_in: TOKEN_SECONDS, scope: scopes.join(' ') };
      } catch (error) {
        if (error instanceof AssertionError || error instanceof errors.JOSEError) {
          return { failure: tokenError('invalid_client', error.message) };
        }
        throw error;
      }
    },
    scopesOf(token) {
      const found = tokens.get(token);
      return found && found.expiresAt > clock().getTime() ? found.scopes : undefined;
    },
  };
}

class AssertionError extends Error {}

function readHeader(assertion: string): { alg?: string | undefined; kid?: string | undefined } {
  try {
    return decodeProtectedHeader(assertion);
  } catch {
    throw new AssertionError('The assertion is not a JWT');
  }
}
