-- What an earlier request under this key was answered; null: this is the first, and the key is its own until the transaction ends. The context must
-- name the caller.
create or replace function answer_under_key(p_caller text, p_route text, p_key text, p_fingerprint text) returns jsonb language plpgsql volatile as $$
declare
  v_known record;
begin
  if not pg_try_advisory_xact_lock(hashtextextended(concat_ws(chr(31), 'idempotency', p_caller, p_route, p_key), 0)) then
    return jsonb_build_object('outcome', 'idempotency_in_progress');
  end if;
  select fingerprint, response into v_known from idempotency_key where caller = p_caller and route = p_route and key = p_key;
  if not found then
    return null;
  end if;
  if v_known.fingerprint <> p_fingerprint then
    return jsonb_build_object('outcome', 'idempotency_mismatch');
  end if;
  return jsonb_build_object('outcome', 'replayed', 'response', v_known.response);
end $$;
grant execute on function answer_under_key(text, text, text, text) to mediconnect_app;
