import { proxyActivities, sleep } from '@temporalio/workflow';

const { remind } = proxyActivities<{ remind: (dueAt: number) => Promise<void> }>({ startToCloseTimeout: '1 minute' });

/** The least that a reminder can be: one timer, one activity. */
export async function bareReminder(dueAt: number): Promise<void> {
  await sleep(dueAt - Date.now());
  await remind(dueAt);
}
