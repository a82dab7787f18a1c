import { describe, expect, it } from '@jest/globals';
import type { AppointmentStatus } from '../../../src/domain/appointment.ts';
import { whyNotDue } from '../../../src/notifications/still-due.ts';

const START = new Date('2027-03-13T15:00:00Z');
const before = new Date(START.getTime() - 1);

const judge = (kind: string, status: AppointmentStatus, now = before, appointmentTime = START) =>
  whyNotDue(
    { kind, plannedFor: START, appointmentVersion: 1, laterReminder: false },
    { status, appointmentTime, timeSetVersion: 1, beingMoved: false },
    now,
  );
const judgeNewer = (
  kind: string,
  newer: { laterReminder?: boolean; timeSetVersion?: number; beingMoved?: boolean; offerOpenUntil?: Date },
) =>
  whyNotDue(
    {
      kind,
      plannedFor: START,
      appointmentVersion: 2,
      laterReminder: newer.laterReminder ?? false,
      offerOpenUntil: newer.offerOpenUntil,
    },
    {
      status: 'SCHEDULED',
      appointmentTime: START,
      timeSetVersion: newer.timeSetVersion ?? 1,
      beingMoved: newer.beingMoved ?? false,
    },
    before,
  );

describe('is a notification still due', () => {
  it.each([
    'confirmation',
    'reminder:PT2H',
    'rescheduled',
    'waitlist_booked',
    'series_confirmation',
    'series_rescheduled',
  ])('%s: until the visit begins, while it stands as planned', (kind) => {
    expect(judge(kind, 'SCHEDULED')).toBeUndefined();
    expect(judge(kind, 'SCHEDULED', START)).toBe('visit_begun');
    expect(judge(kind, 'CANCELLED')).toBe('cancelled');
    expect(judge(kind, 'COMPLETED')).toBe('not_scheduled');
    expect(judge(kind, 'NO_SHOW')).toBe('not_scheduled');
    expect(judge(kind, 'SCHEDULED', before, new Date(START.getTime() + 900_000))).toBe('moved');
  });

  it('a reminder: not when a later one goes out or went out', () => {
    expect(judgeNewer('reminder:P3D', { laterReminder: true })).toBe('superseded');
    expect(judgeNewer('reminder:P3D', { timeSetVersion: 3 })).toBeUndefined();
  });

  it.each(['confirmation', 'rescheduled', 'waitlist_booked', 'series_confirmation'])(
    '%s: not when the time was set anew since',
    (kind) => {
      expect(judgeNewer(kind, { timeSetVersion: 3 })).toBe('superseded');
      expect(judgeNewer(kind, { timeSetVersion: 2, laterReminder: true })).toBeUndefined();
    },
  );

  it('a reminder: not while another time is looked for, of which everything else may still be told', () => {
    expect(judgeNewer('reminder:P3D', { beingMoved: true })).toBe('being_moved');
    expect(judgeNewer('rescheduled', { beingMoved: true })).toBeUndefined();
  });

  it('an offer: while it can be answered', () => {
    const offerOpenUntil = new Date(before.getTime() + 1);
    expect(judgeNewer('move_offer', { offerOpenUntil, beingMoved: true })).toBeUndefined();
    expect(judgeNewer('move_offer', { offerOpenUntil: before })).toBe('offer_closed');
    expect(judgeNewer('move_offer', {})).toBe('offer_closed');
    expect(judge('move_offer', 'CANCELLED')).toBe('cancelled');
    expect(judge('move_offer', 'SCHEDULED', before, new Date(START.getTime() + 900_000))).toBe('moved');
  });

  it.each(['cancelled', 'series_cancelled'])('%s: only while the visit is cancelled and has not begun', (kind) => {
    expect(judge(kind, 'CANCELLED')).toBeUndefined();
    expect(judge(kind, 'SCHEDULED')).toBe('not_cancelled');
    expect(judge(kind, 'CANCELLED', START)).toBe('visit_begun');
  });
});
