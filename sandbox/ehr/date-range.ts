/** A span of time in epoch milliseconds, the end not included. */
export interface DateRange {
  start: number;
  end: number;
}

const DATE =
  /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/**
 * The span that a FHIR date covers: a whole year, month, day, minute, second or millisecond. Without a zone it is UTC.
 * Source: hl7.org/fhir/R4/search.html#date.
 */
export function readDateRange(text: string): DateRange | undefined {
  const [match, year, month, day, hour, minute, second, fraction, zone = 'Z'] = DATE.exec(text) ?? [];
  if (match === undefined || year === undefined) return undefined;
  const milliseconds = fraction?.slice(0, 3).padEnd(3, '0');
  const date = `${year}-${month ?? '01'}-${day ?? '01'}T${hour ?? '00'}:${minute ?? '00'}:${second ?? '00'}`;
  const start = Date.parse(`${date}.${milliseconds ?? '000'}${zone}`);
  if (Number.isNaN(start)) return undefined;
  return { start, end: start + lengthOf(start, { month, day, hour, second, milliseconds }) };
}

function lengthOf(start: number, parts: Record<string, string | undefined>): number {
  if (parts['milliseconds'] !== undefined) return 1;
  if (parts['second'] !== undefined) return 1_000;
  if (parts['hour'] !== undefined) return 60_000;
  if (parts['day'] !== undefined) return 86_400_000;
  const next = new Date(start);
  if (parts['month'] !== undefined) next.setUTCMonth(next.getUTCMonth() + 1);
  else next.setUTCFullYear(next.getUTCFullYear() + 1);
  return next.getTime() - start;
}

/** Compares with a prefix such as `ge`. Source: hl7.org/fhir/R4/search.html#prefix. */
export function compareDates(prefix: string, resource: DateRange, wanted: DateRange): boolean {
  switch (prefix) {
    case 'ne':
      return !(resource.start >= wanted.start && resource.end <= wanted.end);
    case 'gt':
      return resource.end > wanted.end;
    case 'ge':
      return resource.end > wanted.end || resource.start >= wanted.start;
    case 'lt':
      return resource.start < wanted.start;
    case 'le':
      return resource.start < wanted.start || resource.end <= wanted.end;
    case 'sa':
      return resource.start >= wanted.end;
    case 'eb':
      return resource.end <= wanted.start;
    default:
      return resource.start >= wanted.start && resource.end <= wanted.end;
  }
}
