import { findAppointment, type AppointmentRow } from '../db/appointments.ts';
import { findClinic, type ClinicRow } from '../db/clinics.ts';
import { inContext, type Connection, type RowContext } from '../db/connection.ts';
import { findHold, type HoldRow } from '../db/holds.ts';
import {
  clinicOfAppointment,
  clinicOfCallTask,
  clinicOfSickDay,
  clinicOfHold,
  clinicOfNotification,
  clinicOfProvider,
} from '../db/look-ups.ts';
import { findPatient, patientsWhere, type PatientFilter, type PatientRow } from '../db/patients.ts';
import { findProvider, type ProviderRow } from '../db/providers.ts';
import { findSeries, visitsOfSeries, type AppointmentSeriesRow } from '../db/series.ts';
import { loadProviderSchedule, type LoadedSchedule } from '../db/schedules.ts';
import { findMoveOffer, type CallTaskRow, type MoveOfferRow } from '../db/sick-days.ts';
import type { WaitlistEntryRow } from '../db/waitlist.ts';
import type { CalendarEvent } from '../domain/closure-import.ts';
import type { ProviderTime } from '../domain/earliest-slots.ts';
import { effectOfImport } from '../scheduling/schedule/closures.ts';
import type { ProviderSchedules } from '../scheduling/provider-schedules.ts';
import {
  appointmentsWhere,
  clinicNameOf,
  historyOf,
  type AppointmentFilter,
  type AppointmentHistory,
} from './appointments/queries.ts';
import { providerTimes, type DatesAsked, type ProvidersAsked } from './availability/queries.ts';
import { affectedOfClinic, affectedOfProvider } from '../scheduling/schedule/affected-visits.ts';
import { callTasksWhere } from './call-tasks/queries.ts';
import { clinicsWhere } from './clinics/queries.ts';
import { closuresWhere, type ClosureFilter, type ClosureRow } from './closures/queries.ts';
import { findSyncRun, syncRunsWhere, type SyncRunRow, type SyncRunWithItems } from './ehr-syncs/queries.ts';
import { moveOffersWhere } from './move-offers/queries.ts';
import { findReplay, type ReplayWithItems } from './notification-replays/queries.ts';
import {
  findNotification,
  notificationsWhere,
  reasonsWhere,
  type NotificationFilter,
  type NotificationWithAttempts,
} from './notifications/queries.ts';
import { providersWhere } from './providers/queries.ts';
import {
  overridesBetween,
  timeOffWhere,
  type OverrideRow,
  type TimeOffFilter,
  type TimeOffRow,
} from './schedules/queries.ts';
import {
  findSickDayWithItems,
  sickDaysWhere,
  type SickDayWithCounts,
  type SickDayWithItems,
} from './sick-days/queries.ts';
import { auditStaffRead, type Reader } from './staff-reads.ts';
import { findWaitlistEntry, waitlistEntriesWhere } from './waitlist-entries/queries.ts';

/**
 * Everything the API reads. Whoever asks has been authorized: the row context says whose rows there are, and what lies outside is as if it did not exist.
 * A reader is named where patient data is shown; reads by staff are audited with it.
 */
export interface Reads {
  readonly clinicOfProvider: (providerId: string) => Promise<string | undefined>;
  readonly clinicOfAppointment: (appointmentId: string) => Promise<string | undefined>;
  readonly clinicOfNotification: (notificationId: string) => Promise<string | undefined>;
  readonly clinicOfHold: (holdId: string) => Promise<string | undefined>;
  readonly clinicOfSickDay: (sickDayId: string) => Promise<string | undefined>;
  readonly clinicOfCallTask: (callTaskId: string) => Promise<string | undefined>;

  readonly hold: (clinicId: string, holdId: string) => Promise<HoldRow | undefined>;

  readonly appointment: (
    rows: RowContext,
    appointmentId: string,
    reader?: Reader,
  ) => Promise<AppointmentRow | undefined>;
  readonly appointments: (rows: RowContext, reader: Reader, filter: AppointmentFilter) => Promise<AppointmentRow[]>;
  readonly series: (
    rows: RowContext,
    seriesId: string,
    reader: Reader,
  ) => Promise<{ readonly series: AppointmentSeriesRow; readonly visits: AppointmentRow[] } | undefined>;
  readonly appointmentAtClinic: (
    rows: RowContext,
    appointmentId: string,
    reader: Reader,
  ) => Promise<{ readonly appointment: AppointmentRow; readonly clinicName: string } | undefined>;
  readonly history: (clinicId: string, appointmentId: string, reader: Reader) => Promise<AppointmentHistory>;

