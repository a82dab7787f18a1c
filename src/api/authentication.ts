import type { AppError } from '../domain/errors.ts';
import { RequestError } from './problem.ts';

/** Who may call. */
export const ROLES = ['patient', 'provider', 'clinic_admin', 'support', 'operator'] as const;
export type Role = (typeof ROLES)[number];

/** Whoever sent a valid token. */
export interface Caller {
  /** The token's `sub`: rate limits, idempotency keys and the audit are kept by it. */
  readonly subject: string;
  readonly role: Role;
  readonly scopes: ReadonlySet<string>;
  /** Always there for a provider and a clinic administrator; support and operators without it work for every clinic. */
  readonly clinicId?: string | undefined;
  readonly patientId?: string | undefined;
  readonly providerId?: string | undefined;
}

/** A token whose signature, algorithm, issuer, audience and times a library has verified. */
export interface VerifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Longer tokens are refused before anything is decoded. */
const MAX_TOKEN_LENGTH = 4_096;
/** The specification: a token is valid for 24 hours. */
const MAX_LIFETIME_SECONDS = 24 * 60 * 60;
/** How far the clocks of the OAuth2 service and of this machine may differ. */
export const CLOCK_LEEWAY_SECONDS = 30;

const REALM = 'Bearer realm="mediconnect"';

/**
 * Reads the caller from an `Authorization` header. Synchronous: asynchronous verifying costs more than the rest of HTTP handling.
 *
 * @param verify - verifies signature, algorithm, `iss`, `aud`, `exp` and `nbf`, and throws when one is wrong
 * @throws RequestError `token_missing`, `token_invalid`, `token_expired`, each with its `WWW-Authenticate` (RFC 6750 §3)
 */
export function createAuthenticator(
  verify: (token: string) => VerifiedToken,
  nowSeconds: () => number = () => Date.now() / 1_000,
): (authorization: string | undefined) => Caller {
  return (authorization) => {
    // Another scheme is no token that could be wrong (RFC 6750 §3.1).
    if (!/^Bearer(\s|$)/i.test(authorization ?? '')) throw refused('token_missing');
    const token = /^Bearer +([A-Za-z0-9_.-]+)$/i.exec(authorization ?? '')?.[1];
    if (token === undefined || token.length > MAX_TOKEN_LENGTH) throw refused('token_invalid');
    if (!isCanonical(token)) throw refused('token_invalid');
    const verified = verifiedBy(verify, token);
    if (!isPlainHeader(verified.header) || !isShortLived(verified.payload, nowSeconds()))
      throw refused('token_invalid');
    const caller = callerOf(verified.payload);
    if (caller === undefined) throw refused('token_invalid');
    return caller;
  };
}

function verifiedBy(verify: (token: string) => VerifiedToken, token: string): VerifiedToken {
  try {
    return verify(token);
  } catch (error) {
    throw refused((error as { code?: unknown }).code === 'FAST_JWT_EXPIRED' ? 'token_expired' : 'token_invalid');
  }
}

function refused(code: 'token_missing' | 'token_invalid' | 'token_expired'): AppError {
  const challenge =
    code === 'token_missing'
      ? REALM
      : `${REALM}, error="invalid_token", error_description="${code === 'token_expired' ? 'The token has expired' : 'The token is not valid'}"`;
  return new RequestError(code, { headers: { 'www-authenticate': challenge } });
}

/**
 * Only what this API understands: nothing critical, no key that the token brings along, and the type of an access token (RFC 9068 §2.1) or of any JWT.
 * `kid` is allowed and chooses nothing: there is one key.
 */
function isPlainHeader(header: Readonly<Record<string, unknown>>): boolean {
  const { alg, typ, kid, ...rest } = header;
  if (alg !== 'HS256' || Object.keys(rest).length > 0) return false;
  if (kid !== undefined && typeof kid !== 'string') return false;
  return (
    typ === undefined ||
    (typeof typ === 'string' && ['jwt', 'at+jwt', 'application/at+jwt'].includes(typ.toLowerCase()))
  );
}

/** Written in the one way there is: base64url without spare bits (RFC 4648 §3.5), and no member of the header twice (RFC 7515 §4). */
function isCanonical(token: string): boolean {
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => Buffer.from(part, 'base64url').toString('base64url') === part)) {
    return false;
  }
  const header = Buffer.from(parts[0] ?? '', 'base64url').toString('utf8');
  const members = [...header.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?/g)].filter(([, colon]) => colon !== undefined);
  return members.length === new Set(members.map(([text]) => nameIn(text))).size;
}

function nameIn(member: string): unknown {
  try {
    return JSON.parse(member.replace(/\s*:$/, ''));
  } catch {
    return member;
  }
}

function isShortLived({ iat, exp }: Readonly<Record<string, unknown>>, now: number): boolean {
  if (typeof iat !== 'number' || typeof exp !== 'number') return false;
  return iat <= now + CLOCK_LEEWAY_SECONDS && exp > iat && exp - iat <= MAX_LIFETIME_SECONDS;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const SUBJECT = /^[\x21-\x7e]{1,128}$/;

function callerOf(payload: Readonly<Record<string, unknown>>): Caller | undefined {
  const subject = payload['sub'];
  const scope = payload['scope'] ?? '';
  const ids = {
    clinicId: idOf(payload['clinic_id']),
    patientId: idOf(payload['patient_id']),
    providerId: idOf(payload['provider_id']),
  };
  if (typeof subject !== 'string' || !SUBJECT.test(subject) || typeof scope !== 'string') return undefined;
  if (Object.values(ids).includes(null)) return undefined;
  const { role } = payload;
  if (!ROLES.some((known) => known === role) || !hasWhatItNeeds(role as Role, ids)) return undefined;
  return {
    subject,
    role: role as Role,
    scopes: new Set(scope.split(' ').filter((each) => each !== '')),
    clinicId: ids.clinicId ?? undefined,
    patientId: ids.patientId ?? undefined,
    providerId: ids.providerId ?? undefined,
  };
}

/** undefined: not claimed. null: claimed, but no id. */
type ClaimedId = string | null | undefined;
interface ClaimedIds {
  readonly clinicId: ClaimedId;
  readonly patientId: ClaimedId;
  readonly providerId: ClaimedId;
}

function idOf(claim: unknown): ClaimedId {
  if (claim === undefined) return undefined;
  const id = typeof claim === 'string' ? claim.toLowerCase() : '';
  return UUID.test(id) ? id : null;
}

function hasWhatItNeeds(role: Role, ids: ClaimedIds): boolean {
  switch (role) {
    case 'patient':
      return ids.patientId != null;
    case 'provider':
      return ids.providerId != null && ids.clinicId != null;
    case 'clinic_admin':
      return ids.clinicId != null;
    default:
      return true;
  }
}
