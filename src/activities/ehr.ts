import { Context } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Appointment } from 'fhir/r4.js';
import { inContext, type Connection } from '../db/connection.ts';
import {
  appointmentsAhead,
  createClinicWriters,
  ehrConnection,
  failOpenRuns,
  finishRun,
  insertSyncRun,
  noteTrouble,
  openSyncRun,
  recountRun,
  saveItems,
  saveLinks,
  syncRunState,
  type AppointmentAhead,
  type EhrLinkChange,
  type EhrSyncItem,
  type SyncCounts,
} from '../db/ehr.ts';
import { clinicsWithEhr } from '../db/look-ups.ts';
import { appointmentResource, saysTheSame, type AppointmentFacts } from '../integrations/fhir/appointment-resource.ts';
import { ehrCapabilities, type EhrCapabilities } from '../integrations/fhir/capabilities.ts';
import type { Ehr } from '../integrations/fhir/client.ts';
import type { EhrFailure } from '../integrations/fhir/failure.ts';
import {
  BATCH_SIZE,
  writeAppointments,
  type AppointmentToWrite,
  type WriteOutcome,
} from '../integrations/fhir/write-appointments.ts';
import { activityNow } from './now.ts';

export interface StartSyncRunInput {
  readonly clinicId: string;
  readonly trigger: 'nightly' | 'on_demand';
  /** A run that was asked for: its row exists. */
  readonly runId?: string;
  /** Take up an open run, but begin no new one. */
  readonly onlyOpen?: boolean;
}

export interface SyncRunRef {
  readonly clinicId: string;
  readonly runId: string;
}

export interface SyncPageInput extends SyncRunRef {
  /** The last appointment of the page before; null for the first page. */
  readonly after: string | null;
}

export interface SyncPageResult {
  /** Null: there is nothing further. */
  readonly after: string | null;
  /** Of the whole run so far. */
  readonly counts: SyncCounts;
}

export interface FinishSyncRunInput extends SyncRunRef {
  /** Why it failed; left out when it reached its end. */
  readonly failure?: string;
}

export interface EhrActivityDeps {
  readonly connection: Connection;
  readonly clock: () => number;
  readonly newId: () => string;
  /** The EHR of a clinic. */
  readonly ehrOf: (connection: {
    readonly clinicId: string;
    readonly baseUrl: string;
    readonly capabilities: EhrCapabilities;
  }) => Ehr;
}

/** What these activities ask of Temporal. */
export interface EhrActivityContext {
  readonly attempt: number;
  readonly now: Date;
  /** What the attempt before was at when it was last heard of. */
  readonly heartbeatDetails: unknown;
  readonly cancellationSignal: AbortSignal;
  heartbeat(details: PageCursor): void;
}

/** How far a page is, for the attempt that takes it up. */
interface PageCursor {
  /** Everything up to and with this appointment is settled. */
  readonly after: string | null;
  /** How often the EHR failed at an appointment of its own: that it was away for all of them counts against none. */
  readonly failures?: Readonly<Record<string, number>>;
}

/** A page is one activity: small enough to be over in seconds, large enough that a run of thousands is a short history. */
const PAGE_SIZE = 100;
/** A batch that has failed so often as a whole is sent entry by entry: one of them may be what the server chokes on. */
const ATTEMPTS_AS_BATCH = 2;
/** What alone keeps failing for so long is parked, so that the rest of the clinic goes on. */
const FAILURES_BEFORE_PARKING = 5;
const MIN_RETRY_DELAY_MS = 1_000;

