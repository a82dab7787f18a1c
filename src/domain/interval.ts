/** A half-open stretch of time `[from, to)` in epoch milliseconds. Adjacent intervals do not overlap. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

export function overlaps(a: Interval, b: Interval): boolean {
  return a.from < b.to && b.from < a.to;
}

/** Sorted by start, without overlaps; touching intervals become one, empty ones vanish. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const sorted = intervals.filter((each) => each.from < each.to).sort((a, b) => a.from - b.from);
  const merged: Interval[] = [];
  let current: Interval | undefined;
  for (const next of sorted) {
    if (current !== undefined && next.from <= current.to) {
      if (next.to > current.to) current = { from: current.from, to: next.to };
    } else {
      if (current !== undefined) merged.push(current);
      current = next;
    }
  }
  if (current !== undefined) merged.push(current);
  return merged;
}

/** What is left of `from` without `cut`. Both must be sorted and without overlaps, as {@link mergeIntervals} returns them. */
export function subtractIntervals(from: readonly Interval[], cut: readonly Interval[]): Interval[] {
  if (cut.length === 0) return [...from];
  const left: Interval[] = [];
  let first = 0;
  for (const piece of from) {
    let start = piece.from;
    for (let hole = cut[first]; hole !== undefined && hole.to <= start; hole = cut[first]) first += 1;
    for (let index = first; index < cut.length; index += 1) {
      const hole = cut[index];
      if (hole === undefined || hole.from >= piece.to) break;
      if (hole.from > start) left.push({ from: start, to: hole.from });
      if (hole.to > start) start = hole.to;
    }
    if (start < piece.to) left.push({ from: start, to: piece.to });
  }
  return left;
}

/** What two sorted lists without overlaps have in common. */
export function intersectIntervals(a: readonly Interval[], b: readonly Interval[]): Interval[] {
  const common: Interval[] = [];
  let i = 0;
  let j = 0;
  for (let x = a[0], y = b[0]; x !== undefined && y !== undefined; x = a[i], y = b[j]) {
    const from = Math.max(x.from, y.from);
    const to = Math.min(x.to, y.to);
    if (from < to) common.push({ from, to });
    if (x.to < y.to) i += 1;
    else j += 1;
  }
  return common;
}
