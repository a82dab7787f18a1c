import type { Pair } from './pairs.ts';

/** A step looks for a free time before it takes any lock: as many statements as several bookings. */
const AHEAD_OF_A_STEP = 60;

/**
 * A sick day offers a patient another time, and something else happens in the same moment. Whoever changes the visit by hand takes the offer back in the
 * same transaction, gives back the time that was held, and tells the sick day.
 */
export const OFFER_PAIRS: readonly Pair[] = [
  {
    name: 'accept one offer twice',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.acceptMove(offer)],
        state: () => scene.seenTo(offer),
      };
    },
    legal: ['accepted + accepted = SCHEDULED 2, MOVED, accepted, APPOINTMENT'],
  },
  {
    name: 'accept an offer and decline it',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.declineMove(offer)],
        state: () => scene.seenTo(offer),
      };
    },
    legal: [
      'accepted + offer_closed = SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + declined = SCHEDULED 1, PENDING, declined',
    ],
  },
  {
    name: 'accept an offer and cancel the visit',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.cancel(offer.visit)],
        state: () => scene.atLast(offer),
      };
    },
    legal: [
      'accepted + cancelled = no offer: CANCELLED 3, MOVED, accepted',
      'offer_closed + cancelled = no offer, told of it: CANCELLED 2, GONE, withdrawn',
    ],
  },
  {
    name: 'accept an offer and move the visit elsewhere',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.move(offer.visit, '14:00')],
        state: () => scene.atLast(offer),
      };
    },
    legal: [
      'accepted + version_mismatch = no offer: SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + moved = no offer, told of it: SCHEDULED 2, GONE, withdrawn',
    ],
  },
  {
    name: 'accept an offer and move the visit to the very time',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.move(offer.visit, '10:00', offer.colleagueId)],
        state: () => scene.atLast(offer),
      };
    },
    legal: [
      'accepted + version_mismatch = no offer: SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + moved = no offer, told of it: SCHEDULED 2, GONE, withdrawn, APPOINTMENT',
    ],
  },
  {
    name: 'decline an offer and move the visit to the very time',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.declineMove(offer), () => scene.move(offer.visit, '10:00', offer.colleagueId)],
        state: () => scene.seenTo(offer),
      };
    },
    legal: [
      'declined + moved = SCHEDULED 2, GONE, declined, APPOINTMENT',
      'offer_closed + moved = SCHEDULED 2, GONE, withdrawn, APPOINTMENT',
    ],
  },
  {
    name: 'check a patient in and stop the sick day that has offered another time',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.checkIn(offer.visit), () => scene.stopSickDay(offer)],
        state: () => scene.seenTo(offer),
      };
    },
    legal: ['checked in + stopped = SCHEDULED 2, GONE, withdrawn'],
  },
  {
    name: 'check a patient in and take the sick day’s first step about the visit',
    mostAhead: AHEAD_OF_A_STEP,
    arrange: async (scene) => {
      const affected = await scene.affected('10:00');
      return {
        racers: [() => scene.checkIn(affected.visit), () => scene.nextStep(affected)],
        state: () => scene.atLast(affected),
      };
    },
    legal: [
      'checked in + taken = no offer: SCHEDULED 2, GONE',
      'checked in + taken = no offer, told of it: SCHEDULED 2, GONE, withdrawn',
    ],
  },
  {
    name: 'accept an offer and close the clinic on that day',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.close()],
        state: () => scene.seenTo(offer),
      };
    },
    legal: [
      'accepted + closed, 1 affected = SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + closed, 1 affected = SCHEDULED 1, OFFERED, withdrawn',
    ],
  },
  {
    name: 'accept an offer and stop the sick day',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.stopSickDay(offer)],
        state: () => scene.seenTo(offer),
      };
    },
    legal: [
      'accepted + stopped = SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + stopped = SCHEDULED 1, STOPPED, withdrawn',
    ],
  },
  {
    name: 'accept an offer and take the next step, whose clock says that it has run out',
    mostAhead: AHEAD_OF_A_STEP,
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      return {
        racers: [() => scene.acceptMove(offer), () => scene.stepAfter(offer)],
        state: () => scene.seenTo(offer),
      };
    },
    // Nobody was told of the first offer, so the next one is a colleague's too.
    legal: [
      'accepted + taken = SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + taken = SCHEDULED 1, OFFERED, expired, open, HOLD',
    ],
  },
  {
    name: 'accept an offer and book the time that is held for it',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      const patient = await scene.patient();
      return {
        racers: [() => scene.acceptMove(offer), () => scene.book(offer.colleagueId, patient, '10:00')],
        state: () => scene.seenTo(offer),
      };
    },
    legal: ['accepted + slot_taken = SCHEDULED 2, MOVED, accepted, APPOINTMENT'],
  },
  {
    name: 'accept an offer that runs out and book the time that is held for it',
    arrange: async (scene) => {
      const offer = await scene.offered('10:00');
      const patient = await scene.patient();
      await scene.expiresSoon(offer.colleagueId);
      return {
        racers: [() => scene.acceptMove(offer), () => scene.book(offer.colleagueId, patient, '10:00')],
        state: () => scene.seenTo(offer),
      };
    },
    // The one who books may still meet the hold, and the answer come too late; or they wait for each other while it runs out.
    legal: [
      'accepted + slot_taken = SCHEDULED 2, MOVED, accepted, APPOINTMENT',
      'offer_closed + booked = SCHEDULED 1, OFFERED, open, APPOINTMENT',
      'slot_taken + booked = SCHEDULED 1, OFFERED, open, APPOINTMENT',
      'offer_closed + slot_taken = SCHEDULED 1, OFFERED, open, HOLD',
    ],
  },
  {
    name: 'cancel a visit and take the sick day’s first step about it',
    mostAhead: AHEAD_OF_A_STEP,
    arrange: async (scene) => {
      const affected = await scene.affected('10:00');
      return {
        racers: [() => scene.cancel(affected.visit), () => scene.nextStep(affected)],
        state: () => scene.atLast(affected),
      };
    },
    legal: [
      'cancelled + taken = no offer: CANCELLED 2, GONE',
      'cancelled + taken = no offer, told of it: CANCELLED 2, GONE, withdrawn',
    ],
  },
];