export function createEhrActivities(
  deps: EhrActivityDeps,
  contextNow: () => EhrActivityContext = () => temporalContext(deps.clock),
) {
  const { connection, newId, ehrOf } = deps;
  const writers = createClinicWriters(connection);

  return {
    /** The clinics that have an EHR to tell. */
    listClinicsWithEhr(): Promise<string[]> {
      return clinicsWithEhr(connection.db);
    },

    /**
     * The run to work on: the one that was asked for, else one that is open, else a new one. Null: there is nothing to do. Harmless to repeat,
     * because what an earlier try began is open.
     *
     * @throws AppError `not_found` for a run that nobody wrote down
     */
    startSyncRun(input: StartSyncRunInput): Promise<SyncRunRef | null> {
      const { clinicId, trigger } = input;
      return inContext(connection.db, { clinicId }, async (tx) => {
        if (input.runId !== undefined) {
          // An earlier workflow of the clinic may have taken it up and ended it.
          return (await syncRunState(tx, input.runId)) === 'RUNNING' ? { clinicId, runId: input.runId } : null;
        }
        const open = await openSyncRun(tx);
        if (open !== undefined) return { clinicId, runId: open };
        if (input.onlyOpen === true) return null;
        const runId = newId();
        await insertSyncRun(tx, { runId, clinicId, trigger, startedAt: contextNow().now });
        return { clinicId, runId };
      });
    },

    /**
     * Tells the EHR of the next appointments that are ahead of it. An attempt that is cut off is taken up where it was: what was answered is recorded
     * batch by batch, and what was sent without an answer is looked for by our identifier before it is sent again.
     *
     * @throws ApplicationFailure `ehr_unavailable` to be tried again, after the time the EHR asked for; `ehr_refused` when a person must change the
     * configuration first
     * @throws AppError `ehr_not_configured`, `temporarily_unavailable` while another one writes to this EHR
     */
    async syncAppointmentsPage(input: SyncPageInput): Promise<SyncPageResult> {
      const { clinicId, runId } = input;
      const context = contextNow();
      const resumed = cursorOf(context.heartbeatDetails);
      let after = resumed.after ?? input.after;
      const failures: Record<string, number> = { ...resumed.failures };
      return writers.alone(clinicId, async (lost) => {
        const signal = AbortSignal.any([context.cancellationSignal, lost]);
        const { row, page } = await inContext(connection.db, { clinicId }, async (tx) => ({
          row: await ehrConnection(tx),
          page: await appointmentsAhead(tx, { clinicId, runId, after, limit: PAGE_SIZE }),
        }));
        const capabilities = ehrCapabilities(row.capabilities);
        const ehr = ehrOf({ clinicId, baseUrl: row.base_url, capabilities });

        for (const chunk of chunksOf(page, BATCH_SIZE)) {
          const items = chunk.map((ahead) => ({ ahead, write: toWrite(ahead, capabilities) }));
          // Before the first byte is sent, so that whoever comes after a crash knows what to look for.
          await inContext(connection.db, { clinicId }, (tx) =>
            saveLinks(
              tx,
              clinicId,
              items.map(({ ahead, write }) => sending(ahead, write.wanted)),
            ),
          );
          const outcomes = await writeAppointments(
            ehr,
            items.map(({ write }) => write),
            {
              signal,
              oneByOne: context.attempt > ATTEMPTS_AS_BATCH,
              onProgress: () => context.heartbeat({ after, failures }),
            },
          );
          const settled = items.map(({ ahead, write }, index) => {
            const outcome = outcomes[index];
            const { appointmentId } = write;
            if (outcome?.kind === 'retry' && outcome.failure.scope === 'entry')
              failures[appointmentId] = (failures[appointmentId] ?? 0) + 1;
            return settle(ahead, write.wanted, outcome, failures[appointmentId] ?? 0, context.now);
          });
          context.heartbeat({ after, failures });
          await inContext(connection.db, { clinicId }, async (tx) => {
            await saveLinks(
              tx,
              clinicId,
              settled.map(({ link }) => link),
            );
            await saveItems(
              tx,
              { clinicId, runId },
              settled.flatMap(({ item }) => item ?? []),
              context.now,
            );
          });
          const failure = worstOf(settled.flatMap(({ unsettled }) => unsettled ?? []));
          if (failure !== undefined) {
            await inContext(connection.db, { clinicId }, (tx) => noteTrouble(tx, runId, failure.reason));
            throw pageFailure(failure);
          }
          after = chunk.at(-1)?.appointment.appointment_id ?? after;
          context.heartbeat({ after, failures });
        }

        const counts = await inContext(connection.db, { clinicId }, (tx) => recountRun(tx, runId));
        return { after: page.length < PAGE_SIZE ? null : after, counts };
      });
    },

    /** Ends the run; a failure ends every open run of the clinic with it. Harmless to repeat. */
    finishSyncRun(input: FinishSyncRunInput): Promise<SyncCounts> {
      const { now } = contextNow();
      return inContext(connection.db, { clinicId: input.clinicId }, async (tx) => {
        const counts = await recountRun(tx, input.runId);
        await (input.failure === undefined ? finishRun(tx, input.runId, now) : failOpenRuns(tx, input.failure, now));
        return counts;
      });
    },
  };
}

function temporalContext(clock: () => number): EhrActivityContext {
  const { info, cancellationSignal, heartbeat } = Context.current();
  return {
    attempt: info.attempt,
    now: activityNow(clock),
    heartbeatDetails: info.heartbeatDetails,
    cancellationSignal,
    heartbeat,
  };
}

function cursorOf(details: unknown): PageCursor {
  const { after, failures } = (details ?? {}) as Partial<PageCursor>;
  return { after: after ?? null, failures: failures ?? {} };
}

function toWrite(ahead: AppointmentAhead, capabilities: EhrCapabilities): AppointmentToWrite {
  const { appointment, ehrId, ehrVersion, snapshot } = ahead;
  return {
    appointmentId: appointment.appointment_id,
    wanted: appointmentResource(factsOf(appointment), capabilities.checkedInAs),
    known: ehrId === null ? null : { ehrId, ehrVersion, told: snapshot.told, stored: snapshot.stored },
    unanswered: snapshot.unanswered,
  };
}

