import { sleep } from '@temporalio/workflow';
import { appointment as present } from '../../../../src/workflows/appointment.ts';
import type { AppointmentInput, SickDayInput } from '../../../../src/workflows/messages.ts';
import { sickDay as presentSickDay } from '../../../../src/workflows/sick-day.ts';

/** The negative control: as if a release made the workflow wait before it plans, without `patched()`. */
export async function appointment(input: AppointmentInput): Promise<void> {
  await sleep('1 second');
  await present(input);
}

export async function sickDay(input: SickDayInput) {
  await sleep('1 second');
  return presentSickDay(input);
}
