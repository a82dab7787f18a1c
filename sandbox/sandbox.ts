import fastify from 'fastify';
import { controlRoutes } from './control/routes.ts';
import { createControl } from './control/control.ts';
import { createEhr } from './ehr/ehr.ts';
import { createFaults } from './faults.ts';
import { createOAuth2 } from './oauth2/oauth2.ts';
import { createSendGrid } from './sendgrid/sendgrid.ts';
import { createTwilio } from './twilio/twilio.ts';
import { inboxRoutes } from './inbox/routes.ts';
import type { FastifyInstance } from 'fastify';
import type { SandboxControl } from './control/control.ts';
import type { SandboxOptions } from './options.ts';

/** A running sandbox. */
export interface Sandbox {
  /** The address without a trailing slash; the vendors are below `/twilio`, `/sendgrid`, `/ehr` and `/oauth2`. */
  url: string;
  control: SandboxControl;
  /** Stops answering at once, deliveries and webhooks included. */
  close(): Promise<void>;
}

/** The largest body, in bytes: room for a batch of appointments and for an email with attachments. */
const BODY_LIMIT = 30 * 1024 * 1024;

/** Starts the stand-ins for Twilio, SendGrid, the EHRs and the OAuth2 service on one server. */
export async function createSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { host = '127.0.0.1', port = 0, log = false, clock = () => new Date() } = options;
  let url = '';
  const faults = createFaults();
  const context = { clock, faults };
  const twilio = createTwilio(options.twilio, context);
  const sendgrid = createSendGrid(options.sendgrid, context);
  const oauth2 = createOAuth2(options.oauth2, { ...context, defaultIssuer: () => `${url}/oauth2` });
  const ehr = createEhr(options.ehr, context);
  const control = createControl({ faults, twilio, sendgrid, oauth2, ehr });

  const app = fastify({
    logger: log,
    bodyLimit: BODY_LIMIT,
    forceCloseConnections: true,
    ajv: { customOptions: { removeAdditional: false, coerceTypes: false } },
  });
  const mount = (prefix: string, routes: (scope: FastifyInstance) => void) =>
    app.register(
      (scope, _options, done) => {
        routes(scope);
        done();
      },
      { prefix },
    );
  await mount('/twilio', twilio.routes);
  await mount('/sendgrid', sendgrid.routes);
  await mount('/oauth2', oauth2.routes);
  await mount('/ehr', ehr.routes);
  await mount('/control', (scope) => controlRoutes(scope, control));
  await mount('/', (scope) => inboxRoutes(scope, control));
  url = readableUrl(await app.listen({ host, port }), host);

  return {
    url,
    control,
    async close() {
      twilio.stop();
      sendgrid.stop();
      await app.close();
    },
  };
}

/** A wildcard address is listened on, not called. */
function readableUrl(listening: string, host: string): string {
  return host === '0.0.0.0' || host === '::' ? `http://127.0.0.1:${new URL(listening).port}` : listening;
}
