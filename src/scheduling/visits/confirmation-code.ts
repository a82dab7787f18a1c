import { violates } from '../../db/constraint-errors.ts';
import { confirmationCode, CONFIRMATION_CODE_BYTES } from '../../domain/confirmation-code.ts';
import type { SchedulingDeps } from '../act.ts';

/** For a new visit. */
export function drawConfirmationCode({ randomBytes }: Pick<SchedulingDeps, 'randomBytes'>): string {
  return confirmationCode(randomBytes(CONFIRMATION_CODE_BYTES));
}

/** A confirmation code that is drawn and that the clinic has already is drawn again. */
export async function drawAgain<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await attempt();
    } catch (error) {
      if (!violates(error, 'appointment_confirmation_code_unique') || tries >= 5) throw error;
    }
  }
}
