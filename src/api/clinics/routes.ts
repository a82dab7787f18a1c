import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { ClinicRow } from '../../db/clinics.ts';
import { AppError } from '../../domain/errors.ts';
import { policyFaults } from '../../domain/policy-faults.ts';
import { isTimeZone } from '../../domain/time-zone.ts';
import { changeClinic, changePolicy } from '../../scheduling/registry/clinic.ts';
import { clinicFor, rowsOf } from '../authorization.ts';
import { actIn, callerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { entityTag, requiredVersion } from '../entity-tag.ts';
import { invalidField, RequestError } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { VersionHeaders } from '../schemas.ts';
import {
  ClinicAnswer,
  ClinicBody,
  clinicBody,
  ClinicChanged,
  ClinicPage,
  ClinicPath,
  ClinicQuery,
  PolicyAnswer,
  PolicyBody,
  policyBody,
  policyOf,
} from './schemas.ts';

/** The doors behind these routes. */
export const clinicDoors = { changeClinic, changePolicy };

export interface ClinicRoutes {
  readonly doors: BoundDoors<typeof clinicDoors>;
  readonly reads: Pick<Reads, 'clinic' | 'clinics'>;
  readonly now: () => Date;
}

/** Where patients go, and the rules there. */
export const clinicRoutes: FastifyPluginCallbackTypebox<ClinicRoutes> = (app, { doors, reads, now }, done) => {
  app.get(
    '/clinics',
    {
      config: { operation: 'listClinics' },
      schema: {
        operationId: 'listClinics',
        tags: ['clinics'],
        summary: 'List clinics',
        description: 'For staff their own; for patients those where they are registered.',
        querystring: ClinicQuery,
        response: { 200: ClinicPage },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { limit = 25, cursor } = request.query;
      const after = positionOf(cursor);
      const rows = await reads.clinics(rowsOf(caller), {
        limit,
        afterId: after?.id,
      });
      const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.clinic_id }));
      return { clinics: page.map(clinicBody), ...next };
    },
  );

  app.get(
    '/clinics/:clinicId',
    {
      config: { operation: 'readClinic', problems: ['not_found'] },
      schema: {
        operationId: 'readClinic',
        tags: ['clinics'],
        summary: 'Read a clinic',
        description: 'Patients may read any clinic, as they may book at any.',
        params: ClinicPath,
        response: { 200: ClinicAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinic = await clinicAt(clinicFor(caller, request.params.clinicId));
      return reply.header('etag', entityTag(clinic.version)).send(clinicBody(clinic));
    },
  );

  app.patch(
    '/clinics/:clinicId',
    {
      config: { operation: 'changeClinic', problems: ['not_found', 'precondition_required', 'version_mismatch'] },
      schema: {
        operationId: 'changeClinic',
        tags: ['clinics'],
        summary: 'Change a clinic',
        description:
          'What is left out stays. In another zone booked visits keep their instants; hours, breaks, overrides and closures are read on the new wall clock.',
        params: ClinicPath,
        headers: VersionHeaders,
        body: ClinicBody,
        response: { 200: ClinicChanged },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinicId = clinicFor(caller, request.params.clinicId);
      const { name, phone, timeZone } = request.body;
      if (timeZone !== undefined && !isTimeZone(timeZone)) throw invalidField('body', '/timeZone', 'timeZone');
      const clinic = await doors.changeClinic(actIn(request, clinicId, now()), {
        expectedVersion: requiredVersion(request.headers['if-match']),
        name,
        phone,
        timeZone,
      });
      return reply
        .header('etag', entityTag(clinic.version))
        .send({ ...clinicBody(clinic), affectedAppointments: clinic.affectedAppointments });
    },
  );

  app.get(
    '/clinics/:clinicId/policy',
    {
      config: { operation: 'readPolicy', problems: ['not_found'] },
      schema: {
        operationId: 'readPolicy',
        tags: ['clinics'],
        summary: "Read a clinic's policy",
        params: ClinicPath,
        response: { 200: PolicyAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinic = await clinicAt(clinicFor(caller, request.params.clinicId));
      return reply.header('etag', entityTag(clinic.policy_version)).send(policyBody(clinic.policy));
    },
  );

  app.put(
    '/clinics/:clinicId/policy',
    {
      config: { operation: 'changePolicy', problems: ['not_found', 'precondition_required', 'version_mismatch'] },
      schema: {
        operationId: 'changePolicy',
        tags: ['clinics'],
        summary: "Replace a clinic's policy",
        description:
          'The whole document. It holds for what is booked and moved from now on; booked visits keep the policy they were promised.',
        params: ClinicPath,
        headers: VersionHeaders,
        body: PolicyBody,
        response: { 200: PolicyAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const clinicId = clinicFor(caller, request.params.clinicId);
      const policy = policyOf(request.body);
      const faults = policyFaults(policy);
      if (faults.length > 0) {
        throw new RequestError('validation_failed', { fields: faults.map((fault) => ({ in: 'body', ...fault })) });
      }
      const clinic = await doors.changePolicy(actIn(request, clinicId, now()), {
        expectedVersion: requiredVersion(request.headers['if-match']),
        policy,
      });
      return reply.header('etag', entityTag(clinic.policy_version)).send(policyBody(clinic.policy));
    },
  );

  done();

  /** @throws AppError `not_found` */
  async function clinicAt(clinicId: string): Promise<ClinicRow> {
    const clinic = await reads.clinic({ clinicId }, clinicId);
    if (clinic === undefined) throw new AppError('not_found');
    return clinic;
  }
};
