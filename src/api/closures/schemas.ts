import { Type, type Static } from 'typebox';
import { SKIP_REASONS } from '../../integrations/icalendar/whole-days.ts';
import { ADDED_HEADERS, Changed } from '../schedules/schemas.ts';
import { LocalDate, NextCursor, PAGE_QUERY, PlainText, Strict, Uuid } from '../schemas.ts';
import type { ClosureRow } from './queries.ts';

export { ClinicPath } from '../clinics/schemas.ts';

export const ClosurePath = Strict({ clinicId: Uuid('The clinic.'), closureId: Uuid('The closure.') });

export const ClosureQuery = Strict({
  from: Type.Optional(LocalDate('Only what is not over on this date; left out: today. Yearly ones always.')),
  ...PAGE_QUERY,
});

const CLOSURE = {
  fromDate: LocalDate("The first date, in the clinic's zone."),
  toDate: LocalDate('The last date.'),
};

export const ClosureBody = Strict({
  ...CLOSURE,
  name: PlainText(100, 'What it is called.'),
  yearly: Type.Optional(
    Type.Boolean({ default: false, description: 'The same months and days of every year, from this one on.' }),
  ),
});

const Closure = Type.Object({
  closureId: Uuid('The closure.'),
  ...CLOSURE,
  name: Type.String(),
  yearly: Type.Boolean(),
  imported: Type.Boolean({ description: 'It comes from a calendar file: importing the file again brings it back.' }),
});

export const ClosurePage = Type.Object({ closures: Type.Array(Closure), nextCursor: NextCursor });

export function closureBody(row: ClosureRow): Static<typeof Closure> {
  return {
    closureId: row.closure_id,
    fromDate: row.from_date,
    toDate: row.to_date,
    name: row.name,
    yearly: row.yearly,
    imported: row.calendar_uid !== null,
  };
}

export const ClosureAdded = Type.Object(
  { closureId: Uuid('The new closure.'), ...Changed.properties },
  { description: 'Added.', headers: ADDED_HEADERS },
);

const REPLAYED_HEADERS = { 'Idempotency-Replayed': ADDED_HEADERS['Idempotency-Replayed'] };

/** What an import makes of its file. */
export const IMPORT_COUNTS = {
  imported: Type.Integer({ description: 'Closures that are new.' }),
  unchanged: Type.Integer({ description: 'Closures that an earlier import had added already.' }),
  removed: Type.Integer({ description: 'Closures of an earlier import that are no longer in their event.' }),
};

export const SKIPPED = {
  skipped: Type.Array(
    Type.Object({
      uid: Type.Optional(
        Type.String({ description: "The event's UID, where it has one.", examples: ['labour-day@holidays.example'] }),
      ),
      reason: Type.Enum([...SKIP_REASONS]),
    }),
    { description: 'What is in the file and makes no closure.' },
  ),
};

export const ClosuresImported = Type.Object(
  { ...IMPORT_COUNTS, ...Changed.properties, ...SKIPPED },
  { description: 'Imported.', headers: REPLAYED_HEADERS },
);
