import { sql, type Kysely } from 'kysely';

/** Closures that come back every year on the same dates. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    alter table closure
      add column yearly boolean not null default false,
      -- One that lasted a year would never end.
      add constraint closure_yearly_within_a_year check (not yearly or to_date < from_date + interval '1 year');
  `.execute(db);
}
