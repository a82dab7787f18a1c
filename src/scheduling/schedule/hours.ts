import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { deleteOverride, replaceHours, replaceOverride } from '../../db/schedule-rules.ts';
import type { WeeklyWindow } from '../../domain/availability/schedule.ts';
import { AppError } from '../../domain/errors.ts';
import type { ScheduleChange, TimeWindow } from '../../domain/schedule-change.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { affectedOfProvider } from './affected-visits.ts';
import { withdrawRefusedOffers } from '../claims/withdraw-offers.ts';

/** How many booked visits the change leaves where no visit should be. They stay until somebody moves them. */
export interface ScheduleChanged {
  readonly affectedAppointments: number;
}

export interface NewHours {
  readonly providerId: string;
  /** The schedule's version as the caller has read it. */
  readonly expectedVersion: number;
  readonly weekly: readonly WeeklyWindow[];
  readonly breaks: readonly WeeklyWindow[];
}

/**
 * A provider's weekly hours and breaks, in place of those there were.
 * @throws AppError `not_found`, `version_mismatch`
 */
export function changeHours(
  deps: SchedulingDeps,
  act: Act,
  { providerId, expectedVersion, weekly, breaks }: NewHours,
): Promise<ScheduleChanged & { readonly scheduleVersion: number }> {
  return changed(deps, act, providerId, { kind: 'hours', weekly, breaks }, async (tx, version) => {
    if (version !== expectedVersion) throw new AppError('version_mismatch', { version });
    await replaceHours(tx, { clinicId: act.clinicId, providerId }, { weekly, breaks }, deps.newId);
  });
}

/** Other hours on one date, in place of the weekly ones; no windows: closed. @throws AppError `not_found` */
export function overrideDate(
  deps: SchedulingDeps,
  act: Act,
  { providerId, date, windows }: { providerId: string; date: string; windows: readonly TimeWindow[] },
): Promise<ScheduleChanged> {
  return changed(deps, act, providerId, { kind: 'override', date, windows }, (tx) =>
    replaceOverride(tx, { clinicId: act.clinicId, providerId }, { date, windows }, deps.newId),
  );
}

/** The weekly hours hold on the date again. @throws AppError `not_found` also when the date has no hours of its own */
export function clearOverride(
  deps: SchedulingDeps,
  act: Act,
  { providerId, date }: { providerId: string; date: string },
): Promise<ScheduleChanged> {
  return changed(deps, act, providerId, { kind: 'override_cleared', date }, async (tx) => {
    if (!(await deleteOverride(tx, providerId, date))) throw new AppError('not_found');
  });
}

/** The audit's words. */
const AUDITED = { hours: 'hours_changed', override: 'date_overridden', override_cleared: 'override_cleared' } as const;

type ProviderChange = Extract<ScheduleChange, { kind: keyof typeof AUDITED }>;

/** One transaction under the provider's lock: nobody books in between, and who comes after is judged by the new rules. */
function changed(
  deps: SchedulingDeps,
  act: Act,
  providerId: string,
  change: ProviderChange,
  write: (tx: Tx, scheduleVersion: number) => Promise<void>,
): Promise<ScheduleChanged & { readonly scheduleVersion: number }> {
  return door(deps, act, async (tx) => {
    await lockForBooking(tx, { clinicId: act.clinicId, providerIds: [providerId], patientIds: [] });
    const { schedule, affected } = await affectedOfProvider(tx, providerId, change, act.now);
    await write(tx, schedule.scheduleVersion);
    await withdrawRefusedOffers(tx, act, providerId);
    const { kind, ...rules } = change;
    await audit(tx, act, 'provider', providerId, AUDITED[kind], { ...rules, affected: affected.length });
    const after = await tx
      .selectFrom('provider')
      .select('schedule_version')
      .where('provider_id', '=', providerId)
      .executeTakeFirstOrThrow();
    return { scheduleVersion: after.schedule_version, affectedAppointments: affected.length };
  });
}
