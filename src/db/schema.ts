import type { ColumnType, Generated, GeneratedAlways, JSONColumnType } from 'kysely';
import type { ClinicPolicy, SickDayStep } from '../domain/policy.ts';
import type { OfferPurpose, OfferState } from '../domain/offer.ts';
import type { SickDayItemState, SickDayReason } from '../domain/sick-day.ts';
import type { CallOutcome, CallReason, TaskKind, TaskState } from '../domain/task.ts';

/**
 * The tables as Kysely sees them. A test compares this file with the migrated database.
 * Instants come back as `Date`, `date` as `YYYY-MM-DD`, `time` as `HH:MM:SS`, ranges as text, bigint as text.
 */
export interface Database {
  migration: MigrationTable;
  clinic: ClinicTable;
  clinic_policy: ClinicPolicyTable;
  provider: ProviderTable;
  availability: WeeklyWindowTable<'availability_id'>;
  provider_break: WeeklyWindowTable<'provider_break_id'>;
  availability_override: AvailabilityOverrideTable;
  closure: ClosureTable;
  time_off: TimeOffTable;
  patient: PatientTable;
  registration: RegistrationTable;
  appointment_series: AppointmentSeriesTable;
  appointment: AppointmentTable;
  hold: HoldTable;
  reservation: ReservationTable;
  waitlist_entry: WaitlistEntryTable;
  waitlist_round: WaitlistRoundTable;
  round_candidate: RoundCandidateTable;
  sick_day: SickDayTable;
  sick_day_item: SickDayItemTable;
  offer: OfferTable;
  task: TaskTable;
  notification: NotificationTable;
  delivery_attempt: DeliveryAttemptTable;
  opt_out: OptOutTable;
  replay: ReplayTable;
  replay_item: ReplayItemTable;
  outbox: OutboxTable;
  audit_event: AuditEventTable;
  idempotency_key: IdempotencyKeyTable;
  ehr_connection: EhrConnectionTable;
  ehr_link: EhrLinkTable;
  ehr_sync_run: EhrSyncRunTable;
  ehr_sync_item: EhrSyncItemTable;
}

type Instant = ColumnType<Date, Date | string, Date | string>;
type NullableInstant = ColumnType<Date | null, Date | string | null | undefined, Date | string | null>;
type DefaultInstant = ColumnType<Date, Date | string | undefined, Date | string>;

interface MigrationTable {
  name: string;
  applied_at: DefaultInstant;
}

interface ClinicTable {
  clinic_id: string;
  name: string;
  slug: string;
  /** Whom messages ask to call, as it is dialled. */
  phone: ColumnType<string | null, string | null | undefined, string | null>;
  time_zone: string;
  policy: JSONColumnType<ClinicPolicy>;
  policy_version: Generated<number>;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
  version: Generated<number>;
}

interface ClinicPolicyTable {
  clinic_id: string;
  policy_version: number;
  policy: JSONColumnType<ClinicPolicy>;
  created_at: DefaultInstant;
}

interface ProviderTable {
  provider_id: string;
  clinic_id: string;
  name: string;
  specialty: string;
  max_daily_appointments: number;
  schedule_version: Generated<number>;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
  /** Of the provider itself; `schedule_version` is the rules'. */
  version: Generated<number>;
}

type WeeklyWindowTable<Key extends string> = Record<Key, string> & {
  clinic_id: string;
  provider_id: string;
  day_of_week: number;
  start_time: string;
  end_time: string;
};

interface AvailabilityOverrideTable {
  availability_override_id: string;
  clinic_id: string;
  provider_id: string;
  date: string;
  start_time: string | null;
  end_time: string | null;
}

interface ClosureTable {
  closure_id: string;
  clinic_id: string;
  from_date: string;
  to_date: string;
  name: string;
  /** The same dates every year, from the year of `from_date` on. */
  yearly: Generated<boolean>;
  /** The UID of the calendar event it was imported from. */
  calendar_uid: string | null;
}

interface TimeOffTable {
  time_off_id: string;
  clinic_id: string;
  provider_id: string;
  during: string;
}

interface PatientTable {
  patient_id: string;
  given_name: string;
  family_name: string;
  birth_date: string;
  phone: string | null;
  email: string | null;
  locale: string;
  time_zone: string;
  preferred_channel: 'sms' | 'email';
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
  version: Generated<number>;
}

interface RegistrationTable {
  clinic_id: string;
  patient_id: string;
  created_at: DefaultInstant;
}

interface AppointmentSeriesTable {
  series_id: string;
  clinic_id: string;
  patient_id: string;
  provider_id: string;
  every_weeks: number;
  count: number;
  created_at: DefaultInstant;
}

