import { describe, expect, it } from '@jest/globals';
import { planImport, type CalendarEvent, type ImportedClosure } from '../../../src/domain/closure-import.ts';
import type { Closure } from '../../../src/domain/availability/schedule.ts';

const day = (fromDate: string, given: Partial<Closure> = {}): Closure => ({
  fromDate,
  toDate: fromDate,
  name: 'Holiday',
  yearly: false,
  ...given,
});
const event = (uid: string, ...closures: Closure[]): CalendarEvent => ({ uid, closures });
const known = (closureId: string, calendarUid: string, closure: Closure): ImportedClosure => ({
  ...closure,
  closureId,
  calendarUid,
});

describe('the plan of an import', () => {
  it('adds what is new under the UID of its event, keeps what is there and removes what is gone', () => {
    const plan = planImport(
      [event('a', day('2027-05-01'), day('2027-05-02')), event('b', day('2027-05-01'))],
      [known('1', 'a', day('2027-05-02')), known('2', 'a', day('2027-05-03'))],
    );
    expect(plan).toEqual({
      added: [
        { ...day('2027-05-01'), calendarUid: 'a' },
        { ...day('2027-05-01'), calendarUid: 'b' },
      ],
      unchanged: 1,
      removed: ['2'],
    });
  });

  it('of a file that was imported before is nothing', () => {
    const events = [event('a', day('2027-05-01'), day('2027-06-01')), event('b', day('2027-05-01', { yearly: true }))];
    const before = events.flatMap(({ uid, closures }) =>
      closures.map((each, at) => known(`${uid}${String(at)}`, uid, each)),
    );
    expect(planImport(events, before)).toEqual({ added: [], unchanged: 3, removed: [] });
  });

  it.each<[string, string, Closure]>([
    ['the event', 'b', day('2027-05-01')],
    ['the first date', 'a', day('2027-04-30', { toDate: '2027-05-01' })],
    ['the last date', 'a', day('2027-05-01', { toDate: '2027-05-02' })],
    ['the name', 'a', day('2027-05-01', { name: 'Labour Day' })],
    ['the years', 'a', day('2027-05-01', { yearly: true })],
  ])('replaces a closure of which %s is another', (_, uid, closure) => {
    const plan = planImport([event('a', day('2027-05-01'))], [known('1', uid, closure)]);
    expect(plan).toEqual({ added: [{ ...day('2027-05-01'), calendarUid: 'a' }], unchanged: 0, removed: ['1'] });
  });

  it('closes a date that an event has twice once, for the longer of both', () => {
    const [long, short] = [day('2027-05-01', { toDate: '2027-05-03', name: 'Long' }), day('2027-05-01')];
    for (const closures of [
      [long, short],
      [short, long],
      [short, long, short],
    ]) {
      expect(planImport([event('a', ...closures)], [])).toEqual({
        added: [{ ...long, calendarUid: 'a' }],
        unchanged: 0,
        removed: [],
      });
    }
    // Of two that are equally long, the first.
    const named = [day('2027-05-01', { name: 'One' }), day('2027-05-01', { name: 'Two' })];
    expect(planImport([event('a', ...named)], []).added.map(({ name }) => name)).toEqual(['One']);
  });

  it('takes everything away of an event that makes no closure any more', () => {
    expect(planImport([event('a')], [known('1', 'a', day('2027-05-01')), known('2', 'a', day('2027-06-01'))])).toEqual({
      added: [],
      unchanged: 0,
      removed: ['1', '2'],
    });
  });
});
