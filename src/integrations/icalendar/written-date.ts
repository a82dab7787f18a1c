import { DAY_MS, MINUTE_MS } from '../../domain/clock.ts';
import { localMidnight, offsetAt, timeOfDay, utcMidnight } from '../../domain/time-zone.ts';
import type { Property } from './components.ts';

/** A DATE or DATE-TIME (RFC 5545 §3.3.4, §3.3.5) as the date on which it was meant: everything about whole days is compared by it. */
export interface WrittenDate {
  /** In the form of `utcMidnight`. */
  readonly midnight: number;
  /** Milliseconds after that midnight; undefined where no time is written. */
  readonly time: number | undefined;
}

/**
 * Eight digits are a date, whatever else the line says. A time of day in any zone stands for itself, as its zone is where the day is meant; a time in UTC
 * is one of the clinic's clock, unless it is an edge of a day in UTC, as files have it whose days were written without a zone.
 * @param zone - the clinic's
 * @returns undefined for what is no date
 */
export function writtenDate(
  value: string,
  { parameters, type }: Omit<Property, 'value'>,
  zone: string,
): WrittenDate | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)?(Z)?)?$/i.exec(value.trim());
  if (match === null) return undefined;
  const [, year = '', month = '', day = '', hours, minutes = '', seconds = '00', utc] = match;
  try {
    const midnight = utcMidnight(`${year}-${month}-${day}`);
    if (hours === undefined) return { midnight, time: undefined };
    const time = timeOfDay(`${hours}:${minutes}:${seconds}`);
    if (time === DAY_MS) return undefined;
    if (type === 'date') return time === 0 ? { midnight, time: undefined } : undefined;
    const isUtc = utc !== undefined || /^(etc\/)?(utc|gmt|z)$/i.test(String(parameters['tzid']));
    return isUtc && !isEdge(time) ? onClock(zone, midnight + time) : { midnight, time };
  } catch {
    return undefined;
  }
}

function onClock(zone: string, instant: number): WrittenDate {
  const midnight = localMidnight(zone, instant);
  return { midnight, time: instant + offsetAt(zone, instant) - midnight };
}

/** Midnight, or the last minute of a day. */
function isEdge(time: number): boolean {
  return time === 0 || time >= DAY_MS - MINUTE_MS;
}

/** A day ends where the next begins; many write its last minute or second. */
export function asEnd({ midnight, time }: WrittenDate): WrittenDate {
  return time !== undefined && time >= DAY_MS - MINUTE_MS
    ? { midnight: midnight + DAY_MS, time: 0 }
    : { midnight, time };
}

/** The day whose beginning is nearest. */
export function nearestDay({ midnight, time }: WrittenDate): WrittenDate {
  return { midnight: midnight + ((time ?? 0) >= DAY_MS / 2 ? DAY_MS : 0), time: undefined };
}

/** A DURATION (§3.3.6) in milliseconds, however long; undefined for what is none, and for one that goes back. */
export function durationOf(value: string): number | undefined {
  const match = /^\+?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?$/i.exec(value.trim());
  const [weeks, days, hours, minutes, seconds] = (match?.slice(1) ?? []).map(
    (each: string | undefined) => each && Number(each),
  );
  if ([weeks, days, hours, minutes, seconds].every((each) => each === undefined)) return undefined;
  const inDays = Number(weeks ?? 0) * 7 + Number(days ?? 0);
  return (
    inDays * DAY_MS +
    Number(hours ?? 0) * 60 * MINUTE_MS +
    Number(minutes ?? 0) * MINUTE_MS +
    Number(seconds ?? 0) * 1_000
  );
}
