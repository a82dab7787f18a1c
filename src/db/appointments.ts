import { sql, type Selectable, type Updateable } from 'kysely';
import type { ClinicPolicy } from '../domain/policy.ts';
import type { OutboxEventName } from '../workflows/messages.ts';
import type { OnBehalf } from './audit.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type AppointmentRow = Selectable<Database['appointment']>;

/** When an appointment's visit is over. */
export const VISIT_END = sql<Date>`appointment_time + make_interval(mins => duration_minutes)`;

/** The appointment, if the context sees it. */
export function findAppointment(tx: Tx, appointmentId: string): Promise<AppointmentRow | undefined> {
  return tx.selectFrom('appointment').selectAll().where('appointment_id', '=', appointmentId).executeTakeFirst();
}

/** The appointment, locked until the transaction ends. Advisory locks, if any are needed, come first. */
export function lockAppointment(tx: Tx, appointmentId: string): Promise<AppointmentRow | undefined> {
  return tx
    .selectFrom('appointment')
    .selectAll()
    .where('appointment_id', '=', appointmentId)
    .forUpdate()
    .executeTakeFirst();
}

/** A visit that is locked, with what its rules are read from. */
export interface LockedVisit {
  readonly row: AppointmentRow;
  /** The policy it was booked under. */
  readonly promised: ClinicPolicy;
  /** The rules of its provider as they are. */
  readonly rules: { readonly providerId: string; readonly scheduleVersion: number; readonly policyVersion: number };
  /** A sick day, or the desk's list of calls, has still something to do with it. */
  readonly claimed: boolean;
  /** Its clinic's. */
  readonly timeZone: string;
}

/**
 * The visit, first, and with `withLater` the later ones of its series, whatever became of them, under all the locks that changing them needs: with
 * `ofTime` those of their times, which are those of `providerIds` too. See the function `lock_visits`. None if the context does not see the visit.
 */
export async function lockVisits(
  tx: Tx,
  clinicId: string,
  appointmentId: string,
  how: { readonly withLater?: boolean; readonly ofTime: boolean; readonly providerIds?: readonly string[] },
): Promise<LockedVisit[]> {
  const { rows } = await sql<
    AppointmentRow & {
      promised: ClinicPolicy;
      schedule_version: number;
      clinic_policy_version: number;
      claimed: boolean;
      time_zone: string;
    }
  >`
    select visit.*, promised, schedule_version, clinic_policy_version, claimed, time_zone
    from lock_visits(${clinicId}, ${appointmentId}, ${how.withLater ?? false}, ${how.ofTime}, ${[...(how.providerIds ?? [])]}::uuid[]) locked,
      jsonb_populate_record(null::appointment, locked.visit) visit`.execute(tx);
  return rows.map(({ promised, schedule_version, clinic_policy_version, claimed, time_zone, ...row }) => ({
    row,
    promised,
    rules: { providerId: row.provider_id, scheduleVersion: schedule_version, policyVersion: clinic_policy_version },
    claimed,
    timeZone: time_zone,
  }));
}

type Change = Omit<Updateable<Database['appointment']>, 'version' | 'updated_at' | 'next_action' | 'next_action_at'>;

/**
 * Writes a change, and tells of it in the outbox and the audit: the version rises and the plan is due at once, so that the sweep finds the appointment
 * even if nobody tells its workflow. For a visit that took place, or did not, nothing is left to plan. One statement.
 * @param event - as the relay and the audit call it; `detail`: ids, codes and instants
 */
export async function changeAppointment(
  tx: Tx,
  { actor, requestId }: OnBehalf,
  appointmentId: string,
  change: Change,
  event: OutboxEventName<'appointment'>,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<AppointmentRow> {
  return tx
    .with('changed', (db) =>
      db
        .updateTable('appointment')
        .set({
          ...change,
          version: sql`version + 1`,
          updated_at: sql`now()`,
          ...(change.appointment_time === undefined ? {} : { reminder_state: 'PLANNED' }),
          ...(change.status === 'COMPLETED' || change.status === 'NO_SHOW'
            ? { next_action: null, next_action_at: null }
            : { next_action: 'plan', next_action_at: sql`now()` }),
        })
        .where('appointment_id', '=', appointmentId)
        .returningAll(),
    )
    .with('told', (db) =>
      db
        .insertInto('outbox')
        .columns(['clinic_id', 'aggregate', 'aggregate_id', 'event', 'version', 'request_id'])
        .expression((eb) =>
          eb
            .selectFrom('changed')
            .select([
              'clinic_id',
              sql.lit<'appointment'>('appointment').as('aggregate'),
              'appointment_id',
              sql<string>`${event}::text`.as('event'),
              'version',
              sql<string | null>`${requestId ?? null}::text`.as('request_id'),
            ]),
        ),
    )
    .with('audited', (db) =>
      db
        .insertInto('audit_event')
        .columns(['clinic_id', 'entity', 'entity_id', 'action', 'actor_kind', 'actor_id', 'request_id', 'detail'])
        .expression((eb) =>
          eb
            .selectFrom('changed')
            .select([
              'clinic_id',
              sql.lit('appointment').as('entity'),
              'appointment_id',
              sql<string>`${event}::text`.as('action'),
              sql<string>`${actor.kind}::text`.as('actor_kind'),
              sql<string>`${actor.id}::text`.as('actor_id'),
              sql<string | null>`${requestId ?? null}::text`.as('request_id'),
              sql<string>`jsonb_build_object('version', version) || ${JSON.stringify(detail)}::jsonb`.as('detail'),
            ]),
        ),
    )
    .selectFrom('changed')
    .selectAll()
    .executeTakeFirstOrThrow();
}

/** What happens next, for the row as it was read: nothing is written when it has changed since. Returns whether it was written. */
export async function storePlan(
  tx: Tx,
  appointmentId: string,
  version: number,
  plan: { readonly nextAction: string | null; readonly nextActionAt: Date | null; readonly reminderState: string },
): Promise<boolean> {
  const result = await tx
    .updateTable('appointment')
    .set({ next_action: plan.nextAction, next_action_at: plan.nextActionAt, reminder_state: plan.reminderState })
    .where('appointment_id', '=', appointmentId)
    .where('version', '=', version)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/**
 * A reminder of the visit as it stands has gone out: its reminder state says so without the workflow, unless a later one is under way or the plan has
 * said something else than that it is to come.
 */
export async function noteReminderSent(
  tx: Tx,
  reminder: { readonly appointmentId: string; readonly plannedFor: Date; readonly dueAt: Date },
): Promise<void> {
  await tx
    .updateTable('appointment')
    .set({ reminder_state: 'SENT' })
    .where('appointment_id', '=', reminder.appointmentId)
    .where('appointment_time', '=', reminder.plannedFor)
    .where('reminder_state', '=', 'PLANNED')
    .where((eb) =>
      eb.not(
        eb.exists(
          eb
            .selectFrom('notification')
            .where('appointment_id', '=', reminder.appointmentId)
            .where('planned_for', '=', reminder.plannedFor)
            .where('kind', 'like', 'reminder:%')
            .where('due_at', '>', reminder.dueAt)
            .where('state', '<>', 'SKIPPED'),
        ),
      ),
    )
    .execute();
}
