import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import { inContext } from '../../../src/db/connection.ts';
import { notificationId } from '../../../src/domain/notification.ts';
import { DEFAULT_POLICY } from '../../../src/domain/policy.ts';
import { claimToSend, markFailed, planNotification } from '../../../src/notifications/ledger.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import type { TestDatabase } from '../../support/database.ts';
import { asAdmin, asPatient, asProvider, asSupport, startApi, type RunningApi } from './running-api.ts';

/*
 * Two clinics that must not learn of each other, the operations with which one might try, and everything that gives something away.
 */

/** Looks for whatever one clinic or patient learns of another. Each finding is a sentence; none is what is wanted. */
export async function findLeaks(database: TestDatabase): Promise<string[]> {
  const api = await startApi(database.app);
  try {
    const world = await aWorld(database, api);
    return [
      ...(await differencesFromNothing(api, world)),
      ...(await foreignThingsInLists(api, world)),
      ...(await whatAVisitElsewhereChanges(database, api)),
      ...(await whatAConflictTells(database, api)),
    ];
  } finally {
    await api.close();
  }
}

type Headers = Record<string, string>;

/** One clinic with one of each thing. */
interface Place {
  readonly clinic: Clinic;
  readonly admin: Headers;
  readonly provider: Headers;
  readonly support: Headers;
  readonly patient: Headers;
  readonly providerId: string;
  readonly patientId: string;
  readonly appointmentId: string;
  readonly seriesId: string;
  readonly entryId: string;
  readonly holdId: string;
  readonly notificationId: string;
  readonly replayId: string;
  readonly runId: string;
  readonly timeOffId: string;
  readonly closureId: string;
  readonly sickDayId: string;
  /** Whatever nobody elsewhere may read: ids, names, addresses, codes. */
  readonly secrets: readonly string[];
}

interface World {
  readonly ours: Place;
  readonly theirs: Place;
}

async function aWorld(database: TestDatabase, api: RunningApi): Promise<World> {
  return { ours: await aPlace(database, api, 'Ours'), theirs: await aPlace(database, api, 'Theirs') };
}

