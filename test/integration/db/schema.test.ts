import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import ts from 'typescript';
import { SCHEMA, schemaDump } from '../../../scripts/build/schema.ts';
import { migrate, pendingMigrations } from '../../../src/db/migrate.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('the schema', () => {
  let database: TestDatabase;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('has in the migrated database exactly the tables and columns that src/db/schema.ts declares', async () => {
    const tables = await database.owner.db.introspection.getTables();
    const migrated = Object.fromEntries(
      tables.map((table) => [table.name, table.columns.map((column) => column.name).sort()]),
    );
    expect(migrated).toEqual(declaredTables());
  });

  it('declares a column nullable when, and only when, it is', async () => {
    const tables = await database.owner.db.introspection.getTables();
    const nullable = tables
      .flatMap((table) =>
        table.columns.filter((column) => column.isNullable).map((column) => `${table.name}.${column.name}`),
      )
      .sort();
    expect(declaredNullable()).toEqual(nullable);
  });

  it('is what src/db/schema.sql shows: `npm run build:schema` writes it anew', async () => {
    expect(await schemaDump(database.owner.db)).toBe(readFileSync(SCHEMA, 'utf8'));
  });

  it('is at the newest migration, and migrating again changes nothing', async () => {
    expect(await pendingMigrations(database.app.db)).toEqual([]);
    expect(await migrate(database.urls.ownerUrl)).toEqual({ applied: [], newer: [] });
  });
});

/** Reads `Database` with the compiler: types leave nothing to look at while the test runs. */
function columnTypes(): { table: string; column: string; type: string }[] {
  const file = 'src/db/schema.ts';
  const program = ts.createProgram([file], {
    strict: true,
    exactOptionalPropertyTypes: true,
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    allowImportingTsExtensions: true,
    noEmit: true,
    skipLibCheck: true,
  });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  if (source === undefined || readFileSync(file, 'utf8') === '') throw new Error('no schema');
  const database = source.statements.filter(ts.isInterfaceDeclaration).find((each) => each.name.text === 'Database');
  if (database === undefined) throw new Error('no Database');
  return checker
    .getTypeAtLocation(database)
    .getProperties()
    .flatMap((table) =>
      checker
        .getTypeOfSymbol(table)
        .getProperties()
        .map((column) => {
          const type = checker.getTypeOfSymbol(column);
          const selected = type.getProperty('__select__');
          const what = selected === undefined ? type : checker.getTypeOfSymbol(selected);
          return { table: table.name, column: column.name, type: checker.typeToString(what) };
        }),
    );
}

function declaredTables(): Record<string, string[]> {
  const tables: Record<string, string[]> = {};
  for (const { table, column } of columnTypes()) (tables[table] ??= []).push(column);
  for (const columns of Object.values(tables)) columns.sort();
  return tables;
}

function declaredNullable(): string[] {
  return columnTypes()
    .filter(({ type }) => / \| null|null \| /.test(type))
    .map(({ table, column }) => `${table}.${column}`)
    .sort();
}
