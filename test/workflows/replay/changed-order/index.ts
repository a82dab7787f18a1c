import { sleep } from '@temporalio/workflow';
import { appointment as present } from '../../../../src/workflows/appointment.ts';
import type { AppointmentInput } from '../../../../src/workflows/messages.ts';

/** The negative control: as if a release made the workflow wait before it plans, without `patched()`. */
export async function appointment(input: AppointmentInput): Promise<void> {
  await sleep('1 second');
  await present(input);
}