async function aPlace(database: TestDatabase, api: RunningApi, name: string): Promise<Place> {
  const { owner } = database;
  const clinic = await aClinic(owner, { name: `${name} Clinic` });
  const { clinicId } = clinic;
  const providerId = await aProvider(owner, clinic, { name: `Dr. ${name}`, specialty: `${name}ology` });
  const patientId = await aPatient(owner, clinic, { givenName: `${name}given`, familyName: `${name}family` });
  const [admin, provider, support, patient] = await Promise.all([
    asAdmin(clinicId),
    asProvider(clinicId, providerId),
    asSupport(clinicId),
    asPatient(patientId),
  ]);
  const create = async (url: string, payload: object, headers: Headers): Promise<Record<string, string>> => {
    const response = await api.app.inject({ method: 'POST', url: `/api/v1${url}`, payload, headers });
    if (response.statusCode >= 300) throw new Error(`the world cannot be made: ${url} ${response.body}`);
    return response.json();
  };
  const visitAt = slotAt(clinic, 5, '10:00');
  const { appointmentId = '', confirmationCode = '' } = await create(
    '/appointments',
    { patientId, providerId, appointmentTime: visitAt.toISOString(), durationMinutes: 30 },
    patient,
  );
  const { seriesId = '' } = await create(
    '/appointment-series',
    {
      patientId,
      providerId,
      appointmentTime: slotAt(clinic, 8, '10:00').toISOString(),
      durationMinutes: 30,
      everyWeeks: 1,
      count: 2,
    },
    patient,
  );
  const { entryId = '' } = await create(
    '/waitlist-entries',
    {
      patientId,
      providerId,
      durationMinutes: 30,
      earliestDate: slotAt(clinic, 1, '12:00').toISOString().slice(0, 10),
      latestDate: slotAt(clinic, 30, '12:00').toISOString().slice(0, 10),
    },
    patient,
  );
  const { holdId = '' } = await create(
    '/holds',
    { providerId, startTime: slotAt(clinic, 6, '10:00').toISOString(), durationMinutes: 30 },
    patient,
  );
  const failed = await aFailedMessage(database, clinicId, { appointmentId, patientId, visitAt });
  const { replayId = '' } = await create(`/notifications/${failed}/replay`, { reason: `${name} was down` }, admin);
  await owner.db
    .insertInto('ehr_connection')
    .values({ clinic_id: clinicId, base_url: `https://${name.toLowerCase()}.ehr.test/fhir` })
    .execute();
  const { runId = '' } = await create('/ehr-syncs', {}, admin);
  const { timeOffId = '' } = await create(
    `/providers/${providerId}/time-off`,
    { from: slotAt(clinic, 60, '09:00').toISOString(), to: slotAt(clinic, 60, '11:00').toISOString() },
    admin,
  );
  const { closureId = '' } = await create(
    `/clinics/${clinicId}/closures`,
    { fromDate: '2090-01-01', toDate: '2090-01-02', name: `${name} holiday` },
    admin,
  );
  const { sickDayId = '' } = await create(
    '/sick-days',
    { providerId, from: slotAt(clinic, 61, '09:00').toISOString(), to: slotAt(clinic, 61, '11:00').toISOString() },
    admin,
  );
  const ids = {
    timeOffId,
    closureId,
    sickDayId,
    appointmentId,
    seriesId,
    entryId,
    holdId,
    notificationId: failed,
    replayId,
    runId,
    providerId,
    patientId,
  };
  return {
    clinic,
    admin,
    provider,
    support,
    patient,
    ...ids,
    secrets: [clinicId, clinic.slug, name, confirmationCode, ...Object.values(ids)],
  };
}

async function aFailedMessage(
  database: TestDatabase,
  clinicId: string,
  of: { readonly appointmentId: string; readonly patientId: string; readonly visitAt: Date },
): Promise<string> {
  const id = notificationId({ appointmentId: of.appointmentId, kind: 'confirmation', version: 1, channel: 'sms' });
  await inContext(database.app.db, { clinicId }, async (tx) => {
    await planNotification(tx, {
      appointmentId: of.appointmentId,
      patientId: of.patientId,
      notificationId: id,
      clinicId,
      kind: 'confirmation',
      channel: 'sms',
      plannedFor: of.visitAt,
      appointmentVersion: 1,
      dueAt: new Date(),
    });
    await claimToSend(tx, { notificationId: id, now: new Date(), leaseMs: 10_000 });
    await markFailed(tx, { notificationId: id, attempt: 1, reason: 'twilio_30005' });
  });
  return id;
}

type CallerName = 'admin' | 'provider' | 'support' | 'patient';
type Id = Exclude<keyof Place, CallerName | 'clinic' | 'secrets'> | 'clinicId';

/** A request about one thing, which is named by its id. */
interface Probe {
  readonly about: Id;
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: (id: string, ours: Place) => string;
  readonly payload?: (id: string, ours: Place) => object;
  /** Whoever may know of it nevertheless: patients may read any provider and any clinic. */
  readonly openTo?: readonly CallerName[];
}

const tomorrow = ({ clinic }: Place, time: string) => slotAt(clinic, 7, time).toISOString();
const wish = (ours: Place) => ({
  durationMinutes: 30,
  earliestDate: tomorrow(ours, '12:00').slice(0, 10),
  latestDate: tomorrow(ours, '12:00').slice(0, 10),
});

const ABSENCE = { from: '2090-01-01T00:00:00Z', to: '2090-01-02T00:00:00Z' };
const aSeries = ({ clinic, patientId, providerId }: Place, named: object) => ({
  patientId,
  providerId,
  appointmentTime: slotAt(clinic, 9, '11:00').toISOString(),
  durationMinutes: 30,
  everyWeeks: 1,
  count: 2,
  ...named,
});

