import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { registerPatient, endRegistration } from '../../scheduling/registry/registrations.ts';
import { assertOwnPatient, clinicFor } from '../authorization.ts';
import { actIn, callerOf } from '../caller.ts';
import type { BoundDoors } from '../doors.ts';
import { Nothing } from '../schemas.ts';
import { Registered, RegisteredBefore, registrationBody, RegistrationPath } from './schemas.ts';

/** The doors behind these routes. */
export const registrationDoors = { registerPatient, endRegistration };

export interface RegistrationRoutes {
  readonly doors: BoundDoors<typeof registrationDoors>;
  readonly now: () => Date;
}

/** Which clinics see a patient. Who is registered at a clinic is told by the list of its patients. */
export const registrationRoutes: FastifyPluginCallbackTypebox<RegistrationRoutes> = (app, { doors, now }, done) => {
  app.put(
    '/clinics/:clinicId/registrations/:patientId',
    {
      config: { operation: 'registerPatient', problems: ['not_found'] },
      schema: {
        operationId: 'registerPatient',
        tags: ['patients'],
        summary: 'Register at a clinic',
        description: 'Patients register themselves, at any clinic; a first booking does so too.',
        params: RegistrationPath,
        response: { 200: RegisteredBefore, 201: Registered },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { clinicId, patientId } = request.params;
      assertOwnPatient(caller, patientId);
      const { registration, created } = await doors.registerPatient(actIn(request, clinicId, now()), { patientId });
      return reply.code(created ? 201 : 200).send(registrationBody(registration));
    },
  );

  app.delete(
    '/clinics/:clinicId/registrations/:patientId',
    {
      config: { operation: 'endRegistration', problems: ['not_found', 'registration_in_use'] },
      schema: {
        operationId: 'endRegistration',
        tags: ['patients'],
        summary: 'End a registration',
        description:
          'The clinic no longer sees the patient. Only while nothing at the clinic refers to them: no visit and no waitlist entry, past ones included.',
        params: RegistrationPath,
        response: { 204: Nothing('No longer registered.') },
      },
    },
    async (request, reply) => {
      const caller = callerOf(request);
      const { patientId } = request.params;
      assertOwnPatient(caller, patientId);
      const clinicId = clinicFor(caller, request.params.clinicId);
      await doors.endRegistration(actIn(request, clinicId, now()), { patientId });
      return reply.code(204).send(null);
    },
  );
  done();
};
