import { describe, expect, it } from '@jest/globals';
import { cursorOf, pageOf, positionOf } from '../../../src/api/cursor.ts';

const id = '01980000-0000-7000-8000-00000000a001';

describe('a cursor', () => {
  it('brings back the position it was made from', () => {
    const position = { at: new Date('2030-01-10T10:00:00.123Z'), id };
    expect(positionOf(cursorOf(position))).toEqual(position);
  });

  it.each([
    '',
    'x',
    'AAAA',
    Buffer.from('2030-01-10T10:00:00Z').toString('base64url'),
    Buffer.from(`now ${id}`).toString('base64url'),
    Buffer.from(`2030-01-10T10:00:00Z ${id} x`).toString('base64url'),
    Buffer.from("2030-01-10T10:00:00Z '; drop table").toString('base64url'),
  ])('is refused when it is not ours: %j', (cursor) => {
    expect(() => positionOf(cursor)).toThrow('validation_failed');
  });
});

describe('a page', () => {
  const rows = [1, 2, 3].map((day) => ({ at: new Date(`2030-01-0${day}T00:00:00Z`), id }));

  it('has a cursor while there is a row too many, made from its own last row', () => {
    const { page, next } = pageOf(rows, 2, (row) => row);
    expect(page).toEqual(rows.slice(0, 2));
    expect(positionOf(next.nextCursor)).toEqual(rows[1]);
  });

  it('has none on the last page', () => {
    expect(pageOf(rows, 3, (row) => row)).toEqual({ page: rows, next: {} });
    expect(pageOf([], 3, (row: { at: Date; id: string }) => row)).toEqual({ page: [], next: {} });
  });
});