/** Every way in which an id of another clinic or patient can be named, in the path, the query or the body. */
const PROBES: readonly Probe[] = [
  { about: 'appointmentId', method: 'GET', url: (id) => `/appointments/${id}` },
  {
    about: 'appointmentId',
    method: 'PATCH',
    url: (id) => `/appointments/${id}`,
    payload: (_, ours) => ({ appointmentTime: tomorrow(ours, '11:00') }),
  },
  { about: 'appointmentId', method: 'DELETE', url: (id) => `/appointments/${id}` },
  { about: 'appointmentId', method: 'GET', url: (id) => `/appointments/${id}/timeline` },
  { about: 'appointmentId', method: 'POST', url: (id) => `/appointments/${id}/check-in` },
  { about: 'appointmentId', method: 'POST', url: (id) => `/appointments/${id}/complete` },
  { about: 'appointmentId', method: 'POST', url: (id) => `/appointments/${id}/no-show` },
  { about: 'appointmentId', method: 'DELETE', url: (id) => `/appointments/${id}/no-show` },
  { about: 'appointmentId', method: 'GET', url: (id) => `/notifications?appointmentId=${id}` },
  { about: 'appointmentId', method: 'GET', url: (id) => `/appointments/${id}/calendar` },
  { about: 'providerId', method: 'GET', url: (id) => `/providers/${id}/schedule` },
  {
    about: 'providerId',
    method: 'PUT',
    url: (id) => `/providers/${id}/schedule`,
    payload: () => ({ weekly: [], breaks: [] }),
  },
  { about: 'providerId', method: 'GET', url: (id) => `/providers/${id}/overrides` },
  {
    about: 'providerId',
    method: 'PUT',
    url: (id) => `/providers/${id}/overrides/2090-01-01`,
    payload: () => ({ windows: [] }),
  },
  { about: 'providerId', method: 'DELETE', url: (id) => `/providers/${id}/overrides/2090-01-01` },
  { about: 'providerId', method: 'GET', url: (id) => `/providers/${id}/time-off` },
  { about: 'providerId', method: 'POST', url: (id) => `/providers/${id}/time-off`, payload: () => ABSENCE },
  {
    about: 'providerId',
    method: 'POST',
    url: () => '/schedule-previews',
    payload: (providerId) => ({ kind: 'time_off', providerId, ...ABSENCE }),
  },
  {
    about: 'providerId',
    method: 'POST',
    url: () => '/sick-days',
    payload: (providerId) => ({ providerId, ...ABSENCE }),
  },
  { about: 'providerId', method: 'GET', url: (id) => `/sick-days?providerId=${id}` },
  { about: 'timeOffId', method: 'DELETE', url: (id, ours) => `/providers/${ours.providerId}/time-off/${id}` },
  { about: 'clinicId', method: 'GET', url: (id) => `/clinics/${id}/closures` },
  {
    about: 'clinicId',
    method: 'POST',
    url: (id) => `/clinics/${id}/closures`,
    payload: () => ({ fromDate: '2090-01-01', toDate: '2090-01-02', name: 'Changed' }),
  },
  { about: 'closureId', method: 'DELETE', url: (id, ours) => `/clinics/${ours.clinic.clinicId}/closures/${id}` },
  { about: 'sickDayId', method: 'GET', url: (id) => `/sick-days/${id}` },
  { about: 'sickDayId', method: 'POST', url: (id) => `/sick-days/${id}/pause` },
  { about: 'sickDayId', method: 'POST', url: (id) => `/sick-days/${id}/resume` },
  { about: 'sickDayId', method: 'POST', url: (id) => `/sick-days/${id}/stop` },
  { about: 'seriesId', method: 'GET', url: (id) => `/appointment-series/${id}` },
  { about: 'entryId', method: 'GET', url: (id) => `/waitlist-entries/${id}` },
  { about: 'entryId', method: 'DELETE', url: (id) => `/waitlist-entries/${id}` },
  { about: 'holdId', method: 'GET', url: (id) => `/holds/${id}` },
  { about: 'holdId', method: 'POST', url: (id) => `/holds/${id}/extension` },
  { about: 'holdId', method: 'DELETE', url: (id) => `/holds/${id}` },
  {
    about: 'holdId',
    method: 'POST',
    url: () => '/appointments',
    payload: (holdId, ours) => ({
      patientId: ours.patientId,
      providerId: ours.providerId,
      appointmentTime: slotAt(ours.clinic, 6, '10:00').toISOString(),
      durationMinutes: 30,
      holdId,
    }),
  },
  { about: 'notificationId', method: 'GET', url: (id) => `/notifications/${id}` },
  { about: 'notificationId', method: 'POST', url: (id) => `/notifications/${id}/replay` },
  {
    about: 'notificationId',
    method: 'POST',
    url: () => '/notification-replays',
    payload: (id) => ({ notificationIds: [id], reason: 'x' }),
  },
  { about: 'replayId', method: 'GET', url: (id) => `/notification-replays/${id}` },
  { about: 'runId', method: 'GET', url: (id) => `/ehr-syncs/${id}` },
  { about: 'providerId', method: 'GET', url: (id) => `/providers/${id}`, openTo: ['patient'] },
  {
    about: 'providerId',
    method: 'GET',
    url: (id, ours) => `/providers/${id}/availability?date=${tomorrow(ours, '12:00').slice(0, 10)}&durationMinutes=30`,
    openTo: ['patient'],
  },
  {
    about: 'providerId',
    method: 'PATCH',
    url: (id) => `/providers/${id}`,
    payload: () => ({ specialty: 'Changed' }),
  },
  { about: 'providerId', method: 'GET', url: (id) => `/appointments?providerId=${id}` },
  { about: 'providerId', method: 'GET', url: (id) => `/waitlist-entries?providerId=${id}` },
  {
    about: 'providerId',
    method: 'POST',
    url: () => '/appointments',
    payload: (providerId, ours) => ({
      patientId: ours.patientId,
      providerId,
      appointmentTime: tomorrow(ours, '10:00'),
      durationMinutes: 30,
    }),
    openTo: ['patient'],
  },
  {
    about: 'providerId',
    method: 'POST',
    url: () => '/appointment-series',
    payload: (providerId, ours) => aSeries(ours, { providerId }),
    openTo: ['patient'],
  },
  {
    about: 'providerId',
    method: 'POST',
    url: () => '/holds',
    payload: (providerId, ours) => ({ providerId, startTime: tomorrow(ours, '09:00'), durationMinutes: 30 }),
    openTo: ['patient'],
  },
  {
    about: 'providerId',
    method: 'POST',
    url: () => '/waitlist-entries',
    payload: (providerId, ours) => ({ ...wish(ours), patientId: ours.patientId, providerId }),
    openTo: ['patient'],
  },
  {
    about: 'providerId',
    method: 'PATCH',
    url: (_, ours) => `/appointments/${ours.appointmentId}`,
    payload: (providerId) => ({ providerId }),
  },
  { about: 'clinicId', method: 'GET', url: (id) => `/clinics/${id}`, openTo: ['patient'] },
  { about: 'clinicId', method: 'PATCH', url: (id) => `/clinics/${id}`, payload: () => ({ name: 'Changed' }) },
  { about: 'clinicId', method: 'GET', url: (id) => `/clinics/${id}/policy` },
  {
    about: 'clinicId',
    method: 'GET',
    url: (id, ours) => `/clinics/${id}/availability?date=${tomorrow(ours, '12:00').slice(0, 10)}&durationMinutes=30`,
    openTo: ['patient'],
  },
  { about: 'clinicId', method: 'PUT', url: (id) => `/clinics/${id}/policy`, payload: () => DEFAULT_POLICY },
  { about: 'clinicId', method: 'GET', url: (id) => `/providers?clinicId=${id}`, openTo: ['patient'] },
  { about: 'clinicId', method: 'GET', url: (id) => `/appointments?clinicId=${id}` },
  { about: 'clinicId', method: 'GET', url: (id) => `/notifications?clinicId=${id}` },
  { about: 'clinicId', method: 'GET', url: (id) => `/ehr-syncs?clinicId=${id}` },
  { about: 'clinicId', method: 'POST', url: () => '/ehr-syncs', payload: (clinicId) => ({ clinicId }) },
  {
    about: 'clinicId',
    method: 'DELETE',
    url: (id, ours) => `/clinics/${id}/registrations/${ours.patientId}`,
  },
  { about: 'patientId', method: 'GET', url: (id) => `/patients/${id}` },
  { about: 'patientId', method: 'PATCH', url: (id) => `/patients/${id}`, payload: () => ({ phone: null }) },
  { about: 'patientId', method: 'GET', url: (id) => `/appointments?patientId=${id}` },
  { about: 'patientId', method: 'GET', url: (id) => `/waitlist-entries?patientId=${id}` },
  {
    about: 'patientId',
    method: 'PUT',
    url: (id, ours) => `/clinics/${ours.clinic.clinicId}/registrations/${id}`,
  },
  {
    about: 'patientId',
    method: 'DELETE',
    url: (id, ours) => `/clinics/${ours.clinic.clinicId}/registrations/${id}`,
  },
  {
    about: 'patientId',
    method: 'POST',
    url: () => '/appointments',
    payload: (patientId, ours) => ({
      patientId,
      providerId: ours.providerId,
      appointmentTime: tomorrow(ours, '10:00'),
      durationMinutes: 30,
    }),
  },
  {
    about: 'patientId',
    method: 'POST',
    url: () => '/appointment-series',
    payload: (patientId, ours) => aSeries(ours, { patientId }),
  },
  {
    about: 'patientId',
    method: 'POST',
    url: () => '/waitlist-entries',
    payload: (patientId, ours) => ({ ...wish(ours), patientId, providerId: ours.providerId }),
  },
];

