import { Type, type Static } from 'typebox';
import type { OfferRow } from '../../db/offers.ts';
import { OFFER_PURPOSES, OFFER_STATES } from '../../domain/offer.ts';
import { Instant, instantText, instantTextOrNull, NextCursor, Nullable, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';

export const OfferPath = Strict({ offerId: Uuid('The offer.') });

export const OfferQuery = Strict({
  state: Type.Optional(Type.Enum([...OFFER_STATES])),
  appointmentId: Type.Optional(Uuid('Only those about this visit.')),
  ...PAGE_QUERY,
});

export const Offer = Type.Object({
  offerId: Uuid('The offer.'),
  clinicId: Uuid('Where.'),
  purpose: Type.Enum([...OFFER_PURPOSES], {
    description: 'sick_day: the visit cannot take place as its provider is away.',
  }),
  appointmentId: Uuid('The visit that cannot take place.'),
  patientId: Uuid('Whose.'),
  providerId: Uuid('With whom instead.'),
  startTime: Instant('When instead.'),
  durationMinutes: Type.Integer(),
  state: Type.Enum([...OFFER_STATES], {
    description: 'OPEN: it can be answered until expiresAt. WITHDRAWN: the clinic took it back.',
  }),
  expiresAt: Instant('Until when the time is held.'),
  answeredAt: Nullable(Instant('When it was accepted or declined.')),
});

export const OfferPage = Type.Object({ offers: Type.Array(Offer), nextCursor: NextCursor });

/** @param now - what has run out says so, also before anybody has written it down */
export function offerBody(row: OfferRow, now: Date): Static<typeof Offer> {
  return {
    offerId: row.offer_id,
    clinicId: row.clinic_id,
    purpose: row.purpose,
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
