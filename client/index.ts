import createFetchClient, { type Client } from 'openapi-fetch';
import type { components, paths } from './openapi.d.ts';

/** What every refusal is: branch on `code`. */
export type Problem = components['schemas']['Problem'];

/** One caller of the API; paths, parameters, bodies and answers are those of the OpenAPI document. */
export type MediConnectClient = Client<paths>;

/**
 * A client of the API for one caller.
 *
 * @param options - `baseUrl` without `/api/v1`; `token` the access token, or where to get one: tokens live for a day at most
 */
export function createClient(options: {
  readonly baseUrl: string;
  readonly token: string | (() => string | Promise<string>);
}): MediConnectClient {
  const { baseUrl, token } = options;
  const client = createFetchClient<paths>({ baseUrl });
  client.use({
    onRequest: async ({ request }) => {
      request.headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token()}`);
      return request;
    },
  });
  return client;
}