/** How a request is named in a finding. */
const nameOf = (probe: Probe) => `${probe.method} ${probe.url('{id}', NOBODY)} by ${probe.about}`;
const NOBODY = {
  clinic: { clinicId: '{ours}', timeZone: 'UTC', slug: '' },
  patientId: '{ours}',
  appointmentId: '{ours}',
} as Place;

const CALLERS = ['admin', 'provider', 'support', 'patient'] as const satisfies readonly CallerName[];

/** What does not exist and what may not be seen: status, headers and body must be the same, byte for byte. */
async function differencesFromNothing(api: RunningApi, { ours, theirs }: World): Promise<string[]> {
  const leaks: string[] = [];
  for (const probe of PROBES) {
    const ask = (id: string, asked: Place, caller: CallerName) =>
      answerOf(api, requestOf(probe, id, asked, asked[caller]));
    const foreign = probe.about === 'clinicId' ? theirs.clinic.clinicId : theirs[probe.about];
    const allowed: CallerName[] = [];
    let seen = false;
    for (const caller of CALLERS) {
      if (probe.openTo?.includes(caller) === true) continue;
      const nothing = await ask(randomUUID(), ours, caller);
      const something = await ask(foreign, ours, caller);
      if (nothing !== something) leaks.push(`${nameOf(probe)}: ${caller} can tell ${something} from ${nothing}`);
      if (nothing.startsWith('403 ')) continue;
      allowed.push(caller);
      seen ||= probe.method === 'GET' && nothing !== (await ask(foreign, theirs, caller));
    }
    // Else nothing has been tried.
    if (allowed.length === 0) leaks.push(`${nameOf(probe)}: nobody got past their role`);
    if (probe.method === 'GET' && !seen) leaks.push(`${nameOf(probe)}: not even its own clinic sees anything`);
  }
  return leaks;
}

