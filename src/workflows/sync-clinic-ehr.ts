import {
  ActivityFailure,
  allHandlersFinished,
  ApplicationFailure,
  CancellationScope,
  condition,
  continueAsNew,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { createEhrActivities, StartSyncRunInput, SyncPageInput } from '../activities/ehr.ts';
import type { SyncCounts } from '../db/ehr.ts';
import { requested, type SyncClinicEhrInput } from './messages.ts';
import { searchAttributes } from './search-attributes.ts';

type EhrActivities = ReturnType<typeof createEhrActivities>;

const { startSyncRun, finishSyncRun } = proxyActivities<EhrActivities>({
  startToCloseTimeout: '20 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

// An EHR may be away for hours: the page waits for it, and gives up only when the next night is near enough.
const { syncAppointmentsPage } = proxyActivities<EhrActivities>({
  startToCloseTimeout: '15 minutes',
  scheduleToCloseTimeout: '6 hours',
  heartbeatTimeout: '1 minute',
  retry: { initialInterval: '2 seconds', backoffCoefficient: 2, maximumInterval: '5 minutes' },
});

/** After so many pages a run goes on in a fresh history. */
const PAGES_PER_RUN = 50;

interface RunProgress {
  readonly runId: string;
  readonly after: string | null;
}

/**
 * One clinic's EHR is told what is ahead of it, page by page. It takes up what an earlier run left open, and what was asked for while it was at work.
 * The run that meets an EHR that stays away or refuses us fails, and says why; the next one goes on where it was.
 */
export async function syncClinicEhr(input: SyncClinicEhrInput, resumed?: RunProgress): Promise<SyncCounts | null> {
  const { clinicId, trigger } = input;
  const asked = { again: false };
  setHandler(requested, () => {
    asked.again = true;
  });
  upsertSearchAttributes([{ key: searchAttributes.clinicId, value: clinicId }]);

  const begin = async (which: Pick<StartSyncRunInput, 'runId' | 'onlyOpen'>): Promise<RunProgress | null> => {
    const run = await startSyncRun.executeWithOptions({ summary: 'find or begin the run' }, [
      { clinicId, trigger, ...which },
    ]);
    return run === null ? null : { runId: run.runId, after: null };
  };

  let counts: SyncCounts | null = null;
  let run = resumed ?? (await begin(input.runId === undefined ? {} : { runId: input.runId }));
  for (;;) {
    if (run !== null) counts = await tellPages(input, run);
    // Before asking, so that a request made while it is asked is not missed.
    asked.again = false;
    run = await begin({ onlyOpen: true });
    if (run === null && !isSet(asked)) return counts;
  }
}

/** Tells page after page and ends the run. @throws ApplicationFailure when it failed, so that an operator sees it among the failed workflows */
async function tellPages(input: SyncClinicEhrInput, { runId, after }: RunProgress): Promise<SyncCounts> {
  const { clinicId } = input;
  const show = (state: string, counts?: SyncCounts) => setCurrentDetails(describeRun(runId, state, counts));
  show('RUNNING');
  const page: { after: string | null } = { after };
  try {
    for (let pages = 1; ; pages += 1) {
      const result = await syncAppointmentsPage.executeWithOptions({ summary: 'tell the next appointments' }, [
        { clinicId, runId, after: page.after } satisfies SyncPageInput,
      ]);
      show('RUNNING', result.counts);
      page.after = result.after;
      if (result.after === null) break;
      if (pages >= PAGES_PER_RUN || workflowInfo().continueAsNewSuggested) {
        await condition(allHandlersFinished);
        await continueAsNew<typeof syncClinicEhr>(input, { runId, after: result.after });
      }
    }
  } catch (error) {
    if (!(error instanceof ActivityFailure) && !isCancellation(error)) throw error;
    const failure = reasonOf(error);
    const counts = await CancellationScope.nonCancellable(() =>
      finishSyncRun.executeWithOptions({ summary: 'record the failure' }, [{ clinicId, runId, failure }]),
    );
    show(`FAILED: ${failure}`, counts);
    if (isCancellation(error)) throw error;
    throw ApplicationFailure.create({ type: failure.split(' ')[0] ?? failure, message: failure, nonRetryable: true });
  }
  const counts = await finishSyncRun.executeWithOptions({ summary: 'end the run' }, [{ clinicId, runId }]);
  show('FINISHED', counts);
  return counts;
}

/** The code, and the reason an activity gave with it. */
function reasonOf(error: unknown): string {
  if (isCancellation(error)) return 'cancelled';
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (!(cause instanceof ApplicationFailure)) continue;
    const [detail] = (cause.details ?? []) as readonly ({ readonly reason?: unknown } | undefined)[];
    return [cause.type ?? 'internal_error', detail?.reason].filter((part) => typeof part === 'string').join(' ');
  }
  // The last attempt was cut off without a word, or time ran out before the first.
  return 'ehr_unavailable';
}

function describeRun(runId: string, state: string, counts?: SyncCounts): string {
  const told =
    counts === undefined
      ? ''
      : ` · created ${counts.created} · updated ${counts.updated} · unchanged ${counts.unchanged} · parked ${counts.parked}`;
  return `**${state}** · run \`${runId}\`${told}`;
}

/** Read through a function: between two awaits a handler may have set it. */
function isSet(asked: { readonly again: boolean }): boolean {
  return asked.again;
}
