import type { Tx } from '../../db/connection.ts';
import { findHold } from '../../db/holds.ts';
import {
  placeVisits,
  type FreedTime,
  type PlaceAnswer,
  type PlaceClaim,
  type PlaceRequest,
  type PlaceWrites,
} from '../../db/places.ts';
import type { LoadedSchedule } from '../../db/schedules.ts';
import { judgeSlot, type LocalDay } from '../../domain/availability/judge.ts';
import { visitAt } from '../../domain/clock.ts';
import { AppError, SeriesClashError, type ErrorCode } from '../../domain/errors.ts';
import type { Interval } from '../../domain/interval.ts';
import type { OverridableRule, RuleOverride } from '../../domain/override.ts';
import type { Act, SchedulingDeps } from '../act.ts';
import { createWaiver, type Waiver } from './waiver.ts';

/*
 * One way to place a visit. Every door that wants a time of a provider, for a visit that is booked or moved, for a series or for a hold, asks here. What
 * refuses is told in one order: what speaks against the act itself; the rules of the schedule (`judgeSlot`), the past first; then, in PostgreSQL under
 * the locks (`refusals_of_place`), what it claims, who has the time, the day's limit, and the limits on visits ahead.
 */

/** Where a visit, or a hold, is wanted. */
export interface WantedPlace {
  readonly providerId: string;
  /** A hold has none. */
  readonly patientId?: string | undefined;
  /** Epoch milliseconds. */
  readonly from: number;
  readonly durationMinutes: number;
  /** What speaks against the act itself, of what staff may set aside. */
  readonly refusals?: readonly OverridableRule[] | undefined;
  /** Which limits on visits ahead count: a visit that moves adds one with its new provider, and none at the clinic. Left out: none. */
  readonly limits?: 'all' | 'with_provider' | undefined;
  /** How many visits with the provider come with the same act before this one and are not counted yet. */
  readonly coming?: number | undefined;
  readonly writes: (schedule: LoadedSchedule) => PlaceWrites;
}

export interface Placing {
  /** Of the only place. */
  readonly claim?: PlaceClaim | undefined;
  readonly override?: RuleOverride | undefined;
  /** Visits whose present times are given back first. */
  readonly free?: readonly string[] | undefined;
  /** Every place is judged, and a refusal names all that cannot be had. */
  readonly asSeries?: true | undefined;
}

/** A place that is taken. */
export interface Placed {
  readonly schedule: LoadedSchedule;
  /** What the provider has reserved: the visit with the buffers. */
  readonly during: Interval;
  /** Which rules were set aside for it. */
  readonly waiver: Waiver;
}

/** How the rules and PostgreSQL are asked: in a transaction, or each for itself. */
export interface Asking {
  /** Of these providers, as last read; or as they are. */
  readonly schedules: (providerIds: readonly string[], asTheyAre: boolean) => Promise<readonly LoadedSchedule[]>;
  /** When the hold was granted. */
  readonly heldSince: (holdId: string) => Promise<Date | undefined>;
  readonly place: (request: PlaceRequest) => Promise<PlaceAnswer>;
}

const TRIES = 5;

/**
 * Places visits of one patient, or a hold, in the caller's transaction, which must be given up when it throws. Takes the locks of the providers and the
 * patient; the caller has taken no others but these.
 *
 * @throws AppError `not_found`, a code of `SlotRefusal`, `patient_busy`, `hold_gone`, `hold_mismatch`, `too_many_upcoming`,
 * `too_many_upcoming_with_provider`, `too_many_holds`; SeriesClashError with `asSeries`
 */
export function place<Wanted extends WantedPlace>(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  wanted: readonly Wanted[],
  placing: Placing = {},
): Promise<{ readonly placed: (Wanted & Placed)[]; readonly freed: readonly FreedTime[] }> {
  const asking: Asking = {
    schedules: (providerIds, asTheyAre) =>
      asTheyAre ? deps.schedules.readIn(tx, providerIds) : deps.schedules.all(tx, act.clinicId, providerIds),
    heldSince: async (holdId) => (await findHold(tx, holdId))?.judged_at,
    place: (request) => placeVisits(tx, request),
  };
  return placeBy(asking, deps, act, wanted, placing);
}

