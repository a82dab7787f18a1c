import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import type { ClinicPolicy } from '../../../src/domain/policy.ts';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { createSchedulingDeps, type Act, type SchedulingDeps } from '../../../src/scheduling/act.ts';
import { bookAppointment, type Booking } from '../../../src/scheduling/visits/book.ts';
import { extendHold, placeHold, releaseHold } from '../../../src/scheduling/claims/hold.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { DEFAULT_POLICY } from '../../../src/domain/policy.ts';
import { changePolicy } from '../../../src/scheduling/registry/clinic.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('holding a slot', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const act = (now = new Date(), at = clinic): Act => ({
    actor: { kind: 'patient', id: 'holder' },
    clinicId: at.clinicId,
    now,
  });
  const hold = async (given: { providerId?: string; time?: string; heldBy?: string; at?: Clinic; now?: Date } = {}) => {
    const at = given.at ?? clinic;
    const providerId = given.providerId ?? (await aProvider(database.owner, at));
    const { hold: held } = await placeHold(deps, act(given.now, at), {
      providerId,
      slotStart: slotAt(at, 3, given.time ?? '10:00'),
      durationMinutes: 30,
      heldBy: given.heldBy ?? 'holder',
    });
    return held;
  };
  const book = async (given: Partial<Booking> & { at?: Clinic; now?: Date } = {}) => {
    const { at = clinic, now, ...booking } = given;
    return bookAppointment(deps, act(now, at), {
      patientId: booking.patientId ?? (await aPatient(database.owner, at)),
      providerId: booking.providerId ?? (await aProvider(database.owner, at)),
      appointmentTime: slotAt(at, 3, '10:00'),
      durationMinutes: 30,
      registersPatient: false,
      ...booking,
    });
  };
  const expire = (holdId: string) =>
    sql`with h as (update hold set expires_at = now() - interval '1 second' where hold_id = ${holdId})
      update reservation set expires_at = now() - interval '1 second' where hold_id = ${holdId}`.execute(
      database.owner.db,
    );
  const reservationsOf = async (providerId: string) => {
    const rows = await database.owner.db
      .selectFrom('reservation')
      .select(['purpose', 'hold_id'])
      .where('resource_id', '=', providerId)
      .execute();
    return rows.map(({ purpose }) => purpose);
  };
  const auditOf = async (holdId: string) => {
    const rows = await database.owner.db
      .selectFrom('audit_event')
      .select('action')
      .where('entity_id', '=', holdId)
      .orderBy('audit_id')
      .execute();
    return rows.map(({ action }) => action);
  };

  it('keeps it from everybody else and lasts as long as the policy says', async () => {
    const brief = await aClinic(database.owner, { policy: { holdMinutes: 7 } });
    const held = await hold({ at: brief });
    expect(held.live).toBe(true);
    expect(held.expires_at.getTime() - held.created_at.getTime()).toBe(7 * 60_000);
    await expect(book({ providerId: held.provider_id, at: brief })).rejects.toMatchObject({ code: 'slot_taken' });
    await expect(hold({ providerId: held.provider_id, time: '10:15', at: brief })).rejects.toMatchObject({
      code: 'slot_taken',
    });
    expect(await auditOf(held.hold_id)).toEqual(['held']);
  });

  it('is judged by the rules of booking', async () => {
    await expect(hold({ time: '07:00' })).rejects.toMatchObject({ code: 'outside_hours' });
    await expect(hold({ time: '10:05' })).rejects.toMatchObject({ code: 'off_grid' });
    await expect(hold({ providerId: crypto.randomUUID() })).rejects.toMatchObject({ code: 'not_found' });
    const busyProvider = await aProvider(database.owner, clinic, { maxDailyAppointments: 1 });
    await hold({ providerId: busyProvider, heldBy: 'the first' });
    await expect(hold({ providerId: busyProvider, time: '15:00' })).rejects.toMatchObject({ code: 'day_full' });
  });

  it('is refused for a taken time on a full day by the time, as booking and moving are', async () => {
    const providerId = await aProvider(database.owner, clinic, { maxDailyAppointments: 1 });
    await book({ providerId });
    const visit = await book();
    const taken = { code: 'slot_taken' };
    const move = (time: string) =>
      moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 3, time),
        providerId,
      });
    await expect(book({ providerId })).rejects.toMatchObject(taken);
    await expect(hold({ providerId })).rejects.toMatchObject(taken);
    await expect(move('10:00')).rejects.toMatchObject(taken);
    await expect(hold({ providerId, time: '14:00' })).rejects.toMatchObject({ code: 'day_full' });
    await expect(move('14:00')).rejects.toMatchObject({ code: 'day_full' });
    expect(await reservationsOf(providerId)).toEqual(['APPOINTMENT']);
  });

  it('becomes the appointment of its holder, and of nobody else', async () => {
    const { hold_id: holdId, provider_id: providerId } = await hold();
    const by = (heldBy: string) => book({ providerId, hold: { holdId, heldBy } });
    await expect(by('somebody else')).rejects.toMatchObject({ code: 'not_found' });
    await expect(book({ providerId, hold: { holdId, heldBy: 'holder' }, durationMinutes: 15 })).rejects.toMatchObject({
      code: 'hold_mismatch',
    });
    const booked = await by('holder');
    expect(await reservationsOf(providerId)).toEqual(['APPOINTMENT']);
    await expect(by('holder')).rejects.toMatchObject({ code: 'hold_gone' });
    const row = await database.owner.db
      .selectFrom('hold')
      .select(['state', 'appointment_id'])
      .where('hold_id', '=', holdId)
      .executeTakeFirst();
    expect(row).toEqual({ state: 'BOOKED', appointment_id: booked.appointmentId });
  });

  it('is not lost when the booking fails', async () => {
    const { hold_id: holdId, provider_id: providerId } = await hold();
    const patientId = await aPatient(database.owner, clinic);
    await book({ patientId });
    await expect(book({ providerId, patientId, hold: { holdId, heldBy: 'holder' } })).rejects.toMatchObject({
      code: 'patient_busy',
    });
    expect(await reservationsOf(providerId)).toEqual(['HOLD']);
    await expect(book({ providerId, hold: { holdId, heldBy: 'holder' } })).resolves.toMatchObject({
      status: 'SCHEDULED',
    });
  });

  it('is booked by the notice of the moment at which it was placed', async () => {
    const soon = await aClinic(database.owner, { policy: { bookingNoticeMinutes: 120 } });
    const slot = slotAt(soon, 3, '10:00').getTime();
    const held = await hold({ at: soon, now: new Date(slot - 120 * 60_000) });
    const late = { at: soon, now: new Date(slot - 117 * 60_000), providerId: held.provider_id };
    await expect(book(late)).rejects.toMatchObject({ code: 'too_soon' });
    await expect(book({ ...late, hold: { holdId: held.hold_id, heldBy: 'holder' } })).resolves.toBeDefined();
  });

  it('is booked and moved onto by the clock of whoever placed it, though the database’s is ahead of it', async () => {
    const start = slotAt(clinic, 3, '10:00').getTime();
    const placedAt = new Date(Date.now() - 90_000);
    const policy = { bookingNoticeMinutes: Math.floor((start - placedAt.getTime()) / 60_000) };
    const strict = await aClinic(database.owner, { policy });
    const held = async () => {
      const { hold_id: holdId, provider_id: providerId } = await hold({ at: strict, now: placedAt });
      return { providerId, hold: { holdId, heldBy: 'holder' } };
    };
    await expect(hold({ at: strict })).rejects.toMatchObject({ code: 'too_soon' });
    await expect(book({ at: strict, ...(await held()) })).resolves.toBeDefined();
    const { appointmentId } = await book({ at: strict, appointmentTime: slotAt(strict, 5, '10:00') });
    await expect(
      moveAppointment(deps, act(undefined, strict), {
        appointmentId,
        expectedVersion: 1,
        appointmentTime: new Date(start),
        ...(await held()),
      }),
    ).resolves.toBeDefined();
  });

  it('has its place in the day, whatever the waitlist keeps of it meanwhile', async () => {
    const providerId = await aProvider(database.owner, clinic, { maxDailyAppointments: 2 });
    const visit = await book({ providerId });
    const held = await hold({ providerId, time: '14:00', heldBy: 'patient of the afternoon' });
    await joinWaitlist(deps, act(), {
      patientId: await aPatient(database.owner, clinic),
      providerId,
      durationMinutes: 30,
      earliestDate: localDate(clinic.timeZone, Date.now()),
      latestDate: addDays(localDate(clinic.timeZone, Date.now()), 30),
      registersPatient: false,
    });
    await moveAppointment(deps, act(), {
      appointmentId: visit.appointmentId,
      expectedVersion: 1,
      appointmentTime: slotAt(clinic, 3, '11:00'),
    });
    expect((await reservationsOf(providerId)).sort()).toEqual(['APPOINTMENT', 'HOLD', 'WAITLIST']);
    await expect(
      book({
        providerId,
        appointmentTime: slotAt(clinic, 3, '14:00'),
        hold: { holdId: held.hold_id, heldBy: 'patient of the afternoon' },
      }),
    ).resolves.toBeDefined();
    const { round_id: roundId } = await database.owner.db
      .selectFrom('waitlist_round')
      .select('round_id')
      .where('provider_id', '=', providerId)
      .executeTakeFirstOrThrow();
    expect(await fillRound(deps, act(), { roundId })).toEqual({ outcome: 'released', reason: 'day_full' });
  });

  it('is everybody’s again once it has expired, and can no longer be booked', async () => {
    const { hold_id: holdId, provider_id: providerId } = await hold();
    await expire(holdId);
    await expect(book({ providerId, hold: { holdId, heldBy: 'holder' } })).rejects.toMatchObject({
      code: 'hold_gone',
    });
    await expect(extendHold(deps, act(), { holdId })).rejects.toMatchObject({ code: 'hold_gone' });
    await expect(book({ providerId })).resolves.toBeDefined();
    expect(await reservationsOf(providerId)).toEqual(['APPOINTMENT']);
  });

  it('is extended once, and released as often as anybody likes', async () => {
    const held = await hold();
    const extended = await extendHold(deps, act(), { holdId: held.hold_id });
    expect(extended.expires_at.getTime()).toBeGreaterThan(held.expires_at.getTime());
    await expect(extendHold(deps, act(), { holdId: held.hold_id })).rejects.toMatchObject({
      code: 'hold_already_extended',
    });
    const stranger: Act = { ...act(), actor: { kind: 'patient', id: 'somebody else' } };
    for (const door of [extendHold, releaseHold]) {
      await expect(door(deps, stranger, { holdId: held.hold_id })).rejects.toMatchObject({ code: 'not_found' });
    }
    await releaseHold(deps, act(), { holdId: held.hold_id });
    await releaseHold(deps, act(), { holdId: held.hold_id });
    expect(await reservationsOf(held.provider_id)).toEqual([]);
    expect(await auditOf(held.hold_id)).toEqual(['held', 'extended', 'released']);
    await expect(extendHold(deps, act(), { holdId: held.hold_id })).rejects.toMatchObject({ code: 'hold_gone' });
  });

  it('is extended from its end, so that nothing is lost by asking early or by a policy that allows less by now', async () => {
    const there = await aClinic(database.owner, { policy: { holdMinutes: 60 } });
    const held = await hold({ at: there });
    const shorter = { ...DEFAULT_POLICY, holdMinutes: 5 };
    await changePolicy(deps, act(new Date(), there), { expectedVersion: 1, policy: shorter });
    const extended = await extendHold(deps, act(new Date(), there), { holdId: held.hold_id });
    expect(extended.expires_at.getTime() - held.expires_at.getTime()).toBe(5 * 60_000);
  });

  it('is for one length: the booking or move of a shorter or longer visit is refused', async () => {
    const held = await hold();
    const claim = { holdId: held.hold_id, heldBy: held.held_by };
    const patientId = await aPatient(database.owner, clinic);
    const visit = {
      patientId,
      providerId: held.provider_id,
      appointmentTime: held.slot_start,
      registersPatient: false,
    };
    const mismatch = { code: 'hold_mismatch' };
    for (const durationMinutes of [15, 45]) {
      const booking = { ...visit, durationMinutes, hold: claim };
      await expect(bookAppointment(deps, act(), booking)).rejects.toMatchObject(mismatch);
    }
    const moving = await bookAppointment(deps, act(), {
      ...visit,
      appointmentTime: slotAt(clinic, 4, '16:00'),
      durationMinutes: 30,
    });
    const to = {
      appointmentId: moving.appointmentId,
      expectedVersion: 1,
      appointmentTime: held.slot_start,
      hold: claim,
    };
    for (const durationMinutes of [15, 45]) {
      await expect(moveAppointment(deps, act(), { ...to, durationMinutes })).rejects.toMatchObject(mismatch);
    }
    await expect(moveAppointment(deps, act(), to)).resolves.toMatchObject({ version: 2 });
  });

  it('stops at five for one holder, also when many are placed at once', async () => {
    const providers = await Promise.all(Array.from({ length: 8 }, () => aProvider(database.owner, clinic)));
    const results = await Promise.allSettled(providers.map((providerId) => hold({ providerId, heldBy: 'a hoarder' })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(5);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'too_many_holds' });
  });

  it('is one hold however often it is asked for under one key', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const slot = { providerId, slotStart: slotAt(clinic, 3, '10:00'), durationMinutes: 30, heldBy: 'keyed' };
    const key = { caller: 'keyed', route: 'POST /holds', key: 'hold-1', fingerprint: 'a' };
    const first = await placeHold(deps, act(), slot, key);
    const again = await placeHold(deps, act(), slot, key);
    expect([first.replayed, again.replayed]).toEqual([false, true]);
    expect(again.hold.hold_id).toBe(first.hold.hold_id);
    await expect(placeHold(deps, act(), slot, { ...key, fingerprint: 'b' })).rejects.toMatchObject({
      code: 'idempotency_mismatch',
    });
  });

  it('is what a visit is moved onto', async () => {
    const visit = await book();
    const held = await hold({ time: '14:00' });
    const move = (heldBy: string) =>
      moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 3, '14:00'),
        providerId: held.provider_id,
        hold: { holdId: held.hold_id, heldBy },
      });
    await expect(move('somebody else')).rejects.toMatchObject({ code: 'not_found' });
    expect(await move('holder')).toMatchObject({ provider_id: held.provider_id, moves: 1 });
    expect(await reservationsOf(held.provider_id)).toEqual(['APPOINTMENT']);
  });

  it('is refused to a move that changes nothing, as to any other, and is still there', async () => {
    const visit = await book();
    const held = await hold({ time: '14:00' });
    const moveNothing = (holdId: string, heldBy = 'holder') =>
      moveAppointment(deps, act(), {
        appointmentId: visit.appointmentId,
        expectedVersion: 1,
        appointmentTime: slotAt(clinic, 3, '10:00'),
        hold: { holdId, heldBy },
      });
    await expect(moveNothing(crypto.randomUUID())).rejects.toMatchObject({ code: 'not_found' });
    await expect(moveNothing(held.hold_id, 'somebody else')).rejects.toMatchObject({ code: 'not_found' });
    await expect(moveNothing(held.hold_id)).rejects.toMatchObject({ code: 'hold_mismatch' });
    expect(await reservationsOf(held.provider_id)).toEqual(['HOLD']);
    await expire(held.hold_id);
    await expect(moveNothing(held.hold_id)).rejects.toMatchObject({ code: 'hold_gone' });
  });

  it('goes to exactly one of twenty who want the slot, holders and bookers alike', async () => {
    const providerId = await aProvider(database.owner, clinic);
    const patients = await Promise.all(Array.from({ length: 10 }, () => aPatient(database.owner, clinic)));
    const results = await Promise.allSettled(
      patients.flatMap((patientId, index) => [
        book({ providerId, patientId }),
        hold({ providerId, heldBy: `racer-${index}` }),
      ]),
    );
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'slot_taken' });
  });
});

