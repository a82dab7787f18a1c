import { describe, expect, it } from '@jest/globals';
import { releasedSql } from '../../../src/db/migrate.ts';

const DEFINITION = /create (?:or replace )?function (\w+)/gi;

describe('the SQL of the database', () => {
  const { migrations, functions, setup } = releasedSql();

  it('has each function once, in the file of its name, so that a change of it is a change of that file', () => {
    for (const { name, text } of functions) {
      expect([name, [...text.matchAll(DEFINITION)].map(([, defined]) => defined)]).toEqual([name, [name]]);
      expect(text).toContain('create or replace');
    }
    for (const text of [setup, ...migrations.map((migration) => migration.text)]) {
      expect(text).not.toMatch(DEFINITION);
    }
  });

  it('numbers its migrations, none of them twice', () => {
    const numbers = migrations.map(({ name }) => /^\d{4}(?=-[a-z0-9-]+(\.concurrently)?$)/.exec(name)?.[0]);
    expect(numbers).not.toContain(undefined);
    expect(new Set(numbers).size).toBe(numbers.length);
  });
});
