import type { Tx } from '../../db/connection.ts';
import { busyRangesOfEach } from '../../db/look-ups.ts';
import { expireReservationsOfEach, reserveAppointments } from '../../db/reservations.ts';
import { judgeSlot, type BusyTime, type LocalDay } from '../../domain/availability/judge.ts';
import { type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { AppError, SeriesClashError, type SeriesClash } from '../../domain/errors.ts';
import { overlaps, type Interval } from '../../domain/interval.ts';
import type { OverridableRule, RuleOverride } from '../../domain/override.ts';
import { createWaiver, type Waiver } from './waiver.ts';

/** Where a visit of a series is meant to be. Instants in epoch milliseconds. */
export interface WantedVisit {
  readonly appointmentId: string;
  readonly schedule: ProviderSchedule;
  readonly from: number;
  readonly durationMinutes: number;
  /** What refuses it besides the rules of `judgeSlot`; staff may set it aside. */
  readonly refusals: readonly OverridableRule[];
}

/** What to reserve: the visit itself, and the provider's time with the buffers; and which rules were set aside for it. */
export interface Place {
  readonly visit: Interval;
  readonly during: Interval;
  readonly waiver: Waiver;
}

/**
 * Finds out whether all of these visits of one patient can be had together. Every one is judged, so that the refusal can name all that cannot. The
 * caller holds the locks of the providers and the patient, and has freed what the visits had before.
 *
 * @throws SeriesClashError
 */
export async function placeVisits<Visit extends WantedVisit>(
  tx: Tx,
  visits: readonly Visit[],
  { patientId, now, override }: { readonly patientId: string; readonly now: Date; readonly override?: RuleOverride },
): Promise<(Visit & Place)[]> {
  const clashes: SeriesClash[] = [];
  const each = <Wanted extends WantedVisit, Result>(
    wanted: readonly Wanted[],
    judge: (visit: Wanted) => Result,
  ): Result[] => {
    const results: Result[] = [];
    for (const visit of wanted) {
      try {
        results.push(judge(visit));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        clashes.push({ appointmentTime: new Date(visit.from), code: error.code });
      }
    }
    return results;
  };

  const allowed = each(visits, (visit) => judgeByRules(visit, now.getTime(), override));
  const free = await withBusyTimes(tx, patientId, allowed);
  const ours: (Place & { readonly providerId: string })[] = [];
  const placed = each(free, (visit) => {
    const place = judgeByBusyTimes(visit, now.getTime(), ours);
    ours.push({ ...place, providerId: visit.schedule.providerId });
    return { ...visit, ...place };
  });
  if (clashes.length > 0) {
    throw new SeriesClashError(clashes.toSorted((a, b) => a.appointmentTime.getTime() - b.appointmentTime.getTime()));
  }
  return placed;
}

/**
 * Reserves what {@link placeVisits} found; the appointments are there. The caller's transaction must be given up when it throws.
 * @throws SeriesClashError where the constraint refuses what nobody saw
 */
export async function reservePlaces(
  tx: Tx,
  whose: { readonly clinicId: string; readonly patientId: string },
  places: readonly (WantedVisit & Place)[],
): Promise<void> {
  const refused = await reserveAppointments(
    tx,
    places.map(({ appointmentId, schedule, during, visit }) => ({
      ...whose,
      appointmentId,
      providerId: schedule.providerId,
      during,
      visit,
    })),
  );
  if (refused.length === 0) return;
  const startOf = new Map(places.map(({ appointmentId, from }) => [appointmentId, from]));
  throw new SeriesClashError(
    refused.map(({ appointmentId, code }) => ({ appointmentTime: new Date(startOf.get(appointmentId) ?? 0), code })),
  );
}

interface AllowedVisit {
  readonly waiver: Waiver;
  readonly during: Interval;
  readonly day: LocalDay;
}

/** What can be said without asking who is busy. @throws AppError */
function judgeByRules<Visit extends WantedVisit>(
  visit: Visit,
  now: number,
  override: RuleOverride | undefined,
): Visit & AllowedVisit {
  const waiver = createWaiver(override);
  const { schedule, from, durationMinutes } = visit;
  if (from <= now) throw new AppError('in_the_past');
  const verdict = judgeSlot({ schedule, from, durationMinutes, now, waived: waiver.waived });
  if (!verdict.ok) throw new AppError(verdict.code);
  for (const rule of visit.refusals) waiver.refuse(rule);
  return { ...visit, waiver, during: verdict.during, day: verdict.day };
}

interface BusyTimes {
  /** The provider's on that day, and wherever the visit reaches. */
  readonly providerBusy: readonly BusyTime[];
  readonly patientBusy: readonly BusyTime[];
}

async function withBusyTimes<Visit extends WantedVisit & AllowedVisit>(
  tx: Tx,
  patientId: string,
  visits: readonly Visit[],
): Promise<(Visit & BusyTimes)[]> {
  await expireReservationsOfEach(
    tx,
    visits.map(({ schedule, during }) => ({ resourceId: schedule.providerId, ...during })),
  );
  const busy = await busyRangesOfEach(tx, [
    ...visits.map(({ schedule, during, day }) => ({
      resourceId: schedule.providerId,
      from: Math.min(day.from, during.from),
      to: Math.max(day.to, during.to),
    })),
    ...visits.map((visit) => ({ resourceId: patientId, ...visitOf(visit) })),
  ]);
  return visits.map((visit, index) => ({
    ...visit,
    providerBusy: busy[index] ?? [],
    patientBusy: busy[visits.length + index] ?? [],
  }));
}

/** @param ours - the visits placed before this one: they are reserved with it. @throws AppError */
function judgeByBusyTimes(
  { schedule, from, durationMinutes, waiver, providerBusy, patientBusy }: WantedVisit & AllowedVisit & BusyTimes,
  now: number,
  ours: readonly (Place & { readonly providerId: string })[],
): Place {
  const visit = visitOf({ from, durationMinutes });
  const oursOfProvider = ours
    .filter(({ providerId }) => providerId === schedule.providerId)
    .map(({ during }): BusyTime => ({ ...during, purpose: 'APPOINTMENT' }));
  const busy = [...providerBusy, ...oursOfProvider];
  const verdict = judgeSlot({ schedule, from, durationMinutes, now, busy, waived: waiver.waived });
  if (!verdict.ok) throw new AppError(verdict.code);
  waiver.note(verdict.overridden);
  if ([...patientBusy, ...ours.map((each) => each.visit)].some((each) => overlaps(each, visit))) {
    throw new AppError('patient_busy');
  }
  return { visit, during: verdict.during, waiver };
}

function visitOf({ from, durationMinutes }: Pick<WantedVisit, 'from' | 'durationMinutes'>): Interval {
  return { from, to: from + durationMinutes * 60_000 };
}