function requestOf(probe: Probe, id: string, ours: Place, headers: Headers): InjectOptions {
  const payload = probe.payload?.(id, ours);
  return {
    method: probe.method,
    url: `/api/v1${probe.url(id, ours)}`,
    headers: { ...headers, 'if-match': '"1"', 'x-request-id': 'the-same-request' },
    ...(payload === undefined ? {} : { payload }),
  };
}

/** Status, headers and body as one text, without what differs from one moment to the next. */
async function answerOf(api: RunningApi, request: InjectOptions): Promise<string> {
  const response = await api.app.inject(request);
  const headers = Object.entries(response.headers).filter(([name]) => !/^(date|ratelimit.*)$/.test(name));
  return `${response.statusCode} ${JSON.stringify(headers.sort())} ${response.body}`;
}

const LISTS = [
  '/appointments?limit=100',
  '/call-tasks?limit=100',
  '/clinics?limit=100',
  '/ehr-syncs?limit=100',
  '/move-offers?limit=100',
  '/notifications?limit=100',
  '/patients?limit=100',
  '/patients?familyName=t',
  '/providers?limit=100',
  '/sick-days?limit=100',
  '/waitlist-entries?limit=100',
];

/** No list, search or timeline of one clinic shows a thing of the other. */
async function foreignThingsInLists(api: RunningApi, { ours, theirs }: World): Promise<string[]> {
  const date = tomorrow(ours, '12:00').slice(0, 10);
  const urls = [
    ...LISTS,
    `/appointments/${ours.appointmentId}/timeline`,
    `/patients/${ours.patientId}`,
    `/providers/${ours.providerId}/availability?date=${date}&durationMinutes=30&explain=true`,
  ];
  const leaks: string[] = [];
  for (const caller of CALLERS) {
    for (const url of urls) {
      const answer = await answerOf(api, { url: `/api/v1${url}`, headers: ours[caller] });
      for (const secret of theirs.secrets) {
        if (answer.includes(secret)) leaks.push(`GET ${url} shows ${secret} to the other clinic’s ${caller}`);
      }
    }
  }
  return leaks;
}

