import type { Appointment } from 'fhir/r4.js';
import { identifierToken, isStoredAsTold, mergeInto, saysTheSame } from './appointment-resource.ts';
import type { EhrCapabilities } from './capabilities.ts';
import type { Ehr, EhrWrite, EntryAnswer, Stored, Written } from './client.ts';
import { EhrError, type EhrFailure } from './failure.ts';

/*
 * Bringing an EHR up to our appointments. What to write is decided by comparing three: what we want to say, what the EHR held when it was last
 * told, and what it holds now. Nothing is written twice, and nothing that somebody changed at the EHR is overwritten.
 */

/** What the EHR held when it was last told. */
export interface KnownInEhr {
  readonly ehrId: string;
  readonly ehrVersion: string | null;
  /** What we said then; null if it was not stored as told. */
  readonly told: Appointment | null;
  /** What it stored then, with what it keeps of its own. */
  readonly stored: Appointment | null;
}

/** One appointment that is ahead of the EHR. */
export interface AppointmentToWrite {
  readonly appointmentId: string;
  readonly wanted: Appointment;
  readonly known: KnownInEhr | null;
  /** What was sent before without an answer: the EHR may or may not hold it. */
  readonly unanswered: readonly Appointment[];
}

/** What the EHR holds now. */
export interface StoredAppointment {
  readonly ehrId: string;
  readonly ehrVersion: string | null;
  readonly resource: Appointment;
}

export type WriteOutcome =
  | { readonly kind: 'created' | 'updated' | 'unchanged'; readonly stored: StoredAppointment }
  /** Refused until a person does something. `stored` if the EHR took it and made something else of it. */
  | { readonly kind: 'parked'; readonly reason: string; readonly stored?: StoredAppointment }
  /** Not settled: to be tried again, unless the failure is permanent, which then concerns everything sent to this server. */
  | { readonly kind: 'retry'; readonly failure: EhrFailure };

export interface WriteOptions {
  readonly signal?: AbortSignal;
  /** Send each alone, because a batch has failed before. */
  readonly oneByOne?: boolean;
  /** Called after every request, so that the caller can show that it is alive. */
  readonly onProgress?: () => void;
}

/** How many appointments go into one batch. */
export const BATCH_SIZE = 20;

/** How often a write is decided anew because the EHR's resource was not as expected. */
const MAX_REREADS = 2;

type Write = EhrWrite<Appointment>;
type Decision = Write | WriteOutcome;

/**
 * Writes appointments: in one batch, or one by one where the EHR takes no batch or refuses this one as a whole.
 * Returns an outcome for each, in order. After a failure that every other request would meet too, nothing more is sent.
 */
export async function writeAppointments(
  ehr: Ehr,
  items: readonly AppointmentToWrite[],
  options: WriteOptions = {},
): Promise<WriteOutcome[]> {
  const requests = appointmentRequests(ehr, options);

  const decisions = new Map<AppointmentToWrite, Decision>();
  for (const item of items) {
    decisions.set(item, decideUnseen(item, ehr.capabilities) ?? (await orOutcome(() => locate(item, requests))));
  }

  const writes = [...decisions.values()].filter(isWrite);
  const batch = options.oneByOne === true || writes.length < 2 ? undefined : await sendBatch(writes, requests);

  const outcomes: WriteOutcome[] = [];
  for (const item of items) {
    const decision = decisions.get(item);
    if (decision === undefined || !isWrite(decision)) {
      outcomes.push(decision ?? { kind: 'parked', reason: 'undecided' });
      continue;
    }
    const answer = batch?.[writes.indexOf(decision)] ?? (await sendAlone(decision, requests));
    outcomes.push(await finish(item, decision, answer, requests));
  }
  return outcomes;
}

/** The requests about appointments. After a failure of the server as a whole the rest fail at once, unsent. */
interface AppointmentRequests {
  readonly capabilities: EhrCapabilities;
  read(id: string): Promise<Stored<Appointment>>;
  find(appointmentId: string): Promise<Stored<Appointment>[]>;
  write(write: Write): Promise<Written<Appointment>>;
  writeBatch(writes: readonly Write[]): Promise<EntryAnswer<Appointment>[]>;
}

