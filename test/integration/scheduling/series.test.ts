import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import { addDays, localDate, localTime, zonedInstant } from '../../../src/domain/time-zone.ts';
import { SeriesClashError } from '../../../src/domain/errors.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { bookSeries, type BookedSeries, type SeriesBooking } from '../../../src/scheduling/visits/book-series.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { cancelSeries } from '../../../src/scheduling/visits/cancel-series.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { moveSeries } from '../../../src/scheduling/visits/move-series.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { BLINDED } from '../../support/guards.ts';

describe('a series', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const actAt = (there: Clinic, now = new Date()): Act => ({
    actor: { kind: 'staff', id: 'desk' },
    clinicId: there.clinicId,
    now,
    requestId: 'request-1',
  });
  const act = (now?: Date): Act => actAt(clinic, now);
  const wish = async (given: Partial<SeriesBooking> = {}): Promise<SeriesBooking> => ({
    patientId: given.patientId ?? (await aPatient(database.owner, clinic)),
    providerId: given.providerId ?? (await aProvider(database.owner, clinic)),
    appointmentTime: slotAt(clinic, 3, '10:00'),
    durationMinutes: 30,
    everyWeeks: 1,
    count: 4,
    registersPatient: false,
    ...given,
  });
  const bookVisit = (given: { providerId?: string; patientId?: string; appointmentTime: Date }) =>
    wish(given).then((wanted) => bookAppointment(deps, act(), wanted));

  const visitsOf = ({ seriesId }: { readonly seriesId: string }) =>
    database.owner.db
      .selectFrom('appointment')
      .selectAll()
      .where('series_id', '=', seriesId)
      .orderBy('series_index')
      .execute();
  const wallClock = (instants: readonly Date[]) =>
    instants.map((at) => `${localDate(clinic.timeZone, at.getTime())} ${localTime(clinic.timeZone, at.getTime())}`);
  const weekly = (days: number, time: string, count: number) =>
    Array.from({ length: count }, (_, week) => slotAt(clinic, days + week * 7, time));
  const timesOf = async (resourceId: string) => {
    const { rows } = await sql<{ purpose: string; from_time: Date }>`
      select purpose, lower(during) as from_time from reservation where resource_id = ${resourceId} order by 2`.execute(
      database.owner.db,
    );
    return rows.map((row) => `${row.purpose} ${row.from_time.toISOString()}`);
  };
  const reserved = (starts: readonly Date[]) => starts.map((at) => `APPOINTMENT ${at.toISOString()}`);
  const eventsOf = async (appointmentId: string) => {
    const rows = await database.owner.db
      .selectFrom('outbox')
      .select(['event', 'version'])
      .where('aggregate_id', '=', appointmentId)
      .orderBy('outbox_id')
      .execute();
    return rows.map((row) => `${row.event} ${row.version ?? '-'}`);
  };
  /** What stands in the way, as date and code; empty when nothing does. */
  const clashesOf = async (attempt: Promise<unknown>) => {
    try {
      await attempt;
      return [];
    } catch (error) {
      if (!(error instanceof SeriesClashError)) throw error;
      return error.clashes.map(({ appointmentTime, code }) => `${appointmentTime.toISOString()} ${code}`);
    }
  };
  const idOf = (series: BookedSeries, index: number) => series.appointments[index]?.appointmentId ?? '';
  /** Who announces whom: how many visits each speaks for, or whose message speaks for it. */
  const notices = async (series: BookedSeries) =>
    (await visitsOf(series)).map((row) =>
      row.announced_by === null
        ? row.notice_visits
        : `by ${series.appointments.findIndex(({ appointmentId }) => appointmentId === row.announced_by)}`,
    );
  const inLedger = (
    row: { appointment_id: string; appointment_time: Date; version: number },
    state: 'QUEUED' | 'ACCEPTED',
  ) =>
    database.owner.db
      .selectFrom('appointment')
      .select('patient_id')
      .where('appointment_id', '=', row.appointment_id)
      .executeTakeFirstOrThrow()
      .then(({ patient_id }) =>
        database.owner.db
          .insertInto('notification')
          .values({
            notification_id: randomUUID(),
            clinic_id: clinic.clinicId,
            appointment_id: row.appointment_id,
            patient_id,
            kind: 'series_confirmation',
            channel: 'sms',
            state,
            planned_for: row.appointment_time,
            appointment_version: row.version,
            due_at: new Date(),
            provider_message_id: null,
            reason: null,
            request_id: null,
          })
          .execute(),
      );

  describe('is booked whole', () => {
    it('as 26 visits at one time of day, each with its reservations, outbox row and audit', async () => {
      const wanted = await wish({ count: 26 });
      const series = await bookSeries(deps, act(), wanted, undefined);
      expect(series.appointments).toHaveLength(26);
      const visits = await visitsOf(series);
      const expected = weekly(3, '10:00', 26);
      expect(visits.map((row) => row.appointment_time)).toEqual(expected);
      expect(new Set(wallClock(expected).map((text) => text.slice(-5)))).toEqual(new Set(['10:00']));
      expect(new Set(visits.map((row) => row.confirmation_code)).size).toBe(26);
      expect(await timesOf(wanted.providerId)).toEqual(reserved(expected));
      expect(await timesOf(wanted.patientId)).toEqual(reserved(expected));
      for (const { appointment_id } of visits) expect(await eventsOf(appointment_id)).toEqual(['booked 1']);
      const audited = await database.owner.db
        .selectFrom('audit_event')
        .select(['entity', 'action'])
        .where('entity_id', 'in', [series.seriesId, ...visits.map((row) => row.appointment_id)])
        .execute();
      expect(audited).toHaveLength(27);
      expect(await notices(series)).toEqual([26, ...Array.from({ length: 25 }, () => 'by 0')]);
    });

    it('or not at all, and says of every date that clashes why', async () => {
      const providerId = await aProvider(database.owner, clinic);
      const patientId = await aPatient(database.owner, clinic);
      const [, second, third, fourth, fifth] = weekly(3, '10:00', 5) as [Date, Date, Date, Date, Date];
      await bookVisit({ providerId, appointmentTime: new Date(second.getTime() + 15 * 60_000) });
      await bookVisit({ patientId, appointmentTime: third });
      await database.owner.db
        .insertInto('closure')
        .values({
          closure_id: randomUUID(),
          clinic_id: clinic.clinicId,
          from_date: localDate(clinic.timeZone, fourth.getTime()),
          to_date: localDate(clinic.timeZone, fourth.getTime()),
          name: 'Holiday',
        })
        .execute();
      await sql`insert into time_off (time_off_id, clinic_id, provider_id, during) values (${randomUUID()}, ${clinic.clinicId}, ${providerId},
        tstzrange(${fifth}::timestamptz, ${fifth}::timestamptz + interval '2 hours'))`.execute(database.owner.db);
      const before = await timesOf(providerId);

      expect(
        await clashesOf(bookSeries(deps, act(), await wish({ providerId, patientId, count: 5 }), undefined)),
      ).toEqual([
        `${second.toISOString()} slot_taken`,
        `${third.toISOString()} patient_busy`,
        `${fourth.toISOString()} provider_closed`,
        `${fifth.toISOString()} provider_away`,
      ]);
      expect(await timesOf(providerId)).toEqual(before);
      const left = await database.owner.db
        .selectFrom('appointment_series')
        .selectAll()
        .where('provider_id', '=', providerId)
        .execute();
      expect(left).toEqual([]);
      await database.owner.db.deleteFrom('closure').where('clinic_id', '=', clinic.clinicId).execute();
    });

    it('for one of two patients who want the same dates, and nothing of the other’s remains', async () => {
      for (let round = 0; round < 5; round += 1) {
        const providerId = await aProvider(database.owner, clinic);
        const results = await Promise.allSettled(
          [3, 10].map(async (days) =>
            bookSeries(
              deps,
              act(),
              await wish({ providerId, count: 6, appointmentTime: slotAt(clinic, days, '10:00') }),
              undefined,
            ),
          ),
        );
        const lost = results.filter((result) => result.status === 'rejected').map(({ reason }) => reason as unknown);
        expect(lost).toHaveLength(1);
        expect(lost[0]).toBeInstanceOf(SeriesClashError);
        expect(await timesOf(providerId)).toHaveLength(6);
      }
    });

    it('still only if the constraint allows it, when the look before the write is blinded', async () => {
      const bare = await createTestDatabase();
      try {
        await sql.raw(BLINDED).execute(bare.owner.db);
        const there = await aClinic(bare.owner);
        const providerId = await aProvider(bare.owner, there);
        const bareDeps = createSchedulingDeps(bare.app);
        const [one, two] = await Promise.all([aPatient(bare.owner, there), aPatient(bare.owner, there)]);
        const first = slotAt(there, 3, '10:00');
        const rest = { providerId, durationMinutes: 30, everyWeeks: 1, count: 3, registersPatient: false };
        const series = await bookSeries(
          bareDeps,
          actAt(there),
          { ...rest, patientId: one, appointmentTime: slotAt(there, 10, '10:00') },
          undefined,
        );
        const refused = await clashesOf(
          bookSeries(bareDeps, actAt(there), { ...rest, patientId: two, appointmentTime: first }, undefined),
        );
        expect(refused).toEqual([
          `${slotAt(there, 10, '10:00').toISOString()} slot_taken`,
          `${slotAt(there, 17, '10:00').toISOString()} slot_taken`,
        ]);
        const { rows } = await sql<{ series_id: string }>`select distinct series_id from appointment`.execute(
          bare.owner.db,
        );
        expect(rows).toEqual([{ series_id: series.seriesId }]);
      } finally {
        await bare.drop();
      }
    });

    it('within the provider’s daily limit', async () => {
      const providerId = await aProvider(database.owner, clinic, { maxDailyAppointments: 1 });
      await bookVisit({ providerId, appointmentTime: slotAt(clinic, 10, '15:00') });
      expect(await clashesOf(bookSeries(deps, act(), await wish({ providerId }), undefined))).toEqual([
        `${slotAt(clinic, 10, '10:00').toISOString()} day_full`,
      ]);
    });

    it('within the clinic’s limits on visits ahead, which staff may set aside with a reason', async () => {
      const strict = await aClinic(database.owner, {
        policy: { maxUpcomingPerPatient: 4, maxUpcomingPerProviderAndPatient: 3 },
      });
      const providerId = await aProvider(database.owner, strict);
      const patientId = await aPatient(database.owner, strict);
      const wanted = await wish({ providerId, patientId, count: 5, appointmentTime: slotAt(strict, 3, '10:00') });
      expect(await clashesOf(bookSeries(deps, actAt(strict), wanted, undefined))).toEqual([
        `${slotAt(strict, 24, '10:00').toISOString()} too_many_upcoming_with_provider`,
        `${slotAt(strict, 31, '10:00').toISOString()} too_many_upcoming`,
      ]);
      const series = await bookSeries(
        deps,
        actAt(strict),
        {
          ...wanted,
          override: { rules: ['too_many_upcoming', 'too_many_upcoming_with_provider'], reason: 'therapy plan' },
        },
        undefined,
      );
      const rows = await visitsOf(series);
      expect(rows.map((row) => row.override_rules)).toEqual([
        [],
        [],
        [],
        ['too_many_upcoming_with_provider'],
        ['too_many_upcoming', 'too_many_upcoming_with_provider'],
      ]);
      expect(rows.map((row) => row.override_reason)).toEqual([null, null, null, 'therapy plan', 'therapy plan']);
    });

    it('on no date whose time the clocks skip', async () => {
      const skipping = await aClinic(database.owner, { policy: { bookingHorizonDays: 2_000 } });
      const providerId = await aProvider(database.owner, skipping, { startTime: '00:00', endTime: '23:45' });
      const patientId = await aPatient(database.owner, skipping);
      // In the European Union the clocks skip 02:00 to 03:00 on the last Sunday of March.
      const year = new Date().getUTCFullYear() + 1;
      const change = [31, 30, 29, 28, 27, 26, 25]
        .map((day) => `${year}-03-${day}`)
        .find((date) => new Date(date).getUTCDay() === 0);
      const first = new Date(zonedInstant(skipping.timeZone, addDays(change ?? '', -7), '02:30'));
      const wanted = await wish({ providerId, patientId, count: 3, appointmentTime: first });
      expect(await clashesOf(bookSeries(deps, actAt(skipping), wanted, undefined))).toEqual([
        `${change}T01:30:00.000Z off_grid`,
      ]);
    });

    it('only for a patient who is registered, unless it is their own first booking', async () => {
      const stranger = await aPatient(database.owner);
      const wanted = await wish({ patientId: stranger });
      await expect(bookSeries(deps, act(), wanted, undefined)).rejects.toMatchObject({ code: 'not_found' });
      const own: Act = { ...act(), actor: { kind: 'patient', id: stranger } };
      expect((await bookSeries(deps, own, { ...wanted, registersPatient: true }, undefined)).appointments).toHaveLength(
        4,
      );
      const nobody = await wish({ patientId: randomUUID(), registersPatient: true });
      await expect(bookSeries(deps, own, nobody, undefined)).rejects.toMatchObject({ code: 'not_found' });
      await expect(bookSeries(deps, act(), await wish({ providerId: randomUUID() }), undefined)).rejects.toMatchObject({
        code: 'not_found',
      });
    });

    it('once for a key, however often it is asked', async () => {
      const idempotency = {
        caller: 'desk',
        route: 'POST /api/v1/appointment-series',
        key: randomUUID(),
        fingerprint: 'a',
      };
      const wanted = await wish();
      const first = await bookSeries(deps, act(), wanted, idempotency);
      expect(await bookSeries(deps, act(), wanted, idempotency)).toEqual({ ...first, replayed: true });
      await expect(bookSeries(deps, act(), wanted, { ...idempotency, fingerprint: 'b' })).rejects.toMatchObject({
        code: 'idempotency_mismatch',
      });
      expect(await timesOf(wanted.providerId)).toHaveLength(4);
    });
  });

  describe('is moved', () => {
    const moveRest = (series: BookedSeries, index: number, move: Partial<Parameters<typeof moveSeries>[2]>) =>
      moveSeries(deps, act(), { appointmentId: idOf(series, index), expectedVersion: 1, ...move });

    it('from a visit on: each by the same days and time of day, the earlier ones untouched', async () => {
      const wanted = await wish({ count: 5 });
      const series = await bookSeries(deps, act(), wanted, undefined);
      const named = await moveRest(series, 2, { appointmentTime: slotAt(clinic, 18, '11:30') });
      expect(named).toMatchObject({ appointment_id: idOf(series, 2), version: 2, time_set_version: 2, moves: 1 });
      const rows = await visitsOf(series);
      const expected = [...weekly(3, '10:00', 2), ...weekly(18, '11:30', 3)];
      expect(rows.map((row) => row.appointment_time)).toEqual(expected);
      expect(await timesOf(wanted.providerId)).toEqual(reserved(expected));
      expect(await timesOf(wanted.patientId)).toEqual(reserved(expected));
      expect(await notices(series)).toEqual([5, 'by 0', 3, 'by 2', 'by 2']);
      expect(await eventsOf(idOf(series, 4))).toEqual(['booked 1', 'rescheduled 2']);
    });

    it('into its own old times', async () => {
      const wanted = await wish({ count: 4 });
      const series = await bookSeries(deps, act(), wanted, undefined);
      await moveRest(series, 0, { appointmentTime: slotAt(clinic, 10, '10:15'), durationMinutes: 45 });
      await moveSeries(deps, act(), {
        appointmentId: idOf(series, 0),
        expectedVersion: 2,
        appointmentTime: slotAt(clinic, 17, '10:00'),
      });
      expect((await visitsOf(series)).map((row) => row.appointment_time)).toEqual(weekly(17, '10:00', 4));
      expect(await timesOf(wanted.providerId)).toEqual(reserved(weekly(17, '10:00', 4)));
    });

    it('to a colleague', async () => {
      const wanted = await wish({ count: 3 });
      const series = await bookSeries(deps, act(), wanted, undefined);
      const colleague = await aProvider(database.owner, clinic);
      await moveRest(series, 1, { providerId: colleague });
      expect((await visitsOf(series)).map((row) => row.provider_id)).toEqual([wanted.providerId, colleague, colleague]);
      expect(await timesOf(colleague)).toEqual(reserved(weekly(10, '10:00', 2)));
      await expect(moveRest(series, 0, { providerId: randomUUID() })).rejects.toMatchObject({ code: 'not_found' });
    });

    it('and told once for each provider that the visits are with', async () => {
      const series = await bookSeries(deps, act(), await wish({ count: 4 }), undefined);
      const colleague = await aProvider(database.owner, clinic);
      const alone = { appointmentId: idOf(series, 1), expectedVersion: 1, providerId: colleague };
      await moveAppointment(deps, act(), alone);
      await moveRest(series, 0, { appointmentTime: slotAt(clinic, 3, '12:00') });
      expect(await notices(series)).toEqual([3, 1, 'by 0', 'by 0']);
    });

    it('within the limit on visits ahead with another provider', async () => {
      const strict = await aClinic(database.owner, { policy: { maxUpcomingPerProviderAndPatient: 3 } });
      const [providerId, colleague] = [
        await aProvider(database.owner, strict),
        await aProvider(database.owner, strict),
      ];
      const patientId = await aPatient(database.owner, strict);
      const book = (of: string, days: number, count: number) =>
        wish({ providerId: of, patientId, count, appointmentTime: slotAt(strict, days, '10:00') }).then((wanted) =>
          bookSeries(deps, actAt(strict), wanted, undefined),
        );
      await book(colleague, 4, 2);
      const series = await book(providerId, 3, 3);
      const move = { appointmentId: idOf(series, 0), expectedVersion: 1, providerId: colleague };
      expect(await clashesOf(moveSeries(deps, actAt(strict), move))).toEqual([
        `${slotAt(strict, 10, '10:00').toISOString()} too_many_upcoming_with_provider`,
        `${slotAt(strict, 17, '10:00').toISOString()} too_many_upcoming_with_provider`,
      ]);
    });

    it('whole or not at all', async () => {
      const providerId = await aProvider(database.owner, clinic);
      const wanted = await wish({ providerId, count: 4 });
      const series = await bookSeries(deps, act(), wanted, undefined);
      await bookVisit({ providerId, appointmentTime: slotAt(clinic, 17, '11:00') });
      await bookVisit({ patientId: wanted.patientId, appointmentTime: slotAt(clinic, 24, '11:00') });
      const before = await visitsOf(series);
      expect(await clashesOf(moveRest(series, 0, { appointmentTime: slotAt(clinic, 3, '11:00') }))).toEqual([
        `${slotAt(clinic, 17, '11:00').toISOString()} slot_taken`,
        `${slotAt(clinic, 24, '11:00').toISOString()} patient_busy`,
      ]);
      expect(await visitsOf(series)).toEqual(before);
      expect(await timesOf(wanted.patientId)).toHaveLength(5);
    });

    it('within the limits on moving, of which each visit has its own', async () => {
      const strict = await aClinic(database.owner, { policy: { maxMovesPerAppointment: 1 } });
      const providerId = await aProvider(database.owner, strict);
      const patientId = await aPatient(database.owner, strict);
      const wanted = await wish({ providerId, patientId, count: 3, appointmentTime: slotAt(strict, 3, '10:00') });
      const series = await bookSeries(deps, actAt(strict), wanted, undefined);
      await moveAppointment(deps, actAt(strict), {
        appointmentId: idOf(series, 1),
        expectedVersion: 1,
        appointmentTime: slotAt(strict, 10, '12:00'),
      });
      const later = { appointmentId: idOf(series, 0), expectedVersion: 1, appointmentTime: slotAt(strict, 3, '10:30') };
      expect(await clashesOf(moveSeries(deps, actAt(strict), later))).toEqual([
        `${slotAt(strict, 10, '12:30').toISOString()} too_many_moves`,
      ]);
      const override = { rules: ['too_many_moves' as const], reason: 'asked by phone' };
      await moveSeries(deps, actAt(strict), { ...later, override });
      expect((await visitsOf(series)).map((row) => row.override_rules)).toEqual([[], ['too_many_moves'], []]);
    });

    it('past those that are cancelled, and one that was moved alone from where it is', async () => {
      const series = await bookSeries(deps, act(), await wish({ count: 4 }), undefined);
      await cancelAppointment(deps, act(), { appointmentId: idOf(series, 1), reason: 'other' });
      await moveAppointment(deps, act(), {
        appointmentId: idOf(series, 2),
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 18, '14:00'),
      });
      await moveRest(series, 0, { appointmentTime: slotAt(clinic, 3, '11:00') });
      expect((await visitsOf(series)).map((row) => `${row.status} ${row.appointment_time.toISOString()}`)).toEqual([
        `SCHEDULED ${slotAt(clinic, 3, '11:00').toISOString()}`,
        `CANCELLED ${slotAt(clinic, 10, '10:00').toISOString()}`,
        `SCHEDULED ${slotAt(clinic, 18, '15:00').toISOString()}`,
        `SCHEDULED ${slotAt(clinic, 24, '11:00').toISOString()}`,
      ]);
      expect(await notices(series)).toEqual([3, 1, 'by 0', 'by 0']);
    });

    it('not for a stale version, and nothing is written when nothing changes', async () => {
      const series = await bookSeries(deps, act(), await wish(), undefined);
      await expect(moveRest(series, 0, { expectedVersion: 7, durationMinutes: 15 })).rejects.toMatchObject({
        code: 'version_mismatch',
      });
      await moveRest(series, 0, { appointmentTime: slotAt(clinic, 3, '10:00'), durationMinutes: 30 });
      expect((await visitsOf(series)).map((row) => row.version)).toEqual([1, 1, 1, 1]);
    });

    it('alone as any other visit', async () => {
      const series = await bookSeries(deps, act(), await wish(), undefined);
      const alone = { appointmentId: idOf(series, 1), reason: 'other' as const };
      expect((await cancelAppointment(deps, act(), alone)).alreadyCancelled).toBe(false);
      expect(await notices(series)).toEqual([4, 1, 'by 0', 'by 0']);
    });

    it('keeps freed times for who waits, except for what the series itself takes again', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Physiotherapy' });
      const series = await bookSeries(deps, act(), await wish({ providerId, count: 3 }), undefined);
      const today = localDate(clinic.timeZone, Date.now());
      await joinWaitlist(deps, act(), {
        patientId: await aPatient(database.owner, clinic),
        providerId,
        durationMinutes: 15,
        earliestDate: today,
        latestDate: addDays(today, 90),
        registersPatient: false,
      });
      await moveRest(series, 0, { appointmentTime: slotAt(clinic, 10, '10:15') });
      const [first, second, third] = weekly(10, '10:15', 3).map((at) => `APPOINTMENT ${at.toISOString()}`);
      const [whole, part, another] = weekly(3, '10:00', 3).map((at) => `WAITLIST ${at.toISOString()}`);
      expect(await timesOf(providerId)).toEqual([whole, part, first, another, second, third]);
    });

    it('with one legal outcome when it races with a cancelling of the rest', async () => {
      for (let round = 0; round < 5; round += 1) {
        const wanted = await wish({ count: 6 });
        const series = await bookSeries(deps, act(), wanted, undefined);
        const [moved, cancelled] = await Promise.allSettled([
          moveRest(series, 1, { appointmentTime: slotAt(clinic, 10, '12:00') }),
          cancelSeries(deps, act(), { appointmentId: idOf(series, 3), reason: 'other' }),
        ]);
        expect([moved.status, cancelled.status]).toEqual(['fulfilled', 'fulfilled']);
        expect((await visitsOf(series)).map((row) => row.status)).toEqual([
          ...Array.from({ length: 3 }, () => 'SCHEDULED'),
          ...Array.from({ length: 3 }, () => 'CANCELLED'),
        ]);
        expect(await timesOf(wanted.providerId)).toEqual(
          reserved([slotAt(clinic, 3, '10:00'), ...weekly(10, '12:00', 2)]),
        );
      }
    });
  });

  describe('is cancelled', () => {
    it('from a visit on, and the freed times are kept for who waits', async () => {
      const providerId = await aProvider(database.owner, clinic, { specialty: 'Logopedics' });
      const series = await bookSeries(deps, act(), await wish({ providerId }), undefined);
      const today = localDate(clinic.timeZone, Date.now());
      await joinWaitlist(deps, act(), {
        patientId: await aPatient(database.owner, clinic),
        providerId,
        durationMinutes: 30,
        earliestDate: today,
        latestDate: addDays(today, 18),
        registersPatient: false,
      });
      const rest = { appointmentId: idOf(series, 1), reason: 'patient_request' as const, expectedVersion: 1 };
      expect(await cancelSeries(deps, act(), rest)).toEqual({ cancelled: 3 });
      expect((await visitsOf(series)).map((row) => row.status)).toEqual([
        'SCHEDULED',
        'CANCELLED',
        'CANCELLED',
        'CANCELLED',
      ]);
      expect(await timesOf(providerId)).toEqual([
        `APPOINTMENT ${slotAt(clinic, 3, '10:00').toISOString()}`,
        `WAITLIST ${slotAt(clinic, 10, '10:00').toISOString()}`,
        `WAITLIST ${slotAt(clinic, 17, '10:00').toISOString()}`,
      ]);
      expect(await notices(series)).toEqual([4, 3, 'by 1', 'by 1']);
      expect(await cancelSeries(deps, act(), rest)).toEqual({ cancelled: 0 });
      expect(await eventsOf(idOf(series, 3))).toEqual(['booked 1', 'cancelled 2']);
    });

    it('also after a visit that was cancelled before, but not from one that has begun', async () => {
      const series = await bookSeries(deps, act(), await wish({ count: 3 }), undefined);
      await cancelAppointment(deps, act(), { appointmentId: idOf(series, 0), reason: 'other' });
      const during = act(new Date(slotAt(clinic, 10, '10:00').getTime() + 60_000));
      await expect(
        cancelSeries(deps, during, { appointmentId: idOf(series, 1), reason: 'other' }),
      ).rejects.toMatchObject({ code: 'visit_begun' });
      expect(await cancelSeries(deps, during, { appointmentId: idOf(series, 0), reason: 'other' })).toEqual({
        cancelled: 1,
      });
    });

    it('not for a stale version', async () => {
      const series = await bookSeries(deps, act(), await wish({ count: 2 }), undefined);
      await expect(
        cancelSeries(deps, act(), { appointmentId: idOf(series, 0), reason: 'other', expectedVersion: 2 }),
      ).rejects.toMatchObject({ code: 'version_mismatch' });
    });

    it('alone where the visit belongs to none', async () => {
      const { appointmentId } = await bookVisit({ appointmentTime: slotAt(clinic, 4, '10:00') });
      expect(await cancelSeries(deps, act(), { appointmentId, reason: 'other' })).toEqual({ cancelled: 1 });
    });
  });

  describe('is announced by its next visit', () => {
    const takenOver = (series: BookedSeries, index: number) => eventsOf(idOf(series, index));

    it.each(['moved', 'cancelled'])('when the first is %s alone before its notice went out', async (what) => {
      const series = await bookSeries(deps, act(), await wish(), undefined);
      const [first] = await visitsOf(series);
      if (what === 'moved' && first !== undefined) await inLedger(first, 'QUEUED');
      if (what === 'moved') {
        await moveAppointment(deps, act(), {
          appointmentId: idOf(series, 0),
          expectedVersion: 1,
          appointmentTime: slotAt(clinic, 4, '10:00'),
        });
      } else await cancelAppointment(deps, act(), { appointmentId: idOf(series, 0), reason: 'other' });
      expect(await notices(series)).toEqual([1, 3, 'by 1', 'by 1']);
      expect(await takenOver(series, 1)).toEqual(['booked 1', 'noticeTakenOver 2']);
      expect(await takenOver(series, 2)).toEqual(['booked 1']);
    });

    it('but not when the notice has gone out', async () => {
      const series = await bookSeries(deps, act(), await wish(), undefined);
      const [first] = await visitsOf(series);
      if (first !== undefined) await inLedger(first, 'ACCEPTED');
      await cancelAppointment(deps, act(), { appointmentId: idOf(series, 0), reason: 'other' });
      expect(await takenOver(series, 1)).toEqual(['booked 1']);
    });

    it('past those that have been told of themselves in between', async () => {
      const series = await bookSeries(deps, act(), await wish(), undefined);
      await cancelAppointment(deps, act(), { appointmentId: idOf(series, 1), reason: 'other' });
      await cancelAppointment(deps, act(), { appointmentId: idOf(series, 0), reason: 'other' });
      expect(await notices(series)).toEqual([1, 1, 2, 'by 2']);
    });
  });
});
