import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { sql, type Kysely } from 'kysely';
import { createConnection } from '../../src/db/connection.ts';
import { migrate } from '../../src/db/migrate.ts';
import { provisionDatabase, startPostgres } from '../stack/index.mjs';

/** What the migrations come to, kept in the repository to be read: a test fails when it is not what they give. */
export const SCHEMA = fileURLToPath(new URL('../../src/db/schema.sql', import.meta.url));

const HEADER = `-- What the migrations come to: made by \`npm run build:schema\`, compared by a test, and never run.
-- Comments and reasons are in migrations/, the bodies of the functions in functions/.
`;

/**
 * The schema of a migrated database, as text that is the same whatever wrote it and in whatever order. Asked of the catalog and not of pg_dump, whose output
 * differs between versions of PostgreSQL and which is not everywhere.
 */
export async function schemaDump<Tables>(db: Kysely<Tables>): Promise<string> {
  const { rows: tables } = await sql<{ text: string }>`
    select concat_ws(e'\n',
      'create table ' || t.relname || ' (',
      (select string_agg('  ' || line, e',\n' order by rank, place, line collate "C") from (
        select 1 as rank, a.attnum as place, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then 'not null' end,
          case when a.attidentity <> '' then 'generated always as identity' end, 'default ' || pg_get_expr(d.adbin, d.adrelid)) as line
        from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
        where a.attrelid = t.oid and a.attnum > 0 and not a.attisdropped
        union all
        select 2, 0, 'constraint ' || conname || ' ' || pg_get_constraintdef(c.oid) from pg_constraint c
        where conrelid = t.oid and contype in ('p', 'u', 'c', 'f', 'x')
      ) lines),
      ');',
      'comment on table ' || t.relname || ' is ' || quote_literal(obj_description(t.oid)) || ';',
      (select string_agg(pg_get_indexdef(indexrelid) || ';', e'\n' order by pg_get_indexdef(indexrelid) collate "C") from pg_index
        where indrelid = t.oid and not exists (select from pg_constraint where conindid = indexrelid)),
      (select string_agg(pg_get_triggerdef(oid) || ';', e'\n' order by tgname) from pg_trigger where tgrelid = t.oid and not tgisinternal),
      case when t.relrowsecurity then 'alter table ' || t.relname || ' enable row level security;' end,
      (select string_agg(concat_ws(' ', 'create policy', policyname, 'on', tablename, 'for', lower(cmd), 'to', array_to_string(roles, ', '),
          'using ' || qual, 'with check ' || with_check) || ';', e'\n' order by policyname)
        from pg_policies where schemaname = 'public' and tablename = t.relname),
      (select string_agg(line, e'\n' order by line collate "C") from (
        select 'grant ' || string_agg(lower(privilege_type), ', ' order by privilege_type) || ' on ' || t.relname || ' to ' || grantee || ';' as line
        from information_schema.role_table_grants
        where table_schema = 'public' and table_name = t.relname and grantee like 'mediconnect\_%' and grantee <> 'mediconnect_owner' group by grantee
      ) grants)
    ) || e'\n' as text
    from pg_class t where t.relnamespace = 'public'::regnamespace and t.relkind = 'r' order by t.relname
  `.execute(db);
  const { rows: functions } = await sql<{ text: string }>`
    select concat_ws(' ', '-- function', p.proname || '(' || pg_get_function_arguments(p.oid) || ') returns', pg_get_function_result(p.oid),
      case when p.prosecdef then 'security definer' end,
      'to ' || (select string_agg(grantee, ', ' order by grantee) from information_schema.routine_privileges
        where specific_name = p.proname || '_' || p.oid and grantee <> 'mediconnect_owner')) as text
    from pg_proc p where p.pronamespace = 'public'::regnamespace
      and not exists (select from pg_depend where objid = p.oid and deptype = 'e') order by p.proname
  `.execute(db);
  const indexes = (text: string) => text.replaceAll(' ON public.', ' ON ').replaceAll(' USING btree', '');
  return [
    HEADER,
    ...tables.map((table) => indexes(table.text)),
    functions.map((each) => `${each.text}\n`).join(''),
  ].join('\n');
}

// As a command: `npm run build:schema`, on a server of its own.
if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const postgres = await startPostgres({ durable: false });
  try {
    const { superuserDatabaseUrl } = postgres;
    const { ownerUrl } = await provisionDatabase({ superuserDatabaseUrl, name: 'mediconnect_schema' });
    await migrate(ownerUrl);
    const owner = createConnection({ url: ownerUrl, poolSize: 1, name: 'schema' });
    writeFileSync(SCHEMA, await schemaDump(owner.db));
    await owner.close();
  } finally {
    await postgres.stop();
  }
  console.log(path.relative(process.cwd(), SCHEMA));
}