  /** Undefined when there is no such clinic. */
  readonly providerTimes: (
    clinicId: string,
    providers: ProvidersAsked,
    dates: DatesAsked,
  ) => Promise<ProviderTime[] | undefined>;
  readonly provider: (rows: RowContext, providerId: string) => Promise<ProviderRow | undefined>;
  readonly providers: (rows: RowContext, filter: Parameters<typeof providersWhere>[1]) => Promise<ProviderRow[]>;

  readonly clinic: (rows: RowContext, clinicId: string) => Promise<ClinicRow | undefined>;
  readonly clinics: (rows: RowContext, filter: Parameters<typeof clinicsWhere>[1]) => Promise<ClinicRow[]>;

  readonly schedule: (clinicId: string, providerId: string) => Promise<LoadedSchedule | undefined>;
  readonly overrides: (clinicId: string, providerId: string, from: string, to: string) => Promise<OverrideRow[]>;
  readonly timeOff: (clinicId: string, providerId: string, filter: TimeOffFilter) => Promise<TimeOffRow[]>;
  readonly closures: (clinicId: string, filter: ClosureFilter) => Promise<ClosureRow[]>;
  /** The previews: what a door would say, without writing. */
  readonly affectedOfProvider: (
    clinicId: string,
    reader: Reader,
    ...change: Parameters<typeof affectedOfProvider> extends [unknown, ...infer Asked] ? Asked : never
  ) => ReturnType<typeof affectedOfProvider>;
  readonly affectedOfClinic: (
    clinicId: string,
    reader: Reader,
    ...change: Parameters<typeof affectedOfClinic> extends [unknown, unknown, ...infer Asked] ? Asked : never
  ) => ReturnType<typeof affectedOfClinic>;
  readonly effectOfImport: (
    clinicId: string,
    reader: Reader,
    events: readonly CalendarEvent[],
    now: Date,
  ) => ReturnType<typeof effectOfImport>;

  readonly patient: (rows: RowContext, patientId: string, reader: Reader) => Promise<PatientRow | undefined>;
  readonly patients: (rows: RowContext, reader: Reader, filter: PatientFilter) => Promise<PatientRow[] | undefined>;

  readonly waitlistEntry: (rows: RowContext, entryId: string, reader?: Reader) => Promise<WaitlistEntryRow | undefined>;
  readonly waitlistEntries: (
    rows: RowContext,
    reader: Reader,
    filter: Parameters<typeof waitlistEntriesWhere>[1],
  ) => Promise<WaitlistEntryRow[]>;

  readonly sickDay: (
    clinicId: string,
    wanted: Parameters<typeof findSickDayWithItems>[1],
    reader: Reader,
  ) => Promise<SickDayWithItems | undefined>;
  readonly sickDays: (
    rows: RowContext,
    reader: Reader,
    filter: Parameters<typeof sickDaysWhere>[1],
  ) => Promise<SickDayWithCounts[]>;
  readonly moveOffer: (rows: RowContext, moveOfferId: string, reader: Reader) => Promise<MoveOfferRow | undefined>;
  readonly moveOffers: (
    rows: RowContext,
    reader: Reader,
    filter: Parameters<typeof moveOffersWhere>[1],
  ) => Promise<MoveOfferRow[]>;
  readonly callTasks: (
    rows: RowContext,
    reader: Reader,
    filter: Parameters<typeof callTasksWhere>[1],
  ) => Promise<CallTaskRow[]>;

  readonly notification: (
    rows: RowContext,
    notificationId: string,
    reader: Reader,
  ) => Promise<NotificationWithAttempts | undefined>;
  readonly notifications: (
    clinicId: string,
    reader: Reader,
    filter: Parameters<typeof notificationsWhere>[1],
  ) => Promise<Awaited<ReturnType<typeof notificationsWhere>>>;
  readonly notificationReasons: (
    clinicId: string,
    filter: NotificationFilter,
  ) => Promise<Awaited<ReturnType<typeof reasonsWhere>>>;
  readonly replay: (clinicId: string, replayId: string, reader: Reader) => Promise<ReplayWithItems | undefined>;

  readonly syncRuns: (clinicId: string, filter: Parameters<typeof syncRunsWhere>[1]) => Promise<SyncRunRow[]>;
  readonly syncRun: (clinicId: string, runId: string, reader: Reader) => Promise<SyncRunWithItems | undefined>;
}

