import { webcrypto } from 'node:crypto';
import * as oauth from 'openid-client';
import { answerFailure, connectionFailure, EhrError, misconfigured, unreadableAnswer } from './failure.ts';

/** Who we are at every EHR: SMART Backend Services, a P-384 key (ES384). */
export interface EhrCredentials {
  readonly clientId: string;
  /** Base64 DER, PKCS #8. */
  readonly privateKey: string;
  readonly keyId: string;
}

export interface TokenSourceOptions {
  /** The FHIR base; `[base]/.well-known/smart-configuration` says where tokens are. */
  readonly baseUrl: string;
  readonly credentials: EhrCredentials;
  /** What to ask for, separated by spaces. */
  readonly scope: string;
  readonly now: () => Date;
  /** How long one call may take, in milliseconds. */
  readonly timeoutMs: number;
}

/** The access tokens of one EHR. */
export interface TokenSource {
  /** A token with at least a fifth of its life left. @throws EhrError */
  token(): Promise<string>;
  /** Another token than the one that was just refused. @throws EhrError */
  replace(refused: string): Promise<string>;
}

interface Granted {
  readonly token: string;
  readonly refreshAt: number;
}

/** What SMART App Launch 2.2 recommends, for servers that do not say. */
const DEFAULT_LIFE_SECONDS = 300;
/** A token is renewed when so much of its life has passed, so that none expires on the way. */
const USABLE_PART_OF_LIFE = 0.8;

/**
 * Client credentials with `private_key_jwt` (SMART App Launch 2.2, Backend Services). There is no refresh token: a new one is asked for when
 * four fifths of the old one's life have passed. Whoever asks meanwhile waits for the same request.
 */
export function createTokenSource(options: TokenSourceOptions): TokenSource {
  let granted: Granted | undefined;
  let asking: Promise<Granted> | undefined;
  let configuration: Promise<oauth.Configuration> | undefined;

  async function ask(): Promise<Granted> {
    configuration ??= configure(options);
    const asked = await configuration.catch((error: unknown) => {
      configuration = undefined;
      throw error;
    });
    const askedAt = options.now().getTime();
    const answer = await requestToken(asked, options);
    const life = (answer.expires_in ?? DEFAULT_LIFE_SECONDS) * 1_000;
    return { token: answer.access_token, refreshAt: askedAt + life * USABLE_PART_OF_LIFE };
  }

  async function renewed(): Promise<string> {
    asking ??= ask().finally(() => (asking = undefined));
    granted = await asking;
    return granted.token;
  }

  return {
    async token() {
      return granted !== undefined && options.now().getTime() < granted.refreshAt ? granted.token : renewed();
    },
    async replace(refused) {
      if (granted?.token === refused) granted = undefined;
      return granted?.token ?? renewed();
    },
  };
}

/** Finds the token endpoint. @throws EhrError */
async function configure({ baseUrl, credentials, timeoutMs, now }: TokenSourceOptions): Promise<oauth.Configuration> {
  const address = new URL(`${baseUrl.replace(/\/$/, '')}/.well-known/smart-configuration`);
  const answer = await fetch(address, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: unknown) => {
    throw new EhrError(connectionFailure(error), { cause: error });
  });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw new EhrError(serverWide(answerFailure(answer.status, undefined, answer.headers.get('retry-after'), now())));
  }
  const found = (await answer.json().catch((error: unknown) => {
    throw new EhrError(unreadableAnswer(answer.status), { cause: error });
  })) as { issuer?: unknown; token_endpoint?: unknown } | null;
  const tokenEndpoint = found?.token_endpoint;
  if (typeof tokenEndpoint !== 'string' || !URL.canParse(tokenEndpoint)) {
    throw new EhrError(misconfigured('no_token_endpoint'));
  }

  const configuration = new oauth.Configuration(
    { issuer: typeof found?.issuer === 'string' ? found.issuer : address.origin, token_endpoint: tokenEndpoint },
    credentials.clientId,
    undefined,
    oauth.PrivateKeyJwt(
      { key: await importKey(credentials.privateKey), kid: credentials.keyId },
      {
        // SMART asks for the token endpoint where OpenID Connect takes the issuer.
        [oauth.modifyAssertion]: (_header, payload) => {
          payload['aud'] = tokenEndpoint;
        },
      },
    ),
  );
  configuration.timeout = timeoutMs / 1_000;
  // Plain HTTP only where the clinic's EHR itself is configured so.
  // eslint-disable-next-line @typescript-eslint/no-deprecated -- deprecated by its authors only so that it stands out
  if (address.protocol === 'http:') oauth.allowInsecureRequests(configuration);
  return configuration;
}

