import type { Pair } from './pairs.ts';

/** Two operations, and the only outcomes that doing one after the other, in either order, could have had. */
export const PAIRS: readonly Pair[] = [
  {
    name: 'move and cancel one visit',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return {
        racers: [() => scene.move(visit, '12:00'), () => scene.cancel(visit)],
        state: () => scene.status(visit),
      };
    },
    legal: ['moved + cancelled = CANCELLED 3', 'version_mismatch + cancelled = CANCELLED 2'],
  },
  {
    name: 'move one visit to two places',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return {
        racers: [() => scene.move(visit, '10:15'), () => scene.move(visit, '12:00')],
        state: () => scene.status(visit),
      };
    },
    legal: ['moved + version_mismatch = SCHEDULED 2', 'version_mismatch + moved = SCHEDULED 2'],
  },
  {
    name: 'move two visits into each other’s place',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [one, other] = [await scene.visit(provider, '10:00'), await scene.visit(provider, '11:00')];
      return {
        racers: [() => scene.move(one, '11:00'), () => scene.move(other, '10:00')],
        state: () => scene.status(one, other),
      };
    },
    legal: ['slot_taken + slot_taken = SCHEDULED 1, SCHEDULED 1'],
  },
  {
    name: 'move two visits to partly the same time',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [one, other] = [await scene.visit(provider, '10:00'), await scene.visit(provider, '11:00')];
      return {
        racers: [() => scene.move(one, '14:00'), () => scene.move(other, '14:15')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['moved + slot_taken = APPOINTMENT, APPOINTMENT', 'slot_taken + moved = APPOINTMENT, APPOINTMENT'],
  },
  {
    name: 'book one slot for two patients',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [one, other] = [await scene.patient(), await scene.patient()];
      return {
        racers: [() => scene.book(provider, one, '10:00'), () => scene.book(provider, other, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['booked + slot_taken = APPOINTMENT', 'slot_taken + booked = APPOINTMENT'],
  },
  {
    name: 'book one patient with two providers at partly the same time',
    arrange: async (scene) => {
      const [one, other] = [await scene.provider(), await scene.provider()];
      const patient = await scene.patient();
      return {
        racers: [() => scene.book(one, patient, '10:00'), () => scene.book(other, patient, '10:15')],
        state: () => scene.taken(one, other),
      };
    },
    legal: ['booked + patient_busy = APPOINTMENT', 'patient_busy + booked = APPOINTMENT'],
  },
  {
    name: 'book two slots of a day with room for one',
    arrange: async (scene) => {
      const provider = await scene.provider({ maxDailyAppointments: 1 });
      const [one, other] = [await scene.patient(), await scene.patient()];
      return {
        racers: [() => scene.book(provider, one, '10:00'), () => scene.book(provider, other, '14:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['booked + day_full = APPOINTMENT', 'day_full + booked = APPOINTMENT'],
  },
  {
    name: 'book two visits for a patient who may have one ahead',
    policy: { maxUpcomingPerPatient: 1 },
    arrange: async (scene) => {
      const [one, other] = [await scene.provider(), await scene.provider()];
      const patient = await scene.patient();
      return {
        racers: [() => scene.book(one, patient, '10:00'), () => scene.book(other, patient, '14:00')],
        state: () => scene.taken(one, other),
      };
    },
    legal: ['booked + too_many_upcoming = APPOINTMENT', 'too_many_upcoming + booked = APPOINTMENT'],
  },
  {
    name: 'book a slot and move another visit there',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      const patient = await scene.patient();
      return {
        racers: [() => scene.book(provider, patient, '14:00'), () => scene.move(visit, '14:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['booked + slot_taken = APPOINTMENT, APPOINTMENT', 'slot_taken + moved = APPOINTMENT'],
  },
  {
    name: 'cancel a visit and book its slot',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      const patient = await scene.patient();
      return {
        racers: [() => scene.cancel(visit), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['cancelled + booked = APPOINTMENT', 'cancelled + slot_taken = nothing'],
  },
  {
    name: 'cancel a visit and book its slot while somebody waits for it',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      await scene.waiting(provider);
      const patient = await scene.patient();
      return {
        racers: [() => scene.cancel(visit), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['cancelled + slot_taken = WAITLIST'],
  },
  {
    name: 'cancel one visit twice',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return { racers: [() => scene.cancel(visit), () => scene.cancel(visit)], state: () => scene.status(visit) };
    },
    legal: ['cancelled + was cancelled = CANCELLED 2', 'was cancelled + cancelled = CANCELLED 2'],
  },
  {
    name: 'check in and cancel',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return { racers: [() => scene.checkIn(visit), () => scene.cancel(visit)], state: () => scene.status(visit) };
    },
    legal: ['checked in + cancelled = CANCELLED 3', 'appointment_not_scheduled + cancelled = CANCELLED 2'],
  },
  {
    name: 'check in and move',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return {
        racers: [() => scene.checkIn(visit), () => scene.move(visit, '12:00')],
        state: () => scene.status(visit),
      };
    },
    legal: ['checked in + moved = SCHEDULED 3', 'checked in + version_mismatch = SCHEDULED 2'],
  },
  {
    name: 'complete and mark as a no-show',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return { racers: [() => scene.complete(visit), () => scene.noShow(visit)], state: () => scene.status(visit) };
    },
    // Whoever comes second corrects the first.
    legal: ['completed + marked = NO_SHOW 3', 'completed + marked = COMPLETED 3'],
  },
  {
    name: 'arrive late and be marked as a no-show',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      return { racers: [() => scene.checkInLate(visit), () => scene.noShow(visit)], state: () => scene.status(visit) };
    },
    legal: ['checked in + already_checked_in = SCHEDULED 2', 'appointment_not_scheduled + marked = NO_SHOW 2'],
  },
  {
    name: 'mark a no-show again and undo it',
    arrange: async (scene) => {
      const visit = await scene.visit(await scene.provider(), '10:00');
      await scene.noShow(visit);
      return { racers: [() => scene.noShow(visit), () => scene.undoNoShow(visit)], state: () => scene.status(visit) };
    },
    legal: ['marked + undone = SCHEDULED 3', 'marked + undone = NO_SHOW 4'],
  },
  {
    name: 'fill one round twice',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      await scene.waiting(provider);
      await scene.waiting(provider);
      const round = await scene.freed(visit);
      return { racers: [() => scene.accept(round), () => scene.accept(round)], state: () => scene.taken(provider) };
    },
    legal: ['filled + closed = APPOINTMENT', 'closed + filled = APPOINTMENT'],
  },
  {
    name: 'fill a round and book its slot',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      await scene.waiting(provider);
      const round = await scene.freed(visit);
      const patient = await scene.patient();
      return {
        racers: [() => scene.accept(round), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['filled + slot_taken = APPOINTMENT'],
  },
  {
    name: 'fill a round and book the one who waits elsewhere at that time',
    arrange: async (scene) => {
      const [provider, elsewhere] = [await scene.provider(), await scene.provider()];
      const visit = await scene.visit(provider, '10:00');
      const { entryId, patientId } = await scene.waiting(provider);
      const round = await scene.freed(visit);
      return {
        racers: [() => scene.accept(round), () => scene.book(elsewhere, patientId, '10:15')],
        state: () => scene.entry(entryId),
      };
    },
    legal: ['filled + patient_busy = BOOKED', 'released + booked = WAITING'],
  },
  {
    name: 'fill a round and leave the waitlist',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      const { entryId } = await scene.waiting(provider);
      const round = await scene.freed(visit);
      return { racers: [() => scene.accept(round), () => scene.leave(entryId)], state: () => scene.entry(entryId) };
    },
    legal: ['filled + left = BOOKED', 'released + left = LEFT'],
  },
  {
    name: 'fill a round that expires and book its slot',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visit = await scene.visit(provider, '10:00');
      await scene.waiting(provider);
      const round = await scene.freed(visit);
      const patient = await scene.patient();
      await scene.expiresSoon(provider);
      return {
        racers: [() => scene.accept(round), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    // The one who books may still meet the kept slot, and the round be filled too late.
    legal: ['filled + slot_taken = APPOINTMENT', 'released + booked = APPOINTMENT', 'released + slot_taken = nothing'],
  },
  {
    name: 'hold a slot and book it',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const patient = await scene.patient();
      return {
        racers: [() => scene.hold(provider, '10:00'), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['held + slot_taken = HOLD', 'slot_taken + booked = APPOINTMENT'],
  },
  {
    name: 'hold partly the same time twice',
    arrange: async (scene) => {
      const provider = await scene.provider();
      return {
        racers: [() => scene.hold(provider, '10:00'), () => scene.hold(provider, '10:15')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['held + slot_taken = HOLD', 'slot_taken + held = HOLD'],
  },
  {
    name: 'book a hold and release it',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const patient = await scene.patient();
      const hold = await scene.held(provider, '10:00');
      return {
        racers: [() => scene.book(provider, patient, '10:00', hold), () => scene.release(hold)],
        state: () => scene.taken(provider),
      };
    },
    legal: ['booked + released = APPOINTMENT', 'hold_gone + released = nothing'],
  },
  {
    name: 'book one hold twice',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [one, other] = [await scene.patient(), await scene.patient()];
      const hold = await scene.held(provider, '10:00');
      return {
        racers: [() => scene.book(provider, one, '10:00', hold), () => scene.book(provider, other, '10:00', hold)],
        state: () => scene.taken(provider),
      };
    },
    legal: ['booked + hold_gone = APPOINTMENT', 'hold_gone + booked = APPOINTMENT'],
  },
  {
    name: 'book a hold that expires, and its slot without one',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [holder, other] = [await scene.patient(), await scene.patient()];
      const hold = await scene.held(provider, '10:00');
      await scene.expiresSoon(provider);
      return {
        racers: [() => scene.book(provider, holder, '10:00', hold), () => scene.book(provider, other, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    // The other one may still meet the hold, and the holder come too late, who frees what has expired; or they wait for each other while it ends.
    legal: [
      'booked + slot_taken = APPOINTMENT',
      'hold_gone + booked = APPOINTMENT',
      'slot_taken + booked = APPOINTMENT',
      'hold_gone + slot_taken = nothing',
    ],
  },
  {
    name: 'extend a hold that expires, and book its slot',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const patient = await scene.patient();
      const hold = await scene.held(provider, '10:00');
      await scene.expiresSoon(provider);
      return {
        racers: [() => scene.extend(hold), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['extended + slot_taken = HOLD', 'hold_gone + booked = APPOINTMENT', 'hold_gone + slot_taken = HOLD'],
  },
  {
    name: 'take time off and book into it',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const patient = await scene.patient();
      return {
        racers: [() => scene.away(provider, '10:00'), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['away, 1 affected + booked = APPOINTMENT', 'away, 0 affected + provider_away = nothing'],
  },
  {
    name: 'close the clinic and book on that day',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const patient = await scene.patient();
      return {
        racers: [() => scene.close(), () => scene.book(provider, patient, '10:00')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['closed, 1 affected + booked = APPOINTMENT', 'closed, 0 affected + provider_closed = nothing'],
  },
  {
    name: 'book a series and one of its slots',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [one, other] = [await scene.patient(), await scene.patient()];
      return {
        racers: [() => scene.bookSeries(provider, one, '10:00'), () => scene.bookLater(provider, other, 2, '10:15')],
        state: () => scene.taken(provider),
      };
    },
    legal: ['booked + slot_taken = APPOINTMENT, APPOINTMENT, APPOINTMENT', 'series_clash + booked = APPOINTMENT'],
  },
  {
    name: 'book two series that meet on one date',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const [one, other] = [await scene.patient(), await scene.patient()];
      return {
        racers: [() => scene.bookSeries(provider, one, '10:00'), () => scene.bookSeries(provider, other, '10:15', 2)],
        state: () => scene.taken(provider),
      };
    },
    legal: [
      'booked + series_clash = APPOINTMENT, APPOINTMENT, APPOINTMENT',
      'series_clash + booked = APPOINTMENT, APPOINTMENT, APPOINTMENT',
    ],
  },
  {
    name: 'move a series and book where its last visit goes',
    arrange: async (scene) => {
      const provider = await scene.provider();
      const visits = await scene.series(provider, '10:00');
      const [first] = visits;
      if (first === undefined) throw new Error('no series');
      const patient = await scene.patient();
      return {
        racers: [() => scene.moveSeries(first, '14:00'), () => scene.bookLater(provider, patient, 2, '14:00')],
        state: () => scene.status(...visits),
      };
    },
    legal: [
      'moved + slot_taken = SCHEDULED 2, SCHEDULED 2, SCHEDULED 2',
      'series_clash + booked = SCHEDULED 1, SCHEDULED 1, SCHEDULED 1',
    ],
  },
  {
    name: 'cancel a series and move its first visit',
    arrange: async (scene) => {
      const visits = await scene.series(await scene.provider(), '10:00');
      const [first] = visits;
      if (first === undefined) throw new Error('no series');
      return {
        racers: [() => scene.cancelSeries(first), () => scene.move(first, '14:00')],
        state: () => scene.status(...visits),
      };
    },
    // The first visit's notice spoke for all of them: when it moves, the second one's takes its place.
    legal: [
      'cancelled 3 + moved = CANCELLED 3, CANCELLED 3, CANCELLED 2',
      'cancelled 3 + version_mismatch = CANCELLED 2, CANCELLED 2, CANCELLED 2',
    ],
  },
  {
    name: 'cancel the first visit of a series and move the second',
    arrange: async (scene) => {
      const visits = await scene.series(await scene.provider(), '10:00');
      const [first, second] = visits;
      if (first === undefined || second === undefined) throw new Error('no series');
      return {
        racers: [() => scene.cancel(first), () => scene.move(second, '14:00')],
        state: () => scene.status(...visits),
      };
    },
    // The first visit's notice spoke for all of them: the next one that it still spoke for takes it over.
    legal: [
      'cancelled + moved = CANCELLED 2, SCHEDULED 2, SCHEDULED 2',
      'cancelled + version_mismatch = CANCELLED 2, SCHEDULED 2, SCHEDULED 1',
    ],
  },
];
