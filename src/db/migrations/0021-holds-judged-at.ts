import { sql, type Kysely } from 'kysely';

/**
 * The moment at which a hold was judged stays with it. `created_at` is PostgreSQL's clock after the way there: what was granted by the caller's clock a
 * moment before was refused by it as too soon.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`
    -- The release before this one writes no moment: it judges by now().
    alter table hold add column judged_at timestamptz not null default now();
    update hold set judged_at = created_at where state = 'LIVE';
  `.execute(db);
}
