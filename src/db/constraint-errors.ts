import { AppError, ERROR_CODES, type ErrorCode } from '../domain/errors.ts';

/** Raised by our own functions with the error code as the message. */
const OUR_SQLSTATE = 'MC409';

const BY_CONSTRAINT: Readonly<Record<string, ErrorCode>> = {
  reservation_no_overlap: 'slot_taken',
  registration_patient: 'not_found',
  // A clinic that somebody named and that does not exist.
  registration_clinic_id_fkey: 'not_found',
  provider_clinic_id_fkey: 'not_found',
  audit_event_clinic_id_fkey: 'not_found',
  appointment_clinic_id_patient_id_fkey: 'not_found',
  appointment_series_clinic_id_patient_id_fkey: 'not_found',
  waitlist_entry_once: 'already_waiting',
  waitlist_entry_clinic_id_patient_id_fkey: 'not_found',
  waitlist_entry_clinic_id_provider_id_fkey: 'not_found',
};

/** Text that no column holds, or that is no value of its type: the schemas refuse and name it; what gets past them is bad input all the same. */
const UNSTORABLE: ReadonlySet<string> = new Set(['22P02', '22021', '22P05']);

/** Deadlock or serialization failure: the same transaction may succeed when it is run again. */
export function isRetryable(error: unknown): boolean {
  const code = sqlState(error);
  return code === '40001' || code === '40P01';
}

/** Did this unique constraint refuse? For values that are drawn anew and tried again. */
export function violates(error: unknown, constraint: string): boolean {
  const cause = error instanceof AppError ? error.cause : error;
  return (cause as { constraint?: string } | undefined)?.constraint === constraint;
}

/** Did a foreign key refuse? On deleting: other rows still refer to this one. */
export function isReferenced(error: unknown): boolean {
  return sqlState(error) === '23503';
}

/** The {@link AppError} for what PostgreSQL said; anything unknown is passed on unchanged. The constraint's DETAIL carries key values and is never copied. */
export function constraintError(error: unknown): unknown {
  if (error instanceof AppError) return error;
  const code = sqlState(error);
  if (code === undefined)
    return isConnectionLoss(error) ? new AppError('database_unavailable', {}, { cause: error }) : error;
  if (code === OUR_SQLSTATE) {
    const message = (error as { message: string }).message;
    const known = ERROR_CODES.find((candidate) => candidate === message);
    return known === undefined ? error : new AppError(known, {}, { cause: error });
  }
  const constraint = (error as { constraint?: string }).constraint;
  const mapped = constraint === undefined ? undefined : BY_CONSTRAINT[constraint];
  if (mapped !== undefined) return new AppError(mapped, {}, { cause: error });
  // 08 connection, 53 resources, 57P0x shutdown, 55P03 lock wait, 57014 time-out: the caller may come again. Whether anything was written is not known
  // where the connection was lost: the commit may have been done and only its answer not have arrived.
  if (/^(08|53|57P0|25P0[34])/.test(code)) return new AppError('database_unavailable', {}, { cause: error });
  if (UNSTORABLE.has(code)) return new AppError('validation_failed', {}, { cause: error });
  if (code === '55P03' || code === '57014') return new AppError('temporarily_unavailable', {}, { cause: error });
  return error;
}

function sqlState(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) ? code : undefined;
}

const LOST =
  /ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|ENOTFOUND|terminated|timeout|not queryable|Connection ended|closed/i;

function isConnectionLoss(error: unknown): boolean {
  const { code, message } = (error ?? {}) as { code?: string; message?: string };
  if (error instanceof AggregateError) return error.errors.some(isConnectionLoss);
  return LOST.test(code ?? '') || LOST.test(message ?? '');
}
