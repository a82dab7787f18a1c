import { Type, type Static } from 'typebox';
import type { WaitlistEntryRow } from '../../db/waitlist.ts';
import {
  DurationMinutes,
  Instant,
  instantText,
  LocalDate,
  NextCursor,
  Nullable,
  PAGE_QUERY,
  PlainText,
  Strict,
  Uuid,
} from '../schemas.ts';

export const EntryPath = Strict({ entryId: Uuid('The waitlist entry.') });

export const WishBody = Strict(
  {
    patientId: Uuid('Who waits. Patients name themselves; staff name a patient registered at their clinic.'),
    providerId: Type.Optional(Uuid('Whom they want to see; or name a specialty.')),
    specialty: Type.Optional(
      PlainText(50, 'Anybody of this specialty at the clinic, whatever its capitals; or name a provider.'),
    ),
    clinicId: Type.Optional(Uuid('The clinic; a patient who names a specialty must say which.')),
    durationMinutes: DurationMinutes,
    earliestDate: LocalDate("The first date that suits, in the clinic's zone."),
    latestDate: LocalDate("The last date that suits, in the clinic's zone."),
    priority: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 9, description: 'Higher is more urgent; for staff only.' }),
    ),
  },
  {
    examples: [
      {
        patientId: '01980f5e-7a3c-7000-8000-0000000000e1',
        providerId: '01980f5e-7a3c-7000-8000-0000000000d1',
        durationMinutes: 30,
        earliestDate: '2025-03-15',
        latestDate: '2025-03-29',
      },
    ],
  },
);

const STATUSES = ['WAITING', 'BOOKED', 'LEFT'] as const;

export const EntryQuery = Strict({
  status: Type.Optional(Type.Enum([...STATUSES])),
  providerId: Type.Optional(Uuid('Only those who wait for this provider.')),
  patientId: Type.Optional(Uuid('Only this patient.')),
  ...PAGE_QUERY,
});

export const WaitlistEntry = Type.Object({
  entryId: Uuid('The waitlist entry.'),
  clinicId: Uuid('Where.'),
  patientId: Uuid('Who waits.'),
  providerId: Nullable(Uuid('For whom; or for a specialty.')),
  specialty: Nullable(Type.String()),
  durationMinutes: Type.Integer(),
  earliestDate: LocalDate('The first date that suits.'),
  latestDate: LocalDate('The last date that suits.'),
  priority: Type.Integer(),
  status: Type.Enum([...STATUSES]),
  bookedAppointmentId: Nullable(Uuid('The visit they got.')),
  createdAt: Instant('Since when they wait.'),
});

export const JoinedAnswer = Type.Object(WaitlistEntry.properties, {
  description: 'On the waitlist.',
  headers: {
    Location: { type: 'string', description: 'The waitlist entry.' },
    'Idempotency-Replayed': { type: 'string', description: 'true: this is the answer to an earlier request.' },
  },
});

export const EntryPage = Type.Object({ waitlistEntries: Type.Array(WaitlistEntry), nextCursor: NextCursor });

export function entryBody(row: WaitlistEntryRow): Static<typeof WaitlistEntry> {
  return {
    entryId: row.entry_id,
    clinicId: row.clinic_id,
    patientId: row.patient_id,
    providerId: row.provider_id,
    specialty: row.specialty,
    durationMinutes: row.duration_minutes,
    earliestDate: row.earliest_date,
    latestDate: row.latest_date,
    priority: row.priority,
    status: row.status,
    bookedAppointmentId: row.booked_appointment_id,
    createdAt: instantText(row.created_at),
  };
}
