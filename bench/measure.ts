import { existsSync, readdirSync, readFileSync } from 'node:fs';

/** The value below which a share of the numbers lies (nearest rank). */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** What the machine was busy with while a benchmark ran: everything, and what the hypervisor took. Cores. */
export interface MachineLoad {
  readonly busy: number;
  readonly stolen: number;
}

/** Watches the whole machine. Linux; elsewhere it knows nothing. */
export function watchMachine(): () => MachineLoad | undefined {
  const before = machineTicks();
  const began = performance.now();
  return () => {
    const after = machineTicks();
    if (before === undefined || after === undefined) return undefined;
    const ticks = ((performance.now() - began) / 1_000) * TICKS_PER_SECOND;
    return { busy: (after.busy - before.busy) / ticks, stolen: (after.stolen - before.stolen) / ticks };
  };
}

const TICKS_PER_SECOND = 100;

/** The CPU seconds that a process and its children, ended ones included, have used so far. Linux; elsewhere NaN. */
export function cpuSeconds(pid: number): number {
  const own = readProcess(pid);
  if (own === undefined) return Number.NaN;
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => readProcess(Number(name)) ?? [])
    .filter(({ parent }) => parent === pid);
  return (own.ticks + own.endedChildren + children.reduce((sum, { ticks }) => sum + ticks, 0)) / TICKS_PER_SECOND;
}

/** From proc(5): after the name in parentheses the parent is field 4, utime, stime, cutime and cstime are fields 14 to 17. */
function readProcess(pid: number): { parent: number; ticks: number; endedChildren: number } | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? [];
    const [utime = 0, stime = 0, cutime = 0, cstime = 0] = fields.slice(11, 15).map(Number);
    return { parent: Number(fields[1]), ticks: utime + stime, endedChildren: cutime + cstime };
  } catch {
    return undefined;
  }
}

function machineTicks(): { busy: number; stolen: number } | undefined {
  if (!existsSync('/proc/stat')) return undefined;
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (
    readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  )
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return { busy: user + nice + system + irq + softirq, stolen: steal };
}
