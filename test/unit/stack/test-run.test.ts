import { describe, expect, it } from '@jest/globals';
import { exitCodeOf, needsServers, summaryOf } from '../../../scripts/run/test-run.mjs';

describe('npm test', () => {
  it.each([
    [[], true],
    [['--selectProjects', 'unit'], false],
    [['--selectProjects=unit', '--ci'], false],
    [['--selectProjects', 'unit', 'properties'], false],
    [['--selectProjects', 'unit', 'integration'], true],
    [['--selectProjects', 'unit', '--ci', 'integration'], false],
    [['test/unit'], true],
  ])('with %j starts servers: %s', (args, expected) => {
    expect(needsServers(args)).toBe(expected);
  });

  it("fails with Jest's exit code, and with that of the checks when the tests pass", () => {
    const phase = (name: string, exitCode: number) => ({ name, milliseconds: 1, exitCode });
    expect(exitCodeOf([phase('checks', 0), phase('tests', 0)])).toBe(0);
    expect(exitCodeOf([phase('checks', 2), phase('tests', 0)])).toBe(2);
    expect(exitCodeOf([phase('checks', 2), phase('tests', 1)])).toBe(1);
  });

  it('says what took how long and what failed', () => {
    const summary = summaryOf([
      { name: 'checks', milliseconds: 1234, exitCode: 0 },
      { name: 'tests', milliseconds: 65_000, exitCode: 1 },
    ]);
    expect(summary).toMatch(/checks +1\.2 s {2}ok\ntests +65\.0 s {2}failed \(exit code 1\)/);
  });
});
