import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { sql } from 'kysely';
import { addDays, localDate } from '../../../src/domain/time-zone.ts';
import { fillRound } from '../../../src/scheduling/waitlist/fill-round.ts';
import { createSchedulingDeps, type Act } from '../../../src/scheduling/act.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { bookSeries } from '../../../src/scheduling/visits/book-series.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { placeHold } from '../../../src/scheduling/claims/hold.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { acceptOffer } from '../../../src/scheduling/claims/answer-offer.ts';
import { callInSick } from '../../../src/scheduling/sick-day/sick-day.ts';
import { takeNextStep } from '../../../src/scheduling/sick-day/step.ts';
import { joinWaitlist } from '../../../src/scheduling/waitlist/entries.ts';
import { aClinic, aPatient, aProvider, slotAt, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';
import { INTEGRITY_FAULTS, integrityFaults, integrityFaultsIn } from '../../support/integrity.ts';

/** The rows that the corruptions below are done to, as subqueries. */
const VISIT = `(select min(appointment_id::text)::uuid from appointment where status = 'SCHEDULED' and booked_via = 'api' and series_id is null)`;
const OTHER_VISIT = `(select (response ->> 'appointmentId')::uuid from idempotency_key limit 1)`;
const OPEN_ROUND = `(select round_id from waitlist_round where state = 'OPEN')`;
const FILLED_ROUND = `(select round_id from waitlist_round where state = 'FILLED')`;
const OFFERED_HOLD = `(select hold_id from offer where state = 'OPEN')`;
const COPY_OF_AUDIT = `insert into audit_event (clinic_id, entity, entity_id, action, actor_kind, actor_id, detail)
  select clinic_id, entity`;
const WITHOUT_GUARD = 'alter table reservation drop constraint reservation_no_overlap';

/** What is done to a sound database, and the sentence that must be said of it. */
const CORRUPTIONS: readonly (readonly [fault: string, how: string, statements: readonly string[]])[] = [
  [
    'two reservations take the same time of one provider or patient',
    'a reservation twice',
    [
      WITHOUT_GUARD,
      `insert into reservation (clinic_id, resource_id, during, purpose, appointment_id)
        select clinic_id, resource_id, during, purpose, appointment_id from reservation where appointment_id = ${VISIT}`,
    ],
  ],
  [
    'two visits take the same time of one provider',
    'a visit moved onto another by a minute too many',
    [
      `update appointment set appointment_time = (select appointment_time + interval '29 minutes' from appointment where appointment_id = ${VISIT})
        where appointment_id = ${OTHER_VISIT}`,
    ],
  ],
  [
    'two visits take the same time of one patient',
    'a visit given to the patient of another, who is with somebody else then',
    [
      `update appointment set patient_id = (select patient_id from appointment where appointment_id = ${VISIT}),
        appointment_time = (select appointment_time from appointment where appointment_id = ${VISIT}) where appointment_id = ${OTHER_VISIT}`,
    ],
  ],
  [
    'a visit lacks a reservation of exactly its time',
    'the patient’s reservation lost',
    [`delete from reservation where appointment_id = ${VISIT} and resource_id in (select patient_id from patient)`],
  ],
  [
    'a visit lacks a reservation of exactly its time',
    'the provider’s reservation without its buffer',
    [
      `update reservation set during = tstzrange(lower(during), upper(during) - interval '10 minutes')
        where appointment_id = ${VISIT} and resource_id in (select provider_id from provider)`,
    ],
  ],
  [
    'a reservation is for no visit of exactly its time',
    'a cancelled visit that keeps its time',
    [`update appointment set status = 'CANCELLED', cancelled_at = now() where appointment_id = ${VISIT}`],
  ],
  [
    'a day of a provider has more visits and holds than its limit, and nobody set the limit aside',
    'the limit lowered',
    ['update provider set max_daily_appointments = 1'],
  ],
  [
    'a freed slot is kept for a round that is over, or not kept for one that is open',
    'the reservation of an open round lost',
    [`delete from reservation where round_id = ${OPEN_ROUND}`],
  ],
  [
    'a freed slot is kept for a round that is over, or not kept for one that is open',
    'a round released with its slot still kept',
    [`update waitlist_round set state = 'RELEASED', closed_at = now() where round_id = ${OPEN_ROUND}`],
  ],
  [
    'a freed slot is kept for a round that is over, or not kept for one that is open',
    'another time kept',
    [
      `update reservation set during = tstzrange(lower(during), upper(during) - interval '15 minutes') where round_id = ${OPEN_ROUND}`,
    ],
  ],
  [
    'a round and what it booked disagree',
    'a round filled with nothing',
    [`update waitlist_round set filled_appointment_id = null where round_id = ${FILLED_ROUND}`],
  ],
  [
    'a round and what it booked disagree',
    'somebody booked who still waits',
    [`update waitlist_entry set status = 'WAITING', booked_appointment_id = null where status = 'BOOKED'`],
  ],
  [
    'a patient has more visits ahead than the clinic’s limits, and nobody set them aside',
    'the limit at the clinic lowered',
    [`update clinic set policy = policy || '{"maxUpcomingPerPatient": 0}'`],
  ],
  [
    'a patient has more visits ahead than the clinic’s limits, and nobody set them aside',
    'the limit with one provider lowered',
    [`update clinic set policy = policy || '{"maxUpcomingPerProviderAndPatient": 0}'`],
  ],
  [
    'a hold that can be booked keeps no time, or time is kept for one that is over or elsewhere',
    'the reservation of a hold lost',
    [`delete from reservation where purpose = 'HOLD'`],
  ],
  [
    'a hold that can be booked keeps no time, or time is kept for one that is over or elsewhere',
    'a hold released with its time still kept',
    [`update hold set state = 'RELEASED' where state = 'LIVE'`],
  ],
  [
    'a hold and what was booked with it disagree',
    'a hold booked for another visit',
    [`update hold set appointment_id = ${VISIT} where state = 'BOOKED'`],
  ],
  [
    'a hold and what was booked with it disagree',
    'a booked hold that does not know it',
    [`update hold set state = 'RELEASED', appointment_id = null where state = 'BOOKED'`],
  ],
  [
    'an offer and the hold of its slot disagree',
    'the hold of an open offer released',
    [`update hold set state = 'RELEASED' where hold_id = ${OFFERED_HOLD}`],
  ],
  [
    'an offer and the hold of its slot disagree',
    'an offer closed with its slot still held',
    ["update offer set state = 'DECLINED' where state = 'OPEN'"],
  ],
  [
    'an offer and the hold of its slot disagree',
    'another slot held than the one offered',
    ["update offer set slot_start = slot_start + interval '15 minutes' where state = 'OPEN'"],
  ],
  [
    'an open offer is for a visit that has changed since',
    'an offer for the visit as it was before',
    ["update offer set appointment_version = 0 where state = 'OPEN'"],
  ],
  [
    'a sick day says of a visit that it is still to be seen to, and somebody has seen to it',
    'a visit said to be left that was moved away',
    ["update sick_day_item set state = 'STOPPED', reason = null where state = 'MOVED'"],
  ],
  [
    'an offer and the hold of its slot disagree',
    'a visit moved by an offer that was not accepted',
    ["update offer set state = 'EXPIRED' where state = 'ACCEPTED'"],
  ],
  ['a series is not whole', 'a visit of it never booked', ['update appointment_series set count = count + 1']],
  [
    'a series is not whole',
    'a visit of it given to somebody else',
    [
      'update appointment set patient_id = (select patient_id from appointment where series_id is null limit 1) where series_index = 1',
    ],
  ],
  [
    'the audit or the outbox has not exactly one row for each version of an appointment, or they name different events',
    'a change without its audit',
    [`delete from audit_event where entity_id = ${VISIT} and action = 'rescheduled'`],
  ],
  [
    'the audit or the outbox has not exactly one row for each version of an appointment, or they name different events',
    'a change without its outbox row',
    [`delete from outbox where aggregate_id = ${VISIT} and event = 'rescheduled'`],
  ],
  [
    'the audit or the outbox has not exactly one row for each version of an appointment, or they name different events',
    'a change told twice',
    [
      `insert into outbox (clinic_id, aggregate, aggregate_id, event, version)
        select clinic_id, aggregate, aggregate_id, event, version from outbox where aggregate_id = ${VISIT} and event = 'rescheduled'`,
    ],
  ],
  [
    'the audit or the outbox has not exactly one row for each version of an appointment, or they name different events',
    'a change told as another',
    [`update outbox set event = 'cancelled' where aggregate_id = ${VISIT} and event = 'rescheduled'`],
  ],
  [
    'the audit or the outbox has not exactly one row for each version of an appointment, or they name different events',
    'a version that nobody wrote about',
    [`update appointment set version = version + 1 where appointment_id = ${VISIT}`],
  ],
  [
    'the audit or the outbox tells of an appointment that is not there',
    'an audit of nothing',
    [
      `${COPY_OF_AUDIT}, gen_random_uuid(), action, actor_kind, actor_id, detail from audit_event where entity_id = ${VISIT} limit 1`,
    ],
  ],
  [
    'an appointment is not where or what its audit says',
    'a visit moved behind everybody’s back',
    [`update appointment set appointment_time = appointment_time + interval '3 hours' where appointment_id = ${VISIT}`],
  ],
  [
    'an appointment is not where or what its audit says',
    'a visit completed behind everybody’s back',
    [`update appointment set status = 'COMPLETED' where appointment_id = ${VISIT}`],
  ],
  [
    'an idempotency key has kept the answer of a booking that is not there, or that another key has too',
    'an answer kept under two keys',
    [
      `insert into idempotency_key (caller, route, key, fingerprint, response)
        select caller, route, 'another', fingerprint, response from idempotency_key`,
    ],
  ],
  [
    'an idempotency key has kept the answer of a booking that is not there, or that another key has too',
    'an answer of nothing',
    [`update idempotency_key set response = jsonb_build_object('appointmentId', gen_random_uuid())`],
  ],
];

describe('the check of the schedule’s integrity', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
    await aLivelySchedule(database, await aClinic(database.owner, { policy: { bufferAfterMinutes: 10 } }));
  });
  afterAll(() => database.drop());

  it('has nothing to say about a sound schedule', async () => {
    expect(await integrityFaults(database.owner)).toEqual([]);
  });

  it.each(CORRUPTIONS)('says “%s” for %s', async (fault, _how, statements) => {
    const seen = await afterwards(statements);
    expect(seen.filter((each) => each.startsWith(`${fault}: `))).toHaveLength(1);
  });

  it('has been seen to say each of its sentences', () => {
    expect([...new Set(CORRUPTIONS.map(([fault]) => fault))]).toEqual(INTEGRITY_FAULTS);
  });

  /** What is said after the statements, which are then taken back. */
  async function afterwards(statements: readonly string[]): Promise<string[]> {
    const tx = await database.owner.db.startTransaction().execute();
    try {
      for (const statement of statements) {
        const { numAffectedRows } = await sql.raw(statement).execute(tx);
        expect(numAffectedRows ?? 1n).toBeGreaterThan(0n);
      }
      return await integrityFaultsIn(tx);
    } finally {
      await tx.rollback().execute();
    }
  }
});

