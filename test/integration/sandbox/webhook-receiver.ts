import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IncomingHttpHeaders } from 'node:http';

/** A webhook as the product would get it. */
export interface ReceivedWebhook {
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

/** Stands where the product would listen, and answers as it is told. */
export interface WebhookReceiver {
  url: string;
  received: ReceivedWebhook[];
  /** One of them, counted from zero; fails when it has not come. */
  webhook(index: number): ReceivedWebhook;
  /** The answers still to come; afterwards it is 204 without a body. */
  answers: { status: number; body?: string }[];
  close(): Promise<void>;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = [];
  const answers: WebhookReceiver['answers'] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => {
      received.push({ url: request.url ?? '', headers: request.headers, body });
      const { status, body: text } = answers.shift() ?? { status: 204 };
      response.writeHead(status).end(text);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${String(port)}`,
    received,
    webhook(index) {
      const webhook = received[index];
      if (!webhook) throw new Error(`Only ${received.length} webhooks have come`);
      return webhook;
    },
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
