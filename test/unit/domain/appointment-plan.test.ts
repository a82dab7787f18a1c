import { describe, expect, it } from '@jest/globals';
import {
  planAppointment,
  type AppointmentFacts,
  type LedgerFacts,
  type PlanInput,
} from '../../../src/domain/appointment-plan.ts';
import {
  isReminderKind,
  notificationId,
  tellsOfCancelling,
  type Channel,
  type PlannedKind,
  type NotificationState,
} from '../../../src/domain/notification.ts';

const HOUR = 3_600_000;
const POLICY = { reminderOffsets: ['P3D', 'P1D', 'PT2H'], reminderGapMinutes: 0, completionGraceMinutes: 60 };
const DAY = 24 * HOUR;
const BOOKED = Date.parse('2025-03-03T09:00:00Z');
const VISIT = Date.parse('2025-03-13T10:00:00Z');

function anAppointment(given: Partial<AppointmentFacts> = {}): AppointmentFacts {
  return {
    appointmentId: '0195a1b2-0000-7000-8000-000000000001',
    status: 'SCHEDULED',
    appointmentTime: VISIT,
    durationMinutes: 30,
    bookedVia: 'api',
    timeSetAt: BOOKED,
    timeSetVersion: 1,
    changedAt: BOOKED,
    version: 1,
    checkedIn: false,
    noticeVisits: 1,
    ...given,
  };
}

function inLedger(
  appointment: AppointmentFacts,
  kind: PlannedKind,
  state: NotificationState = 'ACCEPTED',
  given: { readonly dueAt?: number; readonly channel?: Channel } = {},
): LedgerFacts {
  const { appointmentId, appointmentTime, timeSetVersion, version } = appointment;
  const channel = given.channel ?? 'sms';
  return {
    notificationId: isReminderKind(kind)
      ? notificationId({ appointmentId, kind, appointmentTime, channel })
      : notificationId({ appointmentId, kind, version: tellsOfCancelling(kind) ? version : timeSetVersion, channel }),
    state,
    dueAt: given.dueAt ?? BOOKED,
  };
}

function plan(
  appointment: AppointmentFacts,
  now: number,
  ledger: readonly LedgerFacts[] = [],
  given: Partial<PlanInput> = {},
) {
  return planAppointment({
    appointment,
    policy: POLICY,
    ledger,
    now,
    timeZone: 'Europe/Berlin',
    ...given,
  });
}

