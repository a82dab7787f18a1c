import { sql, type RawBuilder } from 'kysely';
import type { Connection, Tx } from '../../src/db/connection.ts';

/** Each finds the rows that contradict one sentence about the schedule, whatever happened before. They share nothing with the product: no `&&`, no function of its. */
const CHECKS: readonly (readonly [what: string, rows: RawBuilder<{ id: string }>])[] = [
  [
    'two reservations take the same time of one provider or patient',
    sql`select a.reservation_id || ' and ' || b.reservation_id as id
      from reservation a join reservation b on a.resource_id = b.resource_id and a.reservation_id < b.reservation_id
      where lower(a.during) < upper(b.during) and lower(b.during) < upper(a.during)`,
  ],
  ...(['provider_id', 'patient_id'] as const).map(
    (whose) =>
      [
        `two visits take the same time of one ${whose === 'provider_id' ? 'provider' : 'patient'}`,
        sql<{ id: string }>`select a.appointment_id || ' and ' || b.appointment_id as id
          from appointment a join appointment b on a.${sql.ref(whose)} = b.${sql.ref(whose)} and a.appointment_id < b.appointment_id
          -- One that was completed early gave the rest of its time back, and has not got it again when it is corrected to a no-show.
          where a.status = 'SCHEDULED' and b.status = 'SCHEDULED'
            and a.appointment_time < b.appointment_time + make_interval(mins => b.duration_minutes)
            and b.appointment_time < a.appointment_time + make_interval(mins => a.duration_minutes)`,
      ] as const,
  ),
  [
    'a visit lacks a reservation of exactly its time',
    sql`select appointment_id || ' of ' || resource_id as id from (${expectedReservations()} except all ${actualReservations()}) missing`,
  ],
  [
    'a reservation is for no visit of exactly its time',
    sql`select appointment_id || ' of ' || resource_id as id from (${actualReservations()} except all ${expectedReservations()}) surplus`,
  ],
  [
    // A freed slot counts for who wants to book, but keeping it is no visit: it may stand beside a full day and is then not filled.
    'a day of a provider has more visits and holds than its limit, and nobody set the limit aside',
    sql`select provider_id || ' on ' || day as id from (
        select p.provider_id, (coalesce(r.visit_start, lower(r.during)) at time zone c.time_zone)::date as day, p.max_daily_appointments,
          coalesce(bool_or('day_full' = any(a.override_rules)), false) as overridden
        from reservation r join provider p on p.provider_id = r.resource_id join clinic c on c.clinic_id = p.clinic_id
          left join appointment a on a.appointment_id = r.appointment_id
        where r.purpose in ('APPOINTMENT', 'HOLD') and (r.expires_at is null or r.expires_at > now())
        group by 1, 2, 3 having count(*) > p.max_daily_appointments) days
      where not overridden`,
  ],
  [
    'a freed slot is kept for a round that is over, or not kept for one that is open',
    sql`select w.round_id::text as id from waitlist_round w left join reservation r using (round_id)
      where (w.state = 'OPEN') <> (r.round_id is not null) and not (w.state = 'OPEN' and w.deadline <= now())
        or r.resource_id <> w.provider_id
        or w.slot_start < lower(r.during) or w.slot_start + make_interval(mins => w.duration_minutes) > upper(r.during)`,
  ],
  [
    'a round and what it booked disagree',
    sql`select w.round_id::text as id from waitlist_round w
        left join appointment a on a.appointment_id = w.filled_appointment_id and a.booked_via = 'waitlist' and a.clinic_id = w.clinic_id
        left join waitlist_entry e on e.booked_appointment_id = w.filled_appointment_id and e.status = 'BOOKED' and e.patient_id = a.patient_id
        left join round_candidate o on o.round_id = w.round_id and o.state = 'BOOKED'
      where (w.state = 'FILLED') <> (a.appointment_id is not null and e.entry_id is not null and o.entry_id = e.entry_id)
        or w.state <> 'FILLED' and (w.filled_appointment_id is not null or o.candidate_id is not null)
      union all
      select entry_id::text from waitlist_entry e
      where (e.status = 'BOOKED') <> exists (select from waitlist_round w where w.filled_appointment_id = e.booked_appointment_id)`,
  ],
  [
    // A no-show that is taken back is ahead again, whatever was booked meanwhile.
    'a patient has more visits ahead than the clinic’s limits, and nobody set them aside',
    sql`select patient_id || ' at ' || clinic_id as id from (
        select a.patient_id, a.clinic_id, a.provider_id, c.policy, bool_or('too_many_upcoming' = any(a.override_rules)) over at_clinic as freed_at_clinic,
          bool_or('too_many_upcoming_with_provider' = any(a.override_rules)) over with_provider as freed_with_provider,
          count(*) over at_clinic as at_clinic, count(*) over with_provider as with_provider
        from appointment a join clinic c using (clinic_id) where a.status = 'SCHEDULED' and a.appointment_time > now()
          and not exists (select from audit_event e where e.entity_id = a.appointment_id and e.action = 'noShowUndone')
        window at_clinic as (partition by a.clinic_id, a.patient_id), with_provider as (partition by a.provider_id, a.patient_id)) ahead
      where at_clinic > (policy ->> 'maxUpcomingPerPatient')::integer and not freed_at_clinic
        or with_provider > (policy ->> 'maxUpcomingPerProviderAndPatient')::integer and not freed_with_provider`,
  ],
  [
    'a hold that can be booked keeps no time, or time is kept for one that is over or elsewhere',
    sql`select h.hold_id::text as id from hold h left join reservation r on r.hold_id = h.hold_id
      where h.state = 'LIVE' and h.expires_at > now() and r.reservation_id is null
        or h.state <> 'LIVE' and r.reservation_id is not null
        or r.expires_at <> h.expires_at or r.resource_id <> h.provider_id or r.clinic_id <> h.clinic_id
        or h.slot_start < lower(r.during) or h.slot_start + make_interval(mins => h.duration_minutes) > upper(r.during)`,
  ],
  [
    'a hold and what was booked with it disagree',
    sql`select coalesce(h.hold_id::text, a.detail ->> 'holdId') as id
      from (select * from hold where state = 'BOOKED') h
        full join (select * from audit_event where entity = 'appointment' and detail ? 'holdId') a
        on a.detail ->> 'holdId' = h.hold_id::text and a.entity_id = h.appointment_id
      where h.hold_id is null or a.audit_id is null`,
  ],
  [
    'an offer and the hold of its slot disagree',
    sql`select o.offer_id::text as id from offer o join hold h using (hold_id)
      where o.state = 'OPEN' and o.expires_at > now() and h.state <> 'LIVE'
        or o.state <> 'OPEN' and h.state = 'LIVE'
        or (o.state = 'ACCEPTED') <> (h.state = 'BOOKED' and h.appointment_id = o.appointment_id)
        or h.held_by <> 'offer-' || o.offer_id or h.expires_at < o.expires_at
        or h.provider_id <> o.provider_id or h.slot_start <> o.slot_start or h.duration_minutes <> o.duration_minutes`,
  ],
  [
    'an open offer is for a visit that has changed since',
    sql`select o.offer_id::text as id from offer o join appointment a using (appointment_id)
      where o.state = 'OPEN' and a.version <> o.appointment_version`,
  ],
  [
    'a sick day says of a visit that it is still to be seen to, and somebody has seen to it',
    sql`select i.sick_day_id || ' for ' || i.appointment_id as id
      from sick_day_item i join sick_day d using (sick_day_id) join appointment a using (appointment_id)
      where i.state in ('PENDING', 'OFFERED', 'STOPPED') and (a.status <> 'SCHEDULED' or a.checked_in_at is not null or a.provider_id <> d.provider_id
        or a.appointment_time >= d.to_time or a.appointment_time + make_interval(mins => a.duration_minutes) <= d.from_time)`,
  ],
  [
    'a series is not whole',
    sql`select s.series_id::text as id from appointment_series s
        left join appointment a on a.series_id = s.series_id and a.clinic_id = s.clinic_id and a.patient_id = s.patient_id
      group by s.series_id having array_agg(a.series_index order by a.series_index) <> array(select generate_series(0, s.count - 1))`,
  ],
  [
    'the audit or the outbox has not exactly one row for each version of an appointment, or they name different events',
    sql`select a.appointment_id::text as id from appointment a
      cross join lateral (select array_agg(action order by audit_id) as events, array_agg((detail ->> 'version')::integer order by audit_id) as versions
        from audit_event where entity_id = a.appointment_id and entity = 'appointment' and detail ? 'version') audit
      cross join lateral (select array_agg(event order by outbox_id) as events, array_agg(version order by outbox_id) as versions
        from outbox where aggregate_id = a.appointment_id and version is not null and event <> 'overdue') told
      where audit.versions is distinct from array(select generate_series(1, a.version))
        or told.versions is distinct from audit.versions or told.events is distinct from audit.events`,
  ],
  [
    'the audit or the outbox tells of an appointment that is not there',
    sql`select entity_id::text as id from audit_event where entity = 'appointment' and entity_id not in (select appointment_id from appointment)
      union all
      select aggregate_id::text from outbox where aggregate = 'appointment' and aggregate_id not in (select appointment_id from appointment)`,
  ],
  [
    'an appointment is not where or what its audit says',
    sql`select a.appointment_id::text as id from appointment a
      cross join lateral (select coalesce(detail -> 'to', detail) as place from audit_event
        where entity_id = a.appointment_id and action in ('booked', 'rescheduled') order by audit_id desc limit 1) audit
      cross join lateral (select action from audit_event
        where entity_id = a.appointment_id and action in ('booked', 'cancelled', 'completed', 'completionUndone', 'noShowMarked', 'noShowUndone')
        order by audit_id desc limit 1) last
      where (audit.place ->> 'appointmentTime')::timestamptz <> a.appointment_time
        or audit.place ->> 'providerId' <> a.provider_id::text
        or (audit.place ->> 'durationMinutes')::integer <> a.duration_minutes
        or a.status <> case last.action when 'cancelled' then 'CANCELLED' when 'completed' then 'COMPLETED' when 'noShowMarked' then 'NO_SHOW'
          else 'SCHEDULED' end`,
  ],
  [
    'an idempotency key has kept the answer of a booking that is not there, or that another key has too',
    sql`select key as id from (
        select key, response ->> 'appointmentId' as booked, count(*) over (partition by response ->> 'appointmentId') as times
        from idempotency_key where response ? 'appointmentId') kept
      where times > 1 or not exists (select from appointment where appointment_id::text = booked)`,
  ],
];

