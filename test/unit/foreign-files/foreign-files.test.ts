import { describe, expect, it } from '@jest/globals';
import { createForeignFiles } from '../../../src/integrations/foreign-files.ts';
import { HOLIDAYS, readHolidays } from '../../../src/integrations/icalendar/read-holidays.ts';
import { EVERYTHING, FAILS, FOR_EVER, REFUSES, TOGETHER, WHEN_TOLD } from './readers.ts';

const WITHIN = { from: '2027-01-01', to: '2028-06-30' };
const calendar = (...events: string[][]) =>
  [
    'BEGIN:VCALENDAR',
    ...events.flatMap((lines, index) => ['BEGIN:VEVENT', `UID:${String(index)}`, ...lines, 'END:VEVENT']),
    'END:VCALENDAR',
  ].join('\r\n');

/** Runs the work and says how often the event loop went round meanwhile. */
async function turnsDuring<Value>(work: () => Promise<Value>): Promise<{ value: Value; turns: number }> {
  let turns = 0;
  let isOver = false;
  const turn = (): void => {
    turns += 1;
    if (!isOver) setTimeout(turn, 1);
  };
  setTimeout(turn, 1);
  try {
    return { value: await work(), turns };
  } finally {
    isOver = true;
  }
}

const codeOf = (attempt: Promise<unknown>) =>
  attempt.then(
    () => 'read',
    (error: unknown) => (error as { code?: string }).code ?? String(error),
  );

describe('a foreign file', () => {
  it('is read as its reader reads it', async () => {
    const text = calendar(['DTSTART;VALUE=DATE:20270501', 'SUMMARY:Labour Day'], ['DTSTART:soon']);
    const read = await createForeignFiles().read('caller', HOLIDAYS, text, WITHIN, 'Europe/Berlin');
    expect(read).toEqual(readHolidays(text, WITHIN, 'Europe/Berlin'));
    expect(read.events).toHaveLength(2);
  });

  it('that is never read to its end is stopped, and the process goes on meanwhile', async () => {
    const files = createForeignFiles({ milliseconds: 1_000 });
    const { value, turns } = await turnsDuring(() => codeOf(files.read('caller', FOR_EVER)));
    expect(value).toBe('file_too_costly');
    // Blocked, it would have been one or two.
    expect(turns).toBeGreaterThan(20);
  });

  it('that takes more memory than there is for it is stopped, and the process has its own', async () => {
    const files = createForeignFiles({ megabytes: 32 });
    expect(await codeOf(files.read('caller', EVERYTHING))).toBe('file_too_costly');
    expect(await codeOf(files.read('caller', HOLIDAYS, calendar(), WITHIN, 'Europe/Berlin'))).toBe('read');
  });

  it('is refused as its reader refuses it; what else goes wrong does not quote it', async () => {
    const files = createForeignFiles();
    await expect(files.read('caller', REFUSES)).rejects.toMatchObject({
      name: 'AppError',
      code: 'calendar_invalid',
      detail: { reason: 'too_many_events' },
    });
    expect(await codeOf(files.read('caller', FAILS, 'Alice'))).toBe('Error: fail failed: RangeError');
  });

  it('is read alone of its caller, and beside those of others', async () => {
    const most = async (callers: readonly string[]) => {
      const files = createForeignFiles({ threads: 2 });
      const memory = new SharedArrayBuffer(12);
      await Promise.all(callers.map((caller) => files.read(caller, TOGETHER, memory)));
      return new Int32Array(memory)[1];
    };
    expect(await most(['a', 'a', 'a'])).toBe(1);
    expect(await most(['a', 'b', 'c', 'd'])).toBeLessThanOrEqual(2);
  });

  it('is refused where too many of the same caller wait', async () => {
    const files = createForeignFiles({ waiting: 1, milliseconds: 60_000 });
    const memory = new SharedArrayBuffer(4);
    const [first, second, third] = [1, 2, 3].map(() => codeOf(files.read('a', WHEN_TOLD, memory)));
    expect(await third).toBe('rate_limited');
    expect(await codeOf(files.read('b', HOLIDAYS, calendar(), WITHIN, 'Europe/Berlin'))).toBe('read');
    const told = new Int32Array(memory);
    Atomics.store(told, 0, 1);
    Atomics.notify(told, 0);
    expect(await Promise.all([first, second])).toEqual(['read', 'read']);
  });
});

describe('calendars made to be dear', () => {
  const each = (count: number, ...lines: string[]) => calendar(...Array.from({ length: count }, () => lines));
  const dear = [
    [each(1, 'DTSTART;VALUE=DATE:20270101', 'DURATION:P100000000W'), 'too_long'],
    [each(1, 'DTSTART;VALUE=DATE:20270101', 'DURATION:P99999999999W'), 'too_long'],
    [each(200, 'DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30'), 'recurrence_not_supported'],
    [each(200, 'DTSTART;VALUE=DATE:20270101', 'RRULE:FREQ=DAILY;BYMONTHDAY=31;BYSETPOS=2'), 'over'],
    [each(100, 'DTSTART;VALUE=DATE:00010101', 'RRULE:FREQ=DAILY;COUNT=99999999'), 'file_too_costly'],
  ] as const;

  it('hold nobody up, ten at once', async () => {
    const files = createForeignFiles();
    const outcomeOf = (text: string, caller: string) =>
      files.read(caller, HOLIDAYS, text, WITHIN, 'Europe/Berlin').then(
        ({ skipped }) => [...new Set(skipped.map(({ reason }) => reason))].join(),
        (error: unknown) => (error as { code: string }).code,
      );
    const { value, turns } = await turnsDuring(() =>
      Promise.all([...dear, ...dear].map(([text], index) => outcomeOf(text, `caller ${String(index % 3)}`))),
    );
    expect(value).toEqual([...dear, ...dear].map(([, outcome]) => outcome));
    expect(turns).toBeGreaterThan(20);
  });
});
