import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { inContext, type Db } from '../../db/connection.ts';
import { clinicsOfNotifications } from '../../db/look-ups.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
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
    readonly rawBody: Buffer;
    readonly timestamp: string | undefined;
    readonly signature: string | undefined;
  }) => boolean;
  /** Takes every report it can. @throws the first error, once all were tried: the provider then sends them again, which is harmless */
  readonly settle: (reports: readonly ProviderReport[]) => Promise<void>;
}

export const CALLBACK_PROBLEMS = [
  'validation_failed',
  'body_too_large',
  'unsupported_media_type',
  'signature_invalid',
  'rate_limited',
  'internal_error',
  'database_unavailable',
  'temporarily_unavailable',
] as const satisfies readonly ErrorCode[];

/** What the callbacks' routes need. */
export interface CallbackRoutes {
  readonly callbacks: Callbacks;
  /** Counts a failed callback by its address. @throws RequestError `rate_limited` */
  readonly limit: (request: FastifyRequest, reply: FastifyReply) => Promise<void>;
}

/** What is not signed is counted by its address; what is goes on without a limit. */
export function limitUnsigned(app: FastifyInstance, limit: CallbackRoutes['limit']): void {
  app.setErrorHandler(async (error, request, reply) => {
    if (error instanceof AppError && error.code === 'signature_invalid') await limit(request, reply);
    throw error;
  });
}

/** Reports of one clinic that are taken in one transaction. */
const BATCH = 50;

/**
 * Takes reports into the ledgers of their clinics: in few transactions, and one by one where one of them stands in the way of the others. A message that
 * we do not know is passed over in silence.
 */
export function createSettle(db: Db): Callbacks['settle'] {
  return async (reports) => {
    const clinics = await clinicsOfNotifications(db, [...new Set(reports.map((report) => report.notificationId))]);
    const errors: unknown[] = [];
    for (const clinicId of new Set(clinics.values())) {
      const ofClinic = reports.filter((report) => clinics.get(report.notificationId) === clinicId);
      const settle = (some: readonly ProviderReport[]) =>
        inContext(db, { clinicId }, async (tx) => {
          for (const report of some) await settleByCallback(tx, report);
        });
      // By message, so that two batches at once take their locks in one order; those of one message stay in theirs.
      const sorted = ofClinic.toSorted((a, b) =>
        a.notificationId < b.notificationId ? -1 : Number(a.notificationId !== b.notificationId),
      );
      for (let from = 0; from < sorted.length; from += BATCH) {
        const batch = sorted.slice(from, from + BATCH);
        try {
          await settle(batch);
        } catch {
          for (const report of batch) await settle([report]).catch((error: unknown) => errors.push(error));
        }
      }
    }
    if (errors.length > 0) throw errors[0];
  };
}
