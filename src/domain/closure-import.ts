import type { Closure } from './availability/schedule.ts';

/** One event of a calendar file: all the closures it makes. */
export interface CalendarEvent {
  readonly uid: string;
  readonly closures: readonly Closure[];
}

/** A closure that was imported before. */
export interface ImportedClosure extends Closure {
  readonly closureId: string;
  readonly calendarUid: string;
}

/** What an import changes. */
export interface ImportPlan {
  readonly added: readonly (Closure & { readonly calendarUid: string })[];
  readonly unchanged: number;
  /** Ids of closures. */
  readonly removed: readonly string[];
}

/**
 * An event is known by its UID: what there is of it already stays, and what is no longer in it goes. Nothing is known of events
 * that are not in the file, so nothing of theirs is touched.
 */
export function planImport(events: readonly CalendarEvent[], known: readonly ImportedClosure[]): ImportPlan {
  const left = new Map(known.map((closure) => [keyOf(closure.calendarUid, closure), closure.closureId]));
  const added: (Closure & { calendarUid: string })[] = [];
  let unchanged = 0;
  for (const { uid, closures } of events) {
    for (const closure of onePerDate(closures)) {
      if (left.delete(keyOf(uid, closure))) unchanged += 1;
      else added.push({ ...closure, calendarUid: uid });
    }
  }
  return { added, unchanged, removed: [...left.values()] };
}

/** A date that an event has twice (a date of its own and one of its rule) is closed once, for the longer of both. */
function onePerDate(closures: readonly Closure[]): Iterable<Closure> {
  const byDate = new Map<string, Closure>();
  for (const closure of closures) {
    const other = byDate.get(closure.fromDate);
    if (other === undefined || other.toDate < closure.toDate) byDate.set(closure.fromDate, closure);
  }
  return byDate.values();
}

function keyOf(uid: string, { fromDate, toDate, name, yearly }: Closure): string {
  return JSON.stringify([uid, fromDate, toDate, name, yearly]);
}
