import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { drawSecrets } from '../../../scripts/local/secrets.ts';
import { CONFIG_SCHEMA, ConfigError, loadConfig, type Concern } from '../../../src/config.ts';

const lines = readFileSync(fileURLToPath(new URL('../../../.env.example', import.meta.url)), 'utf8').split('\n');

/** A variable of the file: `# NAME=value` when it may be left out. */
interface Line {
  readonly name: string;
  readonly value: string;
  readonly optional: boolean;
  readonly comment: string;
}

const given: readonly Line[] = lines.flatMap((line, index) => {
  const [, hash, name, value] = /^(# )?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? [];
  return name === undefined
    ? []
    : [{ name, value: value ?? '', optional: hash !== undefined, comment: lines[index - 1] ?? '' }];
});

const concerns = Object.keys(CONFIG_SCHEMA) as Concern[];
const known = concerns.flatMap((concern) =>
  Object.entries(CONFIG_SCHEMA[concern].properties).map(([name, schema]) => ({
    name,
    fallback: (schema as { default?: string | number }).default,
    required: (CONFIG_SCHEMA[concern].required as readonly string[] | undefined)?.includes(name) ?? false,
  })),
);
const lineOf = (name: string) => given.find((line) => line.name === name);

describe('.env.example', () => {
  it('names every variable of the schema', () => {
    expect(known.map(({ name }) => name).filter((name) => lineOf(name) === undefined)).toEqual([]);
  });

  it('names no variable that the schema does not know, and none twice', () => {
    expect(given.map(({ name }) => name).filter((name) => !known.some((each) => each.name === name))).toEqual([]);
    expect(new Set(given.map(({ name }) => name)).size).toBe(given.length);
  });

  it('keeps the groups of the schema together and in its order', () => {
    expect(given.map(({ name }) => name)).toEqual(known.map(({ name }) => name));
  });

  it('comments out exactly what may be left out', () => {
    const mayBeLeftOut = known.filter(({ fallback, required }) => fallback !== undefined || !required);
    expect(given.filter(({ optional }) => optional).map(({ name }) => name)).toEqual(
      mayBeLeftOut.map(({ name }) => name),
    );
  });

  it('shows the default where there is one', () => {
    for (const { name, fallback } of known) {
      if (fallback !== undefined) expect([name, lineOf(name)?.value]).toEqual([name, String(fallback)]);
    }
  });

  it('explains each variable in the line above it', () => {
    expect(given.filter(({ comment }) => !/^# \S.{10,}/.test(comment)).map(({ name }) => name)).toEqual([]);
  });

  it('is refused as it stands, for its secrets and for nothing else, and is accepted with others in their place', () => {
    const env = (chosen: readonly Line[], replaced: Readonly<Record<string, string>> = {}) => ({
      ...Object.fromEntries(chosen.map(({ name, value }) => [name, value])),
      ...replaced,
    });
    const required = given.filter(({ optional }) => !optional);
    const secret = required.filter(({ value }) => /change-me|^AC0/.test(value));
    const refused = () => loadConfig(env(required), concerns);
    expect(refused).toThrow(ConfigError);
    expect(refused).toThrow(new RegExp(`has ${secret.length} problem`));
    for (const { name } of secret) expect(refused).toThrow(`${name} is that of .env.example`);
    const { shared, roles } = drawSecrets();
    const own = {
      ...Object.fromEntries(required.map(({ name, value }) => [name, value.replaceAll('change-me', 'a1b2c3d4e5f6')])),
      ...shared,
      ...roles,
    };
    expect(() => loadConfig(own, concerns)).not.toThrow();
    expect(() => loadConfig({ ...env(given), ...own }, concerns)).not.toThrow();
  });

  it('holds no secret', () => {
    for (const { name, value } of given) {
      if (/SECRET|TOKEN|KEY$|_API_KEY/.test(name))
        expect([name, value]).toEqual([name, expect.stringContaining('change-me')]);
      expect(value).not.toMatch(/-----BEGIN|[A-Za-z0-9+/_-]{48,}/);
    }
  });
});
