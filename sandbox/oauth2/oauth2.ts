import { authenticateClient } from './client-secret.ts';
import { hookFaults } from '../fault-hooks.ts';
import { NO_STORE, readTokenRequest, tokenError, tokenErrorStatus } from './token-request.ts';
import { rawBody, takeRawBodies } from '../raw-body.ts';
import { signAccessToken } from './access-token.ts';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { MediConnectClaims } from './access-token.ts';
import type { TokenError } from './token-request.ts';
import type { VendorContext } from '../context.ts';

/** Someone who may ask for tokens: a patient, a member of staff, or a program. */
export interface OAuth2Client {
  clientId: string;
  clientSecret: string;
  claims: MediConnectClaims;
  scopes: readonly string[];
  /** The `sub` of the tokens. Default: the patient or provider of the claims, else the client id. */
  subject?: string;
  /** How long a token lives, in seconds, at most a day. Default: an hour. */
  tokenLifetime?: number;
}

/** The service that issues the product's access tokens. */
export interface OAuth2Options {
  /** The `iss` of the tokens. Default: the address of the service. */
  issuer?: string;
  /** The secret shared with the product; its UTF-8 bytes are the key. */
  jwtSecret: string;
  audience: string;
  clients?: readonly OAuth2Client[];
}

/** A token that did not go through the token endpoint: for tests of what the product refuses. */
export interface TokenOrder {
  subject: string;
  claims: MediConnectClaims;
  scopes: readonly string[];
  /** Seconds; negative for a token that has expired. Default: an hour. */
  lifetime?: number;
}

/** The stand-in for the OAuth2 service. */
export interface OAuth2StandIn {
  /** The routes, without a prefix. */
  routes: (app: FastifyInstance) => void;
  addClient: (client: OAuth2Client) => void;
  issueToken: (order: TokenOrder) => Promise<string>;
  /** Forgets the clients added since the start. */
  reset: () => void;
}

const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;

/** Creates the stand-in for the OAuth2 service. */
export function createOAuth2(
  options: OAuth2Options,
  context: VendorContext & { defaultIssuer: () => string },
): OAuth2StandIn {
  const { clock, faults } = context;
  const secret = new TextEncoder().encode(options.jwtSecret);
  const issuer = () => options.issuer ?? context.defaultIssuer();
  const clients = new Map<string, OAuth2Client>();
  const addClient = (client: OAuth2Client) => {
    const lifetime = client.tokenLifetime ?? HOUR_SECONDS;
    if (lifetime <= 0 || lifetime > DAY_SECONDS) throw new RangeError('A token lives at most a day');
    clients.set(client.clientId, client);
  };
  const addConfigured = () => options.clients?.forEach(addClient);
  addConfigured();

  const issueToken = (order: TokenOrder) =>
    signAccessToken(
      { ...order, lifetime: order.lifetime ?? HOUR_SECONDS },
      { issuer: issuer(), audience: options.audience, secret, now: clock() },
    );

  async function grant(authorization: string | undefined, contentType: string | undefined, body: string) {
    const request = readTokenRequest(contentType, body);
    if ('failure' in request) return request;
    const authenticated = authenticateClient(authorization, request.form, clients);
    if ('failure' in authenticated) return authenticated;
    const { client } = authenticated;
    const asked = request.form.get('scope')?.split(' ').filter(Boolean) ?? [];
    if (asked.some((scope) => !client.scopes.includes(scope))) {
      return { failure: tokenError('invalid_scope', 'The client may not have every scope it asked for') };
    }
    const scopes = asked.length > 0 ? asked : client.scopes;
    const { patient_id: patientId, provider_id: providerId } = client.claims;
    const lifetime = client.tokenLifetime ?? HOUR_SECONDS;
    const subject = client.subject ?? patientId ?? providerId ?? client.clientId;
    const token = await issueToken({ subject, claims: client.claims, scopes, lifetime });
    return { access_token: token, token_type: 'Bearer', expires_in: lifetime, scope: scopes.join(' ') };
  }

  function metadata(address: string) {
    return {
      issuer: issuer(),
      token_endpoint: `${address}/oauth2/token`,
      grant_types_supported: ['client_credentials'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
    };
  }

  function routes(app: FastifyInstance): void {
    takeRawBodies(app);
    hookFaults(app, {
      faults,
      vendor: () => 'oauth2',
      describe: (request) => ({ to: [], body: rawBody(request) }),
      refuse: (fault) => ({ body: { error: fault.code ?? 'server_error', error_description: fault.message ?? '' } }),
    });
    app.post('/token', async (request, reply) => {
      const { authorization, 'content-type': contentType } = request.headers;
      const granted = await grant(authorization, contentType, rawBody(request));
      return 'failure' in granted ? sendTokenError(reply, granted.failure) : reply.headers(NO_STORE).send(granted);
    });
    for (const path of ['/.well-known/oauth-authorization-server', '/.well-known/openid-configuration']) {
      app.get(path, (request) => metadata(`${request.protocol}://${request.host}`));
    }
  }

  return {
    routes,
    addClient,
    issueToken,
    reset() {
      clients.clear();
      addConfigured();
    },
  };
}

function sendTokenError(reply: FastifyReply, failure: TokenError) {
  const challenge: Record<string, string> =
    failure.error === 'invalid_client' ? { 'www-authenticate': 'Basic realm="oauth2"' } : {};
  return reply
    .code(tokenErrorStatus(failure))
    .headers({ ...NO_STORE, ...challenge })
    .send(failure);
}