/** A patient of two clinics visits one of them: whatever the staff of the other can read stays as it was, byte for byte. */
async function whatAVisitElsewhereChanges(database: TestDatabase, api: RunningApi): Promise<string[]> {
  const { here, there, patientId, patient } = await aSharedPatient(database);
  const booked = await book(api, here, patientId, '12:00', patient);
  const appointmentId = booked.json<{ appointmentId: string }>().appointmentId;
  const date = slotAt(here.clinic, 5, '12:00').toISOString().slice(0, 10);
  const urls = [
    ...LISTS,
    `/patients/${patientId}`,
    `/appointments?patientId=${patientId}`,
    `/appointments/${appointmentId}`,
    `/appointments/${appointmentId}/timeline`,
    `/waitlist-entries?patientId=${patientId}`,
    `/providers/${here.providerId}/availability?date=${date}&durationMinutes=30&explain=true`,
  ];
  const look = async () => {
    const seen = new Map<string, string>();
    for (const [name, headers] of [
      ['an administrator', await asAdmin(here.clinic.clinicId)],
      ['a provider', await asProvider(here.clinic.clinicId, here.providerId)],
      ['support', await asSupport(here.clinic.clinicId)],
    ] as const) {
      for (const url of urls) {
        const request = { url: `/api/v1${url}`, headers: { ...headers, 'x-request-id': 'the-same-request' } };
        seen.set(`${name} by GET ${url}`, await answerOf(api, request));
      }
    }
    return seen;
  };
  const before = await look();
  await book(api, there, patientId, '10:00', patient);
  const after = await look();
  return [...before].flatMap(([what, text]) =>
    after.get(what) === text ? [] : [`${what} learns of a visit elsewhere`],
  );
}

