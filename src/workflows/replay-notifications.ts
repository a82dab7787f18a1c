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
import type { ReplayStatus } from '../activities/replay.ts';
import { overdue, paused, resumed, stopped, type ReplayNotificationsInput } from './messages.ts';
import { searchAttributes } from './search-attributes.ts';

const { replayPage } = proxyActivities<Pick<Activities, 'replayPage'>>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** How many messages are queued between two looks at the replay's row. */
const PAGE_SIZE = 25;

/**
 * Sends failed notifications again, page by page. PostgreSQL knows how far it is and whether it is paused or stopped; every signal means *read the row
 * again*.
 */
export async function replayNotifications(input: ReplayNotificationsInput): Promise<ReplayStatus> {
  let changes = 0;
  for (const signal of [paused, resumed, stopped, overdue]) {
    setHandler(signal, () => {
      changes += 1;
    });
  }
  upsertSearchAttributes([{ key: searchAttributes.clinicId, value: input.clinicId }]);

  for (;;) {
    const seen = changes;
    const status = await replayPage.executeWithOptions({ summary: `queue up to ${PAGE_SIZE} again` }, [
      { ...input, limit: PAGE_SIZE },
    ]);
    setCurrentDetails(describe(status));
    if (status.state === 'FINISHED' || status.state === 'STOPPED') {
      await condition(allHandlersFinished);
      return status;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof replayNotifications>(input);
    }
    if (status.state === 'PAUSED') await condition(() => changes !== seen);
  }
}

function describe({ state, pending, queued, notDue, notFailed }: ReplayStatus): string {
  return `**${state}** · queued again ${queued} · no longer due ${notDue} · had not failed ${notFailed} · left ${pending}`;
}
