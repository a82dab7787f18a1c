import { Temporal } from 'temporal-polyfill';

/** One zone for each way in which clocks differ. */
export const ZONES = [
  'UTC',
  'America/New_York',
  'Europe/Berlin',
  'Asia/Kolkata', // half an hour off, no change
  'America/Phoenix', // no change
  'Australia/Lord_Howe', // changes by half an hour
  'Pacific/Chatham', // three quarters of an hour off
  'Antarctica/Troll', // changes by two hours
  'Africa/Cairo', // skips midnight
  'Asia/Beirut', // skips midnight
  'America/Havana', // skips midnight, and has it twice
  'America/Scoresbysund', // moved to another offset in 2024
  'Africa/Casablanca', // changes twice around Ramadan
  'Asia/Gaza',
  'Pacific/Apia', // far east of Greenwich
  'Pacific/Pago_Pago', // far west of it
] as const;

const FROM = Date.UTC(2024, 0, 1);
const TO = Date.UTC(2031, 0, 1);

/** Every instant from 2024 to 2030 at which a zone's clocks change. */
export function changesOf(zone: string): number[] {
  const changes: number[] = [];
  let at = Temporal.Instant.fromEpochMilliseconds(FROM).toZonedDateTimeISO(zone).getTimeZoneTransition('next');
  while (at !== null && at.epochMilliseconds < TO) {
    changes.push(at.epochMilliseconds);
    at = at.getTimeZoneTransition('next');
  }
  return changes;
}
