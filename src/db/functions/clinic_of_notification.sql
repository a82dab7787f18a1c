create or replace function clinic_of_notification(p_notification uuid) returns uuid language sql stable security definer set search_path = public, pg_temp
  as $$ select clinic_id from notification where notification_id = p_notification $$;
grant execute on function clinic_of_notification(uuid) to mediconnect_app;
