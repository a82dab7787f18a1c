import { sql, type Kysely } from 'kysely';

/** A replay is paused, resumed and stopped by its row. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table replay
      drop constraint replay_state_check,
      add constraint replay_state_check check (state in ('RUNNING', 'PAUSED', 'STOPPED', 'FINISHED')),
      add constraint replay_ended_whole check ((state in ('STOPPED', 'FINISHED')) = (finished_at is not null));
    grant update on replay to mediconnect_app;
  `.execute(db);
}
