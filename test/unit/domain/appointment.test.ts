import { describe, expect, it } from '@jest/globals';
import type { AppointmentAct, AppointmentState, AppointmentStatus } from '../../../src/domain/appointment.ts';
import { APPOINTMENT_STATUSES, decideTransition } from '../../../src/domain/appointment.ts';

const START = Date.parse('2026-06-15T09:00:00Z');
const HOUR = 3_600_000;
const POLICY = { cancellationNoticeMinutes: 24 * 60 };

const CANCEL: AppointmentAct = { kind: 'cancel', reason: 'patient_request', by: 'patient' };

function appointment(changes: Partial<AppointmentState> = {}): AppointmentState {
  return { status: 'SCHEDULED', appointmentTime: START, checkedInAt: null, ...changes };
}

function outcome(state: AppointmentState, act: AppointmentAct, now: number): string {
  const decided = decideTransition(state, act, now, POLICY);
  if (decided.decision === 'apply') return decided.change.event;
  return decided.decision === 'refuse' ? decided.code : 'nothing';
}

describe('an act on an appointment', () => {
  // Before the visit; during it; before it but the patient has arrived; during it and the patient has arrived.
  const table: readonly [AppointmentAct['kind'], AppointmentStatus, string, string, string, string][] = [
    ['cancel', 'SCHEDULED', 'cancelled', 'visit_begun', 'cancelled', 'visit_begun'],
    ['cancel', 'CANCELLED', 'nothing', 'nothing', 'nothing', 'nothing'],
    [
      'cancel',
      'COMPLETED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    [
      'cancel',
      'NO_SHOW',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    ['check-in', 'SCHEDULED', 'checkedIn', 'checkedIn', 'nothing', 'nothing'],
    [
      'check-in',
      'CANCELLED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    [
      'check-in',
      'COMPLETED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    [
      'check-in',
      'NO_SHOW',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    ['complete', 'SCHEDULED', 'visit_not_begun', 'completed', 'completed', 'completed'],
    [
      'complete',
      'CANCELLED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    ['complete', 'COMPLETED', 'nothing', 'nothing', 'nothing', 'nothing'],
    [
      'complete',
      'NO_SHOW',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    ['no-show', 'SCHEDULED', 'visit_not_begun', 'noShowMarked', 'already_checked_in', 'already_checked_in'],
    [
      'no-show',
      'CANCELLED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    [
      'no-show',
      'COMPLETED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    ['no-show', 'NO_SHOW', 'nothing', 'nothing', 'nothing', 'nothing'],
    [
      'no-show-undo',
      'SCHEDULED',
      'not_marked_no_show',
      'not_marked_no_show',
      'not_marked_no_show',
      'not_marked_no_show',
    ],
    [
      'no-show-undo',
      'CANCELLED',
      'not_marked_no_show',
      'not_marked_no_show',
      'not_marked_no_show',
      'not_marked_no_show',
    ],
    [
      'no-show-undo',
      'COMPLETED',
      'not_marked_no_show',
      'not_marked_no_show',
      'not_marked_no_show',
      'not_marked_no_show',
    ],
    ['no-show-undo', 'NO_SHOW', 'noShowUndone', 'noShowUndone', 'noShowUndone', 'noShowUndone'],
    ['move', 'SCHEDULED', 'rescheduled', 'visit_begun', 'already_checked_in', 'visit_begun'],
    [
      'move',
      'CANCELLED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    [
      'move',
      'COMPLETED',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
    [
      'move',
      'NO_SHOW',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
      'appointment_not_scheduled',
    ],
  ];

  it.each(table)('%s of a %s one', (kind, status, before, during, arrivedBefore, arrivedDuring) => {
    const act: AppointmentAct = kind === 'cancel' ? CANCEL : { kind };
    const arrived = START - HOUR;
    expect([
      outcome(appointment({ status }), act, START - 1),
      outcome(appointment({ status }), act, START),
      outcome(appointment({ status, checkedInAt: arrived }), act, START - 1),
      outcome(appointment({ status, checkedInAt: arrived }), act, START),
    ]).toEqual([before, during, arrivedBefore, arrivedDuring]);
  });

  it('is decided for every act in every state', () => {
    expect(new Set(table.map(([kind, status]) => `${kind} ${status}`)).size).toBe(6 * APPOINTMENT_STATUSES.length);
  });
});

describe('cancelling', () => {
  it('keeps why and who', () => {
    const act: AppointmentAct = { kind: 'cancel', reason: 'provider_unavailable', by: 'staff' };
    expect(decideTransition(appointment(), act, START - 48 * HOUR, POLICY)).toEqual({
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
  it('keeps when the patient arrived', () => {
    expect(decideTransition(appointment(), { kind: 'check-in' }, START - HOUR, POLICY)).toEqual({
      decision: 'apply',
      change: { event: 'checkedIn', status: 'SCHEDULED', checkedInAt: START - HOUR },
    });
  });
});
