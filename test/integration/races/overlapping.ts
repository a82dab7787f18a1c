import type { Connection } from '../../../src/db/connection.ts';
import type { HoldRow } from '../../../src/db/holds.ts';
import { AppError, type ErrorCode } from '../../../src/domain/errors.ts';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { createSchedulingDeps, type Act } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { placeHold, releaseHold } from '../../../src/scheduling/claims/hold.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { integrityFaults } from '../../support/integrity.ts';
import type { Dice } from '../../support/seed.ts';
import { withClients } from './clients.ts';
import { createHistory, unexpectedAnswers, visibilityFaults, type Effect, type History } from './history.ts';

type Wish =
  | { readonly kind: 'book'; readonly patientId: string; readonly providerId: string; readonly at: Date }
  | { readonly kind: 'move'; readonly appointmentId: string; readonly version: number }
  | { readonly kind: 'cancel'; readonly appointmentId: string }
  | { readonly kind: 'accept'; readonly roundId: string }
  | { readonly kind: 'hold'; readonly providerId: string; readonly at: Date }
  | { readonly kind: 'book held' | 'release'; readonly holdId: string };

/** Two clinics with the same patients: a patient's time is one, whoever takes it. */
interface Scene {
  readonly places: readonly { readonly clinic: Clinic; readonly providers: readonly string[] }[];
  readonly patients: readonly string[];
}

/** What the clients have been told: appointments with the version they last saw, rounds that a cancelling opened, and what they hold. */
interface Known {
  readonly appointments: { readonly place: Scene['places'][number]; readonly appointmentId: string; version: number }[];
  readonly rounds: { readonly place: Scene['places'][number]; readonly roundId: string }[];
  readonly holds: { readonly place: Scene['places'][number]; readonly hold: HoldRow }[];
}

/** What may be answered when many want the same: anything else is a fault. */
const REFUSALS: readonly ErrorCode[] = [
  'slot_taken',
  'patient_busy',
  'day_full',
  'outside_hours',
  'version_mismatch',
  'appointment_not_scheduled',
  'hold_gone',
  // Five seconds in the queue for a lock: a crawling machine, no fault. Nothing may be left of it, which the history checks, and deadlocks are counted.
  'temporarily_unavailable',
];

const DAYS = 3;
const MAX_A_DAY = 16;

async function aScene(owner: Connection): Promise<Scene> {
  const clinics = [await aClinic(owner), await aClinic(owner, { policy: { bufferAfterMinutes: 10 } })];
  const places = await Promise.all(
    clinics.map(async (clinic) => ({
      clinic,
      providers: await Promise.all([1, 2, 3].map(() => aProvider(owner, clinic, { maxDailyAppointments: MAX_A_DAY }))),
    })),
  );
  const patients = await Promise.all(Array.from({ length: 3 }, () => aPatient(owner)));
  await owner.db
    .insertInto('registration')
    .values(
      clinics.flatMap(({ clinicId }) => patients.map((patientId) => ({ clinic_id: clinicId, patient_id: patientId }))),
    )
    .execute();
  return { places, patients };
}

/**
 * Bookings, moves, cancellings, accepted rounds and holds that partly overlap, in random order, on few providers and patients. Returns what was asked and
 * everything that is wrong afterwards.
 */
