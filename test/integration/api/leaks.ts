import type { InjectOptions } from 'light-my-request';
import { randomUUID } from 'node:crypto';
import type { Role } from '../../../src/api/authentication.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import type { TestDatabase } from '../../support/database.ts';
import { thingsAt, THINGS, type Things } from './authorization-world.ts';
import {
  ALL_OPERATIONS,
  isBodyMissing,
  KNOWN_TO_COLLEAGUES,
  namingsOf,
  requestNaming,
  type Cell,
  type Naming,
} from './operations.ts';
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

/** The things of one clinic and patient, and whoever works with them. */
interface Place extends Things {
  readonly clinic: Clinic;
  readonly clinic_admin: Headers;
  readonly provider: Headers;
  readonly support: Headers;
  readonly patient: Headers;
  /** Whatever nobody elsewhere may read: ids, names, addresses, codes. */
  readonly secrets: readonly string[];
}

interface World {
  readonly ours: Place;
  readonly theirs: Place;
  /** Another patient and another provider at our clinic. */
  readonly beside: Place;
}

async function aWorld(database: TestDatabase, api: RunningApi): Promise<World> {
  const ours = await aPlace(database, api, 'Ours');
  return {
    ours,
    theirs: await aPlace(database, api, 'Theirs'),
    beside: await aPlace(database, api, 'Beside', ours.clinic),
  };
}

async function aPlace(database: TestDatabase, api: RunningApi, name: string, at?: Clinic): Promise<Place> {
  const clinic = at ?? (await aClinic(database.owner, { name: `${name} Clinic` }));
  const things = await thingsAt(api, database, clinic, name);
  const [clinic_admin, provider, support, patient] = await Promise.all([
    asAdmin(clinic.clinicId),
    asProvider(clinic.clinicId, things.providerId),
    asSupport(clinic.clinicId),
    asPatient(things.patientId),
  ]);
  const secrets = [clinic.slug, name, things.confirmationCode, ...THINGS.map((thing) => things[thing])];
  return { ...things, clinic, clinic_admin, provider, support, patient, secrets };
}

const CALLERS = ['clinic_admin', 'provider', 'support', 'patient'] as const satisfies readonly Role[];
type CallerName = (typeof CALLERS)[number];

/** A request about one thing, which one of its fields names. */
interface Probe {
  readonly name: string;
  readonly cell: Cell;
  readonly naming: Naming;
  readonly thing: (typeof THINGS)[number];
}

/** The fields for which there is no probe, and why. */
const NOT_PROBED: Readonly<Record<string, string>> = {
  'readProblem code': 'the kinds of problems are everybody’s',
  'receiveTwilioStatus notificationId': 'Twilio signs it: there is no caller',
  'receiveSendgridEvents notificationId': 'SendGrid signs it: there is no caller',
  'registerPatient clinicId': 'patients alone may, at any clinic',
};

/** Lists whose filters are sent as a body, so that no patient stands in an address. */
const SEARCHES = new Set(['searchNotifications']);

/** What shows patients any provider and any clinic, for them to choose; staff see their own. */
const KNOWN_TO_PATIENTS = new Set([
  'readProvider providerId',
  'searchAvailability providerId',
  'listProviders clinicId',
  'readClinic clinicId',
  'searchClinicAvailability clinicId',
  'bookAppointment providerId',
  'bookAppointmentSeries providerId',
  'placeHold providerId',
  'joinWaitlist providerId',
]);

/** The things that fields mean which are not named after them. */
const MEANT: Readonly<Record<string, (typeof THINGS)[number]>> = {
  'listOffers appointmentId': 'offeredVisitId',
  'replayNotifications notificationIds': 'notificationId',
};

/** What the patients of a clinic have in common, and its providers. */
const SHARED: Readonly<Partial<Record<CallerName, ReadonlySet<string>>>> = {
  patient: new Set(['clinicId', 'providerId']),
  provider: new Set(['clinicId']),
};

/** Every field of which this page says something: none may outlive its operation. */
export const exceptions = () => [
  ...Object.keys(NOT_PROBED),
  ...KNOWN_TO_PATIENTS,
  ...KNOWN_TO_COLLEAGUES,
  ...Object.keys(MEANT),
];

/** One probe for every field of every operation that names a row, and the fields for which there is none. */
export function probesOf(operations: readonly Cell[]): { readonly probes: Probe[]; readonly unprobed: string[] } {
  const probes: Probe[] = [];
  const unprobed: string[] = [];
  const names = operations.flatMap((cell) => namingsOf(cell).map((naming) => ({ cell, naming })));
  for (const { cell, naming } of names) {
    const name = `${cell.name} ${naming.field}`;
    if (name in NOT_PROBED) continue;
    const thing = MEANT[name] ?? THINGS.find((each) => each === naming.field);
    if (thing === undefined) unprobed.push(`${name}: there is no such thing in THINGS`);
    else if (cell.operation['x-authorization'] === undefined) unprobed.push(`${name}: no caller is asked for`);
    else if (isBodyMissing(cell)) unprobed.push(`${name}: FIXTURES do not say what to send`);
    else probes.push({ name, cell, naming, thing });
  }
  return { probes, unprobed };
}

