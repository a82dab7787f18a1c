import { Type, type Static } from 'typebox';
import { localDate } from '../../domain/time-zone.ts';
import type { AffectedVisit } from '../../scheduling/schedule/affected-visits.ts';
import { TimeZone } from '../clinics/schemas.ts';
import { ClosureBody, IMPORT_COUNTS, SKIPPED } from '../closures/schemas.ts';
import { HoursBody, TimeOffBody, Windows } from '../schedules/schemas.ts';
import { Instant, instantText, LocalDate, Strict, Uuid } from '../schemas.ts';

const PROVIDER = { providerId: Uuid('Whose schedule would change.') };
const DATE = { date: LocalDate("The date in the clinic's zone.") };

const CHANGES = [
  Strict({ kind: Type.Literal('hours'), ...PROVIDER, ...HoursBody.properties }),
  Strict({ kind: Type.Literal('override'), ...PROVIDER, ...DATE, windows: Windows }),
  Strict({ kind: Type.Literal('override_cleared'), ...PROVIDER, ...DATE }),
  Strict({ kind: Type.Literal('time_off'), ...PROVIDER, ...TimeOffBody.properties }),
  Strict({ kind: Type.Literal('closure'), ...ClosureBody.properties }),
  Strict({ kind: Type.Literal('zone'), timeZone: TimeZone }),
] as const;

export type PreviewBody = Static<(typeof CHANGES)[number]>;

/** By `kind`, so that a fault is told of the one that was meant. */
export const PreviewBody = Type.Unsafe<PreviewBody>({
  type: 'object',
  required: ['kind'],
  discriminator: { propertyName: 'kind' },
  oneOf: CHANGES,
  examples: [
    {
      kind: 'time_off',
      providerId: '01980f5e-7a3c-7000-8000-4b382d9376fc',
      from: '2025-03-15T08:00:00Z',
      to: '2025-03-15T12:00:00Z',
    },
  ],
});

/** Rows in an answer at most; the count is of all. */
const MAX_LISTED = 500;

const AffectedAppointment = Type.Object({
  appointmentId: Uuid('The appointment.'),
  patientId: Uuid('Who comes.'),
  providerId: Uuid('Whom they see.'),
  appointmentTime: Instant('When the visit starts.'),
  durationMinutes: Type.Integer(),
  rule: Type.Enum(['outside_hours', 'provider_closed', 'provider_away'], {
    description: 'The rule that would refuse it from then on.',
  }),
});

export const Preview = Type.Object({
  affectedAppointments: Type.Integer({ description: 'How many booked visits to come the change would affect.' }),
  byDay: Type.Array(
    Type.Object({ date: LocalDate("A date in the clinic's zone."), affectedAppointments: Type.Integer() }),
    { description: 'The dates with affected visits, all of them.' },
  ),
  appointments: Type.Array(AffectedAppointment, {
    description: `The earliest ${String(MAX_LISTED)}, earliest start first.`,
  }),
});

export const ImportPreview = Type.Object({ ...IMPORT_COUNTS, ...Preview.properties, ...SKIPPED });

export function previewOf(timeZone: string, affected: readonly AffectedVisit[]): Static<typeof Preview> {
  const byDay = new Map<string, number>();
  for (const { from } of affected) {
    const date = localDate(timeZone, from);
    byDay.set(date, (byDay.get(date) ?? 0) + 1);
  }
  return {
    affectedAppointments: affected.length,
    byDay: [...byDay].map(([date, count]) => ({ date, affectedAppointments: count })),
    appointments: affected.slice(0, MAX_LISTED).map(({ from, ...visit }) => ({
      appointmentId: visit.appointmentId,
      patientId: visit.patientId,
      providerId: visit.providerId,
      appointmentTime: instantText(from),
      durationMinutes: visit.durationMinutes,
      rule: visit.rule,
    })),
  };
}
