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
import type { SickDayStatus } from '../activities/sick-day.ts';
import {
  answered,
  notificationSettled,
  overdue,
  paused,
  resumed,
  stopped,
  visitChanged,
  type SickDayInput,
} from './messages.ts';
import { searchAttributes } from './search-attributes.ts';

const { proceedWithSickDay } = proxyActivities<Pick<Activities, 'proceedWithSickDay'>>({
  startToCloseTimeout: '5 minutes',
  heartbeatTimeout: '30 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '10 seconds' },
});

/** How many visits are seen to between two looks at pause and stop. */
const PAGE_SIZE = 10;

/**
 * A provider is suddenly away, and every visit that this hits is seen to: page by page now, then whenever an offer is answered or runs out, its visit
 * is changed by hand, or its message fails. PostgreSQL knows how far it is and whether it is paused or stopped; every signal means *read the row again*.
 */
export async function sickDay(input: SickDayInput): Promise<SickDayStatus> {
  let changes = 0;
  for (const signal of [answered, visitChanged, notificationSettled, paused, resumed, stopped, overdue]) {
    setHandler(signal, () => {
      changes += 1;
    });
  }
  upsertSearchAttributes([{ key: searchAttributes.clinicId, value: input.clinicId }]);

  for (;;) {
    const seen = changes;
    const status = await proceedWithSickDay.executeWithOptions({ summary: `see to up to ${PAGE_SIZE} visits` }, [
      { ...input, limit: PAGE_SIZE },
    ]);
    setCurrentDetails(describe(status));
    if (status.state === 'FINISHED' || status.state === 'STOPPED') {
      await condition(allHandlersFinished);
      return status;
    }
    if (workflowInfo().continueAsNewSuggested) {
      await condition(allHandlersFinished);
      await continueAsNew<typeof sickDay>(input);
    }
    if (status.state === 'RUNNING' && status.due > 0) continue;
    const hasChanged = () => changes !== seen;
    if (status.state === 'PAUSED' || status.nextDeadline === undefined) {
      await condition(hasChanged);
    } else {
      await condition(hasChanged, Math.max(1, Date.parse(status.nextDeadline) - Date.now()), {
        summary: `until the next offer runs out, ${status.nextDeadline}`,
      });
    }
  }
}

function describe({ state, counts, nextDeadline }: SickDayStatus): string {
  const { PENDING, OFFERED, MOVED, WAITLISTED, CALL, GONE, STOPPED } = counts;
  const numbers = [
    `waiting ${PENDING}`,
    `offered ${OFFERED}`,
    `moved ${MOVED}`,
    `waitlist ${WAITLISTED}`,
    `to be called ${CALL}`,
    `seen to by others ${GONE}`,
    ...(STOPPED === 0 ? [] : [`not dealt with ${STOPPED}`]),
    ...(nextDeadline === undefined ? [] : [`next offer runs out ${nextDeadline}`]),
  ];
  return `**${state}** · ${numbers.join(' · ')}`;
}
