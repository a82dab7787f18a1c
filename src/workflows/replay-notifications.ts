import {
  allHandlersFinished,
  condition,
  continueAsNew,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { ReplayProgress } from '../notifications/replay.ts';
import { overdue, paused, resumed, stopped, type ReplayNotificationsInput } from './messages.ts';
import { searchAttributes } from './search-attributes.ts';

const { replayPage, finishReplay } = proxyActivities<Pick<Activities, 'replayPage' | 'finishReplay'>>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** How many messages are queued between two looks at pause and stop. */
const PAGE_SIZE = 25;

/** Sends failed notifications again, page by page. An operator may pause, resume and stop it by signal; progress is in the current details. */
export async function replayNotifications(input: ReplayNotificationsInput): Promise<ReplayProgress> {
  const state = { paused: input.paused ?? false, stopped: false };
  const isPaused = (): boolean => state.paused && !state.stopped;
  const isStopped = (): boolean => state.stopped;
  setHandler(paused, () => {
    state.paused = true;
  });
  setHandler(resumed, () => {
    state.paused = false;
  });
  setHandler(stopped, () => {
    state.stopped = true;
  });
  setHandler(overdue, () => undefined);
  upsertSearchAttributes([{ key: searchAttributes.clinicId, value: input.clinicId }]);

  for (;;) {
    if (isPaused()) {
      setCurrentDetails('**PAUSED** · signal `resumed` or `stopped`');
      await condition(() => !isPaused());
    }
    if (isStopped()) break;

    const progress = await replayPage.executeWithOptions({ summary: `queue up to ${PAGE_SIZE} again` }, [
      { ...input, limit: PAGE_SIZE },
    ]);
    setCurrentDetails(describe('RUNNING', progress));
    if (progress.pending === 0) break;
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof replayNotifications>({ ...input, paused: isPaused() });
    }
  }

  const end = await finishReplay.executeWithOptions({ summary: 'close the replay' }, [input]);
  setCurrentDetails(describe(isStopped() ? 'STOPPED' : 'FINISHED', end));
  return end;
}

function describe(state: string, progress: ReplayProgress): string {
  const { pending, queued, notDue, notFailed } = progress;
  return `**${state}** · queued again ${queued} · no longer due ${notDue} · had not failed ${notFailed} · left ${pending}`;
}
