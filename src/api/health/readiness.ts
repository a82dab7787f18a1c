/** What readiness asks. Each answers for itself within its time. */
export interface Checks {
  /** Is the process about to stop? */
  readonly isDraining: () => boolean;
  /** Asked on a connection of its own: a busy pool is no reason to leave the balancer. */
  readonly isDatabaseUp: () => Promise<boolean>;
  /** The migrations that this release needs and the database does not have. */
  readonly pendingMigrations: () => Promise<readonly string[]>;
  /** What is told and does not count: the process works without it. */
  readonly reported: Readonly<Record<string, () => Promise<boolean>>>;
}

type Answer = 'ok' | 'failed';

export interface Report {
  readonly status: 'ready' | 'not_ready';
  readonly checks: { readonly database: Answer; readonly migrations: Answer; readonly draining: boolean };
  readonly reported: Readonly<Record<string, Answer>>;
}

/** May work be sent here? */
export type Readiness = () => Promise<Report>;

const CHECK_MS = 2_000;
/** So often in a row PostgreSQL must fail to answer: all instances ask the same one, and would leave the balancer together for one slow moment. */
const MISSES = 3;

/** Whoever asks while it is being found out gets the same answer, so that asking often costs nothing. */
export function createReadiness(checks: Checks): Readiness {
  let migrated = false;
  /** Migrations that have run stay run: once is enough. */
  const isMigrated = async () => {
    migrated ||= (await checks.pendingMigrations()).length === 0;
    return migrated;
  };
  // Not up until it has been seen.
  let misses = MISSES;
  const isDatabaseUp = async () => {
    misses = (await inTime(checks.isDatabaseUp())) ? 0 : misses + 1;
    return misses < MISSES;
  };
  const ask = async (): Promise<Report> => {
    const names = Object.keys(checks.reported);
    const [database, migrations, ...reported] = await Promise.all([
      isDatabaseUp(),
      migrated || inTime(isMigrated()),
      ...Object.values(checks.reported).map((check) => inTime(check())),
    ]);
    const draining = checks.isDraining();
    return {
      status: database && migrations && !draining ? 'ready' : 'not_ready',
      checks: { database: said(database), migrations: said(migrations), draining },
      reported: Object.fromEntries(names.map((name, index) => [name, said(reported[index] ?? false)])),
    };
  };
  let asking: Promise<Report> | undefined;
  return () => {
    asking ??= ask().finally(() => {
      asking = undefined;
    });
    return asking;
  };
}

function said(ok: boolean): Answer {
  return ok ? 'ok' : 'failed';
}

/** A check that fails or does not answer in time has failed. */
async function inTime(check: Promise<boolean>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS);
  });
  try {
    return await Promise.race([check.catch(() => false), late]);
  } finally {
    clearTimeout(timer);
  }
}
