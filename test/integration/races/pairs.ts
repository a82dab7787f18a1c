import { sql } from 'kysely';
import type { Connection } from '../../../src/db/connection.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { ClinicPolicy } from '../../../src/domain/policy.ts';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import type { Act, SchedulingDeps } from '../../../src/scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { cancelSeries } from '../../../src/scheduling/visits/cancel-series.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { addClosure } from '../../../src/scheduling/schedule/closures.ts';
import { extendHold, placeHold, releaseHold } from '../../../src/scheduling/claims/hold.ts';
import { acceptOffer, declineOffer } from '../../../src/scheduling/claims/answer-offer.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { callInSick, stopSickDay } from '../../../src/scheduling/sick-day/sick-day.ts';
import { takeNextStep } from '../../../src/scheduling/sick-day/step.ts';
import { addTimeOff } from '../../../src/scheduling/schedule/time-off.ts';
import { joinWaitlist, leaveWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import type { Dice } from '../../support/seed.ts';
import { withClients } from './clients.ts';

/** What a racer does, and the word for what came of it: a success, or the code of the refusal. */
type Racer = () => Promise<string>;

/** Two operations that race, and what may come of it. */
export interface Pair {
  readonly name: string;
  /** What is special about the clinic. */
  readonly policy?: Partial<ClinicPolicy>;
  /** Round trips by which one racer may be ahead, where the usual ones would never let the longer racer be first. */
  readonly mostAhead?: number;
  /** Sets a round up; `state` is read when both have their answer. */
  readonly arrange: (scene: Scene) => Promise<{ readonly racers: readonly [Racer, Racer]; readonly state: Racer }>;
  /** `first + second = state` */
  readonly legal: readonly string[];
}

interface Visit {
  readonly appointmentId: string;
  readonly patientId: string;
  readonly providerId: string;
  readonly at: Date;
}

interface Held {
  readonly holdId: string;
  readonly heldBy: string;
}

/** A visit in the hands of a sick day, and the colleague whose time its patient is offered. */
interface Affected {
  readonly visit: Visit;
  readonly sickDayId: string;
  readonly colleagueId: string;
}

interface Offered extends Affected {
  readonly offerId: string;
  readonly expiresAt: Date;
}

/** Days from today to the day of all visits. */
const DAY = 4;

/** One round's clinic and what can be done there. Every round has its own, so that rounds do not meet. */
export type Scene = ReturnType<typeof createScene>;

function createScene(owner: Connection, deps: SchedulingDeps, clinic: Clinic, dice: Dice) {
  const act = (now = new Date()): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now });
  /** Half an hour at a time of day; the visit's own day is the same in all rounds. */
  const at = (time: string): Date => slotAt(clinic, DAY, time);
  const before = (visit: Visit): Act => act(new Date(visit.at.getTime() - 3_600_000));
  const during = (visit: Visit): Act => act(new Date(visit.at.getTime() + 60_000));
  const booking = (visit: Omit<Visit, 'appointmentId'>) => ({
    patientId: visit.patientId,
    providerId: visit.providerId,
    appointmentTime: visit.at,
    durationMinutes: 30,
    registersPatient: false,
  });
  const series = (providerId: string, patientId: string, time: string, weeksLater: number) => ({
    ...booking({ patientId, providerId, at: slotAt(clinic, DAY + 7 * weeksLater, time) }),
    everyWeeks: 1,
    count: 3,
  });
  const one = async (query: ReturnType<typeof sql<{ state: string | null }>>): Promise<string> =>
    (await query.execute(owner.db)).rows[0]?.state ?? 'nothing';

  const visit = async (providerId: string, time: string): Promise<Visit> => {
    const booked = { patientId: await aPatient(owner, clinic), providerId, at: at(time) };
    const { appointmentId } = await bookAppointment(deps, act(), booking(booked));
    return { appointmentId, ...booked };
  };
  /** A morning visit whose provider is sick until noon and has a colleague. Its patient has not been asked yet. */
  const affected = async (time: string): Promise<Affected> => {
    const [providerId, colleagueId] = [await aProvider(owner, clinic), await aProvider(owner, clinic)];
    const booked = await visit(providerId, time);
    const absence = { providerId, from: at('08:00'), to: at('12:00'), reason: 'illness' } as const;
    const { sickDayId } = await callInSick(deps, act(), absence);
    return { visit: booked, sickDayId, colleagueId };
  };
  const nextStep = async ({ sickDayId, visit: { appointmentId } }: Affected, now = new Date()): Promise<string> => {
    await takeNextStep(deps, act(now), { sickDayId, appointmentId });
    return 'taken';
  };
  const openOffer = ({ sickDayId }: Affected): Promise<{ offerId: string; expiresAt: Date } | undefined> =>
    owner.db
      .selectFrom('offer')
      .select(['offer_id as offerId', 'expires_at as expiresAt'])
      .where('sick_day_id', '=', sickDayId)
      .where('state', '=', 'OPEN')
      .executeTakeFirst();
  const acceptMove = async ({ offerId }: Pick<Offered, 'offerId'>): Promise<string> => {
    const { state } = await acceptOffer(deps, act(), { offerId });
    return state === 'ACCEPTED' ? 'accepted' : state;
  };
  /** The visit, what the sick day says of it, its offers in the order they were made, and who has the colleague's time. */
  const seenTo = ({ visit: { appointmentId }, sickDayId, colleagueId }: Affected): Promise<string> =>
    one(sql`select concat_ws(', ', a.status || ' ' || a.version, i.state,
        (select string_agg(lower(o.state), ', ' order by o.created_at, o.offer_id)
          from offer o where o.sick_day_id = i.sick_day_id and o.appointment_id = i.appointment_id),
        (select string_agg(r.purpose, ', ' order by lower(r.during)) from reservation r where r.resource_id = ${colleagueId})) as state
      from appointment a join sick_day_item i using (appointment_id)
      where a.appointment_id = ${appointmentId} and i.sick_day_id = ${sickDayId}`);

  return {
    at,
    provider: (given: { maxDailyAppointments?: number } = {}) => aProvider(owner, clinic, given),
    patient: () => aPatient(owner, clinic),

    /** A visit that is booked before the race. */
    visit,
    book: async (providerId: string, patientId: string, time: string, hold?: Held): Promise<string> => {
      const held = hold === undefined ? {} : { hold };
      await bookAppointment(deps, act(), { ...booking({ patientId, providerId, at: at(time) }), ...held });
      return 'booked';
    },
    /** At that time of day, so many weeks after the day of all visits. */
    bookLater: async (providerId: string, patientId: string, weeks: number, time: string): Promise<string> => {
      const later = slotAt(clinic, DAY + 7 * weeks, time);
      await bookAppointment(deps, act(), booking({ patientId, providerId, at: later }));
      return 'booked';
    },
    move: async ({ appointmentId }: Visit, time: string, providerId?: string): Promise<string> => {
      await moveAppointment(deps, act(), {
        appointmentId,
        expectedVersion: 1,
        appointmentTime: at(time),
        ...(providerId === undefined ? {} : { providerId }),
      });
      return 'moved';
    },
    cancel: async ({ appointmentId }: Visit): Promise<string> => {
      const { alreadyCancelled } = await cancelAppointment(deps, act(), { appointmentId, reason: 'other' });
      return alreadyCancelled ? 'was cancelled' : 'cancelled';
    },
    checkIn: async (visit: Visit): Promise<string> => {
      await checkIn(deps, before(visit), visit);
      return 'checked in';
    },
    /** Arrives when the visit has begun. */
    checkInLate: async (visit: Visit): Promise<string> => {
      await checkIn(deps, during(visit), visit);
      return 'checked in';
    },
    complete: async (visit: Visit): Promise<string> => {
      await completeAppointment(deps, during(visit), visit);
      return 'completed';
    },
    noShow: async (visit: Visit): Promise<string> => {
      await markNoShow(deps, during(visit), visit);
      return 'marked';
    },
    undoNoShow: async (visit: Visit): Promise<string> => {
      await undoNoShow(deps, during(visit), visit);
      return 'undone';
    },

    /** Somebody who waits for half an hour of the provider. */
    waiting: async (providerId: string): Promise<{ entryId: string; patientId: string }> => {
      const patientId = await aPatient(owner, clinic);
      const today = localDate(clinic.timeZone, Date.now());
      const entry = await joinWaitlist(deps, act(), {
        patientId,
        providerId,
        durationMinutes: 30,
        earliestDate: today,
        latestDate: addDays(today, 30),
        registersPatient: false,
      });
      return { entryId: entry.entry_id, patientId };
    },
    leave: async (entryId: string): Promise<string> => {
      await leaveWaitlist(deps, act(), { entryId });
      return 'left';
    },
    /** The round of a visit that is cancelled before the race. */
    freed: async ({ appointmentId }: Visit): Promise<string> => {
      const { roundId } = await cancelAppointment(deps, act(), { appointmentId, reason: 'other' });
      if (roundId === undefined) throw new Error('nobody waits');
      return roundId;
    },
    accept: async (roundId: string): Promise<string> => (await fillRound(deps, act(), { roundId })).outcome,

    hold: async (providerId: string, time: string): Promise<string> => {
      await placeHold(deps, act(), { providerId, slotStart: at(time), durationMinutes: 30, heldBy: deps.newId() });
      return 'held';
    },
    /** A hold that is placed before the race, by somebody who has no other. */
    held: async (providerId: string, time: string): Promise<Held> => {
      const heldBy = deps.newId();
      const slot = { providerId, slotStart: at(time), durationMinutes: 30, heldBy };
      const { hold } = await placeHold(deps, act(), slot);
      return { holdId: hold.hold_id, heldBy };
    },
    extend: async (hold: Held): Promise<string> => {
      await extendHold(deps, act(), hold);
      return 'extended';
    },
    release: async (hold: Held): Promise<string> => {
      await releaseHold(deps, act(), hold);
      return 'released';
    },
    /** Lets whatever is kept for a while at the provider expire in the midst of the race. */
    expiresSoon: async (providerId: string): Promise<void> => {
      const soon = sql`clock_timestamp() + make_interval(secs => ${dice.below(30)} / 1000.0)`;
      await sql`with kept as (
          update reservation set expires_at = ${soon} where resource_id = ${providerId} and expires_at is not null
          returning hold_id, round_id, expires_at),
        holds as (update hold set expires_at = kept.expires_at from kept where hold.hold_id = kept.hold_id),
        offers as (update offer set expires_at = kept.expires_at from kept where offer.hold_id = kept.hold_id)
        update waitlist_round set deadline = kept.expires_at from kept where waitlist_round.round_id = kept.round_id`.execute(
        owner.db,
      );
    },
    away: async (providerId: string, time: string): Promise<string> => {
      const from = at(time);
      const to = new Date(from.getTime() + 30 * 60_000);
      const { affectedAppointments } = await addTimeOff(deps, act(), { providerId, from, to });
      return `away, ${affectedAppointments} affected`;
    },

    close: async (): Promise<string> => {
      const date = localDate(clinic.timeZone, at('12:00').getTime());
      const closure = { fromDate: date, toDate: date, name: 'Closed', yearly: false };
      const { affectedAppointments } = await addClosure(deps, act(), closure);
      return `closed, ${affectedAppointments} affected`;
    },

    /** Three visits, from the day of all visits or so many weeks after it. */
    bookSeries: async (providerId: string, patientId: string, time: string, weeksLater = 0): Promise<string> => {
      await bookSeries(deps, act(), series(providerId, patientId, time, weeksLater), undefined);
      return 'booked';
    },
    /** A series that is booked before the race. */
    series: async (providerId: string, time: string): Promise<readonly Visit[]> => {
      const patientId = await aPatient(owner, clinic);
      const { appointments } = await bookSeries(deps, act(), series(providerId, patientId, time, 0), undefined);
      return appointments.map(({ appointmentId, appointmentTime }) => ({
        appointmentId,
        patientId,
        providerId,
        at: new Date(appointmentTime),
      }));
    },
    moveSeries: async ({ appointmentId }: Visit, time: string): Promise<string> => {
      await moveSeries(deps, act(), { appointmentId, expectedVersion: 1, appointmentTime: at(time) });
      return 'moved';
    },
    cancelSeries: async ({ appointmentId }: Visit): Promise<string> => {
      const { cancelled } = await cancelSeries(deps, act(), { appointmentId, reason: 'other' });
      return `cancelled ${cancelled}`;
    },

    affected,
    /** As affected, and the patient is offered the colleague's time before the race. */
    offered: async (time: string): Promise<Offered> => {
      const given = await affected(time);
      await nextStep(given);
      const offer = await openOffer(given);
      if (offer === undefined) throw new Error('nothing was offered');
      return { ...given, ...offer };
    },
    nextStep,
    /** The sick day's clock says that the offer has run out. */
    stepAfter: (offered: Offered): Promise<string> => nextStep(offered, offered.expiresAt),
    acceptMove,
    declineMove: async ({ offerId }: Offered): Promise<string> => {
      const { state } = await declineOffer(deps, act(), { offerId });
      return state === 'DECLINED' ? 'declined' : state;
    },
    stopSickDay: async ({ sickDayId }: Affected): Promise<string> => {
      const { state } = await stopSickDay(deps, act(), { sickDayId });
      return state === 'STOPPED' ? 'stopped' : state;
    },
    seenTo,
    /** What the patient is told who answers now, if an offer is still open; then the same as seenTo, once the sick day has come to this visit again. */
    atLast: async (given: Affected): Promise<string> => {
      const offer = await openOffer(given);
      const answer = offer === undefined ? 'no offer' : await wordOf(() => acceptMove(offer))();
      const told = await one(sql`select coalesce(max(', told of it'), '') as state from outbox
        where aggregate_id = ${given.sickDayId} and event = 'visitChanged'`);
      await nextStep(given);
      return `${answer}${told}: ${await seenTo(given)}`;
    },

    status: (...visits: readonly Visit[]): Promise<string> =>
      one(sql`select string_agg(status || ' ' || version, ', ' order by series_index, appointment_time, appointment_id) as state from appointment
        where appointment_id = any(${visits.map((visit) => visit.appointmentId)}::uuid[])`),
    /** Who has the provider's time. */
    taken: (...providerIds: readonly string[]): Promise<string> =>
      one(sql`select string_agg(purpose, ', ' order by lower(during)) as state from reservation
        where resource_id = any(${providerIds}::uuid[])`),
    entry: (entryId: string): Promise<string> =>
      one(sql`select status as state from waitlist_entry where entry_id = ${entryId}`),
  };
}

