import type { Migration } from 'kysely';
import * as rolesAndContext from './0001-roles-and-context.ts';
import * as clinicsAndSchedules from './0002-clinics-and-schedules.ts';
import * as patients from './0003-patients.ts';
import * as appointments from './0004-appointments.ts';
import * as notifications from './0005-notifications.ts';
import * as outboxAuditIdempotency from './0006-outbox-audit-idempotency.ts';
import * as ehr from './0007-ehr.ts';
import * as rowLevelSecurity from './0008-row-level-security.ts';
import * as lookUps from './0009-look-ups.ts';
import * as bookAppointment from './0010-book-appointment.ts';
import * as bookingRules from './0011-booking-rules.ts';
import * as holds from './0012-holds.ts';
import * as series from './0013-series.ts';
import * as yearlyClosures from './0014-yearly-closures.ts';
import * as scheduleChanges from './0015-schedule-changes.ts';
import * as registry from './0016-registry.ts';
import * as sickDays from './0017-sick-days.ts';
import * as prune from './0018-prune.ts';
import * as specialties from './0019-specialties.ts';
import * as lists from './0020-lists.ts';
import * as holdsJudgedAt from './0021-holds-judged-at.ts';
import * as toldVisits from './0023-told-visits.ts';
import * as outboxOrder from './0024-outbox-order.ts';
import * as replaysByRow from './0025-replays-by-row.ts';

/** Every migration in order: `up` only, never edited once released, expanding before they contract. */
export const migrations: Readonly<Record<string, Migration>> = {
  '0001-roles-and-context': rolesAndContext,
  '0002-clinics-and-schedules': clinicsAndSchedules,
  '0003-patients': patients,
  '0004-appointments': appointments,
  '0005-notifications': notifications,
  '0006-outbox-audit-idempotency': outboxAuditIdempotency,
  '0007-ehr': ehr,
  '0008-row-level-security': rowLevelSecurity,
  '0009-look-ups': lookUps,
  '0010-book-appointment': bookAppointment,
  '0011-booking-rules': bookingRules,
  '0012-holds': holds,
  '0013-series': series,
  '0014-yearly-closures': yearlyClosures,
  '0015-schedule-changes': scheduleChanges,
  '0016-registry': registry,
  '0017-sick-days': sickDays,
  '0018-prune': prune,
  '0019-specialties': specialties,
  '0020-lists': lists,
  '0021-holds-judged-at': holdsJudgedAt,
  '0023-told-visits': toldVisits,
  '0024-outbox-order': outboxOrder,
  '0025-replays-by-row': replaysByRow,
};
