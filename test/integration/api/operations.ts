import type { InjectOptions } from 'light-my-request';
import { openApiDocument } from '../../../scripts/build/openapi.ts';
import type { Role } from '../../../src/api/authentication.ts';
import type { Reach } from '../../../src/api/authorization.ts';
import { DEFAULT_POLICY } from '../../../src/domain/policy.ts';
import type { Things } from './authorization-world.ts';

/*
 * Every operation of the OpenAPI document, what to send to it, and the rows it names. Whatever must hold for all of them is driven from here, so that a
 * new operation cannot be forgotten.
 */

interface Schema {
  readonly format?: string;
  readonly type?: string;
  readonly items?: Schema;
}
interface Documented {
  readonly operationId: string;
  readonly parameters?: readonly { readonly in: string; readonly name: string; readonly schema: Schema }[];
  readonly requestBody?: object;
  readonly 'x-authorization'?: { readonly scopes: readonly string[]; readonly roles: Partial<Record<Role, Reach>> };
}
export interface Fixture {
  readonly query?: (things: Things) => Record<string, string>;
  /** Text is a calendar file. */
  readonly body?: (things: Things) => object | string;
  /** The id by which a list shows whose rows it gives; a list is about nothing in particular. */
  readonly lists?: keyof Things;
  /** What is made belongs to the caller's own clinic: there is nothing of anybody else's to touch. */
  readonly makesInOwnClinic?: true;
  /** It can be done once: whoever may and comes later finds nothing. */
  readonly endsIt?: true;
  /** A patient may do it with anybody's provider: what comes of it is their own. */
  readonly withAnyProvider?: true;
}

const visit = ({ patientId, providerId, freeStart }: Things) => ({
  patientId,
  providerId,
  appointmentTime: freeStart,
  durationMinutes: 30,
});
const search = ({ date }: Things) => ({ date, durationMinutes: '30' });

const NO_HOLIDAYS = 'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n';

export const FIXTURES: Readonly<Record<string, Fixture>> = {
  bookAppointment: { body: visit },
  listUnmarkedVisits: { lists: 'unmarkedVisitId', query: () => ({ limit: '100' }) },
  listAppointments: { lists: 'appointmentId', query: () => ({ limit: '100' }) },
  moveAppointment: { body: () => ({ durationMinutes: 45 }) },
  bookAppointmentSeries: { body: (things) => ({ ...visit(things), everyWeeks: 1, count: 2 }) },
  placeHold: {
    body: ({ providerId, freeStart }) => ({ providerId, startTime: freeStart, durationMinutes: 30 }),
    withAnyProvider: true,
  },
  listClinics: { lists: 'clinicId', query: () => ({ limit: '100' }) },
  changeClinic: { body: () => ({ name: 'Riverside Clinic' }) },
  changePolicy: { body: () => DEFAULT_POLICY },
  searchAvailability: { query: search },
  searchClinicAvailability: { query: search },
  listProviders: { lists: 'providerId', query: () => ({ limit: '100' }) },
  createProvider: {
    makesInOwnClinic: true,
    body: () => ({ name: 'Dr. New', specialty: 'Cardiology', maxDailyAppointments: 8 }),
  },
  changeProvider: { body: () => ({ name: 'Dr. Ada Example' }) },
  changeHours: { body: () => ({ weekly: [], breaks: [] }) },
  overrideDate: { body: () => ({ windows: [{ startTime: '08:00', endTime: '18:00' }] }) },
  clearOverride: { endsIt: true },
  addTimeOff: { body: () => ({ from: '2090-02-01T08:00:00Z', to: '2090-02-01T12:00:00Z' }) },
  removeTimeOff: { endsIt: true },
  addClosure: { body: () => ({ fromDate: '2090-02-01', toDate: '2090-02-01', name: 'Holiday' }) },
  removeClosure: { endsIt: true },
  importClosures: { body: () => NO_HOLIDAYS },
  previewClosureImport: { body: () => NO_HOLIDAYS },
  previewScheduleChange: { body: ({ providerId, date }) => ({ kind: 'override', providerId, date, windows: [] }) },
  createPatient: {
    makesInOwnClinic: true,
    body: () => ({
      givenName: 'Alex',
      familyName: 'Sample',
      birthDate: '1990-01-01',
      locale: 'en-US',
      timeZone: 'Europe/Berlin',
      preferredChannel: 'email',
      email: 'alex@patients.example',
    }),
  },
  listPatients: { lists: 'patientId', query: () => ({ limit: '100' }) },
  searchPatients: { lists: 'patientId', body: () => ({ limit: 100 }) },
  changePatient: { body: () => ({ givenName: 'Jordan' }) },
  joinWaitlist: {
    body: ({ patientId, providerId, date }) => ({
      patientId,
      providerId,
      durationMinutes: 45,
      earliestDate: date,
      latestDate: date,
    }),
  },
  listWaitlistEntries: { lists: 'entryId', query: () => ({ limit: '100' }) },
  callInSick: {
    body: ({ providerId, freeStart }) => {
      const from = Date.parse(freeStart) + 40 * 86_400_000;
      return { providerId, from: new Date(from).toISOString(), to: new Date(from + 3_600_000).toISOString() };
    },
  },
  listSickDays: { lists: 'sickDayId', query: () => ({ limit: '100' }) },
  listOffers: { lists: 'offerId', query: () => ({ limit: '100' }) },
  listTasks: { lists: 'taskId', query: () => ({ limit: '100' }) },
  resolveTask: { body: () => ({ outcome: 'kept' }) },
  listNotifications: { lists: 'notificationId', query: () => ({ limit: '100' }) },
  searchNotifications: { lists: 'notificationId', body: () => ({ limit: 100 }) },
  replayNotification: { body: () => ({ reason: 'a test' }) },
  replayNotifications: { body: (things) => ({ notificationIds: [things.notificationId], reason: 'a test' }) },
  syncEhr: { body: ({ clinicId }) => ({ clinicId }) },
  listEhrSyncs: { lists: 'runId' },
};