export function createReads(connection: Connection, schedules: ProviderSchedules): Reads {
  const { db } = connection;
  return {
    clinicOfProvider: rememberClinics((providerId) => clinicOfProvider(db, providerId)),
    clinicOfAppointment: (appointmentId) => clinicOfAppointment(db, appointmentId),
    clinicOfNotification: (notificationId) => clinicOfNotification(db, notificationId),
    clinicOfHold: (holdId) => clinicOfHold(db, holdId),
    clinicOfSickDay: (sickDayId) => clinicOfSickDay(db, sickDayId),
    clinicOfCallTask: (callTaskId) => clinicOfCallTask(db, callTaskId),

    hold: (clinicId, holdId) => inContext(db, { clinicId }, (tx) => findHold(tx, holdId)),

    appointment: (rows, appointmentId, reader) =>
      inContext(db, rows, async (tx) => {
        const row = await findAppointment(tx, appointmentId);
        if (row !== undefined && reader !== undefined) {
          await auditStaffRead(tx, reader, row.clinic_id, { entity: 'appointment', entityId: appointmentId });
        }
        return row;
      }),
    appointments: (rows, reader, filter) =>
      inContext(db, rows, async (tx) => {
        const found = await appointmentsWhere(tx, rows, filter);
        await auditList(tx, reader, rows, 'appointments', found.length);
        return found;
      }),
    series: (rows, seriesId, reader) =>
      inContext(db, rows, async (tx) => {
        const series = await findSeries(tx, seriesId);
        if (series === undefined) return undefined;
        await auditStaffRead(tx, reader, series.clinic_id, { entity: 'appointment_series', entityId: seriesId });
        return { series, visits: await visitsOfSeries(tx, seriesId) };
      }),
    appointmentAtClinic: (rows, appointmentId, reader) =>
      inContext(db, rows, async (tx) => {
        const appointment = await findAppointment(tx, appointmentId);
        if (appointment === undefined) return undefined;
        const clinicId = appointment.clinic_id;
        await auditStaffRead(tx, reader, clinicId, {
          entity: 'appointment',
          entityId: appointmentId,
          detail: { what: 'calendar' },
        });
        return { appointment, clinicName: await clinicNameOf(tx, clinicId) };
      }),
    history: (clinicId, appointmentId, reader) =>
      inContext(db, { clinicId }, async (tx) => {
        await auditStaffRead(tx, reader, clinicId, {
          entity: 'appointment',
          entityId: appointmentId,
          detail: { what: 'timeline' },
        });
        return historyOf(tx, appointmentId);
      }),

    providerTimes: (clinicId, providers, dates) =>
      providerTimes(connection.pool, schedules, clinicId, providers, dates),
    provider: (rows, providerId) => inContext(db, rows, (tx) => findProvider(tx, providerId)),
    providers: (rows, filter) => inContext(db, rows, (tx) => providersWhere(tx, filter)),

    clinic: (rows, clinicId) => inContext(db, rows, (tx) => findClinic(tx, clinicId)),
    clinics: (rows, filter) => inContext(db, rows, (tx) => clinicsWhere(tx, filter)),

    schedule: (clinicId, providerId) => inContext(db, { clinicId }, (tx) => loadProviderSchedule(tx, providerId)),
    overrides: (clinicId, providerId, from, to) =>
      inContext(db, { clinicId }, (tx) => overridesBetween(tx, providerId, from, to)),
    timeOff: (clinicId, providerId, filter) =>
      inContext(db, { clinicId }, (tx) => timeOffWhere(tx, providerId, filter)),
    closures: (clinicId, filter) => inContext(db, { clinicId }, (tx) => closuresWhere(tx, clinicId, filter)),
    affectedOfProvider: (clinicId, reader, providerId, change, now) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await affectedOfProvider(tx, providerId, change, now);
        await auditList(tx, reader, { clinicId }, 'schedule_preview', found.affected.length);
        return found;
      }),
    affectedOfClinic: (clinicId, reader, change, now) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await affectedOfClinic(tx, clinicId, change, now);
        await auditList(tx, reader, { clinicId }, 'schedule_preview', found.affected.length);
        return found;
      }),
    effectOfImport: (clinicId, reader, events, now) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await effectOfImport(tx, { clinicId, now }, events);
        await auditList(tx, reader, { clinicId }, 'schedule_preview', found.affected.length);
        return found;
      }),

    patient: (rows, patientId, reader) =>
      inContext(db, rows, async (tx) => {
        const row = await findPatient(tx, patientId);
        if (row !== undefined && rows.clinicId !== undefined) {
          await auditStaffRead(tx, reader, rows.clinicId, { entity: 'patient', entityId: patientId });
        }
        return row;
      }),
    patients: (rows, reader, filter) =>
      inContext(db, rows, async (tx) => {
        const found = await patientsWhere(tx, filter);
        await auditList(tx, reader, rows, 'patients', found?.length ?? 0);
        return found;
      }),

    waitlistEntry: (rows, entryId, reader) =>
      inContext(db, rows, async (tx) => {
        const row = await findWaitlistEntry(tx, entryId);
        if (row !== undefined && reader !== undefined) {
          await auditStaffRead(tx, reader, row.clinic_id, { entity: 'waitlist_entry', entityId: entryId });
        }
        return row;
      }),
    waitlistEntries: (rows, reader, filter) =>
      inContext(db, rows, async (tx) => {
        const found = await waitlistEntriesWhere(tx, filter);
        await auditList(tx, reader, rows, 'waitlist_entries', found.length);
        return found;
      }),

    sickDay: (clinicId, wanted, reader) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await findSickDayWithItems(tx, wanted);
        if (found !== undefined)
          await auditStaffRead(tx, reader, clinicId, { entity: 'sick_day', entityId: wanted.sickDayId });
        return found;
      }),
    sickDays: (rows, reader, filter) =>
      inContext(db, rows, async (tx) => {
        const found = await sickDaysWhere(tx, filter);
        await auditList(tx, reader, rows, 'sick_days', found.length);
        return found;
      }),
    moveOffer: (rows, moveOfferId, reader) =>
      inContext(db, rows, async (tx) => {
        const row = await findMoveOffer(tx, moveOfferId);
        if (row !== undefined) {
          await auditStaffRead(tx, reader, row.clinic_id, { entity: 'move_offer', entityId: moveOfferId });
        }
        return row;
      }),
    moveOffers: (rows, reader, filter) =>
      inContext(db, rows, async (tx) => {
        const found = await moveOffersWhere(tx, filter);
        await auditList(tx, reader, rows, 'move_offers', found.length);
        return found;
      }),
    callTasks: (rows, reader, filter) =>
      inContext(db, rows, async (tx) => {
        const found = await callTasksWhere(tx, filter);
        await auditList(tx, reader, rows, 'call_tasks', found.length);
        return found;
      }),

    notification: (rows, notificationId, reader) =>
      inContext(db, rows, async (tx) => {
        const found = await findNotification(tx, notificationId);
        if (found !== undefined) {
          await auditStaffRead(tx, reader, found.notification.clinic_id, {
            entity: 'notification',
            entityId: notificationId,
          });
        }
        return found;
      }),
    notifications: (clinicId, reader, filter) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await notificationsWhere(tx, filter);
        await auditList(tx, reader, { clinicId }, 'notifications', found.length);
        return found;
      }),
    notificationReasons: (clinicId, filter) => inContext(db, { clinicId }, (tx) => reasonsWhere(tx, filter)),
    replay: (clinicId, replayId, reader) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await findReplay(tx, replayId);
        if (found !== undefined) await auditStaffRead(tx, reader, clinicId, { entity: 'replay', entityId: replayId });
        return found;
      }),

    syncRuns: (clinicId, filter) => inContext(db, { clinicId }, (tx) => syncRunsWhere(tx, filter)),
    syncRun: (clinicId, runId, reader) =>
      inContext(db, { clinicId }, async (tx) => {
        const found = await findSyncRun(tx, runId);
        if (found !== undefined)
          await auditStaffRead(tx, reader, clinicId, { entity: 'ehr_sync_run', entityId: runId });
        return found;
      }),
  };
}

/** A provider stays with their clinic, so it need be looked up only once. Bounded: when it is full it starts anew. */
function rememberClinics(
  lookUp: (providerId: string) => Promise<string | undefined>,
  capacity = 20_000,
): (providerId: string) => Promise<string | undefined> {
  const known = new Map<string, string>();
  return async (providerId) => {
    const clinicId = known.get(providerId) ?? (await lookUp(providerId));
    if (known.size >= capacity) known.clear();
    if (clinicId !== undefined) known.set(providerId, clinicId);
    return clinicId;
  };
}

function auditList(
  tx: Parameters<typeof auditStaffRead>[0],
  reader: Reader,
  { clinicId }: RowContext,
  what: string,
  count: number,
): Promise<void> {
  if (clinicId === undefined) return Promise.resolve();
  return auditStaffRead(tx, reader, clinicId, { entity: 'clinic', entityId: clinicId, detail: { what, count } });
}
