import { Type, type Static } from 'typebox';
import type { AppointmentRow } from '../../db/appointments.ts';
import type { AppointmentSeriesRow } from '../../db/series.ts';
import { EVERY_WEEKS, SERIES_COUNT } from '../../domain/series.ts';
import type { BookedSeries } from '../../scheduling/visits/book-series.ts';
import { Appointment, appointmentBody, Override } from '../appointments/schemas.ts';
import { CREATED_HEADERS, DurationMinutes, Instant, instantText, Strict, Uuid } from '../schemas.ts';

export const SeriesPath = Strict({ seriesId: Uuid('The series.') });

const EveryWeeks = Type.Integer({
  minimum: EVERY_WEEKS.least,
  maximum: EVERY_WEEKS.most,
  description: 'How many weeks lie between two visits: 1 is weekly.',
  examples: [1],
});
const Count = Type.Integer({
  minimum: SERIES_COUNT.least,
  maximum: SERIES_COUNT.most,
  description: 'How many visits there are.',
  examples: [10],
});

export const SeriesBody = Strict({
  patientId: Uuid('Who the visits are for. Patients name themselves; staff name a patient registered at their clinic.'),
  providerId: Uuid('Whom they will see. The clinic follows from it.'),
  appointmentTime: Instant('When the first visit starts; the others have the same time of day in the clinic’s zone.'),
  durationMinutes: DurationMinutes,
  everyWeeks: EveryWeeks,
  count: Count,
  override: Override,
});

export const BookedSeriesAnswer = Type.Object(
  {
    seriesId: Uuid('The new series.'),
    appointments: Type.Array(
      Type.Object({
        appointmentId: Uuid('The visit.'),
        confirmationCode: Type.String({ description: 'Each visit has its own.', examples: ['ABC123'] }),
        appointmentTime: Instant('When it starts.'),
        status: Type.Enum(['SCHEDULED']),
      }),
      { description: 'All visits, in order.' },
    ),
  },
  {
    description: 'Booked.',
    headers: {
      Location: CREATED_HEADERS.Location,
    },
  },
);

export function bookedSeriesBody({ seriesId, appointments }: BookedSeries): Static<typeof BookedSeriesAnswer> {
  return {
    seriesId,
    appointments: appointments.map((visit) => ({
      ...visit,
      appointmentTime: instantText(new Date(visit.appointmentTime)),
    })),
  };
}

export const Series = Type.Object(
  {
    seriesId: Uuid('The series.'),
    clinicId: Uuid('Where.'),
    patientId: Uuid('Who it is for.'),
    providerId: Uuid('With whom it was booked; a visit that was moved may be with somebody else.'),
    everyWeeks: EveryWeeks,
    count: Count,
    createdAt: Instant('When it was booked.'),
    appointments: Type.Array(Appointment, { description: 'All its visits in order, whatever became of them.' }),
  },
  { description: 'The series.' },
);

/** @param forStaff - see `appointmentBody` */
export function seriesBody(
  series: AppointmentSeriesRow,
  visits: readonly AppointmentRow[],
  forStaff: boolean,
): Static<typeof Series> {
  return {
    seriesId: series.series_id,
    clinicId: series.clinic_id,
    patientId: series.patient_id,
    providerId: series.provider_id,
    everyWeeks: series.every_weeks,
    count: series.count,
    createdAt: instantText(series.created_at),
    appointments: visits.map((row) => appointmentBody(row, forStaff)),
  };
}
