import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { Type } from 'typebox';

/** What readiness asks. Each answers for itself within its time; none throws. */
export interface Readiness {
  /** Is the process about to stop? */
  readonly isDraining: () => boolean;
  readonly isDatabaseUp: () => Promise<boolean>;
  /** The migrations that this release needs and the database does not have. */
  readonly pendingMigrations: () => Promise<readonly string[]>;
  /** What is told and does not count: the API works without it. */
  readonly reported: Readonly<Record<string, () => Promise<boolean>>>;
}

const CHECK_MS = 2_000;

const Check = Type.Enum(['ok', 'failed']);

const Ready = Type.Object({
  status: Type.Enum(['ready', 'not_ready']),
  checks: Type.Object({ database: Check, migrations: Check, draining: Type.Boolean() }),
  reported: Type.Record(Type.String(), Check, { description: 'Told only: the API works without them.' }),
});

/** For load balancers and orchestrators: no token, no rate limit. */
export const healthRoutes: FastifyPluginCallbackTypebox<{ readonly readiness: Readiness }> = (
  app,
  { readiness },
  done,
) => {
  app.get(
    '/livez',
    {
      schema: {
        operationId: 'isAlive',
        tags: ['health'],
        summary: 'Does the process answer?',
        security: [],
        response: { 200: Type.Object({ status: Type.Enum(['alive']) }) },
      },
    },
    () => ({ status: 'alive' as const }),
  );

  let migrated = false;
  /** Migrations that have run stay run: once is enough. */
  const isMigrated = async () => {
    migrated ||= (await readiness.pendingMigrations()).length === 0;
    return migrated;
  };

  app.get(
    '/readyz',
    {
      schema: {
        operationId: 'isReady',
        tags: ['health'],
        summary: 'May traffic be sent here?',
        description: 'PostgreSQL answers, its migrations have run, and the process is not about to stop.',
        security: [],
        response: { 200: Ready, 503: Ready },
      },
    },
    async (_request, reply) => {
      const draining = readiness.isDraining();
      const names = Object.keys(readiness.reported);
      const [database, migrations, ...reported] = await Promise.all([
        inTime(readiness.isDatabaseUp()),
        inTime(isMigrated()),
        ...Object.values(readiness.reported).map((check) => inTime(check())),
      ]);
      const ready = database && migrations && !draining;
      return reply.code(ready ? 200 : 503).send({
        status: ready ? 'ready' : 'not_ready',
        checks: { database: said(database), migrations: said(migrations), draining },
        reported: Object.fromEntries(names.map((name, index) => [name, said(reported[index] ?? false)])),
      });
    },
  );
  done();
};

function said(ok: boolean): 'ok' | 'failed' {
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