/** What exists nowhere and what may not be seen: status, headers and body must be the same, byte for byte. */
async function differencesFromNothing(api: RunningApi, { ours, theirs, beside }: World): Promise<string[]> {
  const leaks: string[] = [];
  for (const { name, cell, naming, thing } of probesOf(ALL_OPERATIONS).probes) {
    const ask = (id: string, asked: Place, caller: CallerName) =>
      answerOf(
        api,
        requestNaming(cell, naming, id, asked, {
          ...asked[caller],
          'x-request-id': '01980000-0000-7000-8000-000000000016',
        }),
      );
    const isRead = cell.method === 'get';
    // A list by what does not exist may be empty, and so may a search, which is a list whose filters stand in a body.
    const isFilter = (isRead && naming.part === 'query') || (SEARCHES.has(cell.name) && naming.field !== 'clinicId');
    const untold = isFilter ? /^(404|200) / : /^404 /;
    let tried = false;
    let seen = false;
    for (const caller of CALLERS) {
      if (caller === 'patient' && KNOWN_TO_PATIENTS.has(name)) continue;
      const nothing = await ask(randomUUID(), ours, caller);
      const hidden = [theirs[thing], ...(isHiddenBeside(cell, caller, name, thing) ? [beside[thing]] : [])];
      for (const id of hidden) {
        const something = await ask(id, ours, caller);
        if (nothing !== something) leaks.push(`${name}: ${caller} can tell ${something} from ${nothing}`);
      }
      if (cell.operation['x-authorization']?.roles[caller] === undefined) continue;
      tried = true;
      if (!untold.test(nothing)) leaks.push(`${name}: what does not exist is answered ${nothing}`);
      seen ||= isRead && nothing !== (await ask(theirs[thing], theirs, caller));
    }
    // Else nothing has been tried.
    if (!tried) leaks.push(`${name}: nobody here may`);
    if (isRead && !seen) leaks.push(`${name}: not even its own clinic sees anything`);
  }
  return leaks;
}

/** May this caller not see what another patient or provider of the same clinic has of it? */
function isHiddenBeside({ operation }: Cell, caller: CallerName, name: string, thing: Probe['thing']): boolean {
  if (caller !== 'patient' && operation['x-authorization']?.roles[caller] !== 'own') return false;
  if (caller === 'provider' && KNOWN_TO_COLLEAGUES.has(name)) return false;
  return SHARED[caller]?.has(thing) === false;
}

/** Status, headers and body as one text, without what differs from one moment to the next. */
async function answerOf(api: RunningApi, request: InjectOptions): Promise<string> {
  const response = await api.app.inject(request);
  const headers = Object.entries(response.headers).filter(([name]) => !/^(date|ratelimit.*)$/.test(name));
  return `${response.statusCode} ${JSON.stringify(headers.sort())} ${response.body}`;
}

const LISTS = [
  '/appointments?limit=100',
  '/tasks?limit=100',
  '/clinics?limit=100',
  '/ehr-syncs?limit=100',
  '/offers?limit=100',
  '/notifications?limit=100',
  '/patients?limit=100',
  '/providers?limit=100',
  '/sick-days?limit=100',
  '/waitlist-entries?limit=100',
];

/** No list, search or timeline of one clinic shows a thing of the other. */
async function foreignThingsInLists(api: RunningApi, { ours, theirs }: World): Promise<string[]> {
  const urls = [
    ...LISTS,
    `/appointments/${ours.appointmentId}/timeline`,
    `/patients/${ours.patientId}`,
    `/providers/${ours.providerId}/availability?date=${ours.date}&durationMinutes=30&explain=true`,
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

/** A patient of two clinics visits one of them and waits there: whatever the staff of the other can read stays as it was, byte for byte. */
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
        const request = {
          url: `/api/v1${url}`,
          headers: { ...headers, 'x-request-id': '01980000-0000-7000-8000-000000000016' },
        };
        seen.set(`${name} by GET ${url}`, await answerOf(api, request));
      }
    }
    return seen;
  };
  const before = await look();
  await book(api, there, patientId, '10:00', patient);
  // The list of appointments names its clinic besides the policies: with these off, waiting elsewhere is what shows that this look can find something.
  await api.app.inject({
    method: 'POST',
    url: '/api/v1/waitlist-entries',
    payload: { patientId, providerId: there.providerId, durationMinutes: 30, earliestDate: date, latestDate: date },
    headers: patient,
  });
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
        headers: { ...headers, 'if-match': '"1"', 'x-request-id': '01980000-0000-7000-8000-000000000016' },
      });
    const [moved, movedBesides] = [await moveTo('10:00'), await moveTo('14:00')];
    if (moved !== movedBesides || !moved.startsWith('409 ')) {
      leaks.push(`${name} can tell by moving a visit, ${moved}, ${movedBesides}, that the patient has one elsewhere`);
    }
    const ask = (time: string) =>
      answerOf(
        api,
        bookingOf(here, patientId, time, { ...headers, 'x-request-id': '01980000-0000-7000-8000-000000000016' }),
      );
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
