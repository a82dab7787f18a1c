import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import type { Idempotency } from '../../db/idempotency.ts';
import { lockForBooking } from '../../db/locks.ts';
import { insertRegistration } from '../../db/patients.ts';
import { AppError } from '../../domain/errors.ts';
import type { RuleOverride } from '../../domain/override.ts';
import { seriesStarts } from '../../domain/series.ts';
import { doorOnce, type Act, type SchedulingDeps } from '../act.ts';
import { drawAgain, drawConfirmationCode } from './confirmation-code.ts';
import { place } from './place.ts';
import { sharedNotice } from './series-notice.ts';

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
  readonly override?: RuleOverride | undefined;
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

/**
 * Books a visit every so many weeks, all of them or none. The patient is told once: the first visit's notice speaks for all.
 *
 * @throws AppError `not_found`, `idempotency_in_progress`, `idempotency_mismatch`; SeriesClashError with every date that cannot be had
 */
export function bookSeries(
  deps: SchedulingDeps,
  act: Act,
  booking: SeriesBooking,
  idempotency: Idempotency | undefined,
): Promise<BookedSeries> {
  return drawAgain(() => doorOnce(deps, act, idempotency, (tx) => bookVisits(deps, tx, act, booking)));
}

async function bookVisits(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  booking: SeriesBooking,
): Promise<Omit<BookedSeries, 'replayed'>> {
  const { patientId, providerId, durationMinutes, everyWeeks, count } = booking;
  await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [patientId] });
  const [schedule] = await deps.schedules.all(tx, act.clinicId, [providerId]);
  if (schedule === undefined) throw new AppError('not_found');
  // Before anything is said about the patient's time: it refuses a patient who is not registered here.
  const seriesId = await insertSeries(deps, tx, act, booking);

  const starts = seriesStarts(schedule.timeZone, booking.appointmentTime.getTime(), { everyWeeks, count });
  const visits = starts.map(() => ({ appointmentId: deps.newId(), providerId }));
  const wanted = starts.map(({ from, isSkipped }, index) => {
    const visit = visits[index] ?? { appointmentId: deps.newId(), providerId };
    const code = drawConfirmationCode(deps);
    const { notice_visits: noticeVisits, announced_by: announcedBy } = sharedNotice(visits, visit);
    return {
      providerId,
      patientId,
      from,
      durationMinutes,
      refusals: isSkipped ? (['off_grid'] as const) : [],
      limits: 'all' as const,
      booked: {
        appointmentId: visit.appointmentId,
        confirmationCode: code,
        appointmentTime: new Date(from).toISOString(),
        status: 'SCHEDULED' as const,
      },
      writes: () => ({
        appointmentId: visit.appointmentId,
        confirmationCode: code,
        bookedVia: 'api' as const,
        timeSetAt: act.now,
        seriesId,
        seriesIndex: index,
        noticeVisits,
        announcedBy: announcedBy ?? undefined,
      }),
    };
  });
  const { placed } = await place(deps, tx, act, wanted, { override: booking.override, asSeries: true });
  return { seriesId, appointments: placed.map(({ booked }) => booked) };
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
