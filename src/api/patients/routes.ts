import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyRequest } from 'fastify';
import type { Static } from 'typebox';
import type { PatientFacts } from '../../db/patients.ts';
import { AppError } from '../../domain/errors.ts';
import { canonicalLocale } from '../../domain/patient.ts';
import { isTimeZone, localDate } from '../../domain/time-zone.ts';
import { createPatient, changePatient } from '../../scheduling/registry/patient.ts';
import { assertOwnPatient, clinicFor, rowsOf } from '../authorization.ts';
import { actIn, actOfPatient, callerOf, readerOf } from '../caller.ts';
import { pageOf, positionOf } from '../cursor.ts';
import type { BoundDoors } from '../doors.ts';
import { entityTag, requiredVersion } from '../entity-tag.ts';
import { idempotencyOf } from '../idempotency.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import { created } from '../replies.ts';
import { IdempotencyHeaders, VersionHeaders } from '../schemas.ts';
import {
  NewPatientBody,
  PatientAnswer,
  PatientBody,
  patientBody,
  PatientCreated,
  PatientPage,
  PatientPath,
  PatientQuery,
  PatientSearch,
} from './schemas.ts';

/** The doors behind these routes. */
export const patientDoors = { createPatient, changePatient };

export interface PatientRoutes {
  readonly doors: BoundDoors<typeof patientDoors>;
  readonly reads: Pick<Reads, 'patient' | 'patients'>;
  readonly now: () => Date;
}

/** Who comes: one person, whatever clinics they are registered at. */
export const patientRoutes: FastifyPluginCallbackTypebox<PatientRoutes> = (app, { doors, reads, now }, done) => {
  app.post(
    '/patients',
    {
      config: {
        operation: 'createPatient',
        problems: ['not_found', 'idempotency_in_progress', 'idempotency_mismatch'],
      },
      schema: {
        operationId: 'createPatient',
        tags: ['patients'],
        summary: 'Enter a patient',
        description: 'A person who is new to the clinic, registered there at once.',
        headers: IdempotencyHeaders,
        body: NewPatientBody,
        response: { 201: PatientCreated },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { phone = null, email = null } = request.body;
      const facts = { ...request.body, phone, email };
      const patient = { ...facts, ...understood(facts, now()) };
      const clinicId = clinicFor(caller, caller.clinicId);
      const idempotency = idempotencyOf(request.headers['idempotency-key'], caller, 'POST /api/v1/patients', {
        clinicId,
        ...patient,
      });
      const act = actIn(request, clinicId, now());
      const { patient: entered, replayed } = await doors.createPatient(act, patient, idempotency);
      const at = `/patients/${entered.patient_id}`;
      return created(reply, { at, version: entered.version, replayed }, patientBody(entered));
    },
  );

  app.get(
    '/patients',
    {
      config: { operation: 'listPatients' },
      schema: {
        operationId: 'listPatients',
        tags: ['patients'],
        summary: 'List patients',
        description: "Those registered at the token's clinic, by family name and given name.",
        querystring: PatientQuery,
        response: { 200: PatientPage },
      },
    },
    (request) => pageFor(request, request.query, 'query'),
  );

  app.post(
    '/patients/search',
    {
      config: { operation: 'listPatients' },
      schema: {
        operationId: 'searchPatients',
        tags: ['patients'],
        summary: 'Find patients',
        description:
          'As the list, by name, birth date, phone number or email address: in a body, as addresses are kept by whatever they pass. It writes nothing.',
        body: PatientSearch,
        response: { 200: PatientPage },
      },
    },
    (request) => pageFor(request, request.body, 'body'),
  );

  app.get(
    '/patients/:patientId',
    {
      config: { operation: 'readPatient', problems: ['not_found'] },
      schema: {
        operationId: 'readPatient',
        tags: ['patients'],
        summary: 'Read a patient',
        description: 'Patients read themselves, staff those registered at their clinic.',
        params: PatientPath,
        response: { 200: PatientAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const patient = await reads.patient(rowsOf(caller), request.params.patientId, readerOf(request));
      if (patient === undefined) throw new AppError('not_found');
      return reply.header('etag', entityTag(patient.version)).send(patientBody(patient));
    },
  );

  app.patch(
    '/patients/:patientId',
    {
      config: { operation: 'changePatient', problems: ['not_found', 'precondition_required', 'version_mismatch'] },
      schema: {
        operationId: 'changePatient',
        tags: ['patients'],
        summary: 'Change a patient',
        description:
          'What is left out stays; null takes an address away. Patients change themselves, administrators those registered at their clinic.',
        params: PatientPath,
        headers: VersionHeaders,
        body: PatientBody,
        response: { 200: PatientAnswer },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { patientId } = request.params;
      assertOwnPatient(caller, patientId);
      const act =
        caller.role === 'patient'
          ? actOfPatient(request, now())
          : actIn(request, clinicFor(caller, caller.clinicId), now());
      const patient = await doors.changePatient(act, {
        patientId,
        expectedVersion: requiredVersion(request.headers['if-match']),
        facts: { ...request.body, ...understood(request.body, now()) },
      });
      return reply.header('etag', entityTag(patient.version)).send(patientBody(patient));
    },
  );
  done();

  async function pageFor(
    request: FastifyRequest,
    { limit = 25, cursor, ...filter }: Static<typeof PatientSearch>,
    part: 'query' | 'body',
  ): Promise<Static<typeof PatientPage>> {
    const afterId = positionOf(cursor, part)?.id;
    const rows = await reads.patients(rowsOf(callerOf(request)), readerOf(request), { ...filter, limit, afterId });
    if (rows === undefined) throw invalidField(part, '/cursor', 'cursor');
    const { page, next } = pageOf(rows, limit, (row) => ({ at: row.created_at, id: row.patient_id }));
    return { patients: page.map(patientBody), ...next };
  }
};

/** The furthest ahead that any calendar is: what lies in the future there has come nowhere yet. */
const FIRST_TO_SEE_A_DATE = 'Pacific/Kiritimati';

/** What no schema can judge. Returns what is kept in another spelling. @throws RequestError `validation_failed` */
function understood(facts: Partial<PatientFacts>, now: Date): { readonly locale?: string } {
  const { birthDate, timeZone, locale } = facts;
  if (birthDate !== undefined && birthDate > localDate(FIRST_TO_SEE_A_DATE, now.getTime())) {
    throw invalidField('body', '/birthDate', 'maximum');
  }
  if (timeZone !== undefined && !isTimeZone(timeZone)) throw invalidField('body', '/timeZone', 'timeZone');
  if (locale === undefined) return {};
  const canonical = canonicalLocale(locale);
  if (canonical === undefined) throw invalidField('body', '/locale', 'locale');
  return { locale: canonical };
}