/** What every scheduled visit has reserved: its provider with the buffers of the policy it was booked under, and its patient. */
function expectedReservations(): RawBuilder<unknown> {
  return sql`select a.clinic_id, a.appointment_id, who.resource_id, who.from_time, who.to_time
    from appointment a join clinic_policy p using (clinic_id, policy_version)
    cross join lateral (select a.appointment_time + make_interval(mins => a.duration_minutes) as visit_end) visit
    cross join lateral (values
      (a.provider_id, a.appointment_time - make_interval(mins => (p.policy ->> 'bufferBeforeMinutes')::integer),
        visit_end + make_interval(mins => (p.policy ->> 'bufferAfterMinutes')::integer)),
      (a.patient_id, a.appointment_time, visit_end)) who (resource_id, from_time, to_time)
    where a.status = 'SCHEDULED'`;
}

function actualReservations(): RawBuilder<unknown> {
  return sql`select clinic_id, appointment_id, resource_id, lower(during), upper(during) from reservation r where purpose = 'APPOINTMENT'
    and not exists (select from appointment a where a.appointment_id = r.appointment_id and a.status in ('COMPLETED', 'NO_SHOW'))`;
}

/** What is looked for. */
export const INTEGRITY_FAULTS: readonly string[] = CHECKS.map(([what]) => what);

/** At most this many of a kind are named. */
const NAMED = 3;

/**
 * What is wrong with the schedule as it stands: overlaps, half bookings, audit or outbox rows that do not match the versions. Empty when all is well.
 * @param owner - sees every clinic's rows
 */
export function integrityFaults(owner: Pick<Connection, 'db'>): Promise<string[]> {
  return owner.db.transaction().execute(async (tx) => {
    // They look at everything there is: on a busy machine that may take longer than anything that the product asks.
    await sql`set local statement_timeout = 0`.execute(tx);
    return integrityFaultsIn(tx);
  });
}

/** As {@link integrityFaults}, in a transaction of the owner. */
export async function integrityFaultsIn(tx: Tx): Promise<string[]> {
  const faults: string[] = [];
  for (const [what, rows] of CHECKS) {
    const found = (await rows.execute(tx)).rows.map((row) => row.id);
    if (found.length > 0) faults.push(`${what}: ${found.length} (${found.slice(0, NAMED).join('; ')})`);
  }
  return faults;
}
