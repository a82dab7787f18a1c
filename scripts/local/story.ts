/** One line of the table at the end. */
export interface StepResult {
  readonly step: string;
  readonly expected: string;
  readonly seen: string;
  readonly ok: boolean;
  readonly ms: number;
}

/** Tells a story step by step and keeps what was seen. */
export interface Story {
  /** A heading. */
  readonly chapter: (title: string) => void;
  /** A line in plain words. */
  readonly tell: (line: string) => void;
  /** Does something and compares what is seen with what is expected; a step that throws is wrong, and the story goes on where it can. */
  readonly step: (name: string, expected: string, act: () => Promise<string>) => Promise<void>;
  readonly results: readonly StepResult[];
}

export function createStory(say: (line: string) => void): Story {
  const results: StepResult[] = [];
  return {
    results,
    chapter: (title) => say(`\n== ${title}`),
    tell: (line) => say(`   ${line}`),
    step: async (step, expected, act) => {
      const began = performance.now();
      let seen: string;
      try {
        seen = await act();
      } catch (error) {
        seen = `failed: ${error instanceof Error ? error.message : String(error)}`.split('\n', 1)[0] ?? 'failed';
      }
      const ms = performance.now() - began;
      const ok = seen === expected;
      results.push({ step, expected, seen, ok, ms });
      say(` ${ok ? '✓' : '✗'} ${step}: ${seen} (${(ms / 1000).toFixed(2)} s)`);
    },
  };
}

/** The closing table: step, expected, seen, ok. */
export function table(results: readonly StepResult[]): string {
  const rows = [
    ['step', 'expected', 'seen', 'ok', 'time'],
    ...results.map((each) => [
      each.step,
      each.expected,
      each.seen,
      each.ok ? 'ok' : 'WRONG',
      `${(each.ms / 1000).toFixed(2)} s`,
    ]),
  ];
  const widths = [0, 1, 2, 3, 4].map((column) =>
    Math.min(60, Math.max(...rows.map((row) => row[column]?.length ?? 0))),
  );
  const line = (row: readonly string[]) =>
    row.map((cell, column) => clip(cell, widths[column] ?? 0).padEnd(widths[column] ?? 0)).join('  ');
  const [head = [], ...body] = rows;
  return [line(head), widths.map((width) => '-'.repeat(width)).join('  '), ...body.map(line)].join('\n');
}

function clip(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
