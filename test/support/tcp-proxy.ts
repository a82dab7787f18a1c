import { connect, createServer, type Server, type Socket } from 'node:net';

/** A server's place on the network that can be taken away and given back. */
export interface TcpProxy {
  readonly address: string;
  /** Refuses connections and cuts the open ones. */
  readonly goAway: () => Promise<void>;
  readonly comeBack: () => Promise<void>;
}

export async function tcpProxy(target: string): Promise<TcpProxy> {
  const [host, port] = target.split(':');
  const sockets = new Set<Socket>();
  const accept = (socket: Socket): void => {
    const upstream = connect(Number(port), host);
    for (const [from, to] of [
      [socket, upstream],
      [upstream, socket],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  };
  let server: Server;
  const listen = (wanted: number): Promise<number> =>
    new Promise((resolve, reject) => {
      server = createServer(accept);
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', () => {
        const bound = server.address();
        resolve(typeof bound === 'object' && bound !== null ? bound.port : wanted);
      });
    });
  const own = await listen(0);
  return {
    address: `127.0.0.1:${own}`,
    goAway: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    comeBack: async () => {
      await listen(own);
    },
  };
}