interface AppointmentTable {
  appointment_id: string;
  patient_id: string;
  provider_id: string;
  clinic_id: string;
  appointment_time: Instant;
  duration_minutes: number;
  status: 'SCHEDULED' | 'COMPLETED' | 'CANCELLED' | 'NO_SHOW';
  confirmation_code: string;
  booked_via: 'api' | 'waitlist';
  time_set_at: DefaultInstant;
  time_set_version: Generated<number>;
  checked_in_at: NullableInstant;
  cancelled_at: NullableInstant;
  cancelled_by: 'patient' | 'staff' | 'system' | 'ehr' | null;
  cancel_reason: string | null;
  cancelled_late: boolean | null;
  policy_version: number;
  /** How often its time, length or provider was changed. */
  moves: Generated<number>;
  /** The rules that staff set aside for its present time, and why. */
  override_rules: ColumnType<string[], string[] | undefined, string[]>;
  override_reason: string | null;
  series_id: ColumnType<string | null, string | null | undefined, never>;
  /** Its place in the series, from 0. */
  series_index: ColumnType<number | null, number | null | undefined, never>;
  /** How many visits of its series the notice of its present time or cancellation speaks for. */
  notice_visits: Generated<number>;
  /** The visit of its series whose notice speaks for this one too: it sends none. */
  announced_by: ColumnType<string | null, string | null | undefined, string | null>;
  next_action: string | null;
  next_action_at: NullableInstant;
  reminder_state: Generated<string>;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
  version: Generated<number>;
  /** The version for which the EHR has answered. */
  ehr_version: Generated<number>;
}

interface HoldTable {
  hold_id: string;
  clinic_id: string;
  provider_id: string;
  slot_start: Instant;
  duration_minutes: number;
  held_by: string;
  state: 'LIVE' | 'BOOKED' | 'RELEASED';
  judged_at: DefaultInstant;
  expires_at: Instant;
  extended_at: NullableInstant;
  appointment_id: string | null;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
}

interface ReservationTable {
  reservation_id: Generated<string>;
  clinic_id: string;
  resource_id: string;
  during: string;
  purpose: 'APPOINTMENT' | 'HOLD' | 'WAITLIST' | 'EXTERNAL';
  appointment_id: string | null;
  round_id: string | null;
  hold_id: string | null;
  visit_start: NullableInstant;
  expires_at: NullableInstant;
  created_at: DefaultInstant;
}

interface WaitlistEntryTable {
  entry_id: string;
  clinic_id: string;
  patient_id: string;
  provider_id: string | null;
  specialty: string | null;
  duration_minutes: number;
  earliest_date: string;
  latest_date: string;
  priority: Generated<number>;
  status: 'WAITING' | 'BOOKED' | 'LEFT';
  booked_appointment_id: string | null;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
}

interface WaitlistRoundTable {
  round_id: string;
  clinic_id: string;
  provider_id: string;
  freed_appointment_id: string;
  slot_start: Instant;
  duration_minutes: number;
  state: 'OPEN' | 'FILLED' | 'RELEASED';
  depth: Generated<number>;
  deadline: Instant;
  filled_appointment_id: string | null;
  closed_at: NullableInstant;
  closed_reason: string | null;
  created_at: DefaultInstant;
}

interface RoundCandidateTable {
  candidate_id: string;
  clinic_id: string;
  round_id: string;
  entry_id: string;
  state: 'BOOKED' | 'PASSED';
  reason: string | null;
  created_at: DefaultInstant;
}

interface SickDayTable {
  sick_day_id: string;
  clinic_id: string;
  provider_id: string;
  from_time: Instant;
  to_time: Instant;
  time_off_id: string;
  reason: SickDayReason;
  state: 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FINISHED';
  steps: SickDayStep[];
  offer_minutes: number;
  search_days: number;
  requested_by: string;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
  finished_at: NullableInstant;
}

interface SickDayItemTable {
  sick_day_id: string;
  clinic_id: string;
  appointment_id: string;
  visit_start: Instant;
  state: SickDayItemState;
  step_index: Generated<number>;
  reason: string | null;
  is_open: GeneratedAlways<boolean>;
  is_unresolved: GeneratedAlways<boolean>;
  updated_at: DefaultInstant;
}

interface OfferTable {
  offer_id: string;
  clinic_id: string;
  purpose: OfferPurpose;
  appointment_id: string;
  appointment_version: number;
  patient_id: string;
  sick_day_id: string | null;
  step: 'colleague' | 'other_day' | null;
  provider_id: string;
  slot_start: Instant;
  duration_minutes: number;
  hold_id: string;
  state: OfferState;
  expires_at: Instant;
  told_at: NullableInstant;
  answered_at: NullableInstant;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
}

interface TaskTable {
  task_id: string;
  clinic_id: string;
  kind: TaskKind;
  reason: CallReason;
  appointment_id: string;
  patient_id: string;
  visit_start: Instant;
  sick_day_id: string | null;
  state: TaskState;
  assigned_to: string | null;
  outcome: CallOutcome | null;
  created_at: DefaultInstant;
  resolved_at: NullableInstant;
  resolved_by: string | null;
}

