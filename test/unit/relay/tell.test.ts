import { describe, expect, it } from '@jest/globals';
import type { OutboxRow } from '../../../src/db/outbox-leases.ts';
import type { WorkflowCalls } from '../../../src/integrations/temporal/workflow-calls.ts';
import { tell } from '../../../src/relay/tell.ts';
import { VOCABULARY, type AggregateWorkflow } from '../../../src/workflows/messages.ts';

type Vocabulary = Readonly<Record<string, AggregateWorkflow>>;

function aRow(given: Partial<OutboxRow>): OutboxRow {
  return {
    outboxId: '1',
    clinicId: 'clinic-1',
    aggregate: 'appointment',
    aggregateId: 'id-1',
    event: 'booked',
    version: 1,
    schemaVersion: 1,
    requestId: 'request-1',
    attempts: 1,
    ageSeconds: 0,
    lease: '',
    ...given,
  };
}

/** Notes what would have been called. */
function notedCalls() {
  const noted: unknown[][] = [];
  const note = (...call: unknown[]) => {
    noted.push(call);
    return Promise.resolve({ outcome: 'done' as const });
  };
  const calls: WorkflowCalls = {
    start: ({ workflowType, workflowId, taskQueue, input }) =>
      note('start', workflowType, workflowId, taskQueue, input),
    signalWithStart: ({ workflowId, taskQueue, input }, signal) =>
      note('signalWithStart', workflowId, taskQueue, input, signal),
    signalIfRunning: (workflowId, signal) => note('signalIfRunning', workflowId, signal),
  };
  return { noted, calls };
}

const every = (vocabulary: Vocabulary) =>
  Object.entries(vocabulary).flatMap(([aggregate, { events }]) =>
    Object.keys(events).map((event) => ({ aggregate, event })),
  );

describe('telling Temporal of an outbox row', () => {
  it.each([
    ['booked', ['start', 'appointment', 'appointment-id-1', 'appointments', anInput({ appointmentId: 'id-1' })]],
    [
      'cancelled',
      [
        'signalWithStart',
        'appointment-id-1',
        'appointments',
        anInput({ appointmentId: 'id-1' }),
        { name: 'cancelled', args: [{ version: 1 }] },
      ],
    ],
    ['completed', ['signalIfRunning', 'appointment-id-1', { name: 'completed', args: [{ version: 1 }] }]],
    [
      'notificationSettled',
      [
        'signalWithStart',
        'appointment-id-1',
        'appointments',
        anInput({ appointmentId: 'id-1' }),
        { name: 'notificationSettled', args: [] },
      ],
    ],
  ])('%s', async (event, call) => {
    const { noted, calls } = notedCalls();
    expect(await tell(calls, aRow({ event }))).toEqual({ outcome: 'done' });
    expect(noted).toEqual([call]);
  });

  it('asks for a sync of the clinic, on the queue that delays no reminder', async () => {
    const { noted, calls } = notedCalls();
    await tell(calls, aRow({ aggregate: 'ehr_sync', event: 'requested', requestId: null }));
    expect(noted).toEqual([
      [
        'signalWithStart',
        'sync-ehr-clinic-1',
        'sync',
        { trigger: 'on_demand', runId: 'id-1', clinicId: 'clinic-1' },
        { name: 'requested', args: [] },
      ],
    ]);
  });

  it('refuses a change that does not say which version it made, and asks Temporal nothing', async () => {
    const { noted, calls } = notedCalls();
    expect(await tell(calls, aRow({ event: 'cancelled', version: null }))).toEqual({
      outcome: 'refused',
      code: 'version_missing',
    });
    expect(noted).toEqual([]);
  });

  it.each([
    ['unknown_schema_version', { schemaVersion: 2 }],
    ['unknown_aggregate', { aggregate: 'toString' }],
    ['unknown_event', { event: 'constructor' }],
  ])('says that it does not know the word: %s', async (reason, given) => {
    const { noted, calls } = notedCalls();
    expect(await tell(calls, aRow(given))).toEqual({ outcome: 'unknown', reason });
    expect(noted).toEqual([]);
  });
});

describe('two releases side by side', () => {
  // The one before: it knows no rounds, and one event less of appointments.
  const before: Vocabulary = {
    ...without(VOCABULARY, 'round'),
    appointment: { ...VOCABULARY.appointment, events: without(VOCABULARY.appointment.events, 'noticeTakenOver') },
  };

  it('this one tells every word of the one before', async () => {
    const { noted, calls } = notedCalls();
    for (const word of every(before)) expect(await tell(calls, aRow(word))).toEqual({ outcome: 'done' });
    expect(noted).toHaveLength(every(before).length);
  });

  it('the one before tells what it knows of this one, and leaves the rest to it', async () => {
    const { calls } = notedCalls();
    const outcomes = new Map<string, string>();
    for (const { aggregate, event } of every(VOCABULARY)) {
      const { outcome } = await tell(calls, aRow({ aggregate, event }), before);
      if (outcome !== 'done') outcomes.set(`${aggregate} ${event}`, outcome);
    }
    expect(outcomes).toEqual(
      new Map([
        ['appointment noticeTakenOver', 'unknown'],
        ['round overdue', 'unknown'],
      ]),
    );
  });
});

function without<T>(table: Readonly<Record<string, T>>, key: string): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(table).filter(([name]) => name !== key));
}

function anInput(about: object) {
  return { ...about, clinicId: 'clinic-1', requestId: 'request-1' };
}
