import { describe, expect, it } from '@jest/globals';
import { idempotencyOf } from '../../../src/api/idempotency.ts';
import type { Caller } from '../../../src/api/authentication.ts';

const caller: Caller = { subject: 'sub-1', role: 'patient', scopes: new Set() };
const of = (key: string | string[] | undefined, body: Record<string, unknown> = { a: 1 }) =>
  idempotencyOf(key, caller, 'POST /x', body);

describe('an Idempotency-Key', () => {
  it('is scoped to the caller and the route', () => {
    expect(of('key-1')).toMatchObject({ caller: 'sub-1', route: 'POST /x', key: 'key-1' });
  });

  it('is optional', () => {
    expect(of(undefined)).toBeUndefined();
  });

  it('fingerprints the body whatever the order of its fields', () => {
    expect(of('k', { a: 1, b: 'x' })?.fingerprint).toBe(of('k', { b: 'x', a: 1 })?.fingerprint);
    expect(of('k', { a: 1, b: 'x' })?.fingerprint).not.toBe(of('k', { a: 1, b: 'y' })?.fingerprint);
    expect(of('k', { a: { b: 1, c: [2, 3] } })?.fingerprint).toBe(of('k', { a: { c: [2, 3], b: 1 } })?.fingerprint);
    expect(of('k', { a: { c: [2, 3] } })?.fingerprint).not.toBe(of('k', { a: { c: [3, 2] } })?.fingerprint);
    expect(of('k')?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
  });

  it('is printable and has 1 to 255 characters', () => {
    expect(of('k'.repeat(255))?.key).toHaveLength(255);
    for (const key of ['', 'k'.repeat(256), 'käse', 'a\tb', ' ', ['a', 'b']]) {
      expect(() => of(key)).toThrow('validation_failed');
    }
  });
});
