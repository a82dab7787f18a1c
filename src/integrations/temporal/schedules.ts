import { isDeepStrictEqual } from 'node:util';
import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type Client,
  type ScheduleDescription,
  type ScheduleOptions,
} from '@temporalio/client';
import type { ScheduleDeclaration } from '../../workflows/schedules.ts';

/**
 * Brings the schedules to what is declared. What is as declared is left alone, and an operator's pause is kept. Returns the ids that were made or changed.
 */
export async function ensureSchedules(client: Client, declarations: readonly ScheduleDeclaration[]): Promise<string[]> {
  const changed: string[] = [];
  for (const declaration of declarations)
    if (await ensureSchedule(client, declaration)) changed.push(declaration.scheduleId);
  return changed;
}

async function ensureSchedule(client: Client, declaration: ScheduleDeclaration): Promise<boolean> {
  const wanted = optionsOf(declaration);
  const handle = client.schedule.getHandle(declaration.scheduleId);
  const present = await handle.describe().catch((error: unknown) => {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  });
  if (present === undefined) {
    try {
      await client.schedule.create(wanted);
      return true;
    } catch (error) {
      if (error instanceof ScheduleAlreadyRunning) return false;
      throw error;
    }
  }
  if (isAsDeclared(present, declaration)) return false;
  const { spec, policies, action } = wanted;
  await handle.update(({ state }) => ({ spec, policies, action, state }));
  return true;
}

function optionsOf(declaration: ScheduleDeclaration) {
  return {
    scheduleId: declaration.scheduleId,
    spec: { calendars: [{ ...declaration.daily, comment: declaration.summary }], timezone: 'UTC' },
    policies: { overlap: 'SKIP', catchupWindow: declaration.catchupWindowMs },
    action: {
      type: 'startWorkflow',
      workflowType: declaration.workflowType,
      workflowId: declaration.workflowId,
      taskQueue: declaration.taskQueue,
      args: [...declaration.args],
      staticSummary: declaration.summary,
    },
  } satisfies ScheduleOptions;
}

/** The server keeps its own form of the times, so the parts that are declared are compared one by one. */
function isAsDeclared(present: ScheduleDescription, declaration: ScheduleDeclaration): boolean {
  const { spec, policies, action } = present;
  const [calendar, ...otherCalendars] = spec.calendars ?? [];
  return isDeepStrictEqual(
    {
      daily: { hour: calendar?.hour[0]?.start, minute: calendar?.minute[0]?.start },
      timesADay: [calendar?.hour.length, calendar?.minute.length, otherCalendars.length],
      zone: spec.timezone,
      overlap: policies.overlap,
      catchupWindowMs: policies.catchupWindow,
      workflow: [action.workflowType, action.workflowId, action.taskQueue],
      args: action.args,
    },
    {
      daily: { ...declaration.daily },
      timesADay: [1, 1, 0],
      zone: 'UTC',
      overlap: 'SKIP',
      catchupWindowMs: declaration.catchupWindowMs,
      workflow: [declaration.workflowType, declaration.workflowId, declaration.taskQueue],
      args: [...declaration.args],
    },
  );
}