/** Who is busy at another clinic is told what they would be told if they were busy at this one, and nothing more. */
async function whatAConflictTells(database: TestDatabase, api: RunningApi): Promise<string[]> {
  const { here, there, patientId, patient } = await aSharedPatient(database);
  const admin = await asAdmin(here.clinic.clinicId);
  const besides = { ...here, providerId: await aProvider(database.owner, here.clinic) };
  await book(api, there, patientId, '10:00', patient);
  await book(api, besides, patientId, '14:00', patient);
  const own = (await book(api, here, patientId, '16:00', patient)).json<{ appointmentId: string }>();
  const leaks: string[] = [];
  for (const [name, headers] of [
    ['the patient', patient],
    ['an administrator', admin],
  ] as const) {
    const moveTo = (time: string) =>
      answerOf(api, {
        method: 'PATCH',
        url: `/api/v1/appointments/${own.appointmentId}`,
        payload: { appointmentTime: slotAt(here.clinic, 5, time).toISOString() },
        headers: { ...headers, 'if-match': '"1"', 'x-request-id': 'the-same-request' },
      });
    const [moved, movedBesides] = [await moveTo('10:00'), await moveTo('14:00')];
    if (moved !== movedBesides || !moved.startsWith('409 ')) {
      leaks.push(`${name} can tell by moving a visit, ${moved}, ${movedBesides}, that the patient has one elsewhere`);
    }
    const ask = (time: string) =>
      answerOf(api, bookingOf(here, patientId, time, { ...headers, 'x-request-id': 'the-same-request' }));
    const [elsewhere, besidesIt] = [await ask('10:00'), await ask('14:00')];
    if (!elsewhere.startsWith('409 ') || !elsewhere.includes('"patient_busy"')) {
      leaks.push(`${name} books a patient who is busy elsewhere: ${elsewhere}`);
    }
    if (elsewhere !== besidesIt)
      leaks.push(`${name} can tell a conflict elsewhere, ${elsewhere}, from one here, ${besidesIt}`);
    for (const secret of [there.clinic.clinicId, there.providerId, there.clinic.slug]) {
      if (elsewhere.includes(secret)) leaks.push(`${name} reads ${secret} in a conflict`);
    }
  }
  return leaks;
}

interface Practice {
  readonly clinic: Clinic;
  readonly providerId: string;
}

/** One patient who is registered at two clinics in the same zone. */
async function aSharedPatient(database: TestDatabase) {
  const { owner } = database;
  const [here, there] = await Promise.all(
    ['Here', 'There'].map(async (name): Promise<Practice> => {
      const clinic = await aClinic(owner, { name });
      return { clinic, providerId: await aProvider(owner, clinic) };
    }),
  );
  if (here === undefined || there === undefined) throw new Error('two clinics were asked for');
  const patientId = await aPatient(owner, here.clinic);
  await owner.db
    .insertInto('registration')
    .values({ clinic_id: there.clinic.clinicId, patient_id: patientId })
    .execute();
  return { here, there, patientId, patient: await asPatient(patientId) };
}

function bookingOf(at: Practice, patientId: string, time: string, headers: Headers): InjectOptions {
  return {
    method: 'POST',
    url: '/api/v1/appointments',
    payload: {
      patientId,
      providerId: at.providerId,
      appointmentTime: slotAt(at.clinic, 5, time).toISOString(),
      durationMinutes: 30,
    },
    headers,
  };
}

async function book(api: RunningApi, at: Practice, patientId: string, time: string, headers: Headers) {
  const response = await api.app.inject(bookingOf(at, patientId, time, headers));
  if (response.statusCode !== 201) throw new Error(`the world cannot be made: ${response.body}`);
  return response;
}
