import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { PlannedReminder } from '../../../src/domain/reminder-plan.ts';
import { completionDueAt, nextReminder, planReminders } from '../../../src/domain/reminder-plan.ts';
import { localTime, zonedInstant } from '../../../src/domain/time-zone.ts';
import { changesOf, ZONES } from './zones.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const OFFSETS = ['P3D', 'P1D', 'PT2H'];
const VISIT = Date.parse('2026-06-15T07:00:00Z');
const LONG_BEFORE = VISIT - 30 * 24 * HOUR;

function plan(changes: Partial<Parameters<typeof planReminders>[0]> = {}): PlannedReminder[] {
  return planReminders({
    timeZone: 'Europe/Berlin',
    appointmentTime: VISIT,
    timeSetAt: LONG_BEFORE,
    offsets: OFFSETS,
    gapMinutes: 0,
    ...changes,
  });
}

function next(now: number, sent: string[] = [], of = plan()): ReturnType<typeof nextReminder> {
  return nextReminder({ plan: of, sent: new Set(sent), now, appointmentTime: VISIT });
}

describe('the reminders of an appointment', () => {
  it('are due by the offsets of the policy, earliest first', () => {
    expect(plan({ offsets: ['PT2H', 'P3D', 'P1D', 'P3D'] })).toEqual([
      { kind: 'reminder:P3D', dueAt: VISIT - 72 * HOUR },
      { kind: 'reminder:P1D', dueAt: VISIT - 24 * HOUR },
      { kind: 'reminder:PT2H', dueAt: VISIT - 2 * HOUR },
    ]);
  });

  it('are not planned when the time was set too late for them', () => {
    expect(plan({ timeSetAt: VISIT - 24 * HOUR }).map((each) => each.kind)).toEqual(['reminder:P1D', 'reminder:PT2H']);
    expect(plan({ timeSetAt: VISIT - 24 * HOUR + 1 }).map((each) => each.kind)).toEqual(['reminder:PT2H']);
    expect(plan({ timeSetAt: VISIT - HOUR })).toEqual([]);
  });

  it('are not planned when they would come sooner after the confirmation than the policy wants', () => {
    const kinds = (timeSetAt: number, gapMinutes: number) => plan({ timeSetAt, gapMinutes }).map((each) => each.kind);
    expect(kinds(VISIT - 48 * HOUR, 24 * 60)).toEqual(['reminder:P1D', 'reminder:PT2H']);
    expect(kinds(VISIT - 48 * HOUR + 1, 24 * 60)).toEqual(['reminder:PT2H']);
    expect(kinds(VISIT - 26 * HOUR, 24 * 60)).toEqual(['reminder:PT2H']);
    expect(kinds(VISIT - 26 * HOUR + 1, 24 * 60)).toEqual([]);
    expect(kinds(VISIT - 26 * HOUR + 1, 23 * 60)).toEqual(['reminder:PT2H']);
  });

  it('come at the same wall-clock time days before, over a clock change', () => {
    // Berlin's clocks go back on 25 October 2026.
    const appointmentTime = zonedInstant('Europe/Berlin', '2026-10-26', '09:00');
    const [threeDays, oneDay, twoHours] = plan({ appointmentTime, timeSetAt: 0 });
    expect(threeDays?.dueAt).toBe(zonedInstant('Europe/Berlin', '2026-10-23', '09:00'));
    expect(oneDay?.dueAt).toBe(zonedInstant('Europe/Berlin', '2026-10-25', '09:00'));
    expect(appointmentTime - (threeDays?.dueAt ?? 0)).toBe(73 * HOUR);
    expect(twoHours?.dueAt).toBe(appointmentTime - 2 * HOUR);
  });

  it('keep the wall clock of daytime visits and the order of their offsets around every change, in every zone tried', () => {
    for (const zone of ZONES) {
      for (const change of changesOf(zone)) {
        for (const days of [0, 1, 2, 3]) {
          const near = change + days * 24 * HOUR;
          const appointmentTime = near - (near % (15 * MINUTE)) + 10 * HOUR;
          const planned = plan({ timeZone: zone, appointmentTime, timeSetAt: 0 });
          expect(planned.map((each) => each.kind)).toEqual(['reminder:P3D', 'reminder:P1D', 'reminder:PT2H']);
          const wallClocks = planned.slice(0, 2).map((each) => localTime(zone, each.dueAt));
          const visit = localTime(zone, appointmentTime);
          // Only a time that the change day skips is moved on.
          const exceptions = wallClocks.filter((wall) => wall !== visit);
          expect(exceptions.every((wall) => wall > visit)).toBe(true);
          if (visit > '05:00' && visit < '23:00') expect([zone, wallClocks]).toEqual([zone, [visit, visit]]);
        }
      }
    }
  });

  it('are never due at or after the visit', () => {
    expect(plan({ offsets: ['PT0S', '-P1D', 'PT1M'] }).map((each) => each.kind)).toEqual(['reminder:PT1M']);
  });
});