function factsOf(row: AppointmentAhead['appointment']): AppointmentFacts {
  return {
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    providerId: row.provider_id,
    clinicId: row.clinic_id,
    appointmentTime: row.appointment_time,
    durationMinutes: row.duration_minutes,
    status: row.status,
    checkedInAt: row.checked_in_at,
    cancelledBy: row.cancelled_by,
    cancelReason: row.cancel_reason,
    createdAt: row.created_at,
    version: row.version,
  };
}

/** The link while the request is under way: if nobody comes back to it, its state is the truth. */
function sending(ahead: AppointmentAhead, wanted: Appointment): EhrLinkChange {
  const { told, stored, unanswered } = ahead.snapshot;
  const sent = unanswered.some((one) => saysTheSame(one, wanted)) ? unanswered : [...unanswered, wanted];
  return { ...linkOf(ahead), state: 'UNKNOWN', reason: null, snapshot: { told, stored, unanswered: sent } };
}

function linkOf(ahead: AppointmentAhead): Omit<EhrLinkChange, 'state' | 'reason'> {
  const { appointment, ehrId, ehrVersion, syncedVersion, snapshot } = ahead;
  return { appointmentId: appointment.appointment_id, ehrId, ehrVersion, syncedVersion, snapshot };
}

interface Settled {
  readonly link: EhrLinkChange;
  readonly item?: EhrSyncItem;
  readonly unsettled?: EhrFailure;
}

const ITEM_OUTCOMES = { created: 'CREATED', updated: 'UPDATED', unchanged: 'UNCHANGED' } as const;

/** What to record of an outcome. */
function settle(
  ahead: AppointmentAhead,
  wanted: Appointment,
  outcome: WriteOutcome | undefined,
  failures: number,
  now: Date,
): Settled {
  const link = linkOf(ahead);
  const { appointment_id: appointmentId, version: appointmentVersion } = ahead.appointment;
  const item = { appointmentId, appointmentVersion };
  switch (outcome?.kind) {
    case 'created':
    case 'updated':
    case 'unchanged': {
      const { ehrId, ehrVersion, resource } = outcome.stored;
      return {
        link: {
          ...link,
          state: 'IN_EHR',
          reason: null,
          ehrId,
          ehrVersion,
          syncedVersion: appointmentVersion,
          snapshot: { told: wanted, stored: resource, unanswered: [] },
          syncedAt: now,
          answeredVersion: appointmentVersion,
        },
        item: { ...item, outcome: ITEM_OUTCOMES[outcome.kind], reason: null, ehrId },
      };
    }
    case 'parked': {
      const { reason, stored } = outcome;
      const { told, stored: before } = ahead.snapshot;
      const there =
        stored === undefined
          ? { ehrId: link.ehrId, ehrVersion: link.ehrVersion, snapshot: { told, stored: before, unanswered: [] } }
          : {
              ehrId: stored.ehrId,
              ehrVersion: stored.ehrVersion,
              snapshot: { told: null, stored: stored.resource, unanswered: [] },
            };
      return {
        link: { ...link, ...there, state: 'REFUSED', reason, answeredVersion: appointmentVersion },
        item: { ...item, outcome: 'PARKED', reason, ehrId: there.ehrId },
      };
    }
    default: {
      const failure = outcome?.failure;
      const reason = failure?.reason ?? 'internal_error';
      const wasSent = failure?.mayHaveHappened === true || ahead.snapshot.unanswered.length > 0;
      const unsettled: EhrLinkChange = wasSent
        ? { ...sending(ahead, wanted), reason }
        : { ...link, state: 'PENDING', reason };
      const isStubborn = failure?.scope === 'entry' && failures >= FAILURES_BEFORE_PARKING;
      if (failure === undefined || isStubborn) {
        return {
          link: unsettled,
          item: { ...item, outcome: 'PARKED', reason: `gave_up ${reason}`, ehrId: link.ehrId },
        };
      }
      return { link: unsettled, unsettled: failure };
    }
  }
}

/** One failure for the page: what no retry can help comes first, then the longest wait. */
function worstOf(failures: readonly EhrFailure[]): EhrFailure | undefined {
  return (
    failures.find((failure) => failure.kind === 'permanent') ??
    failures.toSorted((a, b) => (b.retryAfterMs ?? -1) - (a.retryAfterMs ?? -1))[0]
  );
}

function pageFailure(failure: EhrFailure): ApplicationFailure {
  const code = failure.kind === 'permanent' ? 'ehr_refused' : 'ehr_unavailable';
  return ApplicationFailure.create({
    type: code,
    message: code,
    details: [{ reason: failure.reason }],
    nonRetryable: failure.kind === 'permanent',
    ...(failure.retryAfterMs === undefined
      ? {}
      : { nextRetryDelay: Math.max(failure.retryAfterMs, MIN_RETRY_DELAY_MS) }),
  });
}

function chunksOf<T>(values: readonly T[], size: number): T[][] {
  const chunks: T[][] = [];
  for (let from = 0; from < values.length; from += size) chunks.push(values.slice(from, from + size));
  return chunks;
}