interface NotificationTable {
  notification_id: string;
  clinic_id: string;
  appointment_id: string;
  patient_id: string;
  kind: string;
  /** What it offers, where it offers another time. */
  offer_id: ColumnType<string | null, string | null | undefined, never>;
  channel: 'sms' | 'email';
  state: 'PLANNED' | 'QUEUED' | 'SENDING' | 'RETRY' | 'ACCEPTED' | 'DELIVERED' | 'FAILED' | 'UNKNOWN' | 'SKIPPED';
  planned_for: Instant;
  appointment_version: number;
  due_at: Instant;
  attempt: Generated<number>;
  first_attempt: Generated<number>;
  sending_until: NullableInstant;
  provider_message_id: string | null;
  reason: string | null;
  /** With whom and how long the visit was when the message was sent: what the patient has been told. */
  told_provider_id: ColumnType<string | null, undefined, string>;
  told_minutes: ColumnType<number | null, undefined, number>;
  request_id: string | null;
  created_at: DefaultInstant;
  updated_at: DefaultInstant;
  accepted_at: NullableInstant;
  settled_at: NullableInstant;
}

interface DeliveryAttemptTable {
  clinic_id: string;
  notification_id: string;
  attempt: number;
  started_at: DefaultInstant;
  finished_at: NullableInstant;
  outcome: string | null;
  error_code: string | null;
  provider_message_id: string | null;
  /** Keyed; of an SMS. */
  text_hash: ColumnType<string | null, string | null | undefined, never>;
}

interface OptOutTable {
  clinic_id: string;
  channel: 'sms' | 'email';
  address: string;
  reason: string;
  created_at: DefaultInstant;
}

interface ReplayTable {
  replay_id: string;
  clinic_id: string;
  requested_by: string;
  reason: string | null;
  state: 'RUNNING' | 'PAUSED' | 'STOPPED' | 'FINISHED';
  created_at: DefaultInstant;
  finished_at: NullableInstant;
}

interface ReplayItemTable {
  replay_id: string;
  clinic_id: string;
  notification_id: string;
  state: 'PENDING' | 'QUEUED' | 'NOT_DUE' | 'NOT_FAILED';
  reason: string | null;
  updated_at: DefaultInstant;
}

interface OutboxTable {
  outbox_id: ColumnType<string, never, never>;
  clinic_id: string;
  aggregate: 'appointment' | 'round' | 'replay' | 'ehr_sync' | 'sick_day';
  aggregate_id: string;
  event: string;
  version: number | null;
  schema_version: Generated<number>;
  request_id: string | null;
  traceparent: string | null;
  attempts: Generated<number>;
  available_at: DefaultInstant;
  lease_until: NullableInstant;
  done_at: NullableInstant;
  parked_reason: string | null;
  created_at: DefaultInstant;
}

interface AuditEventTable {
  audit_id: ColumnType<string, never, never>;
  /** None when patients change their own record. */
  clinic_id: string | null;
  entity: string;
  entity_id: string;
  action: string;
  actor_kind: string;
  actor_id: string;
  request_id: string | null;
  detail: ColumnType<Record<string, unknown>, string | undefined, never>;
  occurred_at: DefaultInstant;
}

interface IdempotencyKeyTable {
  caller: string;
  route: string;
  key: string;
  fingerprint: string;
  response: JSONColumnType<Record<string, unknown>>;
  created_at: DefaultInstant;
}

interface EhrConnectionTable {
  clinic_id: string;
  base_url: string;
  capabilities: ColumnType<Record<string, unknown>, string | undefined, string>;
}

interface EhrLinkTable {
  appointment_id: string;
  clinic_id: string;
  ehr_id: string | null;
  ehr_version: string | null;
  synced_version: Generated<number>;
  snapshot: ColumnType<Record<string, unknown> | null, string | null | undefined, string | null>;
  state: 'PENDING' | 'IN_EHR' | 'REFUSED' | 'UNKNOWN';
  reason: string | null;
  synced_at: NullableInstant;
}

interface EhrSyncRunTable {
  run_id: string;
  clinic_id: string;
  trigger: 'nightly' | 'on_demand';
  state: 'RUNNING' | 'FINISHED' | 'FAILED';
  created: Generated<number>;
  updated: Generated<number>;
  unchanged: Generated<number>;
  parked: Generated<number>;
  reason: string | null;
  started_at: DefaultInstant;
  finished_at: NullableInstant;
}

interface EhrSyncItemTable {
  run_id: string;
  clinic_id: string;
  appointment_id: string;
  appointment_version: number;
  outcome: 'CREATED' | 'UPDATED' | 'UNCHANGED' | 'PARKED';
  reason: string | null;
  ehr_id: string | null;
  recorded_at: DefaultInstant;
}
