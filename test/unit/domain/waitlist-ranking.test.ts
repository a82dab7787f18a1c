import { describe, expect, it } from '@jest/globals';
import type { FreedSlot, WaitlistCandidate } from '../../../src/domain/waitlist-ranking.ts';
import { rankCandidates } from '../../../src/domain/waitlist-ranking.ts';
import { zonedInstant } from '../../../src/domain/time-zone.ts';

const HOUR = 3_600_000;
const ZONE = 'America/New_York';
const at = (date: string, time: string): number => zonedInstant(ZONE, date, time);

// A Monday evening in New York, which is Tuesday in UTC.
const SLOT: FreedSlot = {
  providerId: 'provider-1',
  specialty: 'cardiology',
  timeZone: ZONE,
  from: at('2026-06-15', '21:00'),
  to: at('2026-06-15', '21:30'),
  freedByPatientId: 'patient-0',
};
const NOW = SLOT.from - 48 * HOUR;

function entry(entryId: string, changes: Partial<WaitlistCandidate> = {}): WaitlistCandidate {
  return {
    entryId,
    patientId: `patient-of-${entryId}`,
    providerId: 'provider-1',
    specialty: null,
    durationMinutes: 30,
    earliestDate: null,
    latestDate: null,
    noticeMinutes: 0,
    priority: 0,
    waitingSince: NOW - 100 * HOUR,
    ...changes,
  };
}

function ranked(...entries: WaitlistCandidate[]): string[] {
  return rankCandidates(SLOT, entries, NOW).map((each) => each.entryId);
}

describe('the patients for a freed slot', () => {
  it('are ranked by priority, then by who has waited longest', () => {
    const entries = [
      entry('recent', { waitingSince: NOW - HOUR }),
      entry('long', { waitingSince: NOW - 500 * HOUR }),
      entry('urgent', { priority: 5, waitingSince: NOW - HOUR }),
    ];
    expect(ranked(...entries)).toEqual(['urgent', 'long', 'recent']);
    expect(ranked(...[...entries].reverse())).toEqual(['urgent', 'long', 'recent']);
  });

  it('are in the same order every time, also those who came together', () => {
    expect(ranked(entry('b'), entry('a'), entry('c'))).toEqual(['a', 'b', 'c']);
  });

  it('leave the list that was handed in as it was', () => {
    const entries = [entry('b'), entry('a')];
    rankCandidates(SLOT, entries, NOW);
    expect(entries.map((each) => each.entryId)).toEqual(['b', 'a']);
  });

  const cases: readonly [string, Partial<WaitlistCandidate>, boolean][] = [
    ['who want another provider', { providerId: 'provider-2' }, false],
    ['who want this specialty of anybody', { providerId: null, specialty: 'cardiology' }, true],
    ['who want it in other capitals', { providerId: null, specialty: 'Cardiology' }, true],
    ['who want another specialty', { providerId: null, specialty: 'dermatology' }, false],
    ['who want this provider, whatever the specialty', { specialty: 'dermatology' }, true],
    ['who want anybody', { providerId: null }, true],
    ['who gave the slot up', { patientId: 'patient-0' }, false],
    ['whose visit is shorter', { durationMinutes: 15 }, true],
    ['whose visit is longer', { durationMinutes: 31 }, false],
    ['from the date of the clinic on', { earliestDate: '2026-06-15' }, true],
    ['from the next date on', { earliestDate: '2026-06-16' }, false],
    ['until the date of the clinic', { latestDate: '2026-06-15' }, true],
    ['until the date before', { latestDate: '2026-06-14' }, false],
    ['on Mondays', { daysOfWeek: [1] }, true],
    ['on Tuesdays', { daysOfWeek: [2] }, false],
    ['on any day', { daysOfWeek: [] }, true],
    ['who need exactly this much notice', { noticeMinutes: 48 * 60 }, true],
    ['who need more notice', { noticeMinutes: 48 * 60 + 1 }, false],
    ['in hours that hold the visit', { startTime: '21:00:00', endTime: '21:30:00' }, true],
    ['in hours that start too late', { startTime: '21:01' }, false],
    ['in hours that end too soon', { endTime: '21:29' }, false],
    ['in hours over midnight', { startTime: '20:00', endTime: '02:00' }, true],
  ];

  it.each(cases)('%s', (_who, changes, expected) => {
    expect(ranked(entry('one', changes))).toEqual(expected ? ['one'] : []);
  });

  it('after midnight still suit the hours that began the evening before', () => {
    const night = { ...SLOT, from: at('2026-06-16', '00:30'), to: at('2026-06-16', '01:00') };
    const evening = entry('one', { startTime: '20:00', endTime: '02:00' });
    expect(rankCandidates(night, [evening], NOW)).toEqual([evening]);
  });
});
