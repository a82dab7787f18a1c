-- Books one visit in one round trip, under a key if there is one: a transaction of its own. Answers as place_visits, or as answer_under_key.
create or replace function book_appointment(p_request jsonb) returns jsonb language plpgsql volatile as $$
declare
  v_key jsonb := p_request -> 'idempotency';
  v_answer jsonb;
  v_refusal text;
begin
  perform set_config('app.clinic_id', p_request ->> 'clinicId', true), set_config('app.caller', coalesce(v_key ->> 'caller', ''), true);
  if v_key is not null then
    v_answer := answer_under_key(v_key ->> 'caller', v_key ->> 'route', v_key ->> 'key', v_key ->> 'fingerprint');
    if v_answer is not null then
      return v_answer;
    end if;
  end if;
  v_answer := place_visits(p_request);
  v_refusal := v_answer #>> '{places,0,refusal}';
  if v_refusal is not null and (v_answer ->> 'isLate')::boolean then
    raise exception using message = v_refusal, errcode = 'MC409';
  end if;
  if v_key is not null and v_refusal is null and v_answer ->> 'outcome' = 'placed' then
    insert into idempotency_key (caller, route, key, fingerprint, response)
      values (v_key ->> 'caller', v_key ->> 'route', v_key ->> 'key', v_key ->> 'fingerprint', p_request -> 'response');
  end if;
  return v_answer;
end $$;
grant execute on function book_appointment(jsonb) to mediconnect_app;