describe('planAppointment', () => {
  it('completes by itself only the visit of a patient who was checked in; the others wait on the day-end list', () => {
    const visit = anAppointment();
    const told = (['confirmation', 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H'] as const).map((kind) =>
      inLedger(visit, kind),
    );
    const end = VISIT + 30 * 60_000;
    expect(plan(visit, end - 1, told).action).toEqual({ kind: 'day_end_list', at: end });
    expect(plan(visit, end, told).action).toEqual({ kind: 'none' });
    for (const now of [VISIT - 1, end, end + 3 * HOUR]) {
      const arrived = { ...visit, checkedIn: true };
      expect(plan(arrived, now, told).action).toEqual({ kind: 'complete', at: end + HOUR });
      expect(plan({ ...arrived, changedAt: end + HOUR }, now, told).action).toEqual({
        kind: 'complete',
        at: end + 2 * HOUR,
      });
    }
  });

  it('confirms a new appointment first', () => {
    expect(plan(anAppointment(), BOOKED + 5).action).toEqual({
      kind: 'notify',
      notificationKind: 'confirmation',
      at: BOOKED + 5,
    });
  });

  it('tells a waiting patient that the freed slot is theirs', () => {
    expect(plan(anAppointment({ bookedVia: 'waitlist' }), BOOKED).action).toMatchObject({
      notificationKind: 'waitlist_booked',
    });
  });

  it('tells once of what happened to several visits of a series, for the one that speaks for them', () => {
    const first = anAppointment({ noticeVisits: 6 });
    expect(plan(first, BOOKED).action).toMatchObject({ notificationKind: 'series_confirmation' });
    const moved = { ...first, timeSetVersion: 2, version: 2 };
    expect(plan(moved, BOOKED).action).toMatchObject({ notificationKind: 'series_rescheduled' });
    const cancelled = { ...first, status: 'CANCELLED', version: 2 } as const;
    expect(plan(cancelled, BOOKED).action).toMatchObject({ notificationKind: 'series_cancelled' });
    expect(plan(cancelled, BOOKED, [inLedger(cancelled, 'series_cancelled', 'QUEUED')]).action).toEqual({
      kind: 'none',
    });
  });

  it('only reminds of a visit that another one speaks for, from the moment at which its time was set', () => {
    const other = anAppointment({ noticeVisits: 0 });
    expect(plan(other, BOOKED)).toMatchObject({
      action: { kind: 'notify', notificationKind: 'reminder:P3D', at: VISIT - 3 * DAY },
      skipped: [],
      reminderState: 'PLANNED',
    });
    const movedLate = { ...other, timeSetVersion: 2, version: 2, timeSetAt: VISIT - 2 * DAY };
    expect(plan(movedLate, VISIT - 2 * DAY)).toMatchObject({
      action: { notificationKind: 'reminder:P1D', at: VISIT - DAY },
      skipped: [],
    });
    expect(plan({ ...other, status: 'CANCELLED', version: 2 }, BOOKED).action).toEqual({ kind: 'none' });
  });

  it('gives up the message for the series that never reached the broker, when its visit is moved alone', () => {
    const first = anAppointment({ noticeVisits: 6 });
    const waiting = inLedger(first, 'series_confirmation', 'PLANNED');
    const alone = anAppointment({ timeSetVersion: 2, version: 2 });
    expect(plan(alone, BOOKED, [waiting])).toMatchObject({
      action: { notificationKind: 'rescheduled' },
      abandoned: [waiting.notificationId],
    });
  });

  it('does not confirm again what went out on the other channel', () => {
    const appointment = anAppointment();
    const { action } = plan(appointment, BOOKED, [
      inLedger(appointment, 'confirmation', 'QUEUED', { channel: 'email' }),
    ]);
    expect(action).toEqual({ kind: 'notify', notificationKind: 'reminder:P3D', at: VISIT - 3 * DAY });
  });

  it('publishes again what the broker has not confirmed', () => {
    const appointment = anAppointment();
    const { action, abandoned } = plan(appointment, BOOKED, [inLedger(appointment, 'confirmation', 'PLANNED')]);
    expect(action).toMatchObject({ notificationKind: 'confirmation' });
    expect(abandoned).toEqual([]);
  });

  it('completes the visit of an arrived patient after its end and the grace', () => {
    const appointment = anAppointment({ checkedIn: true });
    const ledger = (['confirmation', 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H'] as const).map((kind) =>
      inLedger(appointment, kind),
    );
    expect(plan(appointment, VISIT - HOUR, ledger)).toMatchObject({
      action: { kind: 'complete', at: VISIT + 1.5 * HOUR },
      reminderState: 'DONE',
    });
  });

  it('says that the last reminder is out, and then waits for the day-end list', () => {
    const appointment = anAppointment();
    const ledger = (['confirmation', 'reminder:P3D', 'reminder:P1D', 'reminder:PT2H'] as const).map((kind) =>
      inLedger(appointment, kind),
    );
    expect(plan(appointment, VISIT - HOUR, ledger)).toMatchObject({
      action: { kind: 'day_end_list', at: VISIT + 0.5 * HOUR },
      reminderState: 'SENT',
    });
  });

  it('gives the desk the whole grace again when a completion is undone after the visit', () => {
    const undone = anAppointment({ checkedIn: true, version: 3, changedAt: VISIT + 5 * HOUR });
    expect(plan(undone, VISIT + 5 * HOUR, [inLedger(undone, 'confirmation')]).action).toEqual({
      kind: 'complete',
      at: VISIT + 6 * HOUR,
    });
  });

  it('sends no reminder sooner after the notice of the present time than the policy wants', () => {
    const appointment = anAppointment();
    const told = (dueAt: number) => [inLedger(appointment, 'confirmation', 'ACCEPTED', { dueAt })];
    const policy = { ...POLICY, reminderGapMinutes: 24 * 60 };
    const next = (noticeAt: number) => plan(appointment, noticeAt, told(noticeAt), { policy }).action;
    expect(next(VISIT - 4 * DAY)).toMatchObject({ notificationKind: 'reminder:P3D' });
    expect(next(VISIT - 4 * DAY + 1)).toMatchObject({ notificationKind: 'reminder:P1D' });
    expect(next(VISIT - 26 * HOUR + 1)).toMatchObject({ kind: 'day_end_list' });
  });

  it('tells of a move, forgets the old reminders and plans those of the new time', () => {
    const before = anAppointment();
    const moved = anAppointment({
      appointmentTime: VISIT + 4 * DAY,
      timeSetAt: VISIT - 2 * DAY,
      timeSetVersion: 2,
      version: 2,
    });
    const old = [inLedger(before, 'confirmation'), inLedger(before, 'reminder:P3D')];

    expect(plan(moved, VISIT - 2 * DAY, old).action).toMatchObject({ notificationKind: 'rescheduled' });
    const told = [...old, inLedger(moved, 'rescheduled', 'QUEUED', { dueAt: VISIT - 2 * DAY })];
    expect(plan(moved, VISIT - 2 * DAY, told)).toMatchObject({
      action: { kind: 'notify', notificationKind: 'reminder:P3D', at: VISIT + DAY },
      reminderState: 'PLANNED',
    });
  });

  it('sends no reminder that was due before the notice of the present time went out', () => {
    const moved = anAppointment({ timeSetVersion: 2, version: 2 });
    const told = [inLedger(moved, 'rescheduled', 'ACCEPTED', { dueAt: VISIT - 2 * DAY })];

    expect(plan(moved, VISIT - 2 * DAY + 5, told)).toMatchObject({
      action: { notificationKind: 'reminder:P1D' },
      skipped: [],
    });
  });

  it('sends only the latest of several overdue reminders, and says that the others were superseded', () => {
    const appointment = anAppointment();
    expect(plan(appointment, VISIT - HOUR, [inLedger(appointment, 'confirmation')])).toMatchObject({
      action: { notificationKind: 'reminder:PT2H', at: VISIT - 2 * HOUR },
      skipped: [
        { kind: 'reminder:P3D', reason: 'superseded' },
        { kind: 'reminder:P1D', reason: 'superseded' },
      ],
    });
  });

  it('sends nothing once the visit has begun', () => {
    const result = plan(anAppointment(), VISIT);
    expect(result.action).toEqual({ kind: 'day_end_list', at: VISIT + 0.5 * HOUR });
    expect(result.skipped).toEqual([
      { kind: 'confirmation', reason: 'visit_begun' },
      { kind: 'reminder:P3D', reason: 'visit_begun' },
      { kind: 'reminder:P1D', reason: 'visit_begun' },
      { kind: 'reminder:PT2H', reason: 'visit_begun' },
    ]);
  });

  it('does not remind a patient who has arrived', () => {
    const appointment = anAppointment({ checkedIn: true, version: 2 });
    const result = plan(appointment, VISIT - 3 * HOUR, [inLedger(appointment, 'confirmation')]);
    expect(result.action).toMatchObject({ kind: 'complete' });
    expect(result.skipped).toEqual([
      { kind: 'reminder:P3D', reason: 'checked_in' },
      { kind: 'reminder:P1D', reason: 'checked_in' },
    ]);
    const due = plan(appointment, VISIT - 2 * HOUR, [inLedger(appointment, 'confirmation')]);
    expect(due.skipped).toContainEqual({ kind: 'reminder:PT2H', reason: 'checked_in' });
  });

  it('reminds after all of what was not yet due when a check-in is undone', () => {
    const appointment = anAppointment({ version: 3 });
    const skipped = (['reminder:P3D', 'reminder:P1D'] as const).map((kind) => inLedger(appointment, kind, 'SKIPPED'));
    const { action } = plan(appointment, VISIT - 3 * HOUR, [inLedger(appointment, 'confirmation'), ...skipped]);
    expect(action).toEqual({ kind: 'notify', notificationKind: 'reminder:PT2H', at: VISIT - 2 * HOUR });
  });

  it('tells of a cancelling once, abandons what never reached the broker, and then has nothing left', () => {
    const before = anAppointment();
    const waiting = inLedger(before, 'reminder:P3D', 'PLANNED');
    const cancelled = anAppointment({ status: 'CANCELLED', version: 2 });

    const first = plan(cancelled, VISIT - 3 * DAY, [inLedger(before, 'confirmation'), waiting]);
    expect(first.action).toMatchObject({ notificationKind: 'cancelled' });
    expect(first.abandoned).toEqual([waiting.notificationId]);

    const told = [inLedger(before, 'confirmation'), inLedger(cancelled, 'cancelled', 'QUEUED')];
    expect(plan(cancelled, VISIT - 3 * DAY, told).action).toEqual({ kind: 'none' });
  });

  it.each(['COMPLETED', 'NO_SHOW'] as const)('has nothing left for a visit that is %s', (status) => {
    expect(plan(anAppointment({ status, version: 2 }), VISIT + 2 * HOUR).action).toEqual({ kind: 'none' });
  });

  it('goes on after an undone no-show without repeating the confirmation', () => {
    const appointment = anAppointment({ version: 3 });
    const { action } = plan(appointment, VISIT + HOUR, [inLedger(anAppointment(), 'confirmation')]);
    expect(action).toEqual({ kind: 'none' });
  });

  it.each<[string, number, NotificationState[], string]>([
    ['the first is to come', VISIT - 4 * DAY, [], 'PLANNED'],
    ['the last one due is on its way', VISIT - 2 * DAY, ['QUEUED'], 'PLANNED'],
    ['the last one due was accepted', VISIT - 2 * DAY, ['ACCEPTED'], 'SENT'],
    ['the last one due failed', VISIT - 2 * HOUR, ['DELIVERED', 'FAILED'], 'FAILED'],
    ['the visit has begun', VISIT, ['DELIVERED', 'DELIVERED', 'DELIVERED'], 'DONE'],
    ['it failed and the visit has begun', VISIT, ['DELIVERED', 'DELIVERED', 'FAILED'], 'FAILED'],
  ])('says of the reminders when %s', (_, now, states, expected) => {
    const appointment = anAppointment();
    const kinds = ['reminder:P3D', 'reminder:P1D', 'reminder:PT2H'] as const;
    const ledger = states.flatMap((state, index) => {
      const kind = kinds[index];
      return kind === undefined ? [] : [inLedger(appointment, kind, state)];
    });
    const { reminderState } = plan(appointment, now, [inLedger(appointment, 'confirmation'), ...ledger]);
    expect(reminderState).toBe(expected);
  });

  it('has no reminders for a visit that is booked two hours before', () => {
    const appointment = anAppointment({ timeSetAt: VISIT - 1.5 * HOUR });
    const ledger = [inLedger(appointment, 'confirmation', 'ACCEPTED', { dueAt: VISIT - 1.5 * HOUR })];
    expect(plan(appointment, VISIT - HOUR, ledger)).toMatchObject({
      action: { kind: 'day_end_list' },
      reminderState: 'NONE',
    });
  });
});

describe('a message that its recipient refused', () => {
  const visit = anAppointment();
  const refused = (kind: PlannedKind, channel: Channel = 'sms'): LedgerFacts => ({
    ...inLedger(visit, kind, 'FAILED', { channel }),
    refused: true,
  });

  it('is due on the other channel, at once', () => {
    const { action } = plan(visit, BOOKED + HOUR, [refused('confirmation')], { reachable: ['sms', 'email'] });
    expect(action).toEqual({ kind: 'notify', notificationKind: 'confirmation', at: BOOKED + HOUR });
  });

  it('is done with when there is no other, or it went out there', () => {
    const next = { kind: 'notify', notificationKind: 'reminder:P3D', at: VISIT - 3 * DAY };
    expect(plan(visit, BOOKED + HOUR, [refused('confirmation')], { reachable: ['sms'] }).action).toEqual(next);
    const both = [refused('confirmation'), refused('confirmation', 'email')];
    expect(plan(visit, BOOKED + HOUR, both, { reachable: ['sms', 'email'] }).action).toEqual(next);
    const sent = [refused('confirmation'), inLedger(visit, 'confirmation', 'ACCEPTED', { channel: 'email' })];
    expect(plan(visit, BOOKED + HOUR, sent, { reachable: ['sms', 'email'] }).action).toEqual(next);
  });

  it('is not sent once a later reminder is due', () => {
    const ledger = [inLedger(visit, 'confirmation'), refused('reminder:P3D')];
    const late = plan(visit, VISIT - DAY, ledger, { reachable: ['sms', 'email'] });
    expect(late.action).toMatchObject({ notificationKind: 'reminder:P1D' });
    expect(late.skipped).toEqual([{ kind: 'reminder:P3D', reason: 'superseded' }]);
  });

  it('that failed for another reason stays failed', () => {
    const failed = inLedger(visit, 'confirmation', 'FAILED');
    const { action } = plan(visit, BOOKED + HOUR, [failed], { reachable: ['sms', 'email'] });
    expect(action).toMatchObject({ notificationKind: 'reminder:P3D' });
  });
});
