import type { FastifyRequest, RouteOptions } from 'fastify';
import { AppError } from '../domain/errors.ts';
import type { Act } from '../scheduling/act.ts';
import type { PatientAct } from '../scheduling/registry/patient.ts';
import type { Caller } from './authentication.ts';
import { actorOf, authorize, clinicFor, staffClinicOf, type Operation, type Reach } from './authorization.ts';
import type { Reader } from './read.ts';
import type { Reads } from './reads.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whoever sent the request's token; null where none is asked for. */
    caller: Caller | null;
    /** What the caller may touch with the route's operation; null where none is declared. */
    reach: Reach | null;
  }
  interface FastifyContextConfig {
    /** What the route does, as the table OPERATIONS names it: whoever may not is refused before anything of the request is read. */
    operation?: Operation;
  }
}

/** Whoever sent the request's token: routes that ask for one have it before their handler runs. */
export function callerOf(request: FastifyRequest): Caller {
  if (request.caller === null) throw new AppError('internal_error');
  return request.caller;
}

/** What the caller may touch with the operation that the route declares. */
export function reachOf(request: FastifyRequest): Reach {
  if (request.reach === null) throw new AppError('internal_error');
  return request.reach;
}

/** No route that asks for a token may forget to say who may: the API does not start with one that does. */
export function requireOperation({ method, url, config }: RouteOptions): void {
  if (config?.operation === undefined) throw new Error(`${String(method)} ${url} declares no config.operation`);
}

/** Holds a request to its route's operation. @throws RequestError `forbidden` */
export function enforceOperation(request: FastifyRequest): void {
  const { operation } = request.routeOptions.config;
  if (operation === undefined) throw new AppError('internal_error');
  request.reach = authorize(callerOf(request), operation);
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

/** The clinic of a provider whom this caller may know of. @throws AppError `not_found` */
export async function clinicOfProvider(
  caller: Caller,
  reads: Pick<Reads, 'clinicOfProvider'>,
  providerId: string,
): Promise<string> {
  return clinicFor(caller, await reads.clinicOfProvider(providerId, staffClinicOf(caller)));
}
