import { connect, createServer, type Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections stay open and nothing comes back until it is restored, as from a stopped process. */
  readonly freeze: () => void;
  /** Every connection is cut and none is taken, as from a killed process. */
  readonly cut: () => void;
  readonly restore: () => void;
  readonly close: () => Promise<void>;
}

/** Passes everything on to a server until it is told otherwise. */
export async function startTcpProxy(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const upstreams = new Set<Socket>();
  let state: 'open' | 'frozen' | 'cut' = 'open';
  const server = createServer((client) => {
    if (state === 'cut') {
      client.destroy();
      return;
    }
    const upstream = connect(target.port, target.host);
    for (const [socket, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        other.destroy();
      });
    }
    client.on('data', (data) => void upstream.write(data));
    upstream.on('data', (data) => void client.write(data));
    upstreams.add(upstream);
    upstream.on('close', () => upstreams.delete(upstream));
    if (state === 'frozen') upstream.pause();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const destroyAll = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    freeze: () => {
      state = 'frozen';
      for (const upstream of upstreams) upstream.pause();
    },
    cut: () => {
      state = 'cut';
      destroyAll();
    },
    restore: () => {
      state = 'open';
      for (const upstream of upstreams) upstream.resume();
    },
    close: async () => {
      destroyAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
