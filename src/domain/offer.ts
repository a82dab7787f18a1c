/* A held time, told to a patient, open until an instant, answered once. */

/** What an offer is for: another time for a visit that a sick day hits. */
export const OFFER_PURPOSES = ['sick_day'] as const;
export type OfferPurpose = (typeof OFFER_PURPOSES)[number];

export const OFFER_STATES = ['OPEN', 'ACCEPTED', 'DECLINED', 'EXPIRED', 'WITHDRAWN'] as const;
export type OfferState = (typeof OFFER_STATES)[number];
