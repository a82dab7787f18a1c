import { renderInbox } from './page.ts';
import { RESOURCE_TYPES } from '../ehr/resource.ts';
import type { FastifyInstance } from 'fastify';
import type { SandboxControl } from '../control/control.ts';

/** Serves the inbox page. */
export function inboxRoutes(app: FastifyInstance, control: SandboxControl): void {
  app.get<{ Querystring: { address?: string } }>('/', (request, reply) => {
    const ehrs = control.ehr.tenants().map((tenant) => ({
      tenant,
      resources: Object.fromEntries(RESOURCE_TYPES.map((type) => [type, control.ehr.resources(tenant, type)])),
    }));
    const page = renderInbox({ messages: control.messages(), ehrs, address: request.query.address });
    return reply.type('text/html; charset=utf-8').header('cache-control', 'no-store').send(page);
  });
}
