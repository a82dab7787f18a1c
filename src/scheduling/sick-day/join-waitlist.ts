import { sql } from 'kysely';
import type { AppointmentRow } from '../../db/appointments.ts';
import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import type { SickDayRow } from '../../db/sick-days.ts';
import { addDays, localDate } from '../../domain/time-zone.ts';
import type { Act, SchedulingDeps } from '../act.ts';

/** Somebody whose visit cannot take place goes before those who only wish for one; the desk may still put anybody before them. */
const WAITLIST_PRIORITY = 5;

/** The patient waits for the same provider, and goes before those who only wish. Whoever waits for them already keeps the better of both wishes. */
export async function joinWaitlistInstead(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  sickDay: SickDayRow,
  visit: AppointmentRow,
): Promise<void> {
  const { time_zone: timeZone } = await tx
    .selectFrom('clinic')
    .select('time_zone')
    .where('clinic_id', '=', act.clinicId)
    .executeTakeFirstOrThrow();
  const earliest = localDate(timeZone, act.now.getTime());
  const latest = addDays(localDate(timeZone, visit.appointment_time.getTime()), sickDay.search_days);
  const waiting = await tx
    .selectFrom('waitlist_entry')
    .select('entry_id')
    .where('patient_id', '=', visit.patient_id)
    .where('provider_id', '=', visit.provider_id)
    .where('status', '=', 'WAITING')
    .forUpdate()
    .executeTakeFirst();
  const entryId = waiting?.entry_id ?? deps.newId();
  if (waiting !== undefined) {
    await tx
      .updateTable('waitlist_entry')
      .set({
        priority: sql<number>`greatest(priority, ${WAITLIST_PRIORITY}::integer)`,
        earliest_date: sql<string>`least(earliest_date, ${earliest}::date)`,
        latest_date: sql<string>`greatest(latest_date, ${latest}::date)`,
        updated_at: sql<Date>`now()`,
      })
      .where('entry_id', '=', entryId)
      .execute();
  } else {
    await tx
      .insertInto('waitlist_entry')
      .values({
        entry_id: entryId,
        clinic_id: act.clinicId,
        patient_id: visit.patient_id,
        provider_id: visit.provider_id,
        specialty: null,
        duration_minutes: visit.duration_minutes,
        earliest_date: earliest,
        latest_date: latest,
        priority: WAITLIST_PRIORITY,
        status: 'WAITING',
        booked_appointment_id: null,
      })
      .execute();
  }
  await audit(tx, act, 'waitlist_entry', entryId, waiting === undefined ? 'joined' : 'preferred', {
    sickDayId: sickDay.sick_day_id,
  });
}
