-- When the rows of each table go. `prune` (functions/prune.sql) does what is said here with a time; ARCHITECTURE says why.

comment on table migration is 'Stays.';

comment on table clinic is 'Stays.';
comment on table clinic_policy is 'Stays: visits keep the policy they were promised.';
comment on table provider is 'Stays.';
comment on table availability is 'Goes when the desk replaces it.';
comment on table provider_break is 'Goes when the desk replaces it.';
comment on table availability_override is 'Goes when the desk takes it back.';
comment on table closure is 'Goes when the desk or a calendar file takes it back.';
comment on table time_off is 'Goes when the desk takes it back.';

comment on table patient is 'Stays.';
comment on table registration is 'Goes when the patient or the desk ends it.';
comment on table appointment_series is 'Stays.';
comment on table appointment is 'Stays.';

comment on table hold is 'Goes 7 days after it has run out, unless it belongs to an offer: then it stays.';
comment on table reservation is 'Goes 2 days after its time, or an hour after it has run out.';
comment on table waitlist_entry is 'Goes 365 days after it has ended.';
comment on table waitlist_round is 'Goes 90 days after it was closed.';
comment on table round_candidate is 'Goes with its round.';

comment on table sick_day is 'Stays.';
comment on table sick_day_item is 'Stays.';
comment on table offer is 'Stays.';
comment on table task is 'Stays.';

comment on table notification is 'Stays.';
comment on table delivery_attempt is 'Goes after 90 days.';
comment on table opt_out is 'Stays.';
comment on table replay is 'Goes 90 days after its end.';
comment on table replay_item is 'Goes with its replay.';

comment on table ehr_connection is 'Stays.';
comment on table ehr_link is 'Stays.';
comment on table ehr_sync_run is 'Goes 90 days after its end.';
comment on table ehr_sync_item is 'Goes with its run.';

comment on table outbox is 'Goes 7 days after it was told, or 90 days after it was written when it is parked.';
comment on table audit_event is 'Stays.';
comment on table idempotency_key is 'Goes after 3 days.';
