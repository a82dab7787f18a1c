import { inContext, type Db } from '../../db/connection.ts';
import { clinicOfNotification } from '../../db/look-ups.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { settleByCallback, type ProviderReport } from '../../notifications/ledger/reports.ts';

/** What the message providers tell us, and how we know that it is they. */
export interface Callbacks {
  readonly isFromTwilio: (request: {
    /** Path and query, as called. */
    readonly path: string;
    readonly fields: Readonly<Record<string, unknown>>;
    readonly signature: string | undefined;
  }) => boolean;
  readonly isFromSendgrid: (request: {
    readonly rawBody: string;
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
  }) => boolean;
  readonly settle: (report: ProviderReport) => Promise<void>;
}

export const CALLBACK_PROBLEMS = [
  'validation_failed',
  'body_too_large',
  'unsupported_media_type',
  'signature_invalid',
  'internal_error',
  'database_unavailable',
  'temporarily_unavailable',
] as const satisfies readonly ErrorCode[];

/** Takes a report into the ledger of the message's clinic. A message that we do not know is passed over in silence. */
export function createSettle(db: Db): Callbacks['settle'] {
  return async (report) => {
    const clinicId = await clinicOfNotification(db, report.notificationId);
    if (clinicId === undefined) return;
    await inContext(db, { clinicId }, (tx) => settleByCallback(tx, report));
  };
}