type Headers = Readonly<Record<string, string>>;
export interface Cell {
  readonly path: string;
  readonly method: string;
  readonly operation: Documented;
  readonly name: string;
}

/** The operations of a document. */
export function operationsOf(document: object): Cell[] {
  const { paths } = document as { paths: Record<string, Record<string, Documented>> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation, name: operation.operationId })),
  );
}

export const ALL_OPERATIONS = operationsOf(await openApiDocument());

/**
 * The fields of operations with which providers touch their own alone that name what they see of colleagues: another's is refused as such (403). In every
 * other field another's is what does not exist.
 */
export const KNOWN_TO_COLLEAGUES: ReadonlySet<string> = new Set([
  // They read every visit of their clinic.
  'checkInAppointment appointmentId',
  'undoCheckIn appointmentId',
  'completeAppointment appointmentId',
  'undoCompletion appointmentId',
  'markNoShow appointmentId',
  'undoNoShow appointmentId',
  // They read every provider of their clinic, and when those work.
  'changeHours providerId',
  'overrideDate providerId',
  'clearOverride providerId',
  'addTimeOff providerId',
  'removeTimeOff providerId',
  'previewScheduleChange providerId',
  'callInSick providerId',
]);

/** Nobody has said what to send. */
export const isBodyMissing = ({ operation, name }: Pick<Cell, 'operation' | 'name'>) =>
  operation.requestBody !== undefined && FIXTURES[name]?.body === undefined;

/** @throws Error when nobody has said what to send, or the world has no such thing */
export function requestFor({ path, method, operation, name }: Cell, things: Things, headers: Headers): InjectOptions {
  const fixture = FIXTURES[name];
  if (isBodyMissing({ operation, name })) throw new Error(`${name} needs a body`);
  if (fixture === undefined && !path.includes('{')) throw new Error(`${name} needs a fixture`);
  const known = new Map<string, unknown>(Object.entries(things));
  const url = path.replace(/\{(\w+)\}/g, (_match, parameter: string) => {
    const value = known.get(parameter);
    if (typeof value !== 'string') throw new Error(`${name}: the world has no ${parameter}`);
    return value;
  });
  const payload = fixture?.body?.(things);
  return {
    method: method.toUpperCase() as 'GET',
    url,
    ...(fixture?.query === undefined ? {} : { query: fixture.query(things) }),
    ...(payload === undefined ? {} : { payload }),
    headers: {
      'if-match': '"1"',
      ...(typeof payload === 'string' ? { 'content-type': 'text/calendar' } : {}),
      ...headers,
    },
  };
}

/** A field of an operation that says which row is meant. */
export interface Naming {
  readonly part: 'path' | 'query' | 'body';
  readonly field: string;
  /** It takes several ids. */
  readonly isList: boolean;
}

/** Every way in which an operation can name a row. A path names one by whatever is no date; queries and bodies by ids. */
export function namingsOf({ operation }: Cell): Naming[] {
  const parameters = (operation.parameters ?? []).flatMap(({ in: part, name, schema }): Naming[] => {
    if (part === 'path') return schema.format === 'date' ? [] : [{ part, field: name, isList: false }];
    return part === 'query' && isId(name, schema) ? [{ part, field: name, isList: isList(schema) }] : [];
  });
  const fields = new Map(fieldsIn(operation.requestBody).filter(([name, schema]) => isId(name, schema)));
  return [
    ...parameters,
    ...[...fields].map(([field, schema]): Naming => ({ part: 'body', field, isList: isList(schema) })),
  ];
}

const isList = ({ type }: Schema) => type === 'array';
const isId = (name: string, schema: Schema) => /Ids?$/.test(name) || (schema.items ?? schema).format === 'uuid';

/** Every property in a schema, however deep. */
function fieldsIn(schema: unknown): [string, Schema][] {
  if (typeof schema !== 'object' || schema === null) return [];
  if ('$ref' in schema) throw new Error('a body has a $ref, behind which nobody looks for ids');
  const properties = 'properties' in schema ? Object.entries(schema.properties as Record<string, Schema>) : [];
  return [...properties, ...Object.values(schema).flatMap(fieldsIn)];
}

/** The request for these things, but with this id in the one field. */
export function requestNaming(
  cell: Cell,
  { part, field, isList: several }: Naming,
  id: string,
  things: Things,
  headers: Headers,
): InjectOptions {
  const request = requestFor(cell, part === 'path' ? { ...things, [field]: id } : things, headers);
  if (part === 'query') return { ...request, query: { ...(request.query as object), [field]: id } };
  if (part === 'body') return { ...request, payload: { ...(request.payload as object), [field]: several ? [id] : id } };
  return request;
}
