import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { NotificationState } from '../../../src/domain/notification.ts';
import {
  CHANNELS,
  chooseChannel,
  isReminderKind,
  isSettled,
  mayBecome,
  NOTICE_KINDS,
  NOTIFICATION_STATE_RANK,
  NOTIFICATION_STATES,
  notificationId,
  statesBefore,
} from '../../../src/domain/notification.ts';

const APPOINTMENT = '0190f3c4-0000-7000-8000-00000000000a';
const TIME = Date.parse('2026-06-15T07:00:00Z');

describe('the id of a notification', () => {
  const reminder = { appointmentId: APPOINTMENT, kind: 'reminder:P3D', appointmentTime: TIME, channel: 'sms' } as const;
  const notice = { appointmentId: APPOINTMENT, kind: 'confirmation', version: 1, channel: 'sms' } as const;

  it('is a UUID of version 5 and never changes for the same parts', () => {
    // Pinned: another id for the same parts would send every planned notification twice after an upgrade.
    expect(notificationId(reminder)).toBe('89ac009b-9700-5b79-a252-91d8668e3313');
    expect(notificationId(notice)).toBe('90f20215-a3c2-5bb4-b980-d11e8759dc14');
    expect(notificationId({ ...reminder })).toBe(notificationId(reminder));
  });

  it('is another one for every other part', () => {
    const ids = [
      notificationId(reminder),
      notificationId({ ...reminder, appointmentTime: TIME + 1 }),
      notificationId({ ...reminder, kind: 'reminder:P1D' }),
      notificationId({ ...reminder, channel: 'email' }),
      notificationId({ ...reminder, appointmentId: APPOINTMENT.replace('a', 'b') }),
      notificationId(notice),
      notificationId({ ...notice, version: 2 }),
      notificationId({ ...notice, kind: 'rescheduled' }),
      notificationId({ ...notice, channel: 'email' }),
    ];
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe('the state of a notification', () => {
  it('only rises in rank, but for a retry after a passing or cleared error and a replay after a failure', () => {
    const falls: string[] = [];
    for (const from of NOTIFICATION_STATES) {
      for (const to of NOTIFICATION_STATES) {
        if (mayBecome(from, to) && NOTIFICATION_STATE_RANK[to] <= NOTIFICATION_STATE_RANK[from])
          falls.push(`${from} ${to}`);
      }
    }
    expect(falls.sort()).toEqual(['FAILED QUEUED', 'FAILED SKIPPED', 'RETRY QUEUED', 'SENDING RETRY', 'UNKNOWN RETRY']);
  });

  it('is never changed once it is delivered or skipped', () => {
    for (const to of NOTIFICATION_STATES) {
      expect(mayBecome('DELIVERED', to)).toBe(false);
      expect(mayBecome('SKIPPED', to)).toBe(false);
    }
  });

  it('never goes from an unknown outcome straight into sending', () => {
    expect(mayBecome('UNKNOWN', 'SENDING')).toBe(false);
    expect(statesBefore('SENDING')).toEqual(['PLANNED', 'QUEUED', 'RETRY']);
  });

  it('stays delivered once it was, whatever reports come in whatever order', () => {
    const reports = fc.array(fc.constantFrom(...NOTIFICATION_STATES), { maxLength: 30 });
    fc.assert(
      fc.property(reports, (reported) => {
        let state: NotificationState = 'PLANNED';
        let delivered = false;
        for (const to of reported) {
          if (mayBecome(state, to)) state = to;
          delivered ||= state === 'DELIVERED';
        }
        expect(delivered).toBe(state === 'DELIVERED');
      }),
    );
    expect(NOTIFICATION_STATES.filter(isSettled)).toEqual(['FAILED', 'SKIPPED', 'DELIVERED']);
  });
});

describe('the channel of a notification', () => {
  it('is the first one the patient wants and can be reached on', () => {
    expect(chooseChannel(['email', 'sms'], true, true)).toBe('email');
    expect(chooseChannel(['email', 'sms'], true, false)).toBe('sms');
    expect(chooseChannel(['email'], true, false)).toBeUndefined();
  });

  it('is SMS, or else email, for a patient who stated no preference', () => {
    expect(chooseChannel([], true, true)).toBe('sms');
    expect(chooseChannel([], false, true)).toBe('email');
    expect(chooseChannel([], false, false)).toBeUndefined();
  });
});

describe('the kind of a notification', () => {
  it('is a reminder only with its offset', () => {
    expect(isReminderKind('reminder:PT2H')).toBe(true);
    expect(NOTICE_KINDS.some(isReminderKind)).toBe(false);
    expect(CHANNELS).toEqual(['sms', 'email']);
  });
});
