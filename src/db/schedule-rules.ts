import { sql } from 'kysely';
import type { Closure, WeeklyWindow } from '../domain/availability/schedule.ts';
import type { ImportedClosure } from '../domain/closure-import.ts';
import type { Interval } from '../domain/interval.ts';
import { overridesOf, type TimeWindow } from '../domain/schedule-change.ts';
import type { Tx } from './connection.ts';
import { range } from './look-ups.ts';

/*
 * The rows of which a schedule is made. Whoever writes them holds the provider's lock, or the clinic's for closures; triggers raise `schedule_version`,
 * which booking compares under the same lock.
 */

interface OfProvider {
  readonly clinicId: string;
  readonly providerId: string;
}

/** The weekly hours and breaks of a provider, in place of those there were. */
export async function replaceHours(
  tx: Tx,
  { clinicId, providerId }: OfProvider,
  hours: { readonly weekly: readonly WeeklyWindow[]; readonly breaks: readonly WeeklyWindow[] },
  newId: () => string,
): Promise<void> {
  const row = ({ dayOfWeek, startTime, endTime }: WeeklyWindow) => ({
    clinic_id: clinicId,
    provider_id: providerId,
    day_of_week: dayOfWeek,
    start_time: startTime,
    end_time: endTime,
  });
  const weekly = hours.weekly.map((window) => ({ availability_id: newId(), ...row(window) }));
  const breaks = hours.breaks.map((window) => ({ provider_break_id: newId(), ...row(window) }));
  await tx.deleteFrom('availability').where('provider_id', '=', providerId).execute();
  await tx.deleteFrom('provider_break').where('provider_id', '=', providerId).execute();
  if (weekly.length > 0) await tx.insertInto('availability').values(weekly).execute();
  if (breaks.length > 0) await tx.insertInto('provider_break').values(breaks).execute();
}

/** The hours of one date in place of those there were; no windows: closed. */
export async function replaceOverride(
  tx: Tx,
  { clinicId, providerId }: OfProvider,
  override: { readonly date: string; readonly windows: readonly TimeWindow[] },
  newId: () => string,
): Promise<void> {
  await deleteOverride(tx, providerId, override.date);
  await tx
    .insertInto('availability_override')
    .values(
      overridesOf(override).map(({ date, startTime, endTime }) => ({
        availability_override_id: newId(),
        clinic_id: clinicId,
        provider_id: providerId,
        date,
        start_time: startTime ?? null,
        end_time: endTime ?? null,
      })),
    )
    .execute();
}

/** Returns whether the date had hours of its own. */
export async function deleteOverride(tx: Tx, providerId: string, date: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('availability_override')
    .where('provider_id', '=', providerId)
    .where('date', '=', date)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

export async function insertTimeOff(
  tx: Tx,
  timeOff: {
    readonly timeOffId: string;
    readonly clinicId: string;
    readonly providerId: string;
    readonly during: Interval;
  },
): Promise<void> {
  const { timeOffId, clinicId, providerId, during } = timeOff;
  await sql`insert into time_off (time_off_id, clinic_id, provider_id, during)
    values (${timeOffId}, ${clinicId}, ${providerId}, ${range(during.from, during.to)}::tstzrange)`.execute(tx);
}

/** Returns whether the provider had it. */
export async function deleteTimeOff(tx: Tx, providerId: string, timeOffId: string): Promise<boolean> {
  const { numDeletedRows } = await tx
    .deleteFrom('time_off')
    .where('time_off_id', '=', timeOffId)
    .where('provider_id', '=', providerId)
    .executeTakeFirst();
  return numDeletedRows > 0n;
}

/** A closure to be stored. `calendarUid`: the event it was imported from. */
export interface NewClosure extends Closure {
  readonly closureId: string;
  readonly calendarUid: string | null;
}

/**
 * What an import had closed from the same date, and is over, is written anew: the event lasts longer now, or comes back every year. One array a
 * column: a calendar file can hold more values than PostgreSQL takes parameters (65,535).
 */
export async function insertClosures(tx: Tx, clinicId: string, closures: readonly NewClosure[]): Promise<void> {
  if (closures.length === 0) return;
  await sql`
    insert into closure (closure_id, clinic_id, from_date, to_date, name, yearly, calendar_uid)
    select closure_id, ${clinicId}, from_date, to_date, name, yearly, calendar_uid
    from unnest(${closures.map((each) => each.closureId)}::uuid[], ${closures.map((each) => each.fromDate)}::date[],
      ${closures.map((each) => each.toDate)}::date[], ${closures.map((each) => each.name)}::text[],
      ${closures.map((each) => each.yearly)}::boolean[], ${closures.map((each) => each.calendarUid)}::text[])
      as added (closure_id, from_date, to_date, name, yearly, calendar_uid)
    on conflict (clinic_id, calendar_uid, from_date) where calendar_uid is not null
      do update set to_date = excluded.to_date, name = excluded.name, yearly = excluded.yearly`.execute(tx);
}

/** A clinic's closures that are not over on `today`. */
export async function closuresAhead(tx: Tx, clinicId: string, today: string): Promise<Closure[]> {
  const rows = await tx
    .selectFrom('closure')
    .select(['from_date', 'to_date', 'name', 'yearly'])
    .where('clinic_id', '=', clinicId)
    .where((eb) => eb.or([eb('to_date', '>=', today), eb('yearly', '=', true)]))
    .execute();
  return rows.map((row) => ({ fromDate: row.from_date, toDate: row.to_date, name: row.name, yearly: row.yearly }));
}

/** Returns how many of them there were. */
export async function deleteClosures(tx: Tx, closureIds: readonly string[]): Promise<number> {
  if (closureIds.length === 0) return 0;
  const { numDeletedRows } = await tx.deleteFrom('closure').where('closure_id', 'in', closureIds).executeTakeFirst();
  return Number(numDeletedRows);
}

/** What was imported of these events and is not over on `today`. */
export async function importedClosures(tx: Tx, uids: readonly string[], today: string): Promise<ImportedClosure[]> {
  if (uids.length === 0) return [];
  const rows = await tx
    .selectFrom('closure')
    .select(['closure_id', 'from_date', 'to_date', 'name', 'yearly', 'calendar_uid'])
    .where('calendar_uid', 'in', uids)
    .where((eb) => eb.or([eb('to_date', '>=', today), eb('yearly', '=', true)]))
    .$narrowType<{ calendar_uid: string }>()
    .execute();
  return rows.map((row) => ({
    closureId: row.closure_id,
    calendarUid: row.calendar_uid,
    fromDate: row.from_date,
    toDate: row.to_date,
    name: row.name,
    yearly: row.yearly,
  }));
}
