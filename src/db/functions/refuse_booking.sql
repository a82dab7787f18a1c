-- Once the hold is taken a refusal has to give it back: it is raised, so that everything rolls back.
create or replace function refuse_booking(p_code text, p_must_roll_back boolean) returns jsonb language plpgsql immutable as $$
begin
  if p_must_roll_back then
    raise exception using message = p_code, errcode = 'MC409';
  end if;
  return jsonb_build_object('outcome', p_code);
end $$;
grant execute on function refuse_booking(text, boolean) to mediconnect_app;
