import { describe, expect, it } from '@jest/globals';
import { parseRecord } from '../../../scripts/stack/children.mjs';
import { runOwner } from '../../../scripts/stack/folders.mjs';
import { identify, isAlive, parseStat } from '../../../scripts/stack/process-identity.mjs';

const stat = (name: string, state: string, start: string) =>
  `4242 (${name}) ${state} 17 4242 4242 0 -1 4194560 100 0 0 0 5 3 0 0 20 0 8 0 ${start} 123456 789`;

describe('what an earlier run left behind', () => {
  it('is read from the kernel even when the name of the program holds blanks and brackets', () => {
    expect(parseStat(stat('a (strange) S name', 'S', '987654'))).toEqual({ state: 'S', parent: 17, start: '987654' });
  });

  it('is the same process when pid and start time agree', () => {
    expect(isAlive({ pid: 7, start: '100' }, (pid) => ({ pid, start: '100' }))).toBe(true);
  });

  it('is not a later process that got the same pid', () => {
    expect(isAlive({ pid: 7, start: '100' }, (pid) => ({ pid, start: '200' }))).toBe(false);
  });

  it('is nothing when the process is gone', () => {
    expect(isAlive({ pid: 7, start: '100' }, () => undefined)).toBe(false);
  });

  it('recognises this very process', () => {
    const me = identify(process.pid);
    expect(me).toBeDefined();
    expect(me && isAlive(me)).toBe(true);
  });

  it('is read from a record, and half a record is none', () => {
    const record = { name: 'redis', pid: 7, start: '100', stopSignal: 'SIGTERM' };
    expect(parseRecord(JSON.stringify(record))).toEqual(record);
    expect(parseRecord('{"name":"redis","pid":7')).toBeUndefined();
    expect(parseRecord('{"name":"redis"}')).toBeUndefined();
  });

  it("carries its owner in the name of a test run's folder", () => {
    expect(runOwner(`${(4242).toString(36)}-${(987_654).toString(36)}-0a1b2c`)).toEqual({ pid: 4242, start: '987654' });
    expect(runOwner('something else')).toBeUndefined();
  });
});
