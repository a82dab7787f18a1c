import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { waitAtMost } from './tasks.ts';
import type { ArmedFault, Faults, FaultVendor } from './faults.ts';

/** An error answer in a vendor's own format. */
export interface VendorError {
  headers?: Record<string, string>;
  body: unknown;
}

/** How one vendor's requests are recognised and refused. */
export interface FaultHookOptions {
  faults: Faults;
  vendor: (request: FastifyRequest) => FaultVendor;
  /** The recipients and the decoded body, for `match`. */
  describe: (request: FastifyRequest) => { to: readonly string[]; body: string };
  refuse: (fault: ArmedFault, status: number, request: FastifyRequest) => VendorError;
}

/** How long a hanging request hangs when nobody says, in milliseconds. */
const HANG_MS = 600_000;

const PROXY_PAGE = '<html><head><title>502 Bad Gateway</title></head><body><h1>502 Bad Gateway</h1></body></html>';

const metFaults = new WeakMap<FastifyRequest, ArmedFault>();

/** The fault that a request has met, for what happens after the answer: delivery and webhooks. */
export function faultOf(request: FastifyRequest): ArmedFault | undefined {
  return metFaults.get(request);
}

/** Puts the faults on command in front of and behind every handler of this part of the server. */
export function hookFaults(app: FastifyInstance, options: FaultHookOptions): void {
  const closing = new AbortController();
  app.addHook('preClose', (done) => {
    closing.abort();
    done();
  });

  app.addHook('preHandler', async (request, reply) => {
    const { to, body } = options.describe(request);
    const path = request.url.split('?')[0] ?? '';
    const fault = options.faults.take({ vendor: options.vendor(request), method: request.method, path, to, body });
    if (!fault) return;
    metFaults.set(request, fault);
    if (fault.kind === 'status') await refuse(fault, request, reply, options);
    else if (fault.kind === 'slow') await waitAtMost(fault.ms ?? 1_000, closing.signal);
    else if (fault.kind === 'drop' || fault.kind === 'timeout-before') {
      reply.hijack();
      if (fault.kind === 'timeout-before') await hang(fault, request, closing.signal);
      request.raw.socket.destroy();
    }
  });

  app.addHook('onSend', async (request, _reply, payload) => {
    const fault = metFaults.get(request);
    if (fault?.kind === 'accept-then-hang') await hang(fault, request, closing.signal);
    if (fault?.kind === 'accept-then-hang' || fault?.kind === 'accept-then-drop') request.raw.socket.destroy();
    return payload;
  });
}

async function refuse(fault: ArmedFault, request: FastifyRequest, reply: FastifyReply, options: FaultHookOptions) {
  const status = fault.status ?? 500;
  if (fault.retryAfter !== undefined) reply.header('retry-after', String(fault.retryAfter));
  if (fault.html) return reply.code(status).type('text/html').send(PROXY_PAGE);
  const { headers = {}, body } = options.refuse(fault, status, request);
  return reply.code(status).headers(headers).send(body);
}

async function hang(fault: ArmedFault, request: FastifyRequest, closing: AbortSignal): Promise<void> {
  const gone = new AbortController();
  if (request.raw.socket.destroyed) return;
  request.raw.socket.once('close', () => gone.abort());
  await waitAtMost(fault.ms ?? HANG_MS, AbortSignal.any([closing, gone.signal]));
}
