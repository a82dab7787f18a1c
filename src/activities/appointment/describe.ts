import { localDate, localTime } from '../../domain/time-zone.ts';
import type { NextAction } from '../../domain/appointment-plan.ts';
import type { Situation } from './read.ts';

/** The state of an appointment for the operator who opens its workflow in the Temporal Web UI: ids, states and instants, never whom it is about. */
export function describeAppointment(situation: Situation, openRoundIds: readonly string[]): string {
  const { row, timeZone, ledger, plan } = situation;
  const at = (instant: number) =>
    `${localDate(timeZone, instant)} ${localTime(timeZone, instant)} (${new Date(instant).toISOString()})`;

  const lines = [
    `**${row.status}** · version ${row.version}${row.checked_in_at === null ? '' : ' · checked in'}`,
    '',
    `- visit: ${at(row.appointment_time.getTime())}, ${row.duration_minutes} min, ${timeZone}`,
    `- next: ${describeAction(plan.action, at)}${plan.action.kind === 'none' && row.status === 'SCHEDULED' ? ': nobody marked it, it is on the day-end list' : ''}`,
    `- reminders: ${plan.reminderState}`,
    ...(row.announced_by === null
      ? []
      : [`- told by another visit of the series: \`appointment-${row.announced_by}\``]),
    ...openRoundIds.map((roundId) => `- freed slot offered to the waitlist: \`rebook-${roundId}\``),
  ];
  if (ledger.length > 0) {
    lines.push('', '| message | channel | state | due |', '|---|---|---|---|');
    for (const entry of ledger)
      lines.push(`| ${entry.kind} | ${entry.channel} | ${entry.state} | ${entry.due_at.toISOString()} |`);
  }
  return lines.join('\n');
}

function describeAction(action: NextAction, at: (instant: number) => string): string {
  switch (action.kind) {
    case 'none':
      return 'nothing, the workflow ends';
    case 'notify':
      return `send ${action.notificationKind}, due ${at(action.at)}`;
    case 'complete':
      return `complete the visit, whose patient is here, ${at(action.at)}`;
    case 'day_end_list':
      return `on the day-end list if nobody marks it, ${at(action.at)}`;
  }
}
