import { Client, Connection } from '@temporalio/client';

export interface TemporalAddress {
  /** `host:port` */
  readonly address: string;
  readonly namespace: string;
}

/** A client, and the connection to close with it. */
export interface TemporalClient {
  readonly client: Client;
  readonly connection: Connection;
  readonly close: () => Promise<void>;
}

// Back within a second or two once the server answers again; gRPC alone would wait up to two minutes. Pings notice a server that stopped answering
// without closing its connections; the server refuses them more often than every ten seconds.
const CHANNEL = {
  'grpc.initial_reconnect_backoff_ms': 200,
  'grpc.min_reconnect_backoff_ms': 200,
  'grpc.max_reconnect_backoff_ms': 1_500,
  'grpc.keepalive_permit_without_calls': 1,
  'grpc.keepalive_time_ms': 10_000,
  'grpc.keepalive_timeout_ms': 5_000,
};

/**
 * A client that connects at its first call and again whenever it has to, so nobody waits for Temporal at start.
 * Give every call a deadline (`client.withDeadline`).
 *
 * @param retries - `none` for callers that come again by themselves
 */
export function createTemporalClient(
  { address, namespace }: TemporalAddress,
  { retries = 'default' }: { readonly retries?: 'default' | 'none' } = {},
): TemporalClient {
  const connection = Connection.lazy({
    address,
    channelArgs: CHANNEL,
    ...(retries === 'none' ? { interceptors: [] } : {}),
  });
  return { client: new Client({ connection, namespace }), connection, close: () => connection.close() };
}
