import { Type, type Static } from 'typebox';
import type { HoldRow } from '../../db/holds.ts';
import { DurationMinutes, Instant, instantText, Nullable, Strict, Uuid } from '../schemas.ts';

export const HoldPath = Strict({ holdId: Uuid('The hold.') });

export const HoldBody = Strict({
  providerId: Uuid('Whose time to hold. The clinic follows from it.'),
  startTime: Instant('When the visit would start: a start that the availability search offers.'),
  durationMinutes: DurationMinutes,
});

export const Hold = Type.Object({
  holdId: Uuid('Send it as holdId when you book or move.'),
  clinicId: Uuid('Where.'),
  providerId: Uuid('Whose time is held.'),
  startTime: Instant('When the visit would start.'),
  durationMinutes: Type.Integer(),
  state: Type.Enum(['LIVE', 'BOOKED', 'RELEASED', 'EXPIRED']),
  expiresAt: Instant('Until when the slot is kept.'),
  extendable: Type.Boolean({ description: 'It can be extended once, while it lives.' }),
  appointmentId: Nullable(Uuid('The visit that took the slot.')),
});

export const PlacedAnswer = Type.Object(Hold.properties, {
  description: 'The slot is held.',
  headers: {
    Location: { type: 'string', description: 'The hold.' },
  },
});

export function holdBody(row: HoldRow): Static<typeof Hold> {
  return {
    holdId: row.hold_id,
    clinicId: row.clinic_id,
    providerId: row.provider_id,
    startTime: instantText(row.slot_start),
    durationMinutes: row.duration_minutes,
    state: row.state === 'LIVE' && !row.live ? 'EXPIRED' : row.state,
    expiresAt: instantText(row.expires_at),
    extendable: row.live && row.extended_at === null,
    appointmentId: row.appointment_id,
  };
}