function appointmentRequests(ehr: Ehr, { signal, onProgress }: WriteOptions): AppointmentRequests {
  const call = signal === undefined ? {} : { signal };
  let down: EhrFailure | undefined;

  async function attempt<T>(request: () => Promise<T>): Promise<T> {
    if (down !== undefined) throw new EhrError({ ...down, mayHaveHappened: false });
    try {
      return await request();
    } catch (error) {
      if (error instanceof EhrError && error.failure.scope === 'server') down = error.failure;
      throw error;
    } finally {
      onProgress?.();
    }
  }

  return {
    capabilities: ehr.capabilities,
    read: (id) => attempt(() => ehr.read('Appointment', id, call)),
    find: (appointmentId) =>
      attempt(() => ehr.search('Appointment', { identifier: identifierToken(appointmentId) }, call)),
    write: (write) => attempt(() => ehr.write(write, call)),
    writeBatch: (writes) => attempt(() => ehr.writeBatch(writes, call)),
  };
}

/** What can be decided by what we know, without asking. Undefined: the EHR must be asked first. */
function decideUnseen(item: AppointmentToWrite, capabilities: EhrCapabilities): Decision | undefined {
  const { wanted, known, unanswered } = item;
  if (wanted.status === 'noshow' && !capabilities.noShowWritable) {
    return { kind: 'parked', reason: 'noshow_not_writable' };
  }
  if (unanswered.length > 0) return undefined;
  if (known === null) return capabilities.conditionalCreate ? creation(item, capabilities) : undefined;
  const { ehrId, ehrVersion, told, stored } = known;
  if (stored === null) return undefined;
  if (told !== null && saysTheSame(told, wanted)) {
    return { kind: 'unchanged', stored: { ehrId, ehrVersion, resource: stored } };
  }
  // Without the version to name, a change made there since would be overwritten.
  if (ehrVersion === null || !capabilities.ifMatchHonoured) return undefined;
  return change(item, { id: ehrId, version: ehrVersion, resource: stored }, capabilities);
}

/** Asks the EHR what it holds, and decides. */
async function locate(item: AppointmentToWrite, requests: AppointmentRequests): Promise<Decision> {
  if (item.known !== null) {
    try {
      return decideSeen(item, await requests.read(item.known.ehrId), requests.capabilities);
    } catch (error) {
      if (!(error instanceof EhrError) || error.failure.kind !== 'gone') throw error;
      // 410 says that somebody deleted it there; 404 that this server never had it, as after a restore.
      if (error.failure.status === 410) return { kind: 'parked', reason: 'deleted_in_ehr' };
    }
  }
  const matches = await requests.find(item.appointmentId);
  if (matches.length > 1) return { kind: 'parked', reason: 'duplicate_in_ehr' };
  return decideSeen(item, matches[0], requests.capabilities);
}

/** The three-way comparison. */
function decideSeen(
  item: AppointmentToWrite,
  seen: Stored<Appointment> | undefined,
  capabilities: EhrCapabilities,
): Decision {
  if (seen === undefined) return creation(item, capabilities);
  const there = storedAppointment(seen);
  if (there === undefined) return { kind: 'parked', reason: 'unreadable_in_ehr' };
  const { wanted, known, unanswered } = item;
  const isOurWrite = unanswered.some((sent) => saysTheSame(sent, there.resource));

  if (saysTheSame(there.resource, wanted)) {
    const written = known === null ? 'created' : 'updated';
    return settled(item, isOurWrite ? written : 'unchanged', there);
  }
  const isAsItWas = known?.stored != null && saysTheSame(known.stored, there.resource);
  const neverSeenBefore = known === null && unanswered.length === 0;
  if (isAsItWas || isOurWrite || neverSeenBefore) return change(item, seen, capabilities);
  return { kind: 'parked', reason: 'changed_in_ehr' };
}

function creation(item: AppointmentToWrite, { conditionalCreate }: EhrCapabilities): Write {
  const unlessIdentifier = conditionalCreate ? identifierToken(item.appointmentId) : null;
  return { kind: 'create', resource: item.wanted, unlessIdentifier };
}

function change(
  item: AppointmentToWrite,
  { id, version, resource }: Stored<Appointment>,
  { ifMatchHonoured }: EhrCapabilities,
): Write {
  const merged = resource === undefined ? item.wanted : mergeInto(resource, item.wanted);
  return { kind: 'update', id, version: ifMatchHonoured ? version : null, resource: { ...merged, id } };
}

