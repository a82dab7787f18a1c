import { patched, setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { appointment as released } from '../../../../src/workflows/appointment.ts';
import type { AppointmentInput } from '../../../../src/workflows/messages.ts';
import { searchAttributes } from '../../../../src/workflows/search-attributes.ts';

/** The next release of a workflow whose first command is another one, guarded so that those which run already go on as they began. */
export async function appointment(input: AppointmentInput): Promise<void> {
  if (patched('clinic-before-plan'))
    upsertSearchAttributes([{ key: searchAttributes.clinicId, value: input.clinicId }]);
  else setCurrentDetails('as it began');
  await released(input);
}
