import { Type, type Static } from 'typebox';
import type { MoveOfferRow } from '../../db/sick-days.ts';
import { MOVE_OFFER_STATES } from '../../domain/sick-day.ts';
import { Instant, instantText, instantTextOrNull, NextCursor, Nullable, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';

export const MoveOfferPath = Strict({ moveOfferId: Uuid('The move offer.') });

export const MoveOfferQuery = Strict({
  state: Type.Optional(Type.Enum([...MOVE_OFFER_STATES])),
  appointmentId: Type.Optional(Uuid('Only those about this visit.')),
  ...PAGE_QUERY,
});

export const MoveOffer = Type.Object({
  moveOfferId: Uuid('The move offer.'),
  clinicId: Uuid('Where.'),
  appointmentId: Uuid('The visit that cannot take place.'),
  patientId: Uuid('Whose.'),
  providerId: Uuid('With whom instead.'),
  startTime: Instant('When instead.'),
  durationMinutes: Type.Integer(),
  state: Type.Enum([...MOVE_OFFER_STATES], {
    description: 'OPEN: it can be answered until expiresAt. WITHDRAWN: the clinic took it back.',
  }),
  expiresAt: Instant('Until when the time is held.'),
  answeredAt: Nullable(Instant('When it was accepted or declined.')),
});

export const MoveOfferPage = Type.Object({ moveOffers: Type.Array(MoveOffer), nextCursor: NextCursor });

/** @param now - what has run out says so, also before anybody has written it down */
export function moveOfferBody(row: MoveOfferRow, now: Date): Static<typeof MoveOffer> {
  return {
    moveOfferId: row.move_offer_id,
    clinicId: row.clinic_id,
    appointmentId: row.appointment_id,
    patientId: row.patient_id,
    providerId: row.provider_id,
    startTime: instantText(row.slot_start),
    durationMinutes: row.duration_minutes,
    state: row.state === 'OPEN' && row.expires_at <= now ? 'EXPIRED' : row.state,
    expiresAt: instantText(row.expires_at),
    answeredAt: instantTextOrNull(row.answered_at),
  };
}
