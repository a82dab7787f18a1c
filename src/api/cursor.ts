import { isDateTime, isUuid } from './validation.ts';
import { invalidField } from './problem.ts';

/** Where a page ended: the sorting instant and the id of its last row. Opaque to clients; row-level security holds whatever it says. */
export interface Position {
  readonly at: Date;
  readonly id: string;
}

export function cursorOf(position: Position): string {
  return Buffer.from(`${position.at.toISOString()} ${position.id}`).toString('base64url');
}

/** @throws RequestError `validation_failed` for a cursor we did not give */
export function positionOf(cursor: string | undefined, part: 'query' | 'body' = 'query'): Position | undefined {
  if (cursor === undefined) return undefined;
  const [at, id, ...rest] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  if (at === undefined || id === undefined || rest.length > 0 || !isDateTime(at) || !isUuid(id)) {
    throw invalidField(part, '/cursor', 'cursor');
  }
  return { at: new Date(at), id: id.toLowerCase() };
}

/** Cuts a page out of `limit + 1` rows: the row too many tells that there is a next page. */
export function pageOf<Row>(
  rows: readonly Row[],
  limit: number,
  position: (row: Row) => Position,
): { readonly page: readonly Row[]; readonly next: { readonly nextCursor?: string } } {
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  return { page, next: rows.length <= limit || last === undefined ? {} : { nextCursor: cursorOf(position(last)) } };
}