export async function raceOverlaps(
  owner: Connection,
  app: Connection,
  size: { readonly operations: number; readonly clients: number },
  dice: Dice,
): Promise<{ readonly history: History<Wish, Effect>; readonly faults: readonly string[] }> {
  const scene = await aScene(owner);
  const deps = createSchedulingDeps(app);
  const known: Known = { appointments: [], rounds: [], holds: [] };
  const history = createHistory<Wish, Effect>();
  const actAt = ({ clinic }: Scene['places'][number], requestId?: string): Act => ({
    actor: { kind: 'staff', id: 'desk' },
    clinicId: clinic.clinicId,
    now: new Date(),
    ...(requestId === undefined ? {} : { requestId }),
  });
  const someStart = (clinic: Clinic): Date => {
    const minutes = 8 * 60 + dice.below(38) * 15;
    const time = `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
    return slotAt(clinic, 3 + dice.below(DAYS), time);
  };
  const someLength = (): number => dice.pick([15, 30, 45, 60]);

  const book = async (): Promise<void> => {
    const place = dice.pick(scene.places);
    const wish = {
      kind: 'book',
      patientId: dice.pick(scene.patients),
      providerId: dice.pick(place.providers),
      at: someStart(place.clinic),
    } as const;
    const { patientId, providerId, at } = wish;
    const durationMinutes = someLength();
    await history.perform(wish, async (requestId) => {
      const booking = { patientId, providerId, appointmentTime: at, durationMinutes, registersPatient: false };
      const { appointmentId, version } = await bookAppointment(deps, actAt(place, requestId), booking);
      known.appointments.push({ place, appointmentId, version });
      return 'changed';
    });
  };
  const move = async (): Promise<void> => {
    const seen = dice.pick(known.appointments);
    const { place, appointmentId, version } = seen;
    // Half of them by a little, so that the new time overlaps the old one.
    const to = dice.pick([
      { appointmentTime: someStart(place.clinic) },
      { durationMinutes: someLength() },
      { providerId: dice.pick(place.providers) },
      {
        appointmentTime: someStart(place.clinic),
        durationMinutes: someLength(),
        providerId: dice.pick(place.providers),
      },
    ]);
    await history.perform({ kind: 'move', appointmentId, version }, async (requestId) => {
      const after = await moveAppointment(deps, actAt(place, requestId), {
        appointmentId,
        expectedVersion: version,
        ...to,
      });
      seen.version = Math.max(seen.version, after.version);
      return after.version === version ? 'nothing' : 'changed';
    });
  };
  const cancel = async (): Promise<void> => {
    const seen = dice.pick(known.appointments);
    const { place, appointmentId } = seen;
    await history.perform({ kind: 'cancel', appointmentId }, async (requestId) => {
      const cancelled = await cancelAppointment(deps, actAt(place, requestId), { appointmentId, reason: 'other' });
      if (cancelled.roundId !== undefined) known.rounds.push({ place, roundId: cancelled.roundId });
      forgetMostly(known.appointments, seen, dice);
      return cancelled.alreadyCancelled ? 'nothing' : 'changed';
    });
  };
  const accept = async (): Promise<void> => {
    const seen = dice.pick(known.rounds);
    const { place, roundId } = seen;
    await history.perform({ kind: 'accept', roundId }, async (requestId) => {
      const filled = await fillRound(deps, actAt(place, requestId), { roundId });
      forgetMostly(known.rounds, seen, dice);
      if (filled.outcome === 'filled')
        known.appointments.push({ place, appointmentId: filled.appointmentId, version: 1 });
      return filled.outcome === 'filled' ? 'changed' : filled.outcome === 'released' ? 'noted' : 'nothing';
    });
  };
  const hold = async (): Promise<void> => {
    const place = dice.pick(scene.places);
    const wish = { kind: 'hold', providerId: dice.pick(place.providers), at: someStart(place.clinic) } as const;
    const slot = { providerId: wish.providerId, slotStart: wish.at, durationMinutes: someLength() };
    await history.perform(wish, async (requestId) => {
      // Each by somebody else: how many one may hold is another rule.
      const placed = await placeHold(deps, actAt(place, requestId), { ...slot, heldBy: requestId });
      known.holds.push({ place, hold: placed.hold });
      return 'noted';
    });
  };
  const useHold = async (): Promise<void> => {
    const seen = dice.pick(known.holds);
    const { place } = seen;
    const { hold_id: holdId, held_by: heldBy, provider_id: providerId, slot_start: appointmentTime } = seen.hold;
    if (dice.below(8) === 0) {
      await history.perform({ kind: 'release', holdId }, async (requestId) => {
        await releaseHold(deps, actAt(place, requestId), { holdId });
        forgetMostly(known.holds, seen, dice);
        return 'noted or nothing';
      });
      return;
    }
    await history.perform({ kind: 'book held', holdId }, async (requestId) => {
      const { appointmentId, version } = await bookAppointment(deps, actAt(place, requestId), {
        patientId: dice.pick(scene.patients),
        providerId,
        appointmentTime,
        durationMinutes: seen.hold.duration_minutes,
        registersPatient: false,
        hold: { holdId, heldBy },
      });
      forgetMostly(known.holds, seen, dice);
      known.appointments.push({ place, appointmentId, version });
      return 'changed';
    });
  };
  const wait = async (): Promise<void> => {
    const place = dice.pick(scene.places);
    const today = localDate(place.clinic.timeZone, Date.now());
    await joinWaitlist(deps, actAt(place), {
      patientId: dice.pick(scene.patients),
      providerId: dice.pick(place.providers),
      durationMinutes: 15,
      earliestDate: today,
      latestDate: addDays(today, 30),
      registersPatient: false,
    }).catch((error: unknown) => {
      if (!(error instanceof AppError && error.code === 'already_waiting')) throw error;
    });
  };

  const next = (): Promise<void> => {
    const roll = dice.below(100);
    if (roll < 20 || known.appointments.length === 0) return book();
    if (roll < 45) return move();
    if (roll < 67) return cancel();
    if (roll < 78) return hold();
    if (roll < 88) return known.holds.length === 0 ? hold() : useHold();
    return known.rounds.length === 0 ? book() : accept();
  };
  await withClients(size.clients, Array.from({ length: size.operations }), async () => {
    if (dice.below(8) === 0) await wait();
    await next();
  });
  return {
    history,
    faults: [
      ...unexpectedAnswers(history.operations, REFUSALS),
      ...(await visibilityFaults(owner, history.operations, (effect) => effect)),
      ...(await integrityFaults(owner)),
    ],
  };
}

/** What is over is asked for again now and then. */
function forgetMostly<Item>(known: Item[], item: Item, dice: Dice): void {
  const index = known.indexOf(item);
  if (index >= 0 && dice.below(4) > 0) known.splice(index, 1);
}
