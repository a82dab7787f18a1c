import { dateOf, instantShowing, wallAt, type ClockChange } from './wall-clocks.ts';

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A clinic that has the same hours every day. */
export interface Question {
  readonly zone: string;
  readonly date: string;
  /** `HH:MM`; at or before `startTime` it is on the next day. */
  readonly startTime: string;
  readonly endTime: string;
  readonly stepMinutes: number;
  readonly durationMinutes: number;
}

/** Whoever says when visits may start on a date: the rules themselves, or something that does it wrongly on purpose. */
export type Answering = (question: Question) => readonly number[];

/**
 * What is wrong with the answers around a clock change, in words; nothing, when nothing is. Visits must not overlap on the grid they are asked for,
 * none may vanish, none may shift: the starts must be those that somebody finds who looks at the wall every five minutes.
 */
export function faultsAround(change: ClockChange, answering: Answering, questions = questionsAround(change)): string[] {
  return questions.flatMap((question) => {
    const expected = startsByTheWall(change, question);
    const given = answering(question);
    const [wanted, offered] = [new Set(expected), new Set(given)];
    const length = question.durationMinutes * MINUTE;
    const tiles = question.durationMinutes === question.stepMinutes;
    return [
      ...given.filter((start) => !wanted.has(start)).map((start) => fault(question, 'shifted', start)),
      ...expected.filter((start) => !offered.has(start)).map((start) => fault(question, 'vanished', start)),
      ...given
        .filter((start, index) => tiles && start < (given[index - 1] ?? Number.NEGATIVE_INFINITY) + length)
        .map((start) => fault(question, 'overlaps', start)),
    ];
  });
}

function fault({ zone, date, startTime, endTime }: Question, what: string, start: number): string {
  return `${zone} ${date} ${startTime}-${endTime}: ${what} ${new Date(start).toISOString()}`;
}

/** The day of the change and its neighbours, under hours of every kind: around the clock, by day, over night, and from and to the very time that changes. */
export function questionsAround(change: ClockChange): Question[] {
  const { zone, at, before, after } = change;
  const date = dateOf(wallAt(change, at));
  // Skipped, or shown twice, or as good as any other where nothing changes.
  const strange = at + Math.min(before, after) + 15 * MINUTE;
  const time = (wall: number): string => new Date(wall).toISOString().slice(11, 16);
  const hours = [
    { startTime: '00:00', endTime: '24:00', stepMinutes: 15, durationMinutes: 15 },
    { startTime: '09:00', endTime: '17:00', stepMinutes: 20, durationMinutes: 40 },
    { startTime: '22:00', endTime: '06:00', stepMinutes: 45, durationMinutes: 30 },
    { startTime: time(strange), endTime: time(strange + 120 * MINUTE), stepMinutes: 5, durationMinutes: 10 },
    { startTime: time(strange - 120 * MINUTE), endTime: time(strange), stepMinutes: 10, durationMinutes: 10 },
  ];
  return [-1, 0, 1].flatMap((days) =>
    hours.map((each) => ({ zone, date: dateOf(Date.parse(date) + days * DAY), ...each })),
  );
}

/** Looks at the wall every five minutes: is it the date, is the time on the grid, and is the clinic open until the visit is over? */
function startsByTheWall(change: ClockChange, question: Question): number[] {
  const { date, startTime, endTime, stepMinutes, durationMinutes } = question;
  const midnight = Date.parse(date);
  const minutes = (time: string): number => Number(time.slice(0, 2)) * 60 + Number(time.slice(3));
  const end = endTime <= startTime ? minutes(endTime) + 24 * 60 : minutes(endTime);
  const windows = [-2, -1, 0, 1, 2].map((days) => ({
    from: instantShowing(change, midnight + days * DAY + minutes(startTime) * MINUTE),
    to: instantShowing(change, midnight + days * DAY + end * MINUTE),
  }));
  const isOpen = (instant: number): boolean => windows.some(({ from, to }) => from <= instant && instant < to);
  const isOpenFor = (start: number): boolean => {
    for (let minute = 0; minute < durationMinutes; minute += 5) if (!isOpen(start + minute * MINUTE)) return false;
    return true;
  };
  return instantsOf(change, date).filter((instant) => {
    const minuteOfDay = (wallAt(change, instant) - midnight) / MINUTE;
    return minuteOfDay % stepMinutes === 0 && isOpenFor(instant);
  });
}

/** Every instant of a date, five minutes apart. */
export function instantsOf(change: ClockChange, date: string): number[] {
  const midnight = Date.parse(date);
  const instants: number[] = [];
  const first = midnight - Math.max(change.before, change.after);
  const end = midnight + DAY - Math.min(change.before, change.after);
  for (let instant = first; instant < end; instant += 5 * MINUTE) {
    if (Math.floor((wallAt(change, instant) - midnight) / DAY) === 0) instants.push(instant);
  }
  return instants;
}
