import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { sql } from 'kysely';
import { isTimeZone, offsetAt } from '../../../src/domain/time-zone.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { clockChangesOf, EVERY_ZONE, FROM, TO, type ClockChange } from '../../properties/wall-clocks.ts';

// A computation for each week of seven years in some two hundred zones.
jest.setTimeout(300_000);

const WEEK = 7 * 86_400_000;

/** The zone of which this is a name; its own, where it is no other name of anything. Undefined when Intl does not know it. */
function zoneNamed(name: string): string | undefined {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return undefined;
  }
}

/** Does the product read this zone's clock, every week and on both sides of every change, as Intl reads the clock that changes like this? */
function hasClock(name: string, changes: readonly ClockChange[]): boolean {
  let expected = changes[0]?.before;
  let from = FROM;
  for (const { at, before, after } of changes) {
    if (before !== expected || offsetAt(name, at - 1) !== before || offsetAt(name, at) !== after) return false;
    for (; from < at; from += WEEK) if (offsetAt(name, from) !== before) return false;
    expected = after;
  }
  for (; from < TO; from += WEEK) if (offsetAt(name, from) !== expected) return false;
  return true;
}

/** PostgreSQL is asked for the names: it has those of the IANA database and some of its own, and may be newer than Intl. */
describe('the names of zones that Intl knows and does not list', () => {
  let database: TestDatabase;
  let names: string[];
  beforeAll(async () => {
    database = await createTestDatabase();
    const { rows } = await sql<{ name: string }>`select name from pg_timezone_names order by name`.execute(
      database.owner.db,
    );
    const listed = new Set(EVERY_ZONE);
    names = rows.map(({ name }) => name).filter((name) => zoneNamed(name) !== undefined && !listed.has(name));
  });
  afterAll(() => database.drop());

  it('are those of fixed offsets and the other names of zones', () => {
    const some = ['UTC', 'Etc/UTC', 'Etc/GMT+5', 'Etc/GMT-14', 'Asia/Kolkata', 'Europe/Kyiv', 'America/Nuuk'];
    expect([...EVERY_ZONE, ...names]).toEqual(expect.arrayContaining(some));
    // How many of the old ones there are is up to whoever packs the IANA database.
    expect(names.length).toBeGreaterThan(30);
  });

  it('are taken', () => {
    expect(names.filter((name) => !isTimeZone(name))).toEqual([]);
  });

  it('have the wall clock of their zone from 2024 to 2030', () => {
    expect(names.filter((name) => !hasClock(name, clockChangesOf(zoneNamed(name) ?? '')))).toEqual([]);
  });

  it('would be found to have the clock of another', () => {
    expect(hasClock('Asia/Kolkata', clockChangesOf('Asia/Kolkata'))).toBe(true);
    expect(hasClock('US/Eastern', clockChangesOf('America/New_York'))).toBe(true);
    expect(hasClock('Asia/Kolkata', clockChangesOf('Asia/Kathmandu'))).toBe(false);
    expect(hasClock('US/Eastern', clockChangesOf('America/Havana'))).toBe(false);
    expect(hasClock('US/Eastern', clockChangesOf('Etc/GMT+5'))).toBe(false);
  });
});
