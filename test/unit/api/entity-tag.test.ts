import { describe, expect, it } from '@jest/globals';
import { entityTag, expectedVersion, requiredVersion } from '../../../src/api/entity-tag.ts';

describe('If-Match', () => {
  it('names the version of the entity tag', () => {
    expect(expectedVersion(entityTag(7))).toBe(7);
    expect(requiredVersion(' "7" ')).toBe(7);
  });

  it('names none when it is absent or a star', () => {
    expect(expectedVersion(undefined)).toBeUndefined();
    expect(expectedVersion('*')).toBeUndefined();
    expect(() => requiredVersion(undefined)).toThrow('precondition_required');
    expect(() => requiredVersion('*')).toThrow('precondition_required');
  });

  it.each(['W/"7"', '"07"', '"0"', '"-1"', '"abc"', '"99999999999"'])('names no version there is as %j', (tag) => {
    expect(expectedVersion(tag)).toBe(0);
  });

  it.each(['7', '"7', '', 'W/7', '"a b"'])('cannot be read as %j', (tag) => {
    expect(() => expectedVersion(tag)).toThrow('validation_failed');
  });

  it('is one tag, as a change has one version', () => {
    expect(() => expectedVersion('"1", "2"')).toThrow('validation_failed');
  });
});
