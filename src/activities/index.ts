import { createAppointmentActivities, type AppointmentActivityDeps } from './appointment/index.ts';
import { createEhrActivities, type EhrActivityDeps } from './ehr.ts';
import { createReplayActivities, type ReplayActivityDeps } from './replay.ts';
import { createSickDayActivities, type SickDayActivityDeps } from './sick-day.ts';
import { createWaitlistActivities, type WaitlistActivityDeps } from './waitlist.ts';

export type ActivityDeps = AppointmentActivityDeps &
  WaitlistActivityDeps &
  ReplayActivityDeps &
  SickDayActivityDeps &
  EhrActivityDeps;

/** Everything the workflows can have done. Activities read the row; they are passed ids, versions and instants. */
export function createActivities(deps: ActivityDeps) {
  return {
    ...createAppointmentActivities(deps),
    ...createWaitlistActivities(deps),
    ...createReplayActivities(deps),
    ...createSickDayActivities(deps),
    ...createEhrActivities(deps),
  };
}

export type Activities = ReturnType<typeof createActivities>;
