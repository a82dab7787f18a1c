import { insertAppointments } from '../../db/appointments.ts';
import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { violates } from '../../db/constraint-errors.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockForBooking } from '../../db/locks.ts';
import { insertRegistration } from '../../db/patients.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import { sharedNotice } from '../../db/series.ts';
import { upcomingLimitsOfEach } from '../../db/upcoming-visits.ts';
import { confirmationCode, CONFIRMATION_CODE_BYTES } from '../../domain/confirmation-code.ts';
import { AppError } from '../../domain/errors.ts';
import type { RuleOverride } from '../../domain/override.ts';
import { seriesStarts } from '../../domain/series.ts';
import { doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { placeVisits, reservePlaces } from './place.ts';
import { recordBooking } from './record.ts';

export interface SeriesBooking {
  readonly patientId: string;
  readonly providerId: string;
  /** The first visit's start; the others have the same time of day in the clinic's zone. */
  readonly appointmentTime: Date;
  readonly durationMinutes: number;
  /** 1 to 52. */
  readonly everyWeeks: number;
  /** How many visits, 2 to 26. */
  readonly count: number;
  /** Rules that staff set aside, for every date. */
  readonly override?: RuleOverride;
  /** A patient's own first booking registers them at the clinic; staff may only name a patient who is registered. */
  readonly registersPatient: boolean;
}

export interface BookedVisit {
  readonly appointmentId: string;
  readonly confirmationCode: string;
  /** ISO instant. */
  readonly appointmentTime: string;
  readonly status: 'SCHEDULED';
}

export interface BookedSeries {
  readonly seriesId: string;
  readonly appointments: readonly BookedVisit[];
  /** The answer of an earlier request under the same idempotency key. */
  readonly replayed: boolean;
}

const TRIES = 5;

/**
 * Books a visit every so many weeks, all of them or none. The patient is told once: the first visit's notice speaks for all.
 *
 * @throws AppError `not_found`, `idempotency_in_progress`, `idempotency_mismatch`; SeriesClashError with every date that cannot be had
 */
export async function bookSeries(
  deps: SchedulingDeps,
  act: Act,
  booking: SeriesBooking,
  idempotency: Idempotency | undefined,
): Promise<BookedSeries> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await doorOnce(deps, act, idempotency, (tx) => bookVisits(deps, tx, act, booking));
    } catch (error) {
      if (!violates(error, 'appointment_confirmation_code_unique') || tries >= TRIES) throw error;
    }
  }
}

async function bookVisits(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  booking: SeriesBooking,
): Promise<Omit<BookedSeries, 'replayed'>> {
  const { patientId, providerId, durationMinutes, everyWeeks, count } = booking;
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [patientId] });
  const schedule = await loadProviderSchedule(tx, providerId);
  if (schedule === undefined) throw new AppError('not_found');
  // Before anything is said about the patient's time: it refuses a patient who is not registered here.
  const seriesId = await insertSeries(deps, tx, act, booking);

  const limits = await upcomingLimitsOfEach(tx, patientId, providerId, schedule.policy, count);
  const starts = seriesStarts(schedule.timeZone, booking.appointmentTime.getTime(), { everyWeeks, count });
  const places = await placeVisits(
    tx,
    starts.map(({ from, isSkipped }, index) => ({
      appointmentId: deps.newId(),
      confirmationCode: confirmationCode(deps.randomBytes(CONFIRMATION_CODE_BYTES)),
      schedule,
      from,
      durationMinutes,
      refusals: [...(isSkipped ? (['off_grid'] as const) : []), ...(limits[index] ?? [])],
    })),
    { patientId, now: act.now, ...(booking.override === undefined ? {} : { override: booking.override }) },
  );

  const visits = places.map(({ appointmentId }) => ({ appointmentId, providerId }));
  await insertAppointments(
    tx,
    places.map(({ appointmentId, confirmationCode: code, from, waiver }, index) => ({
      appointment_id: appointmentId,
      patient_id: patientId,
      provider_id: providerId,
      clinic_id: act.clinicId,
      appointment_time: new Date(from),
      duration_minutes: durationMinutes,
      confirmation_code: code,
      booked_via: 'api',
      time_set_at: act.now,
      policy_version: schedule.policyVersion,
      ...waiver.columns(),
      series_id: seriesId,
      series_index: index,
      ...sharedNotice(visits, { appointmentId, providerId }),
    })),
  );
  await reservePlaces(tx, { clinicId: act.clinicId, patientId }, places);
  for (const { appointmentId, from, waiver } of places) {
    await recordBooking(tx, act, {
      appointmentId,
      detail: { providerId, appointmentTime: new Date(from), seriesId, ...waiver.detail() },
    });
  }
  return {
    seriesId,
    appointments: places.map(({ appointmentId, confirmationCode: code, from }) => ({
      appointmentId,
      confirmationCode: code,
      appointmentTime: new Date(from).toISOString(),
      status: 'SCHEDULED',
    })),
  };
}

/** @throws AppError `not_found` for a patient who is not registered at the clinic */
async function insertSeries(deps: SchedulingDeps, tx: Tx, act: Act, booking: SeriesBooking): Promise<string> {
  const { patientId, providerId, everyWeeks, count } = booking;
  if (booking.registersPatient) {
    await insertRegistration(tx, { clinicId: act.clinicId, patientId });
  }
  const seriesId = deps.newId();
  await tx
    .insertInto('appointment_series')
    .values({
      series_id: seriesId,
      clinic_id: act.clinicId,
      patient_id: patientId,
      provider_id: providerId,
      every_weeks: everyWeeks,
      count,
    })
    .execute();
  await audit(tx, act, 'appointment_series', seriesId, 'booked', {
    providerId,
    appointmentTime: booking.appointmentTime,
    everyWeeks,
    count,
  });
  return seriesId;
}
