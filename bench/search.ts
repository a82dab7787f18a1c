import { DateTime, Interval as LuxonInterval } from 'luxon';
import { busyRanges } from '../src/db/look-ups.ts';
import { inContext } from '../src/db/connection.ts';
import { loadProviderSchedule } from '../src/db/schedules.ts';
import { type BusyTime } from '../src/domain/availability/judge.ts';
import { type ProviderSchedule } from '../src/domain/availability/schedule.ts';
import { availableSlotsInRange, busyRange } from '../src/domain/availability/search.ts';
import { addDays, localDate } from '../src/domain/time-zone.ts';
import { steady } from './load.ts';
import { median, quantile } from './measure.ts';
import { print } from './report.ts';
import type { BenchWorld } from './world.ts';

const DAYS = 30;
const DURATION = 30;

/**
 * Slot search for one provider and thirty days: the sweep against what most code does, a date library's object for every candidate and every
 * visit, in the same run and with the same result; then the endpoint.
 */
export async function benchSearch(world: BenchWorld, log: (line: string) => void): Promise<void> {
  const providerId = world.searchedIds[0] ?? '';
  const { schedule, busy, fromDate, toDate } = await inContext(
    world.app.db,
    { clinicId: world.clinicId },
    async (tx) => {
      const loaded = await loadProviderSchedule(tx, providerId);
      if (loaded === undefined) throw new Error('no such provider');
      const first = addDays(localDate(loaded.timeZone, Date.now()), 2);
      const last = addDays(first, DAYS - 1);
      const range = busyRange(loaded, first, last, DURATION);
      return {
        schedule: loaded,
        busy: await busyRanges(tx, providerId, range.from, range.to),
        fromDate: first,
        toDate: last,
      };
    },
  );
  const question: Question = { schedule, busy, fromDate, toDate, now: Date.now() };
  log('searching thirty days, naively and by the sweep');
  const sweep = () => availableSlotsInRange({ ...question, durationMinutes: DURATION }).slots.map((slot) => slot.from);
  const naive = () => naiveSearch(question);
  if (JSON.stringify(sweep()) !== JSON.stringify(naive())) throw new Error('the two searches disagree');
  const sweepMs = timeOf(sweep, 400);
  const naiveMs = timeOf(naive, 5);

  log('searching over HTTP, 100 a second');
  let n = 0;
  const { latencies, statuses } = await steady(world.apiUrl, {
    perSecond: 100,
    seconds: 15,
    next: () => {
      n += 1;
      const provider = world.searchedIds[n % world.searchedIds.length] ?? '';
      const patient = world.patientIds[n % world.patientIds.length] ?? '';
      return {
        method: 'GET',
        path: `/api/v1/providers/${provider}/availability?date=${fromDate}&toDate=${toDate}&durationMinutes=${DURATION}`,
        headers: { authorization: world.tokenOf(patient) },
      };
    },
  });
  if (Object.keys(statuses).join() !== '200')
    throw new Error(`not every search succeeded: ${JSON.stringify(statuses)}`);

  print(
    `Slot search, one provider, ${DAYS} days`,
    [
      { what: 'times as fast as the naive loop', value: naiveMs / sweepMs, unit: '', aim: { atLeast: 200 } },
      { what: 'sweep', value: sweepMs * 1_000, unit: 'µs' },
      { what: 'naive loop', value: naiveMs * 1_000, unit: 'µs' },
      { what: 'endpoint, p50 at 100 a second', value: quantile(latencies, 0.5), unit: 'ms' },
      { what: 'endpoint, p95 at 100 a second', value: quantile(latencies, 0.95), unit: 'ms', aim: { below: 25 } },
    ],
    [`${sweep().length} slots in an answer, ${busy.length} visits in the way.`],
  );
}

interface Question {
  readonly schedule: ProviderSchedule;
  readonly busy: readonly BusyTime[];
  readonly fromDate: string;
  readonly toDate: string;
  readonly now: number;
}

/** As it is written when nobody measures: an object for every start, compared with an object for every visit. */
function naiveSearch({ schedule, busy, fromDate, toDate, now }: Question): number[] {
  const zone = schedule.timeZone;
  const booked = busy.map(({ from, to }) =>
    LuxonInterval.fromDateTimes(DateTime.fromMillis(from, { zone }), DateTime.fromMillis(to, { zone })),
  );
  const found: number[] = [];
  const last = DateTime.fromISO(toDate, { zone });
  const earliest = DateTime.fromMillis(now, { zone }).plus({ minutes: schedule.policy.bookingNoticeMinutes });
  for (let day = DateTime.fromISO(fromDate, { zone }); day <= last; day = day.plus({ days: 1 })) {
    const at = (time: string) => DateTime.fromISO(`${day.toFormat('yyyy-MM-dd')}T${time}`, { zone });
    const of = (windows: ProviderSchedule['weekly']) =>
      windows
        .filter((window) => window.dayOfWeek === day.weekday)
        .map((window) => LuxonInterval.fromDateTimes(at(window.startTime), at(window.endTime)));
    const breaks = of(schedule.breaks);
    for (const window of of(schedule.weekly)) {
      const end = window.end ?? day;
      for (
        let start = window.start ?? end;
        start.plus({ minutes: DURATION }) <= end;
        start = start.plus({ minutes: schedule.policy.slotStepMinutes })
      ) {
        const visit = LuxonInterval.after(start, { minutes: DURATION });
        if (start < earliest) continue;
        if (breaks.some((pause) => pause.overlaps(visit))) continue;
        if (booked.some((other) => other.overlaps(visit))) continue;
        found.push(start.toMillis());
      }
    }
  }
  return found;
}

/** Milliseconds of one call: the median of many. */
function timeOf(work: () => unknown, times: number): number {
  work();
  return median(
    Array.from({ length: times }, () => {
      const began = performance.now();
      work();
      return performance.now() - began;
    }),
  );
}
