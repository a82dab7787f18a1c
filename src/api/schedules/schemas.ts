import { Type, type Static } from 'typebox';
import type { ProviderSchedule, WeeklyWindow } from '../../domain/availability/schedule.ts';
import { ETAG_HEADER, Instant, instantText, LocalDate, NextCursor, PAGE_QUERY, Strict, Uuid } from '../schemas.ts';
import type { OverrideRow, TimeOffRow } from './queries.ts';

export { ProviderPath } from '../providers/schemas.ts';

const TimeOfDay = (description: string) =>
  Type.String({ pattern: '^([01]\\d|2[0-3]):[0-5]\\d$', description, examples: ['09:00'] });

const START = TimeOfDay("When it starts, on the clinic's wall clock.");
const END = TimeOfDay('When it ends; at or before the start: on the next day.');

const TimeWindow = Strict({ startTime: START, endTime: END });
const DayWindow = Strict({
  dayOfWeek: Type.Integer({ minimum: 1, maximum: 7, description: '1 = Monday … 7 = Sunday: the day it starts on.' }),
  startTime: START,
  endTime: END,
});

const MAX_WINDOWS_A_WEEK = 70;
const MAX_WINDOWS_A_DATE = 20;

export const HoursBody = Strict({
  weekly: Type.Array(DayWindow, {
    maxItems: MAX_WINDOWS_A_WEEK,
    description: 'When patients are seen. Windows may touch but not overlap.',
  }),
  breaks: Type.Array(DayWindow, {
    maxItems: MAX_WINDOWS_A_WEEK,
    description: 'When none are, within the weekly windows.',
  }),
});

export const Windows = Type.Array(TimeWindow, {
  maxItems: MAX_WINDOWS_A_DATE,
  description: 'The hours of the date, in place of the weekly ones; none: closed. They may touch but not overlap.',
});

const AFFECTED = Type.Integer({
  description:
    'How many booked visits to come the change leaves where a rule now refuses them. They stay until somebody moves or cancels them.',
});

export const Changed = Type.Object({ affectedAppointments: AFFECTED }, { description: 'Changed.' });
export const HoursChanged = Type.Object(
  { affectedAppointments: AFFECTED },
  { description: 'Changed.', headers: ETAG_HEADER },
);

const READ_TIMES = {
  startTime: Type.String({ examples: ['09:00'] }),
  endTime: Type.String({ examples: ['17:00'] }),
};
const ReadWindow = Type.Object(READ_TIMES);
const ReadDayWindow = Type.Object({ dayOfWeek: Type.Integer(), ...READ_TIMES });

export const Schedule = Type.Object(
  {
    providerId: Uuid('The provider.'),
    timeZone: Type.String({ description: "The clinic's IANA zone, in which the times are." }),
    weekly: Type.Array(ReadDayWindow),
    breaks: Type.Array(ReadDayWindow),
    maxDailyAppointments: Type.Integer(),
  },
  { description: 'The schedule. Its version rises with overrides, time off and closures too.', headers: ETAG_HEADER },
);

export function scheduleBody(schedule: ProviderSchedule): Static<typeof Schedule> {
  const { providerId, timeZone, maxDailyAppointments } = schedule;
  return {
    providerId,
    timeZone,
    weekly: schedule.weekly.map(windowBody),
    breaks: schedule.breaks.map(windowBody),
    maxDailyAppointments,
  };
}

function windowBody({ dayOfWeek, startTime, endTime }: WeeklyWindow): Static<typeof ReadDayWindow> {
  return { dayOfWeek, startTime: hoursAndMinutes(startTime), endTime: hoursAndMinutes(endTime) };
}

function hoursAndMinutes(time: string): string {
  return time.slice(0, 5);
}

export const OverridePath = Strict({
  providerId: Uuid('The provider.'),
  date: LocalDate("The date in the clinic's zone."),
});

export const OverrideQuery = Strict({
  from: Type.Optional(LocalDate("The first date; left out: today, in the clinic's zone.")),
  to: Type.Optional(LocalDate('The last date, at most 366 days after the first; left out: a year after it.')),
});

export const OverrideBody = Strict({ windows: Windows });

export const OverrideList = Type.Object({
  overrides: Type.Array(
    Type.Object({
      date: LocalDate('The date.'),
      windows: Type.Array(ReadWindow, { description: 'None: closed.' }),
    }),
  ),
});

/** One entry a date, of rows in their order. */
export function overrideList(rows: readonly OverrideRow[]): Static<typeof OverrideList> {
  const byDate = new Map<string, Static<typeof ReadWindow>[]>();
  for (const { date, start_time, end_time } of rows) {
    const windows = byDate.get(date) ?? [];
    byDate.set(date, windows);
    if (start_time !== null && end_time !== null) {
      windows.push({ startTime: hoursAndMinutes(start_time), endTime: hoursAndMinutes(end_time) });
    }
  }
  return { overrides: [...byDate].map(([date, windows]) => ({ date, windows })) };
}

export const TimeOffPath = Strict({ providerId: Uuid('The provider.'), timeOffId: Uuid('The time off.') });

export const TimeOffQuery = Strict({
  from: Type.Optional(Instant('Only what ends after this; left out: now.')),
  ...PAGE_QUERY,
});

export const TimeOffBody = Strict({
  from: Instant('When they leave.'),
  to: Instant('When they are back: later than from.'),
});

const TimeOff = Type.Object({
  timeOffId: Uuid('The time off.'),
  from: Instant('When they leave.'),
  to: Instant('When they are back.'),
});

export const TimeOffPage = Type.Object({ timeOff: Type.Array(TimeOff), nextCursor: NextCursor });

export function timeOffBody(row: TimeOffRow): Static<typeof TimeOff> {
  return { timeOffId: row.time_off_id, from: instantText(row.from_time), to: instantText(row.to_time) };
}

/** What is added has no version of its own. */
export const ADDED_HEADERS = {
  Location: { type: 'string', description: 'Where it is removed.' },
  'Idempotency-Replayed': { type: 'string', description: 'true: this is the answer to an earlier request.' },
};

export const TimeOffAdded = Type.Object(
  { timeOffId: Uuid('The new time off.'), affectedAppointments: AFFECTED },
  { description: 'Added.', headers: ADDED_HEADERS },
);
