import { audit } from '../db/audit.ts';
import { ehrConnection, insertSyncRun, tellRefusedAgain } from '../db/ehr.ts';
import type { Idempotency } from '../db/idempotency.ts';
import { enqueue } from '../db/outbox.ts';
import { doorOnce, type Act, type SchedulingDeps } from './act.ts';

/**
 * Writes down that the clinic's EHR is to be told now, what it has refused included; a workflow does it.
 * @throws AppError `ehr_not_configured`, `idempotency_in_progress`, `idempotency_mismatch`
 */
export function requestSync(
  deps: SchedulingDeps,
  act: Act,
  idempotency?: Idempotency,
): Promise<{ readonly runId: string; readonly replayed: boolean }> {
  return doorOnce(deps, act, idempotency, async (tx) => {
    await ehrConnection(tx);
    await tellRefusedAgain(tx, act.clinicId);
    const runId = deps.newId();
    await insertSyncRun(tx, { runId, clinicId: act.clinicId, trigger: 'on_demand', startedAt: act.now });
    await enqueue(tx, act, { aggregate: 'ehr_sync', aggregateId: runId, event: 'requested' });
    await audit(tx, act, 'ehr_sync_run', runId, 'requested');
    return { runId };
  });
}
