import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';

/** Where people and machines keep what they check out. `ada` and `temporal` are nobody. */
const PLACES = ['root', 'work', 'workspace', 'builds', 'tmp', 'Users/[^/\\s]+', 'home/(?!ada\\b|temporal\\b)[^/\\s]+'];
const MACHINE_PATH = new RegExp(`(?<![\\w.~*-])/(?:${PLACES.join('|')})/`);

/** The lines of a text that name a folder of the machine it was written on. */
function machinePaths(text: string): string[] {
  const here = process.cwd();
  return text.split('\n').filter((line) => MACHINE_PATH.test(line) || line.includes(`${here}/`));
}

describe('what is committed', () => {
  it('names no folder of the machine that made it', () => {
    const files = execFileSync('git', ['ls-files', '-z'], { encoding: 'utf8' }).split('\0').filter(Boolean);
    expect(files.length).toBeGreaterThan(100);
    const found = files.flatMap((file) => {
      const content = readFileSync(file);
      // Not text.
      if (content.subarray(0, 8_000).includes(0)) return [];
      return machinePaths(content.toString('utf8')).map((line) => `${file}: ${line.trim().slice(0, 120)}`);
    });
    expect(found).toEqual([]);
  });

  it.each([
    ['    at plan (/' + 'home/ci/mediconnect/src/plan.ts:1:2)', true],
    ['    at plan (file:///' + 'root/mediconnect/src/plan.ts:1:2)', true],
    ['"' + process.cwd() + '/src/main/api.ts"', true],
    ['    at plan (src/plan.ts:1:2)', false],
    ['https://example.org/documents/home', false],
    ['/home/ada/mediconnect', false],
  ])('would be found: %s', (line, isOne) => {
    expect(machinePaths(line)).toHaveLength(isOne ? 1 : 0);
  });
});