/** Rounds at once: the racers of one meet the others in the pool and in the processor. */
const ROUNDS_AT_ONCE = 4;
/** Round trips to the database by which one racer is ahead of the other. */
const MOST_AHEAD = 12;

/** Races the pair so many times; how often each outcome came of it. */
export async function racePair(
  owner: Connection,
  deps: SchedulingDeps,
  pair: Pair,
  rounds: number,
  dice: Dice,
): Promise<Map<string, number>> {
  const outcomes = new Map<string, number>();
  await withClients(ROUNDS_AT_ONCE, Array.from({ length: rounds }), async () => {
    const clinic = await aClinic(owner, { policy: pair.policy ?? {} });
    const { racers, state } = await pair.arrange(createScene(owner, deps, clinic, dice));
    const start = racers.map((racer) => wordOf(racer));
    // Either may be ahead by a few statements: one racer is a single statement, another a dozen.
    const isReversed = dice.below(2) === 1;
    if (isReversed) start.reverse();
    const headStart = dice.below(pair.mostAhead ?? MOST_AHEAD);
    const words = await Promise.all(
      start.map(async (racer, n) => {
        for (let trips = n * headStart; trips > 0; trips -= 1) await sql`select`.execute(owner.db);
        return racer();
      }),
    );
    if (isReversed) words.reverse();
    const outcome = `${words.join(' + ')} = ${await state()}`;
    outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  });
  return outcomes;
}

function wordOf(racer: Racer): Racer {
  return () =>
    racer().catch((error: unknown) => {
      if (error instanceof AppError) return error.code;
      throw error;
    });
}

/** The outcomes that the pair's table does not know. */
export function illegalOutcomes(pair: Pair, outcomes: ReadonlyMap<string, number>): string[] {
  return [...outcomes.keys()].filter((outcome) => !pair.legal.includes(outcome));
}
