import type { Connection } from '../db/connection.ts';
import type { ProviderSchedules } from '../scheduling/provider-schedules.ts';
import { seriesReads } from './appointment-series/queries.ts';
import { appointmentReads } from './appointments/queries.ts';
import { availabilityReads } from './availability/queries.ts';
import { bind, type Bound } from './bind.ts';
import { taskReads } from './tasks/queries.ts';
import { clinicReads } from './clinics/queries.ts';
import { dayEndReads } from './day-end-list/queries.ts';
import { closureReads } from './closures/queries.ts';
import { syncReads } from './ehr-syncs/queries.ts';
import { holdReads } from './holds/queries.ts';
import { offerReads } from './offers/queries.ts';
import { replayReads } from './notification-replays/queries.ts';
import { notificationReads } from './notifications/queries.ts';
import { patientReads } from './patients/queries.ts';
import { providerReads } from './providers/queries.ts';
import { createMemory, type ReadDeps } from './read.ts';
import { previewReads } from './schedule-previews/queries.ts';
import { scheduleReads } from './schedules/queries.ts';
import { sickDayReads } from './sick-days/queries.ts';
import { waitlistReads } from './waitlist-entries/queries.ts';

/** What each resource reads, beside its queries. */
const READS = {
  ...appointmentReads,
  ...seriesReads,
  ...availabilityReads,
  ...taskReads,
  ...clinicReads,
  ...closureReads,
  ...dayEndReads,
  ...syncReads,
  ...holdReads,
  ...offerReads,
  ...replayReads,
  ...notificationReads,
  ...patientReads,
  ...providerReads,
  ...previewReads,
  ...scheduleReads,
  ...sickDayReads,
  ...waitlistReads,
};

/** Everything the API reads. */
export type Reads = Bound<ReadDeps, typeof READS>;

/** The reads over one connection. */
export function createReads(connection: Connection, schedules: ProviderSchedules): Reads {
  return bind<ReadDeps, typeof READS>({ connection, schedules, clinics: createMemory() }, READS);
}
