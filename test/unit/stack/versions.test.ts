import { describe, expect, it } from '@jest/globals';
import { nodeComplaint } from '../../../scripts/run/node-version.mjs';
import { isInstalledAsLocked } from '../../../scripts/stack/dependencies.mjs';
import { findVersion, isAtLeast } from '../../../scripts/stack/versions.mjs';

describe('versions', () => {
  it.each([
    ['postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)', '15.18'],
    ['Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0', '7.0.15'],
    ['nothing', undefined],
  ])('are found in "%s"', (text, version) => {
    expect(findVersion(text)).toBe(version);
  });

  it.each([
    ['15.18', '15', true],
    ['15', '15', true],
    ['14.9', '15', false],
    ['3.9.2', '3.10', false],
    ['3.10.8', '3.10', true],
    ['1.27', '1.26.8', true],
    [undefined, '1', false],
  ])('compare by number: %s is at least %s: %s', (version, minimum, expected) => {
    expect(isAtLeast(version, minimum)).toBe(expected);
  });

  it('of Node.js that are too old get one sentence', () => {
    expect(nodeComplaint('20.19.0')).toBeUndefined();
    expect(nodeComplaint('24.1.0')).toBeUndefined();
    expect(nodeComplaint('20.18.3')).toMatch(/needs Node\.js 20\.19 or newer and this is 20\.18\.3/);
  });
});

describe('installed packages', () => {
  const lock = {
    packages: {
      '': { version: '0.1.0' },
      'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
      'node_modules/for-another-system': { version: '2.0.0', integrity: 'sha512-b', optional: true },
    },
  };
  const a = { version: '1.0.0', integrity: 'sha512-a' };

  it('are up to date when npm installed what the lock file says, but for what belongs to other systems', () => {
    expect(isInstalledAsLocked(lock, { packages: { 'node_modules/a': a } })).toBe(true);
  });

  it('are out of date when one has another version, is missing, or is no longer wanted', () => {
    expect(isInstalledAsLocked(lock, { packages: { 'node_modules/a': { ...a, version: '1.0.1' } } })).toBe(false);
    expect(isInstalledAsLocked(lock, { packages: {} })).toBe(false);
    expect(isInstalledAsLocked(lock, { packages: { 'node_modules/a': a, 'node_modules/old': a } })).toBe(false);
  });
});
