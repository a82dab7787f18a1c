const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
/** Between these clocks are read: from the one, up to the other. Epoch milliseconds. */
export const FROM = Date.UTC(2024, 0, 1);
export const TO = Date.UTC(2031, 0, 1);

/** Every zone that Intl lists. Other names of theirs, and zones of fixed offsets, it knows without listing them: test/integration/db/zones.test.ts. */
export const EVERY_ZONE: readonly string[] = Intl.supportedValuesOf('timeZone');

/** A zone around one of its clock changes. Offsets in milliseconds: how far the wall clock is ahead of UTC. */
export interface ClockChange {
  readonly zone: string;
  /** Epoch milliseconds. */
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

/**
 * Every change of a zone's clocks from 2024 to 2030, read from Intl day by day: nothing of the product, nor of the library it reckons with, has a part
 * in it. A zone without any has one at no time, so that its clock can be read in the same way.
 */
export function clockChangesOf(zone: string): ClockChange[] {
  const offsetAt = offsetReader(zone);
  const changes: ClockChange[] = [];
  let before = offsetAt(FROM);
  for (let day = FROM; day < TO; day += DAY) {
    const after = offsetAt(day + DAY);
    if (after === before) continue;
    let [low, high] = [day, day + DAY];
    while (high - low > MINUTE) {
      const middle = low + Math.floor((high - low) / 2 / MINUTE) * MINUTE;
      if (offsetAt(middle) === before) low = middle;
      else high = middle;
    }
    changes.push({ zone, at: high, before, after });
    before = after;
  }
  return changes.length > 0 ? changes : [{ zone, at: Date.UTC(2027, 5, 16, 12), before, after: before }];
}

/** What the wall clock shows at an instant near the change, as if it were UTC. */
export function wallAt({ at, before, after }: ClockChange, instant: number): number {
  return instant + (instant < at ? before : after);
}

/** The ISO date of what a wall clock shows. */
export function dateOf(wall: number): string {
  return new Date(wall).toISOString().slice(0, 10);
}

/**
 * The instant from which the clock shows this or more: the first, when it comes twice; when it is skipped, the change.
 */
export function instantShowing(change: ClockChange, wall: number): number {
  const candidates = [wall - change.before, wall - change.after].sort((a, b) => a - b);
  return candidates.find((instant) => wallAt(change, instant) === wall) ?? change.at;
}

function offsetReader(zone: string): (instant: number) => number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
  });
  return (instant) => {
    const [, month, day, year, hour, minute] =
      /^(\d\d)\/(\d\d)\/(\d{4}), (\d\d):(\d\d)$/.exec(format.format(instant)) ?? [];
    return Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute)) - instant;
  };
}
