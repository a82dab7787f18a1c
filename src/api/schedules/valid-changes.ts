import type { WeeklyWindow } from '../../domain/availability/schedule.ts';
import type { Interval } from '../../domain/interval.ts';
import type { TimeWindow } from '../../domain/schedule-change.ts';
import { DAY_MS } from '../../domain/clock.ts';
import { utcMidnight } from '../../domain/time-zone.ts';
import { faultOfHours, overlappingWindow } from '../../domain/weekly-hours.ts';
import { invalidField } from '../problem.ts';

/*
 * What a schema cannot say of a change, for the change and for its preview alike.
 */

/** @throws RequestError `validation_failed` for windows that overlap and breaks outside the hours */
export function validHours(hours: {
  readonly weekly: readonly WeeklyWindow[];
  readonly breaks: readonly WeeklyWindow[];
}) {
  const fault = faultOfHours(hours.weekly, hours.breaks);
  if (fault !== undefined) throw invalidField('body', `/${fault.list}/${String(fault.index)}`, fault.rule);
  return { weekly: hours.weekly, breaks: hours.breaks };
}

/** @throws RequestError `validation_failed` for windows that overlap */
export function validWindows(windows: readonly TimeWindow[]): readonly TimeWindow[] {
  const index = overlappingWindow(windows);
  if (index !== undefined) throw invalidField('body', `/windows/${String(index)}`, 'overlaps');
  return windows;
}

/** @throws RequestError `validation_failed` for an end that is not later than the start */
export function validSpan({ from, to }: { readonly from: string; readonly to: string }): Interval {
  const span = { from: Date.parse(from), to: Date.parse(to) };
  if (span.to <= span.from) throw invalidField('body', '/to', 'minimum');
  return span;
}

/** Days of one closure; a yearly one that lasted a year would never end. */
const MAX_CLOSURE_DAYS = 366;
const MAX_YEARLY_DAYS = 365;

/** @throws RequestError `validation_failed` for dates out of order or too many of them */
export function validClosure(body: {
  readonly fromDate: string;
  readonly toDate: string;
  readonly name: string;
  readonly yearly?: boolean;
}) {
  const { fromDate, toDate, name, yearly = false } = body;
  const days = (utcMidnight(toDate) - utcMidnight(fromDate)) / DAY_MS + 1;
  if (days < 1) throw invalidField('body', '/toDate', 'minimum');
  if (days > (yearly ? MAX_YEARLY_DAYS : MAX_CLOSURE_DAYS)) throw invalidField('body', '/toDate', 'maximum');
  return { fromDate, toDate, name, yearly };
}