describe('the next reminder', () => {
  it('is waited for until it is due, and then sent', () => {
    expect(next(LONG_BEFORE)).toEqual({ action: 'wait', kind: 'reminder:P3D', at: VISIT - 72 * HOUR, skipped: [] });
    expect(next(VISIT - 72 * HOUR - 1)).toMatchObject({ action: 'wait' });
    expect(next(VISIT - 72 * HOUR)).toEqual({ action: 'send', kind: 'reminder:P3D', skipped: [] });
    expect(next(VISIT - 72 * HOUR, ['reminder:P3D'])).toMatchObject({ action: 'wait', kind: 'reminder:P1D' });
  });

  it('is still sent late, until the next one is due', () => {
    expect(next(VISIT - 24 * HOUR - 1)).toEqual({ action: 'send', kind: 'reminder:P3D', skipped: [] });
    expect(next(VISIT - 24 * HOUR)).toEqual({ action: 'send', kind: 'reminder:P1D', skipped: ['reminder:P3D'] });
    expect(next(VISIT - 1, ['reminder:P3D'])).toEqual({
      action: 'send',
      kind: 'reminder:PT2H',
      skipped: ['reminder:P1D'],
    });
  });

  it('is never an earlier one when a later one has gone out', () => {
    expect(next(VISIT - 24 * HOUR, ['reminder:P1D'])).toEqual({
      action: 'wait',
      kind: 'reminder:PT2H',
      at: VISIT - 2 * HOUR,
      skipped: ['reminder:P3D'],
    });
  });

  it('is none once the visit has begun', () => {
    expect(next(VISIT, ['reminder:P3D', 'reminder:P1D'])).toEqual({ action: 'none', skipped: ['reminder:PT2H'] });
  });

  it('is none when all have gone out or none was planned', () => {
    expect(
      next(
        VISIT - HOUR,
        OFFSETS.map((offset) => `reminder:${offset}`),
      ),
    ).toEqual({ action: 'none', skipped: [] });
    expect(next(LONG_BEFORE, [], [])).toEqual({ action: 'none', skipped: [] });
  });

  it('goes out at most once each and in order, however late and however often the plan is asked', () => {
    const instants = fc.array(fc.integer({ min: VISIT - 100 * HOUR, max: VISIT + 10 * HOUR }), { maxLength: 20 });
    fc.assert(
      fc.property(instants, (times) => {
        const handled = new Set<string>();
        const wentOut: { kind: string; now: number }[] = [];
        for (const now of times.sort((a, b) => a - b)) {
          const decided = nextReminder({ plan: plan(), sent: handled, now, appointmentTime: VISIT });
          for (const kind of decided.skipped) {
            expect(handled.has(kind)).toBe(false);
            handled.add(kind);
          }
          if (decided.action === 'wait') expect(decided.at).toBeGreaterThan(now);
          if (decided.action !== 'send') continue;
          expect(handled.has(decided.kind)).toBe(false);
          expect(now).toBeLessThan(VISIT);
          handled.add(decided.kind);
          wentOut.push({ kind: decided.kind, now });
          // Sent or skipped, it is not asked for again at this moment.
          expect(nextReminder({ plan: plan(), sent: handled, now, appointmentTime: VISIT }).action).not.toBe('send');
        }
        const order = plan().map((each) => each.kind as string);
        const positions = wentOut.map(({ kind }) => order.indexOf(kind));
        expect(positions).toEqual([...positions].sort((a, b) => a - b));
      }),
    );
  });
});

describe('the completion of a visit nobody marked', () => {
  it('is due a grace after its end', () => {
    expect(completionDueAt(VISIT, 60)).toBe(VISIT + HOUR);
  });
});