/** Two visits of one day, one of them moved before; one hold that is live and one that was booked; one series of which the first visit was cancelled; one round that is open and one that was filled; one offer that is open and one that was accepted; a key. */
async function aLivelySchedule({ owner, app }: TestDatabase, clinic: Clinic): Promise<void> {
  const deps = createSchedulingDeps(app);
  const act: Act = { actor: { kind: 'staff', id: 'desk' }, clinicId: clinic.clinicId, now: new Date() };
  const providerId = await aProvider(owner, clinic);
  const today = localDate(clinic.timeZone, Date.now());
  const book = async (day: number, time: string, key?: string) =>
    bookAppointment(deps, act, {
      patientId: await aPatient(owner, clinic),
      providerId,
      appointmentTime: slotAt(clinic, day, time),
      durationMinutes: 30,
      registersPatient: false,
      ...(key === undefined ? {} : { idempotency: { caller: 'desk', route: 'POST', key, fingerprint: 'a' } }),
    });
  const free = async (time: string): Promise<string> => {
    const { appointmentId } = await book(4, time);
    await joinWaitlist(deps, act, {
      patientId: await aPatient(owner, clinic),
      providerId,
      durationMinutes: 30,
      earliestDate: today,
      latestDate: addDays(today, 30),
      registersPatient: false,
    });
    const { roundId } = await cancelAppointment(deps, act, { appointmentId, reason: 'other' });
    return roundId ?? '';
  };
  const { appointmentId } = await book(3, '09:00');
  const appointmentTime = slotAt(clinic, 3, '10:00');
  await moveAppointment(deps, act, { appointmentId, expectedVersion: 1, appointmentTime });
  await book(3, '11:00', 'a-key');
  const held = (time: string) =>
    placeHold(deps, act, { providerId, slotStart: slotAt(clinic, 5, time), durationMinutes: 30, heldBy: 'desk' });
  const { hold } = await held('09:00');
  await bookAppointment(deps, act, {
    patientId: await aPatient(owner, clinic),
    providerId,
    appointmentTime: hold.slot_start,
    durationMinutes: 30,
    registersPatient: false,
    hold: { holdId: hold.hold_id, heldBy: 'desk' },
  });
  await held('11:00');
  const patientId = await aPatient(owner, clinic);
  const series = { appointmentTime: slotAt(clinic, 6, '09:00'), durationMinutes: 30, everyWeeks: 1, count: 2 };
  const { appointments } = await bookSeries(
    deps,
    act,
    { patientId, providerId, ...series, registersPatient: false },
    undefined,
  );
  await cancelAppointment(deps, act, { appointmentId: appointments[0]?.appointmentId ?? '', reason: 'other' });
  await fillRound(deps, act, { roundId: await free('09:00') });
  await free('14:00');
  await aSickDay({ owner, app }, clinic, act);
}

/** Of a second provider: both visits of the day have been offered another, and one patient has accepted. */
async function aSickDay({ owner, app }: Pick<TestDatabase, 'owner' | 'app'>, clinic: Clinic, act: Act): Promise<void> {
  const deps = createSchedulingDeps(app);
  const providerId = await aProvider(owner, clinic);
  for (const time of ['09:00', '10:00']) {
    const visit = { providerId, appointmentTime: slotAt(clinic, 7, time), durationMinutes: 30 };
    await bookAppointment(deps, act, { ...visit, patientId: await aPatient(owner, clinic), registersPatient: false });
  }
  const absence = { from: slotAt(clinic, 7, '00:00'), to: slotAt(clinic, 8, '00:00') };
  const { sickDayId } = await callInSick(deps, act, {
    providerId,
    ...absence,
    reason: 'illness',
    steps: ['other_day'],
  });
  const items = await owner.db.selectFrom('sick_day_item').select('appointment_id').execute();
  for (const { appointment_id: appointmentId } of items) await takeNextStep(deps, act, { sickDayId, appointmentId });
  const offer = await owner.db.selectFrom('offer').select('offer_id').limit(1).executeTakeFirstOrThrow();
  await acceptOffer(deps, act, { offerId: offer.offer_id });
}
