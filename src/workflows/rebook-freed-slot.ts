import { proxyActivities, setCurrentDetails, setHandler, upsertSearchAttributes } from '@temporalio/workflow';
import type { Activities } from '../activities/index.ts';
import type { FillOutcome } from '../activities/waitlist.ts';
import { overdue, type RebookFreedSlotInput } from './messages.ts';
import { searchAttributes } from './search-attributes.ts';

const { beginRound, fillRound } = proxyActivities<Pick<Activities, 'beginRound' | 'fillRound'>>({
  startToCloseTimeout: '30 seconds',
  retry: { initialInterval: '250 milliseconds', backoffCoefficient: 2, maximumInterval: '8 seconds' },
});

/** One freed slot looks for another patient: the best one who waits gets it, or it goes back to the public. */
export async function rebookFreedSlot(input: RebookFreedSlotInput): Promise<FillOutcome | undefined> {
  // Whoever says that it is late finds it at work: its activities are tried until they succeed.
  setHandler(overdue, () => undefined);

  const round = await beginRound.executeWithOptions({ summary: 'set the deadline' }, [input]);
  upsertSearchAttributes([
    { key: searchAttributes.clinicId, value: input.clinicId },
    { key: searchAttributes.providerId, value: round.providerId },
  ]);
  const slot = `slot of ${round.slotStart}`;
  if (round.state !== 'OPEN') {
    setCurrentDetails(`**${round.state}** before · ${slot}`);
    return undefined;
  }
  setCurrentDetails(`**OPEN** · ${slot} · kept until ${round.deadline}`);

  const result = await fillRound.executeWithOptions({ summary: 'book the best patient who waits' }, [input]);
  setCurrentDetails(
    result.outcome === 'filled'
      ? `**FILLED** · ${slot} · new appointment \`${result.appointmentId}\``
      : `**RELEASED** · ${slot} · ${result.reason}`,
  );
  return result;
}
