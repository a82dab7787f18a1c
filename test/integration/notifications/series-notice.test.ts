import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { notificationOf, readSituation, recordSkipped } from '../../../src/activities/appointment/read.ts';
import { inContext, type Tx } from '../../../src/db/connection.ts';
import type { NoticeKind } from '../../../src/domain/notification.ts';
import { markRetry } from '../../../src/notifications/ledger/attempts.ts';
import { claimToSend } from '../../../src/notifications/ledger/claim.ts';
import {
  markQueued,
  planNotification,
  skipNotification,
  type PlannedNotification,
} from '../../../src/notifications/ledger/rows.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { cancelSeries } from '../../../src/scheduling/visits/cancel-series.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('the one notice of several visits', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const act = (): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() });
  const run = <T>(work: (tx: Tx) => Promise<T>) => inContext(database.app.db, { clinicId: clinic.clinicId }, work);
  /** The ids of four weekly visits. */
  const aSeries = async () => {
    const { appointments } = await bookSeries(
      deps,
      act(),
      {
        patientId: await aPatient(database.owner, clinic),
        providerId: await aProvider(database.owner, clinic),
        appointmentTime: slotAt(clinic, 3, '10:00'),
        durationMinutes: 30,
        everyWeeks: 1,
        count: 4,
        registersPatient: false,
      },
      undefined,
    );
    return appointments.map(({ appointmentId }) => appointmentId) as [string, string, string, string];
  };
  const rowOf = (appointmentId: string) =>
    database.owner.db
      .selectFrom('appointment')
      .selectAll()
      .where('appointment_id', '=', appointmentId)
      .executeTakeFirstOrThrow();
  /** What the visit's workflow would publish. */
  const published = async (appointmentId: string, kind: NoticeKind): Promise<PlannedNotification> => {
    const notification = notificationOf(await rowOf(appointmentId), kind, 'sms', new Date());
    await run(async (tx) => {
      await planNotification(tx, notification);
      await markQueued(tx, notification.notificationId);
    });
    return notification;
  };
  const claim = ({ notificationId }: PlannedNotification, now = new Date()) =>
    run((tx) => claimToSend(tx, { notificationId, now, leaseMs: 30_000 }));
  /** The visit's workflow hears of it and plans anew. */
  const replan = (appointmentId: string, now = new Date()) =>
    run(async (tx) => recordSkipped(tx, await readSituation(tx, appointmentId, now), now));
  const announces = async (ids: readonly string[]) =>
    (await Promise.all(ids.map(rowOf))).map((row) =>
      row.announced_by === null ? row.notice_visits : `by ${ids.indexOf(row.announced_by)}`,
    );
  const lastTold = async (appointmentId: string) => {
    const told = await database.owner.db
      .selectFrom('outbox')
      .select(['event', 'version'])
      .where('aggregate_id', '=', appointmentId)
      .orderBy('outbox_id')
      .execute();
    return told.at(-1);
  };
  const justAfter = (days: number) => new Date(slotAt(clinic, days, '10:00').getTime() + 60_000);

  it('says how many there are, and when', async () => {
    const [first] = await aSeries();
    const notice = await published(first, 'series_confirmation');
    expect(await claim(notice)).toMatchObject({
      outcome: 'send',
      notification: {
        kind: 'series_confirmation',
        visits: 4,
        furtherVisits: [10, 17, 24].map((days) => slotAt(clinic, days, '10:00')),
      },
    });
  });

  it('is the next visit’s when the first has begun before it could go out', async () => {
    const ids = await aSeries();
    const notice = await published(ids[0], 'series_confirmation');
    expect(await claim(notice, justAfter(3))).toEqual({ outcome: 'skipped', reason: 'visit_begun' });
    // Who sends changes no visit: its workflow is told.
    expect(await announces(ids)).toEqual([4, 'by 0', 'by 0', 'by 0']);
    expect(await lastTold(ids[0])).toMatchObject({ event: 'notificationSettled' });
    await replan(ids[0], justAfter(3));
    expect(await announces(ids)).toEqual([4, 3, 'by 1', 'by 1']);
  });

  it('of a cancelling, too: the workflow of the next visit has ended and is started anew', async () => {
    const ids = await aSeries();
    await cancelSeries(deps, act(), { appointmentId: ids[0], reason: 'provider_unavailable' });
    const notice = await published(ids[0], 'series_cancelled');
    expect(await claim(notice, justAfter(3))).toEqual({ outcome: 'skipped', reason: 'visit_begun' });
    // Who sends changes no visit: its workflow is told.
    expect(await announces(ids)).toEqual([4, 'by 0', 'by 0', 'by 0']);
    expect(await lastTold(ids[0])).toMatchObject({ event: 'notificationSettled' });
    await replan(ids[0], justAfter(3));
    expect(await announces(ids)).toEqual([4, 3, 'by 1', 'by 1']);
    expect(await lastTold(ids[1])).toEqual({ event: 'noticeTakenOver', version: 3 });
  });

  it('that was being sent while its visit was moved alone is passed on only when it turns out not to have gone', async () => {
    const ids = await aSeries();
    const notice = await published(ids[0], 'series_confirmation');
    expect(await claim(notice)).toMatchObject({ outcome: 'send' });
    await moveAppointment(deps, act(), {
      appointmentId: ids[0],
      expectedVersion: 1,
      appointmentTime: slotAt(clinic, 4, '10:00'),
    });
    expect(await announces(ids)).toEqual([1, 'by 0', 'by 0', 'by 0']);
    const { notificationId } = notice;
    await run((tx) => markRetry(tx, { notificationId, attempt: 1, reason: 'twilio_20429' }));
    await replan(ids[0]);
    expect(await announces(ids)).toEqual([1, 'by 0', 'by 0', 'by 0']);
    expect(await claim(notice)).toEqual({ outcome: 'skipped', reason: 'moved' });
    await replan(ids[0]);
    expect(await announces(ids)).toEqual([1, 3, 'by 1', 'by 1']);
  });

  it('is passed on once, by whoever comes first', async () => {
    const ids = await aSeries();
    const notice = await published(ids[0], 'series_confirmation');
    await moveAppointment(deps, act(), {
      appointmentId: ids[0],
      expectedVersion: 1,
      appointmentTime: slotAt(clinic, 4, '10:00'),
    });
    expect(await announces(ids)).toEqual([1, 3, 'by 1', 'by 1']);
    expect(await claim(notice)).toEqual({ outcome: 'skipped', reason: 'moved' });
    await replan(ids[0]);
    expect(await announces(ids)).toEqual([1, 3, 'by 1', 'by 1']);
  });

  it('is not passed on where the same visit is about to tell of something newer', async () => {
    const ids = await aSeries();
    const notice = await published(ids[0], 'series_confirmation');
    await moveSeries(deps, act(), {
      appointmentId: ids[0],
      expectedVersion: 1,
      appointmentTime: slotAt(clinic, 3, '12:00'),
    });
    expect(await claim(notice)).toEqual({ outcome: 'skipped', reason: 'moved' });
    await replan(ids[0]);
    expect(await announces(ids)).toEqual([4, 'by 0', 'by 0', 'by 0']);
    const newer = await published(ids[0], 'series_rescheduled');
    await cancelSeries(deps, act(), { appointmentId: ids[0], reason: 'other' });
    expect(await claim(newer)).toEqual({ outcome: 'skipped', reason: 'cancelled' });
    await replan(ids[0]);
    expect(await announces(ids)).toEqual([4, 'by 0', 'by 0', 'by 0']);
  });

  it('is not passed on for a patient whom nobody can reach', async () => {
    const ids = await aSeries();
    const notice = notificationOf(await rowOf(ids[0]), 'series_confirmation', 'sms', new Date());
    await run((tx) => skipNotification(tx, { ...notice, reason: 'no_address' }));
    await replan(ids[0]);
    expect(await announces(ids)).toEqual([4, 'by 0', 'by 0', 'by 0']);
  });
});
