import { describe, expect, it } from '@jest/globals';
import type { AppointmentAct, AppointmentState, AppointmentStatus } from '../../../src/domain/appointment.ts';
import { APPOINTMENT_STATUSES, decideTransition, moveLimits } from '../../../src/domain/appointment.ts';

const START = Date.parse('2026-06-15T09:00:00Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const END = START + HOUR / 2;
const POLICY = { cancellationNoticeMinutes: 24 * 60, checkInFromMinutes: 4 * 60, correctionDays: 7 };

const CANCEL = { kind: 'cancel', reason: 'patient_request', by: 'patient' } as const;
const CHECK_IN = { kind: 'check-in', dateEndsAt: Date.parse('2026-06-15T22:00:00Z') } as const;
const ACTS: readonly AppointmentAct[] = [
  CANCEL,
  CHECK_IN,
  ...(['check-in-undo', 'complete', 'complete-undo', 'no-show', 'no-show-undo', 'move'] as const).map((kind) => ({
    kind,
  })),
];

function appointment(changes: Partial<AppointmentState> = {}): AppointmentState {
  return {
    status: 'SCHEDULED',
    appointmentTime: START,
    durationMinutes: 30,
    bookedAt: START - 30 * DAY,
    changedAt: START - 30 * DAY,
    checkedInAt: null,
    ...changes,
  };
}

function outcome(state: AppointmentState, act: AppointmentAct, now: number): string {
  const decided = decideTransition(state, act, now, POLICY);
  if (decided.decision === 'apply') return decided.change.event;
  return decided.decision === 'refuse' ? decided.code : 'nothing';
}

const always = (outcome: string) => [outcome, outcome, outcome, outcome] as const;

describe('an act on an appointment', () => {
  // Before the visit; during it; before it but the patient has arrived; during it and the patient has arrived.
  const table: readonly (readonly [AppointmentAct['kind'], AppointmentStatus, string, string, string, string])[] = [
    ['cancel', 'SCHEDULED', 'cancelled', 'visit_begun', 'cancelled', 'visit_begun'],
    ['cancel', 'CANCELLED', ...always('nothing')],
    ['cancel', 'COMPLETED', ...always('appointment_not_scheduled')],
    ['cancel', 'NO_SHOW', ...always('appointment_not_scheduled')],
    ['check-in', 'SCHEDULED', 'checkedIn', 'checkedIn', 'nothing', 'nothing'],
    ['check-in', 'CANCELLED', ...always('appointment_not_scheduled')],
    ['check-in', 'COMPLETED', ...always('appointment_not_scheduled')],
    ['check-in', 'NO_SHOW', ...always('appointment_not_scheduled')],
    ['check-in-undo', 'SCHEDULED', 'not_checked_in', 'not_checked_in', 'checkInUndone', 'checkInUndone'],
    ['check-in-undo', 'CANCELLED', ...always('appointment_not_scheduled')],
    ['check-in-undo', 'COMPLETED', ...always('appointment_not_scheduled')],
    ['check-in-undo', 'NO_SHOW', ...always('appointment_not_scheduled')],
    ['complete', 'SCHEDULED', 'visit_not_begun', 'completed', 'completed', 'completed'],
    ['complete', 'CANCELLED', ...always('appointment_not_scheduled')],
    ['complete', 'COMPLETED', ...always('nothing')],
    ['complete', 'NO_SHOW', ...always('completed')],
    ['complete-undo', 'SCHEDULED', ...always('not_completed')],
    ['complete-undo', 'CANCELLED', ...always('not_completed')],
    ['complete-undo', 'COMPLETED', ...always('completionUndone')],
    ['complete-undo', 'NO_SHOW', ...always('not_completed')],
    ['no-show', 'SCHEDULED', 'visit_not_begun', 'noShowMarked', 'already_checked_in', 'already_checked_in'],
    ['no-show', 'CANCELLED', ...always('appointment_not_scheduled')],
    ['no-show', 'COMPLETED', 'visit_not_begun', 'noShowMarked', 'already_checked_in', 'already_checked_in'],
    ['no-show', 'NO_SHOW', ...always('nothing')],
    ['no-show-undo', 'SCHEDULED', ...always('not_marked_no_show')],
    ['no-show-undo', 'CANCELLED', ...always('not_marked_no_show')],
    ['no-show-undo', 'COMPLETED', ...always('not_marked_no_show')],
    ['no-show-undo', 'NO_SHOW', ...always('noShowUndone')],
    ['move', 'SCHEDULED', 'rescheduled', 'visit_begun', 'already_checked_in', 'visit_begun'],
    ['move', 'CANCELLED', ...always('appointment_not_scheduled')],
    ['move', 'COMPLETED', ...always('appointment_not_scheduled')],
    ['move', 'NO_SHOW', ...always('appointment_not_scheduled')],
  ];

  it.each(table)('%s of a %s one', (kind, status, before, during, arrivedBefore, arrivedDuring) => {
    const act = ACTS.find((each) => each.kind === kind) ?? CANCEL;
    const arrived = START - HOUR;
    expect([
      outcome(appointment({ status }), act, START - 1),
      outcome(appointment({ status }), act, START),
      outcome(appointment({ status, checkedInAt: arrived }), act, START - 1),
      outcome(appointment({ status, checkedInAt: arrived }), act, START),
    ]).toEqual([before, during, arrivedBefore, arrivedDuring]);
  });

  it('is decided for every act in every state', () => {
    expect(new Set(ACTS.map(({ kind }) => kind)).size).toBe(ACTS.length);
    expect(new Set(table.map(([kind, status]) => `${kind} ${status}`)).size).toBe(
      ACTS.length * APPOINTMENT_STATUSES.length,
    );
  });

  it('changes what it says, and the walk over all of them leaves no state without a way on but CANCELLED', () => {
    const after = (state: AppointmentState, act: AppointmentAct, now: number): AppointmentState | undefined => {
      const decided = decideTransition(state, act, now, POLICY);
      if (decided.decision !== 'apply') return undefined;
      const { change } = decided;
      return {
        ...state,
        status: change.status,
        ...('checkedInAt' in change ? { checkedInAt: change.checkedInAt } : {}),
      };
    };
    const nameOf = ({ status, checkedInAt }: AppointmentState) => `${status}${checkedInAt === null ? '' : ' arrived'}`;
    for (const now of [START - HOUR, START, END, END + 3 * DAY]) {
      const waysOn = new Map<string, Set<string>>();
      const open = APPOINTMENT_STATUSES.flatMap((status) => [
        appointment({ status }),
        appointment({ status, checkedInAt: START - HOUR }),
      ]);
      for (const state of open) {
        const reached = ACTS.flatMap((act) => after(state, act, now) ?? []).map(nameOf);
        waysOn.set(nameOf(state), new Set(reached.filter((name) => name !== nameOf(state))));
      }
      const reachable = (from: string, seen = new Set([from])): Set<string> => {
        for (const next of waysOn.get(from) ?? []) if (!seen.has(next)) reachable(next, seen.add(next));
        return seen;
      };
      for (const [from, ways] of waysOn) {
        if (from.startsWith('CANCELLED')) expect([...ways]).toEqual([]);
        else if (from === 'SCHEDULED' && now < START) expect(ways).toContain('SCHEDULED arrived');
        else expect([from, ways.size > 0]).toEqual([from, true]);
        // Whatever was entered by mistake: it comes back to where it can be entered right.
        if (!from.startsWith('CANCELLED')) expect([...reachable(from)]).toContain('SCHEDULED');
        if (!from.startsWith('CANCELLED') && now >= START)
          for (const right of ['COMPLETED', 'NO_SHOW']) expect([...reachable(from)]).toContain(right);
      }
    }
  });
});

describe('completing by itself', () => {
  const byItself = { kind: 'complete', byItself: true } as const;

  it('is for patients who were checked in', () => {
    expect(outcome(appointment({ checkedInAt: START }), byItself, END)).toBe('completed');
    expect(outcome(appointment(), byItself, END)).toBe('not_checked_in');
    expect(outcome(appointment(), byItself, START - 1)).toBe('not_checked_in');
  });

  it('corrects nobody', () => {
    expect(outcome(appointment({ status: 'NO_SHOW', checkedInAt: START }), byItself, END)).toBe(
      'appointment_not_scheduled',
    );
    expect(outcome(appointment({ status: 'CANCELLED' }), byItself, END)).toBe('appointment_not_scheduled');
    expect(outcome(appointment({ status: 'COMPLETED' }), byItself, END)).toBe('nothing');
  });
});

describe('correcting what became of a visit', () => {
  const corrections = [
    ['COMPLETED', { kind: 'complete-undo' }, { event: 'completionUndone', status: 'SCHEDULED' }],
    ['COMPLETED', { kind: 'no-show' }, { event: 'noShowMarked', status: 'NO_SHOW' }],
    ['NO_SHOW', { kind: 'no-show-undo' }, { event: 'noShowUndone', status: 'SCHEDULED' }],
    ['NO_SHOW', { kind: 'complete' }, { event: 'completed', status: 'COMPLETED' }],
  ] as const;

  it.each(corrections)('is possible for some days after a %s visit: %j', (status, act, change) => {
    const last = END + 7 * DAY;
    expect(decideTransition(appointment({ status }), act, last, POLICY)).toEqual({ decision: 'apply', change });
    expect(outcome(appointment({ status }), act, last + 1)).toBe('correction_too_late');
  });

  it.each(corrections)('is possible as long after it was last marked: %s %j', (status, act, { event }) => {
    const marked = appointment({ status, changedAt: END + 20 * DAY });
    expect(outcome(marked, act, END + 27 * DAY)).toBe(event);
    expect(outcome(marked, act, END + 27 * DAY + 1)).toBe('correction_too_late');
  });

  it('is not needed for what has been marked so, however long ago', () => {
    expect(outcome(appointment({ status: 'NO_SHOW' }), { kind: 'no-show' }, END + 90 * DAY)).toBe('nothing');
    expect(outcome(appointment({ status: 'COMPLETED' }), { kind: 'complete' }, END + 90 * DAY)).toBe('nothing');
  });

  it('is never refused of a visit that nobody has marked', () => {
    expect(outcome(appointment(), { kind: 'no-show' }, END + 90 * DAY)).toBe('noShowMarked');
    expect(outcome(appointment(), { kind: 'complete' }, END + 90 * DAY)).toBe('completed');
  });
});

describe('cancelling', () => {
  it('keeps why and who', () => {
    const act: AppointmentAct = { kind: 'cancel', reason: 'provider_unavailable', by: 'staff' };
    expect(decideTransition(appointment(), act, START - 2 * DAY, POLICY)).toEqual({
      decision: 'apply',
      change: {
        event: 'cancelled',
        status: 'CANCELLED',
        cancelReason: 'provider_unavailable',
        cancelledBy: 'staff',
        lateCancel: false,
      },
    });
  });

  it('is marked as late after the notice, and not at it', () => {
    const late = (now: number): unknown => decideTransition(appointment(), CANCEL, now, POLICY);
    expect(late(START - 24 * HOUR)).toMatchObject({ decision: 'apply', change: { lateCancel: false } });
    expect(late(START - 24 * HOUR + 1)).toMatchObject({ decision: 'apply', change: { lateCancel: true } });
  });

  it('is not late when it was booked later than the notice: there was no time to cancel in', () => {
    const late = (bookedAt: number): unknown =>
      decideTransition(appointment({ bookedAt }), CANCEL, START - 4 * HOUR, POLICY);
    expect(late(START - 5 * HOUR)).toMatchObject({ change: { lateCancel: false } });
    expect(late(START - 24 * HOUR + 1)).toMatchObject({ change: { lateCancel: false } });
    expect(late(START - 24 * HOUR)).toMatchObject({ change: { lateCancel: true } });
  });

  it('is not late when the provider is away, whatever the patient says', () => {
    expect(decideTransition(appointment(), { ...CANCEL, providerAbsent: true }, START - HOUR, POLICY)).toMatchObject({
      change: { lateCancel: false },
    });
    expect(decideTransition(appointment(), { ...CANCEL, providerAbsent: false }, START - HOUR, POLICY)).toMatchObject({
      change: { lateCancel: true },
    });
  });

  it.each(['provider_unavailable', 'clinic_closed'] as const)(
    'is never late when it is the clinic’s doing: %s',
    (reason) => {
      const late = (by: 'staff' | 'patient') =>
        decideTransition(appointment(), { kind: 'cancel', reason, by }, START - HOUR, POLICY);
      expect(late('staff')).toMatchObject({ change: { lateCancel: false } });
      // Whoever comes too late does not choose the clinic's reason.
      expect(late('patient')).toMatchObject({ change: { lateCancel: true } });
    },
  );
});

describe('checking in', () => {
  it('keeps when the patient arrived, and undoing it forgets it', () => {
    expect(decideTransition(appointment(), CHECK_IN, START - HOUR, POLICY)).toEqual({
      decision: 'apply',
      change: { event: 'checkedIn', status: 'SCHEDULED', checkedInAt: START - HOUR },
    });
    const arrived = appointment({ checkedInAt: START - HOUR });
    expect(decideTransition(arrived, { kind: 'check-in-undo' }, START, POLICY)).toEqual({
      decision: 'apply',
      change: { event: 'checkInUndone', status: 'SCHEDULED', checkedInAt: null },
    });
  });

  it('is possible from the policy’s minutes before the visit until its date is over', () => {
    expect(outcome(appointment(), CHECK_IN, START - 4 * HOUR - 1)).toBe('check_in_not_open');
    expect(outcome(appointment(), CHECK_IN, START - 4 * HOUR)).toBe('checkedIn');
    expect(outcome(appointment(), CHECK_IN, CHECK_IN.dateEndsAt - 1)).toBe('checkedIn');
    expect(outcome(appointment(), CHECK_IN, CHECK_IN.dateEndsAt)).toBe('check_in_over');
  });

  it('is possible until its end where the visit goes on after midnight', () => {
    const midnight = { kind: 'check-in', dateEndsAt: START + 10 * MINUTE } as const;
    expect(outcome(appointment(), midnight, END - 1)).toBe('checkedIn');
    expect(outcome(appointment(), midnight, END)).toBe('check_in_over');
  });
});

describe('the limits on moving', () => {
  const limits = (moves: number, now: number, policy: Partial<Parameters<typeof moveLimits>[2]> = {}) =>
    moveLimits({ appointmentTime: START, moves }, now, {
      moveNoticeMinutes: 60,
      maxMovesPerAppointment: 2,
      ...policy,
    });

  it('are its notice, at which it is still in time, and how often it was moved', () => {
    expect(limits(0, START - HOUR)).toEqual([]);
    expect(limits(0, START - HOUR + 1)).toEqual(['move_too_late']);
    expect(limits(1, START - HOUR)).toEqual([]);
    expect(limits(2, START - HOUR)).toEqual(['too_many_moves']);
    expect(limits(3, START)).toEqual(['move_too_late', 'too_many_moves']);
    expect(limits(99, START - HOUR, { maxMovesPerAppointment: null })).toEqual([]);
    expect(limits(0, START - HOUR, { maxMovesPerAppointment: 0 })).toEqual(['too_many_moves']);
  });
});
