import {
  ClientBody,
  EhrSettingsBody,
  FaultBody,
  InboundBody,
  MessageQuery,
  SeedBody,
  SendGridSettingsBody,
  TokenBody,
  TwilioSettingsBody,
} from './schemas.ts';
import { FhirError, operationOutcome } from '../ehr/outcome.ts';
import type { EhrSettings } from '../ehr/tenant.ts';
import type { FastifyInstance } from 'fastify';
import type { Fault } from '../faults.ts';
import type { InboundText } from '../twilio/inbound.ts';
import type { MessageFilter, SandboxControl } from './control.ts';
import type { OAuth2Client, TokenOrder } from '../oauth2/oauth2.ts';
import type { SendGridSettings } from '../sendgrid/sendgrid.ts';
import type { TwilioSettings } from '../twilio/twilio.ts';

interface TenantParams {
  tenant: string;
  type: string;
}

/** The HTTP control API: what `SandboxControl` offers, for other processes. */
export function controlRoutes(app: FastifyInstance, control: SandboxControl): void {
  app.setErrorHandler((error: Error & { statusCode?: number }, _request, reply) => {
    if (error instanceof FhirError) return reply.code(error.status).send(operationOutcome(error.issues));
    return reply.code(error.statusCode ?? 500).send({ error: error.message });
  });

  app.get<{ Querystring: MessageFilter }>('/messages', { schema: { querystring: MessageQuery } }, (request) =>
    control.messages(request.query),
  );
  app.post('/reset', (_request, reply) => {
    control.reset();
    return reply.code(204).send();
  });

  app.get('/faults', () => control.faults.list());
  app.post<{ Body: Fault }>('/faults', { schema: { body: FaultBody } }, (request, reply) =>
    reply.code(201).send(control.faults.add(request.body)),
  );
  app.delete('/faults', (_request, reply) => {
    control.faults.clear();
    return reply.code(204).send();
  });
  app.delete<{ Params: { id: string } }>('/faults/:id', (request, reply) => {
    control.faults.clear(request.params.id);
    return reply.code(204).send();
  });

  app.post<{ Body: InboundText }>('/twilio/inbound', { schema: { body: InboundBody } }, (request) =>
    control.twilio.inbound(request.body),
  );
  app.get('/twilio/opt-outs', () => control.twilio.optOuts());
  app.put<{ Body: Partial<TwilioSettings> }>('/twilio/settings', { schema: { body: TwilioSettingsBody } }, (request) =>
    control.twilio.configure(request.body),
  );

  app.get('/sendgrid/webhook-key', () => ({ publicKey: control.sendgrid.webhookPublicKey }));
  app.put<{ Body: Partial<SendGridSettings> }>(
    '/sendgrid/settings',
    { schema: { body: SendGridSettingsBody } },
    (request) => control.sendgrid.configure(request.body),
  );

  app.post<{ Body: OAuth2Client }>('/oauth2/clients', { schema: { body: ClientBody } }, (request, reply) => {
    control.oauth2.addClient(request.body);
    return reply.code(201).send({ clientId: request.body.clientId });
  });
  app.post<{ Body: TokenOrder }>('/oauth2/tokens', { schema: { body: TokenBody } }, async (request) => ({
    access_token: await control.oauth2.issueToken(request.body),
  }));

  app.get('/ehr', () => control.ehr.tenants());
  app.get<{ Params: TenantParams }>('/ehr/:tenant/:type', (request) =>
    control.ehr.resources(request.params.tenant, request.params.type),
  );
  app.post<{ Params: TenantParams; Body: { resources: unknown[] } }>(
    '/ehr/:tenant/seed',
    { schema: { body: SeedBody } },
    (request, reply) => reply.code(201).send(control.ehr.seed(request.params.tenant, request.body.resources)),
  );
  app.put<{ Params: TenantParams; Body: Partial<EhrSettings> }>(
    '/ehr/:tenant/settings',
    { schema: { body: EhrSettingsBody } },
    (request) => control.ehr.configure(request.params.tenant, request.body),
  );
}
