-- Whose time sick days hold for these visits.
create or replace function offered_providers(p_appointments uuid[]) returns uuid[] language sql volatile as $$
  select array(select provider_id from offer where appointment_id = any(p_appointments) and state = 'OPEN')
$$;
grant execute on function offered_providers(uuid[]) to mediconnect_app;
