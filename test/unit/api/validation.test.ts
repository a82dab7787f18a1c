import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isDate, isDateTime, isText, isUuid } from '../../../src/api/validation.ts';

describe('an instant', () => {
  it.each(['2025-03-15T10:00:00Z', '2025-03-15T10:00:00+05:30', '2024-02-29T23:59:59.123456789-11:00'])(
    'may be %s',
    (text) => {
      expect(isDateTime(text)).toBe(true);
    },
  );

  it.each([
    '2025-03-15T10:00:00',
    '2025-03-15 10:00:00Z',
    '2025-03-15',
    '2025-02-29T10:00:00Z',
    '2025-13-01T10:00:00Z',
    '2025-03-15T24:00:00Z',
    '2025-03-15T10:60:00Z',
    '2025-03-15T23:59:60Z',
    '2025-03-15T10:00:00+0530',
    '2025-03-15T10:00:00+05',
    '2025-03-15T10:00:00+15:00',
    '0000-01-01T00:00:00Z',
    '1899-12-31T23:59:59Z',
    '3000-01-01T00:00:00Z',
    '12025-03-15T10:00:00Z',
    '2025-03-15T10:00:00Z\n',
    '2025-03-15T10:00:00.Z',
    '',
  ])('may not be %j', (text) => {
    expect(isDateTime(text)).toBe(false);
  });

  it('is something Date understands and PostgreSQL can hold, whatever passes', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1900-01-02T00:00:00Z'), max: new Date('2999-12-30T00:00:00Z'), noInvalidDate: true }),
        fc.integer({ min: -14 * 60, max: 14 * 60 }),
        (instant, offset) => {
          const local = new Date(instant.getTime() + offset * 60_000).toISOString().slice(0, -1);
          const minutes = Math.abs(offset);
          const zone = `${offset < 0 ? '-' : '+'}${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;
          expect(isDateTime(`${local}${zone}`)).toBe(true);
          expect(new Date(`${local}${zone}`).getTime()).toBe(instant.getTime());
        },
      ),
    );
  });
});

describe('a date', () => {
  it('exists in the calendar', () => {
    expect(isDate('2024-02-29')).toBe(true);
    expect(isDate('2025-02-29')).toBe(false);
    expect(isDate('2025-04-31')).toBe(false);
    expect(isDate('2025-00-10')).toBe(false);
    expect(isDate('2025-1-1')).toBe(false);
    expect(isDate('2025-01-00')).toBe(false);
  });
});

describe('a text', () => {
  it('is whatever UTF-8 can write', () => {
    for (const text of ['', 'Zoë', '🩺', '\ufffd', '\u0000']) expect(isText(text)).toBe(true);
    for (const text of ['\ud83e', '\udc00a', 'a\ud800', '\udc00\ud800']) expect(isText(text)).toBe(false);
  });
});

describe('an id', () => {
  it('is a UUID in either case, and never with a prefix or braces', () => {
    expect(isUuid('01980000-0000-7000-8000-00000000A001')).toBe(true);
    expect(isUuid('urn:uuid:01980000-0000-7000-8000-00000000a001')).toBe(false);
    expect(isUuid('{01980000-0000-7000-8000-00000000a001}')).toBe(false);
    expect(isUuid('01980000-0000-7000-8000-00000000a001\n')).toBe(false);
  });
});
