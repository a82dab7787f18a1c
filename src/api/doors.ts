import type { SchedulingDeps } from '../scheduling/act.ts';
import { appointmentDoors } from './appointments/routes.ts';
import { seriesDoors } from './appointment-series/routes.ts';
import { taskDoors } from './tasks/routes.ts';
import { clinicDoors } from './clinics/routes.ts';
import { closureDoors } from './closures/routes.ts';
import { syncDoors } from './ehr-syncs/routes.ts';
import { holdDoors } from './holds/routes.ts';
import { offerDoors } from './offers/routes.ts';
import { replayDoors } from './notification-replays/routes.ts';
import { patientDoors } from './patients/routes.ts';
import { providerDoors } from './providers/routes.ts';
import { registrationDoors } from './registrations/routes.ts';
import { scheduleDoors } from './schedules/routes.ts';
import { sickDayDoors } from './sick-days/routes.ts';
import { waitlistDoors } from './waitlist-entries/routes.ts';
import { bind, type Bound } from './bind.ts';

/** Every change the API can make: doors of `src/scheduling` and nothing else, named beside the routes that use them. */
const DOORS = {
  ...appointmentDoors,
  ...seriesDoors,
  ...taskDoors,
  ...clinicDoors,
  ...closureDoors,
  ...syncDoors,
  ...holdDoors,
  ...offerDoors,
  ...replayDoors,
  ...patientDoors,
  ...providerDoors,
  ...registrationDoors,
  ...scheduleDoors,
  ...sickDayDoors,
  ...waitlistDoors,
};

/** Doors that know their database. */
export type BoundDoors<Parts> = Bound<SchedulingDeps, Parts>;
export type Doors = BoundDoors<typeof DOORS>;

/** The doors over one connection. */
export function createDoors(deps: SchedulingDeps): Doors {
  return bind<SchedulingDeps, typeof DOORS>(deps, DOORS);
}
