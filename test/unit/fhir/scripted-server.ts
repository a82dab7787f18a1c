import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as it arrived. */
export interface Arrived {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** What to answer; `hang` answers never, `close` closes the connection. */
export type Scripted =
  { readonly status?: number; readonly headers?: Record<string, string>; readonly body?: unknown } | 'hang' | 'close';

export interface ScriptedServer {
  readonly url: string;
  readonly arrived: Arrived[];
  close(): Promise<void>;
}

/** A server on the loopback interface that answers as it is told: for what a well-behaved EHR never does. */
export async function startScriptedServer(
  answer: (request: Arrived, count: number) => Scripted,
): Promise<ScriptedServer> {
  const arrived: Arrived[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url = '', headers } = request;
      const one = { method, url, headers, body: Buffer.concat(chunks).toString() };
      arrived.push(one);
      const scripted = answer(one, arrived.length);
      if (scripted === 'hang') return;
      if (scripted === 'close') {
        request.socket.destroy();
        return;
      }
      const { status = 200, body } = scripted;
      response.writeHead(status, { 'content-type': 'application/fhir+json', ...scripted.headers });
      response.end(typeof body === 'string' ? body : body === undefined ? '' : JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
