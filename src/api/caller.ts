import type { FastifyRequest } from 'fastify';
import { AppError } from '../domain/errors.ts';
import type { Act } from '../scheduling/act.ts';
import type { PatientAct } from '../scheduling/change-patient.ts';
import type { Caller } from './authentication.ts';
import { actorOf } from './authorization.ts';
import type { Reader } from './staff-reads.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever sent the request's token; null where none is asked for. */
    caller: Caller | null;
  }
}

/** Whoever sent the request's token: routes that ask for one have it before their handler runs. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new AppError('internal_error');
  return request.caller;
}

/** What every door is told about this request. */
export function actIn(request: FastifyRequest, clinicId: string, now: Date): Act {
  return { actor: actorOf(callerOf(request)), clinicId, requestId: request.id, now };
}

/** As {@link actIn}, of patients who change their own record: that happens at no clinic. */
export function actOfPatient(request: FastifyRequest, now: Date): PatientAct {
  return { actor: actorOf(callerOf(request)), requestId: request.id, now };
}

/** Who reads, for the audit. */
export function readerOf(request: FastifyRequest): Reader {
  return { actor: actorOf(callerOf(request)), requestId: request.id };
}