/** The answers of one batch; undefined where each is to be sent alone. A failure of the whole batch is everyone's answer. */
async function sendBatch(
  writes: readonly Write[],
  requests: AppointmentRequests,
): Promise<EntryAnswer<Appointment>[] | undefined> {
  if (!requests.capabilities.batch) return undefined;
  try {
    return await requests.writeBatch(writes);
  } catch (error) {
    const failure = failureOf(error);
    // One bad entry makes some servers refuse the whole; others take no batches at all.
    if (failure.scope === 'entry' && failure.kind !== 'transient') return undefined;
    return writes.map(() => ({ ok: false, failure }));
  }
}

async function sendAlone(write: Write, requests: AppointmentRequests): Promise<EntryAnswer<Appointment>> {
  try {
    return { ok: true, written: await requests.write(write) };
  } catch (error) {
    return { ok: false, failure: failureOf(error) };
  }
}

/** Turns the answer to a write into an outcome, reading again and deciding anew where the EHR's resource was not as expected. */
async function finish(
  item: AppointmentToWrite,
  write: Write,
  answer: EntryAnswer<Appointment>,
  requests: AppointmentRequests,
  rereads = 0,
): Promise<WriteOutcome> {
  const again = async (decide: () => Promise<Decision>): Promise<WriteOutcome> => {
    const decision = await orOutcome(decide);
    if (!isWrite(decision)) return decision;
    return finish(item, decision, await sendAlone(decision, requests), requests, rereads + 1);
  };

  if (answer.ok) {
    const { written } = answer;
    const seen = async () => (written.resource === undefined ? await requests.read(written.id) : written);
    // Something with our identifier was there already, and an answer to a create leaves it as it was.
    if (write.kind === 'create' && !written.created && rereads < MAX_REREADS) {
      return again(async () => decideSeen(item, await seen(), requests.capabilities));
    }
    const outcome = await orOutcome(async () => {
      const there = storedAppointment(await seen());
      if (there === undefined) return { kind: 'parked', reason: 'unreadable_in_ehr' };
      return settled(item, write.kind === 'create' ? 'created' : 'updated', there);
    });
    // The write was answered; only reading it back was not.
    return outcome.kind === 'retry' ? { ...outcome, failure: { ...outcome.failure, mayHaveHappened: true } } : outcome;
  }

  const { failure } = answer;
  const isElsewhere = failure.kind === 'conflict' || (failure.kind === 'gone' && write.kind === 'update');
  if (isElsewhere && rereads < MAX_REREADS) return again(() => locate(item, requests));
  return outcomeOf(failure);
}

/** Success, if the EHR stored what it was told: an answer of 201 alone is no booked visit. */
function settled(
  item: AppointmentToWrite,
  kind: 'created' | 'updated' | 'unchanged',
  stored: StoredAppointment,
): WriteOutcome {
  if (isStoredAsTold(item.wanted, stored.resource)) return { kind, stored };
  const { status } = stored.resource;
  const reason = status === item.wanted.status ? 'stored_at_another_time' : `stored_as_${status}`;
  return { kind: 'parked', reason, stored };
}

const STATUSES: ReadonlySet<string> = new Set<Appointment['status']>([
  'proposed',
  'pending',
  'booked',
  'arrived',
  'fulfilled',
  'cancelled',
  'noshow',
  'entered-in-error',
  'checked-in',
  'waitlist',
]);

/** What came over the wire, if it can be compared: not every server checks what it stores. */
function storedAppointment({ id, version, resource }: Stored<Appointment>): StoredAppointment | undefined {
  const received = resource as Partial<Appointment> | undefined;
  if (received?.status === undefined || !STATUSES.has(received.status) || !Array.isArray(received.participant))
    return undefined;
  return { ehrId: id, ehrVersion: version, resource: received as Appointment };
}

async function orOutcome<D extends Decision>(work: () => Promise<D>): Promise<D | WriteOutcome> {
  try {
    return await work();
  } catch (error) {
    return outcomeOf(failureOf(error));
  }
}

/** Whoever still conflicts after reading again is tried later; a refusal that concerns this one alone is parked. */
function outcomeOf(failure: EhrFailure): WriteOutcome {
  if (failure.kind === 'transient' || failure.kind === 'conflict' || failure.scope === 'server')
    return { kind: 'retry', failure };
  return { kind: 'parked', reason: failure.reason };
}

/** Anything but an {@link EhrError} is a mistake of ours or the end of the caller, and goes up. */
function failureOf(error: unknown): EhrFailure {
  if (error instanceof EhrError) return error.failure;
  throw error;
}

function isWrite(decision: Decision): decision is Write {
  return decision.kind === 'create' || decision.kind === 'update';
}