describe('the clinic’s limits', () => {
  let database: TestDatabase;
  let deps: SchedulingDeps;

  beforeAll(async () => {
    database = await createTestDatabase();
    deps = createSchedulingDeps(database.app);
  });
  afterAll(() => database.drop());

  const world = async (policy: Partial<ClinicPolicy>) => {
    const clinic = await aClinic(database.owner, { policy });
    const patientId = await aPatient(database.owner, clinic);
    const act = (now = new Date()): Act => ({ actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now });
    const book = async (given: Partial<Booking> & { day?: number } = {}) => {
      const { day = 3, ...booking } = given;
      return bookAppointment(deps, act(), {
        patientId,
        providerId: booking.providerId ?? (await aProvider(database.owner, clinic)),
        appointmentTime: slotAt(clinic, day, '10:00'),
        durationMinutes: 30,
        registersPatient: false,
        ...booking,
      });
    };
    return { clinic, act, book };
  };
  const reason = 'asked for by phone';
  const overrideOf = async (appointmentId: string) =>
    database.owner.db
      .selectFrom('appointment')
      .select(['override_rules', 'override_reason'])
      .where('appointment_id', '=', appointmentId)
      .executeTakeFirstOrThrow();

  it('on visits ahead hold at the clinic and with one provider, also against racers', async () => {
    const { clinic, book } = await world({ maxUpcomingPerPatient: 3, maxUpcomingPerProviderAndPatient: 1 });
    const providerId = await aProvider(database.owner, clinic);
    await book({ providerId, day: 2 });
    await expect(book({ providerId, day: 3 })).rejects.toMatchObject({ code: 'too_many_upcoming_with_provider' });
    const results = await Promise.allSettled([4, 5, 6, 7, 8].map((day) => book({ day })));
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    for (const result of results)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ code: 'too_many_upcoming' });
  });

  it('are set aside by staff on purpose, which the appointment and the audit show', async () => {
    const { clinic, book } = await world({ maxUpcomingPerPatient: 1 });
    const providerId = await aProvider(database.owner, clinic, { maxDailyAppointments: 1 });
    const plain = await book({ override: { rules: ['too_many_upcoming', 'outside_hours'], reason } });
    expect(await overrideOf(plain.appointmentId)).toEqual({ override_rules: [], override_reason: null });
    await bookAppointment(
      deps,
      { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() },
      {
        patientId: await aPatient(database.owner, clinic),
        providerId,
        appointmentTime: slotAt(clinic, 4, '08:00'),
        durationMinutes: 30,
        registersPatient: false,
      },
    );

    const wanted = { providerId, appointmentTime: slotAt(clinic, 4, '19:05') };
    const rules = ['outside_hours', 'off_grid', 'day_full', 'too_many_upcoming'] as const;
    for (const missing of rules) {
      const given = rules.filter((rule) => rule !== missing);
      await expect(book({ ...wanted, override: { rules: given, reason } })).rejects.toMatchObject({ code: missing });
    }
    const booked = await book({ ...wanted, override: { rules, reason } });
    expect(await overrideOf(booked.appointmentId)).toEqual({ override_rules: [...rules], override_reason: reason });
    const audit = await database.owner.db
      .selectFrom('audit_event')
      .select(['action', 'detail'])
      .where('entity_id', '=', booked.appointmentId)
      .executeTakeFirstOrThrow();
    expect(audit).toMatchObject({ action: 'booked', detail: { override: { rules, reason } } });
  });

  it('on moving are those the visit was booked under', async () => {
    const { clinic, act, book } = await world({ moveNoticeMinutes: 24 * 60, maxMovesPerAppointment: 1 });
    const start = slotAt(clinic, 3, '10:00').getTime();
    const { appointmentId } = await book();
    const move = (
      expectedVersion: number,
      time: string,
      now: Date,
      rules: ('move_too_late' | 'too_many_moves')[] = [],
    ) =>
      moveAppointment(deps, act(now), {
        appointmentId,
        expectedVersion,
        appointmentTime: slotAt(clinic, 3, time),
        ...(rules.length === 0 ? {} : { override: { rules, reason } }),
      });
    await database.owner.db
      .updateTable('clinic')
      .set({ policy: sql`jsonb_set(policy, '{moveNoticeMinutes}', '0')` })
      .where('clinic_id', '=', clinic.clinicId)
      .execute();
    const late = new Date(start - 24 * 60 * 60_000 + 1);
    await expect(move(1, '11:00', late)).rejects.toMatchObject({ code: 'move_too_late' });
    expect(await move(1, '11:00', new Date(start - 24 * 60 * 60_000))).toMatchObject({ version: 2, moves: 1 });
    await expect(move(2, '12:00', new Date())).rejects.toMatchObject({ code: 'too_many_moves' });
    expect(await move(2, '12:00', new Date(), ['too_many_moves', 'move_too_late'])).toMatchObject({
      moves: 2,
      override_rules: ['too_many_moves'],
      override_reason: reason,
    });
  });
});