/** As {@link place}, asking in another way. */
export async function placeBy<Wanted extends WantedPlace>(
  asking: Asking,
  deps: Pick<SchedulingDeps, 'newId'>,
  act: Act,
  wanted: readonly Wanted[],
  placing: Placing,
): Promise<{ readonly placed: (Wanted & Placed)[]; readonly freed: readonly FreedTime[] }> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const asTheyAre = tries > 1;
    const schedules = await asking.schedules([...new Set(wanted.map(({ providerId }) => providerId))], asTheyAre);
    const judged: { readonly each: Wanted; readonly verdict: AllowedPlace | ErrorCode }[] = [];
    for (const each of wanted) judged.push({ each, verdict: await judge(asking, act, each, schedules, placing) });
    const allowed = judged.flatMap(({ each, verdict }) =>
      typeof verdict === 'string' ? [] : [{ ...each, ...verdict }],
    );
    // Rules that may be out of date refuse nobody.
    if (allowed.length < judged.length && !asTheyAre) continue;
    // A refusal by the rules is the end of it; of a series the others are asked for all the same, as it names every one.
    const isAsked = allowed.length === judged.length || (placing.asSeries === true && allowed.length > 0);
    const answer = isAsked ? await asking.place(requestOf(deps, act, allowed, placing)) : undefined;
    if (answer?.outcome === 'stale') continue;
    if (answer?.outcome === 'not_found') throw new AppError('not_found');

    const places = [...(answer?.places ?? [])];
    const clashes = judged.flatMap(({ each, verdict }) => {
      const code = typeof verdict === 'string' ? verdict : (places.shift()?.refusal ?? null);
      return code === null ? [] : [{ appointmentTime: new Date(each.from), code }];
    });
    const [first] = clashes;
    if (first !== undefined) throw placing.asSeries === true ? new SeriesClashError(clashes) : new AppError(first.code);
    for (const [index, { waiver }] of allowed.entries()) waiver.note(answer?.places[index]?.overridden ?? []);
    return { placed: allowed, freed: answer?.freed ?? [] };
  }
  throw new AppError('temporarily_unavailable', { reason: 'schedule_changing' });
}

interface AllowedPlace extends Placed {
  readonly day: LocalDay;
}

/** What speaks against the act, and the rules of the schedule. */
async function judge(
  asking: Asking,
  act: Act,
  { providerId, from, durationMinutes, refusals }: WantedPlace,
  schedules: readonly LoadedSchedule[],
  { claim, override }: Placing,
): Promise<AllowedPlace | ErrorCode> {
  const schedule = schedules.find((each) => each.providerId === providerId);
  if (schedule === undefined) throw new AppError('not_found');
  const waiver = createWaiver(override);
  for (const rule of refusals ?? []) if (!waiver.allows(rule)) return rule;
  const now = act.now.getTime();
  if (from <= now) return 'in_the_past';
  const judgeAt = (moment: number) =>
    judgeSlot({ schedule, from, durationMinutes, now: moment, waived: waiver.waived });
  let verdict = judgeAt(now);
  if ((!verdict.ok || verdict.overridden.length > 0) && claim !== undefined && 'holdId' in claim) {
    // What was offered when the slot was held can still be had: the notice and the horizon are those of that moment.
    const heldSince = await asking.heldSince(claim.holdId);
    if (heldSince !== undefined) verdict = judgeAt(heldSince.getTime());
  }
  if (!verdict.ok) return verdict.code;
  waiver.note(verdict.overridden);
  return { schedule, waiver, during: verdict.during, day: verdict.day };
}

function requestOf(
  deps: Pick<SchedulingDeps, 'newId'>,
  act: Act,
  places: readonly (WantedPlace & AllowedPlace)[],
  { claim, override, free, asSeries }: Placing,
): PlaceRequest {
  return {
    clinicId: act.clinicId,
    actorKind: act.actor.kind,
    actorId: act.actor.id,
    requestId: act.requestId,
    waived: override?.rules,
    reason: override?.reason,
    free,
    asSeries,
    places: places.map(({ providerId, patientId, from, durationMinutes, limits, coming, writes, ...place }) => {
      const { schedule, during, day, waiver } = place;
      const visit = visitAt(from, durationMinutes);
      return {
        ...claim,
        ...writes(schedule),
        providerId,
        patientId,
        visitFrom: new Date(visit.from),
        visitTo: new Date(visit.to),
        busyFrom: new Date(during.from),
        busyTo: new Date(during.to),
        dayFrom: new Date(day.from),
        dayTo: new Date(day.to),
        providerReservationId: deps.newId(),
        patientReservationId: deps.newId(),
        scheduleVersion: schedule.scheduleVersion,
        policyVersion: schedule.policyVersion,
        maxDaily: schedule.maxDailyAppointments,
        maxUpcoming: limits === 'all' ? (schedule.policy.maxUpcomingPerPatient ?? undefined) : undefined,
        maxUpcomingWithProvider:
          limits === undefined ? undefined : (schedule.policy.maxUpcomingPerProviderAndPatient ?? undefined),
        coming,
        overridden: waiver.rules(),
      };
    }),
  };
}
