import { visitAt } from '../../domain/clock.ts';
import { sql } from 'kysely';
import type { AppointmentRow } from '../../db/appointments.ts';
import type { Tx } from '../../db/connection.ts';
import { busyRanges } from '../../db/look-ups.ts';
import { loadProviderSchedule } from '../../db/schedules.ts';
import type { SickDayRow } from '../../db/sick-days.ts';
import { type ProviderSchedule } from '../../domain/availability/schedule.ts';
import { availableSlots, busyRange } from '../../domain/availability/search.ts';
import { overlaps, type Interval } from '../../domain/interval.ts';
import { MAX_OFFERS, nearestSlot, offerDeadline } from '../../domain/sick-day.ts';
import { addDays, localDate, localTime, zonedInstant } from '../../domain/time-zone.ts';

/** A time that is free for the visit. Epoch milliseconds. */
export interface FreeSlot extends Interval {
  readonly providerId: string;
  /** Until when it can be offered. */
  readonly deadline: number;
}

export interface Search {
  readonly visit: AppointmentRow;
  readonly sickDay: SickDayRow;
  /** Epoch milliseconds. */
  readonly now: number;
  /** The times that the patient was told of before. */
  readonly told: readonly { readonly provider_id: string; readonly slot_start: Date }[];
}

/** A colleague's: same specialty, same day, as near as possible to the visit's own time. Undefined when none of them has a time for it. */
export async function slotOfColleague(tx: Tx, search: Search): Promise<FreeSlot | undefined> {
  const { visit, sickDay } = search;
  const colleagues = await tx
    .selectFrom('provider')
    .innerJoin('provider as away', (join) => join.on(sql<boolean>`lower(away.specialty) = lower(provider.specialty)`))
    .select('provider.provider_id')
    .where('provider.clinic_id', '=', sickDay.clinic_id)
    .where('away.clinic_id', '=', sickDay.clinic_id)
    .where('away.provider_id', '=', sickDay.provider_id)
    .where('provider.clinic_id', '=', sickDay.clinic_id)
    .where('provider.provider_id', '<>', sickDay.provider_id)
    .orderBy('provider.provider_id')
    .execute();
  const found: FreeSlot[] = [];
  for (const { provider_id: providerId } of colleagues) {
    const schedule = await loadProviderSchedule(tx, providerId);
    if (schedule === undefined) continue;
    const date = localDate(schedule.timeZone, visit.appointment_time.getTime());
    const slot = await nearestOn(tx, search, schedule, date);
    if (slot !== undefined) found.push(slot);
  }
  return nearestSlot(found, visit.appointment_time.getTime());
}

/** The same provider's when they are back: the first day with a time for it, on it as near as possible to the visit's own time of day. */
export async function slotOnOtherDay(tx: Tx, search: Search): Promise<FreeSlot | undefined> {
  const { visit, sickDay, now } = search;
  const schedule = await loadProviderSchedule(tx, sickDay.provider_id);
  if (schedule === undefined) return undefined;
  const visitDate = localDate(schedule.timeZone, visit.appointment_time.getTime());
  const lastDate = addDays(visitDate, sickDay.search_days);
  let date = localDate(schedule.timeZone, Math.max(sickDay.to_time.getTime(), now));
  // Whoever did not want one time of a day is offered another day.
  const toldDates = search.told.flatMap((each) =>
    each.provider_id === sickDay.provider_id ? [localDate(schedule.timeZone, each.slot_start.getTime())] : [],
  );
  for (; date <= lastDate; date = addDays(date, 1)) {
    if (toldDates.includes(date)) continue;
    const slot = await nearestOn(tx, search, schedule, date);
    if (slot !== undefined) return slot;
  }
  return undefined;
}

/** The provider's slot on a date that is nearest to the visit's time of day, leaves the patient time to answer and meets no other visit of theirs. */
async function nearestOn(
  tx: Tx,
  { visit, sickDay, now, told }: Search,
  schedule: ProviderSchedule,
  date: string,
): Promise<FreeSlot | undefined> {
  const { providerId, timeZone } = schedule;
  const { duration_minutes: durationMinutes } = visit;
  const visitFrom = visit.appointment_time.getTime();
  const range = busyRange(schedule, date, date, durationMinutes);
  const busy = await busyRanges(tx, providerId, range.from, range.to);
  const { slots } = availableSlots({ schedule, durationMinutes, date, now, busy });
  if (slots.length === 0) return undefined;

  const visitTo = visitAt(visitFrom, durationMinutes).to;
  // The visit that is to be moved is no obstacle to itself.
  const others = (await busyRanges(tx, visit.patient_id, range.from, range.to)).filter(
    (each) => each.from !== visitFrom || each.to !== visitTo,
  );
  const suitable = slots.flatMap((slot): FreeSlot[] => {
    if (others.some((each) => overlaps(each, slot))) return [];
    if (told.some((each) => each.provider_id === providerId && each.slot_start.getTime() === slot.from)) return [];
    const times = { now, visitFrom, slotFrom: slot.from, offersLeft: MAX_OFFERS - told.length };
    const deadline = offerDeadline({ timeZone, offerMinutes: sickDay.offer_minutes }, times);
    return deadline === undefined ? [] : [{ ...slot, providerId, deadline }];
  });
  return nearestSlot(suitable, zonedInstant(timeZone, date, localTime(timeZone, visitFrom)));
}
