import { describe, expect, it } from '@jest/globals';
import { slotBody } from '../../../src/api/availability/schemas.ts';
import { instantText } from '../../../src/api/schemas.ts';

describe('a slot in an answer', () => {
  it('has its instants written as every other one, on a whole minute or not, before 1970 or far ahead', () => {
    for (const from of [
      '2030-01-10T10:00:00Z',
      '2030-01-10T23:59:00Z',
      '2030-01-11T00:00:00Z',
      '2030-01-10T10:00:30Z',
      '2030-01-10T10:00:00.001Z',
      '1899-12-31T23:45:00Z',
      '3000-01-01T00:15:00Z',
    ].map((text) => Date.parse(text))) {
      const to = from + 90 * 60_000;
      expect(slotBody({ from, to })).toEqual({ startTime: instantText(from), endTime: instantText(to) });
    }
  });
});
