/** One line of a benchmark's result: a figure, and the one it is aimed at. */
export interface Figure {
  readonly what: string;
  readonly value: number;
  readonly unit: string;
  /** What is to be reached; without it the figure only explains the others. */
  readonly aim?: { readonly atLeast: number } | { readonly below: number };
}

/** Prints a benchmark's figures as a table. Nothing fails here: figures depend on the machine, and a test must not. */
export function print(title: string, figures: readonly Figure[], notes: readonly string[] = []): void {
  console.log(`\n${title}`);
  const width = Math.max(...figures.map(({ what }) => what.length));
  for (const { what, value, unit, aim } of figures) {
    console.log(
      `  ${what.padEnd(width)}  ${round(value).padStart(10)} ${unit.padEnd(8)}${aim ? verdict(value, aim) : ''}`,
    );
  }
  for (const note of notes) console.log(`  ${note}`);
}

function verdict(value: number, aim: NonNullable<Figure['aim']>): string {
  const [met, text] =
    'atLeast' in aim ? [value >= aim.atLeast, `at least ${aim.atLeast}`] : [value < aim.below, `below ${aim.below}`];
  return `aim: ${text}: ${met ? 'reached' : 'NOT REACHED'}`;
}

function round(value: number): string {
  if (!Number.isFinite(value)) return '-';
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}
