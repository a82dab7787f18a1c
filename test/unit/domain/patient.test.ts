import { describe, expect, it } from '@jest/globals';
import { canonicalLocale, isReachable } from '../../../src/domain/patient.ts';

describe('a locale', () => {
  it.each([
    ['de-at', 'de-AT'],
    ['EN', 'en'],
    ['zh-hant-tw', 'zh-Hant-TW'],
  ])('%s is kept as %s', (tag, canonical) => {
    expect(canonicalLocale(tag)).toBe(canonical);
  });

  it.each(['', 'x', 'de_AT', 'de-', 'german language', 'de-AT-de-AT'])('%s is none', (tag) => {
    expect(canonicalLocale(tag)).toBeUndefined();
  });
});

describe('a patient', () => {
  it('is reachable with a number or an address', () => {
    expect(isReachable({ phone: '+15005550006', email: null })).toBe(true);
    expect(isReachable({ phone: null, email: 'a@b.example' })).toBe(true);
    expect(isReachable({ phone: null, email: null })).toBe(false);
  });
});