async function importKey(privateKey: string): Promise<oauth.CryptoKey> {
  const der = Buffer.from(privateKey, 'base64');
  try {
    return await webcrypto.subtle.importKey('pkcs8', der, { name: 'ECDSA', namedCurve: 'P-384' }, false, ['sign']);
  } catch (error) {
    throw new EhrError(misconfigured('private_key_unusable'), { cause: error });
  }
}

async function requestToken(
  configuration: oauth.Configuration,
  { scope, now }: TokenSourceOptions,
): Promise<oauth.TokenEndpointResponse> {
  const answer = await oauth.clientCredentialsGrant(configuration, { scope }).catch((error: unknown) => {
    throw tokenError(error, now());
  });
  // RFC 6749 §5.1: left out means granted as asked. Servers drop what they do not grant without a word.
  if (answer.scope !== undefined && !grantsAll(answer.scope, scope))
    throw new EhrError(misconfigured('scope_not_granted'));
  return answer;
}

function tokenError(error: unknown, now: Date): EhrError {
  const response = responseOf(error);
  if (response !== undefined) {
    const failure = serverWide(answerFailure(response.status, undefined, response.headers.get('retry-after'), now));
    // RFC 6749 §5.2: the code alone; the description is free text.
    const code =
      error instanceof oauth.ResponseBodyError && /^[a-z_]{1,40}$/.test(error.error) ? ` ${error.error}` : '';
    return new EhrError({ ...failure, reason: `token ${failure.reason}${code}` }, { cause: error });
  }
  const code = error instanceof oauth.ClientError ? error.code : undefined;
  if (code === 'OAUTH_HTTP_REQUEST_FORBIDDEN') {
    return new EhrError(misconfigured('token_endpoint_insecure'), { cause: error });
  }
  const failure = connectionFailure(error);
  return new EhrError(code === 'OAUTH_TIMEOUT' ? { ...failure, reason: 'timeout' } : failure, { cause: error });
}

/** The answer that the library found no good: an error body, a challenge, or an unexpected status. */
function responseOf(error: unknown): Response | undefined {
  if (error instanceof oauth.ResponseBodyError || error instanceof oauth.WWWAuthenticateChallengeError) {
    return error.response;
  }
  const { cause } = (error ?? {}) as { cause?: Partial<Response> };
  return typeof cause?.status === 'number' ? (cause as Response) : undefined;
}

/** Without a token nothing can be sent, whatever the answer was about. */
function serverWide<F extends { readonly kind: string }>(
  failure: F,
): F & { kind: 'transient' | 'permanent'; scope: 'server' } {
  return { ...failure, kind: failure.kind === 'transient' ? 'transient' : 'permanent', scope: 'server' };
}

/** Is everything asked for within what was granted? Version 1 (`.read`, `.write`, `.*`) and 2 (`.cruds`) of SMART's scopes are understood. */
export function grantsAll(granted: string, asked: string): boolean {
  const held = granted.split(/\s+/).map(readScope);
  return asked
    .split(/\s+/)
    .filter((scope) => scope !== '')
    .every((scope) => {
      const wanted = readScope(scope);
      return wanted.permissions.every((permission) =>
        held.some(
          (one) => (one.type === wanted.type || one.type === 'system/*') && one.permissions.includes(permission),
        ),
      );
    });
}

const VERSION_1: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' };

/** A scope of another shape stands for itself: it is granted when it is there literally. */
function readScope(scope: string): { readonly type: string; readonly permissions: readonly string[] } {
  const [, type, suffix] = /^(system\/(?:\*|[A-Za-z]+))\.(read|write|\*|c?r?u?d?s?)$/.exec(scope) ?? [];
  if (type === undefined || suffix === undefined || suffix === '') return { type: scope, permissions: ['literally'] };
  return { type, permissions: Array.from(VERSION_1[suffix] ?? suffix) };
}
