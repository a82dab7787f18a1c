import { describe, expect, it } from '@jest/globals';
import type { Appointment } from 'fhir/r4.js';
import { appointmentResource, type AppointmentFacts } from '../../../src/integrations/fhir/appointment-resource.ts';
import {
  writeAppointments,
  type AppointmentToWrite,
  type WriteOutcome,
} from '../../../src/integrations/fhir/write-appointments.ts';
import { connectionFailure } from '../../../src/integrations/fhir/failure.ts';
import { facts } from './facts.ts';
import { createMemoryEhr, failureWith, type MemoryEhr, type Mishap } from './memory-ehr.ts';

const lost = connectionFailure(Object.assign(new TypeError('fetch failed'), { cause: { code: 'UND_ERR_SOCKET' } }));
const MOVED: Partial<AppointmentFacts> = { appointmentTime: new Date('2027-03-16T10:00:00Z'), version: 2 };
const says = (given: Partial<AppointmentFacts> = {}) => appointmentResource(facts(given), 'checked-in');

/** An appointment that the EHR has never been told of. */
function fresh(given: Partial<AppointmentFacts> = {}): AppointmentToWrite {
  const wanted = says(given);
  return { appointmentId: facts(given).appointmentId, wanted, known: null, unanswered: [] };
}

/** An appointment that the EHR was told of, and that has changed since. */
function changed(there: MemoryEhr, id: string, given: Partial<AppointmentFacts> = MOVED): AppointmentToWrite {
  const { version, resource } = there.put(id, says());
  return {
    ...fresh(given),
    known: { ehrId: id, ehrVersion: version, told: says(), stored: resource ?? null },
  };
}

async function outcomeOf(there: MemoryEhr, item: AppointmentToWrite): Promise<WriteOutcome> {
  const [outcome] = await writeAppointments(there.ehr, [item]);
  if (outcome === undefined) throw new Error('no outcome');
  return outcome;
}

const kinds = (outcomes: readonly WriteOutcome[]) => outcomes.map(({ kind }) => kind);

describe('telling an EHR of appointments', () => {
  it('creates what is new, without asking first where the server honours the condition', async () => {
    const there = createMemoryEhr();
    expect(await outcomeOf(there, fresh())).toMatchObject({
      kind: 'created',
      stored: { ehrId: 'ehr-1', ehrVersion: '1' },
    });
    expect(there.asked).toEqual([`create ${facts().appointmentId}`]);
  });

  it('asks first where the server does not', async () => {
    const there = createMemoryEhr({ capabilities: { conditionalCreate: false } });
    there.put('7', says());
    expect(await outcomeOf(there, fresh())).toMatchObject({ kind: 'unchanged', stored: { ehrId: '7' } });
    expect(there.asked).toEqual(['search']);
  });

  it('sends nothing when what it wants to say was said already', async () => {
    const there = createMemoryEhr();
    const item = changed(there, '7', { version: 3 });
    expect(await outcomeOf(there, item)).toMatchObject({ kind: 'unchanged', stored: { ehrId: '7' } });
    expect(there.asked).toEqual([]);
  });

  it('changes what it knows, and keeps what the EHR added', async () => {
    const there = createMemoryEhr();
    const { version, resource } = there.put('7', { ...says(), comment: 'bring the form' });
    const known = { ehrId: '7', ehrVersion: version, told: says(), stored: resource ?? null };
    expect(await outcomeOf(there, { ...fresh(MOVED), known })).toMatchObject({
      kind: 'updated',
      stored: { ehrVersion: '2' },
    });
    expect(there.resources.get('7')).toMatchObject({ start: '2027-03-16T10:00:00.000Z', comment: 'bring the form' });
  });

  it('reads and compares first where no version is known or none is honoured', async () => {
    const untold = createMemoryEhr();
    const item = changed(untold, '7');
    const known = item.known && { ...item.known, ehrVersion: null };
    expect((await outcomeOf(untold, { ...item, known })).kind).toBe('updated');

    const ignoring = createMemoryEhr({ capabilities: { ifMatchHonoured: false } });
    const other = changed(ignoring, '7');
    expect((await outcomeOf(ignoring, other)).kind).toBe('updated');
    ignoring.put('7', says({ appointmentTime: new Date('2027-03-17T08:00:00Z') }));
    expect(await outcomeOf(ignoring, other)).toEqual({ kind: 'parked', reason: 'changed_in_ehr' });

    expect(untold.asked).toEqual(['read 7', 'update 7']);
    expect(ignoring.asked).toEqual(['read 7', 'update 7', 'read 7']);
  });

  it('parks a no-show that the EHR lets nobody write', async () => {
    const there = createMemoryEhr({ capabilities: { noShowWritable: false } });
    const item = changed(there, '7', { status: 'NO_SHOW', version: 2 });
    expect(await outcomeOf(there, item)).toEqual({ kind: 'parked', reason: 'noshow_not_writable' });
    expect(there.asked).toEqual([]);
  });

  it('reads back what an answer without a body left open', async () => {
    const there = createMemoryEhr({ answersWithoutBody: true });
    expect(await outcomeOf(there, fresh())).toMatchObject({
      kind: 'created',
      stored: { resource: { status: 'booked' } },
    });
    expect(there.asked.at(-1)).toBe('read ehr-1');
  });

  it('parks what the EHR stored otherwise than it was told, and remembers where', async () => {
    const there = createMemoryEhr({ storedAs: (resource) => ({ ...resource, status: 'pending' }) });
    expect(await outcomeOf(there, fresh())).toMatchObject({
      kind: 'parked',
      reason: 'stored_as_pending',
      stored: { ehrId: 'ehr-1' },
    });
    const late = createMemoryEhr({ storedAs: (resource) => ({ ...resource, start: '2027-03-15T09:05:00Z' }) });
    expect(await outcomeOf(late, fresh())).toMatchObject({ kind: 'parked', reason: 'stored_at_another_time' });
  });

  it('is content once the EHR has confirmed what it stored as pending', async () => {
    const there = createMemoryEhr();
    const { version, resource } = there.put('7', { ...says(), status: 'pending' });
    there.put('7', says());
    const known = { ehrId: '7', ehrVersion: version, told: null, stored: resource ?? null };
    expect(await outcomeOf(there, { ...fresh(), known })).toMatchObject({
      kind: 'unchanged',
      stored: { ehrVersion: '2' },
    });
  });
});

describe('what is there is not as expected', () => {
  it('writes again after a change at the EHR that is none of ours', async () => {
    const there = createMemoryEhr();
    const item = changed(there, '7');
    there.put('7', { ...says(), comment: 'the patient called' });
    expect((await outcomeOf(there, item)).kind).toBe('updated');
    expect(there.resources.get('7')).toMatchObject({
      start: '2027-03-16T10:00:00.000Z',
      comment: 'the patient called',
    });
    expect(there.asked).toEqual(['update 7', 'read 7', 'update 7']);
  });

  it.each([409, 412])('parks what was changed on both sides, and overwrites nothing (%i)', async (status) => {
    const there = createMemoryEhr({
      mishap: (asked) => (asked === 'update 7' ? { before: failureWith(status) } : undefined),
    });
    const item = changed(there, '7');
    there.put('7', says({ appointmentTime: new Date('2027-03-17T08:00:00Z') }));
    expect(await outcomeOf(there, item)).toEqual({ kind: 'parked', reason: 'changed_in_ehr' });
    expect(there.resources.get('7')?.start).toBe('2027-03-17T08:00:00.000Z');
  });

  it('writes nothing when the EHR already says what we want to say', async () => {
    const there = createMemoryEhr();
    const item = changed(there, '7');
    there.put('7', says(MOVED));
    expect((await outcomeOf(there, item)).kind).toBe('unchanged');
    expect(there.resources.get('7')?.meta?.versionId).toBe('2');
  });

  it('decides anew at most twice', async () => {
    const there = createMemoryEhr({
      mishap: (asked) => (asked === 'update 7' ? { before: failureWith(412) } : undefined),
    });
    const outcome = await outcomeOf(there, changed(there, '7'));
    expect(outcome).toMatchObject({ kind: 'retry', failure: { status: 412 } });
    expect(there.asked.filter((asked) => asked === 'update 7')).toHaveLength(3);
  });

  it('takes the loser of a conditional create for what it is: somebody was faster', async () => {
    const there = createMemoryEhr({
      mishap: (asked) => (asked.startsWith('create') ? { before: failureWith(409) } : undefined),
    });
    there.put('7', says());
    expect(await outcomeOf(there, fresh())).toMatchObject({ kind: 'unchanged', stored: { ehrId: '7' } });
  });

  it('brings up to date what a create found there', async () => {
    const there = createMemoryEhr();
    there.put('7', says());
    expect(await outcomeOf(there, fresh(MOVED))).toMatchObject({ kind: 'updated', stored: { ehrId: '7' } });
    expect(there.resources.size).toBe(1);
  });

  it('parks what is there twice', async () => {
    const there = createMemoryEhr();
    there.put('7', says());
    there.put('8', says());
    expect(await outcomeOf(there, fresh())).toEqual({ kind: 'parked', reason: 'duplicate_in_ehr' });
  });

  it('creates anew what the EHR has lost, as after a restore', async () => {
    const there = createMemoryEhr();
    const item = changed(there, '7');
    there.resources.clear();
    expect(await outcomeOf(there, item)).toMatchObject({ kind: 'created', stored: { ehrId: 'ehr-1' } });
  });

  it('parks what somebody deleted there', async () => {
    const gone: Mishap = { before: failureWith(410) };
    const there = createMemoryEhr({ mishap: (asked) => (asked.endsWith(' 7') ? gone : undefined) });
    expect(await outcomeOf(there, changed(there, '7'))).toEqual({ kind: 'parked', reason: 'deleted_in_ehr' });
  });

  it('parks what it cannot read', async () => {
    const there = createMemoryEhr();
    there.put('7', { ...says(), status: 'no such status' as Appointment['status'] });
    expect(await outcomeOf(there, fresh())).toEqual({ kind: 'parked', reason: 'unreadable_in_ehr' });
  });
});

describe('an answer that was lost', () => {
  it('looks by our identifier before it sends anything again', async () => {
    const there = createMemoryEhr({
      mishap: (asked, count) => (asked.startsWith('create') && count === 1 ? { after: lost } : undefined),
    });
    expect(await outcomeOf(there, fresh())).toMatchObject({ kind: 'retry', failure: { mayHaveHappened: true } });
    const again = { ...fresh(), unanswered: [says()] };
    expect(await outcomeOf(there, again)).toMatchObject({ kind: 'created', stored: { ehrId: 'ehr-1' } });
    expect(there.resources.size).toBe(1);
    expect(there.asked.at(-1)).toBe('search');
  });

  it('goes on from its own unanswered write when the appointment has changed again since', async () => {
    const there = createMemoryEhr();
    const item = changed(there, '7', { appointmentTime: new Date('2027-03-18T10:00:00Z'), version: 3 });
    there.put('7', says(MOVED));
    const outcome = await outcomeOf(there, { ...item, unanswered: [says(MOVED)] });
    expect(outcome).toMatchObject({ kind: 'updated', stored: { resource: { start: '2027-03-18T10:00:00.000Z' } } });
  });

  it('parks what somebody changed at the EHR after the unanswered write', async () => {
    const there = createMemoryEhr();
    there.put('7', says({ status: 'CANCELLED', cancelReason: 'other' }));
    const outcome = await outcomeOf(there, { ...fresh(MOVED), unanswered: [says()] });
    expect(outcome).toEqual({ kind: 'parked', reason: 'changed_in_ehr' });
  });
});

describe('many at once', () => {
  const ids = Array.from({ length: 5 }, (_, index) => `019a8f00-0000-7000-8000-00000000010${index}`);
  const five = ids.map((appointmentId) => fresh({ appointmentId }));
  const entry = (index: number) => `entry: create ${ids[index] ?? ''}`;

  it('goes in one batch, and each has the outcome that is its own', async () => {
    const there = createMemoryEhr({
      mishap: (asked) =>
        (asked as string) === entry(1)
          ? { before: failureWith(422) }
          : (asked as string) === entry(3)
            ? { before: failureWith(429) }
            : undefined,
    });
    const outcomes = await writeAppointments(there.ehr, five);
    expect(kinds(outcomes)).toEqual(['created', 'parked', 'created', 'retry', 'created']);
    expect(there.asked).toEqual(['batch of 5']);
  });

  it.each([400, 422, 413, 405, 409])('goes one by one when the batch is refused as a whole with %i', async (status) => {
    const there = createMemoryEhr({
      mishap: (asked) =>
        asked.startsWith('batch') || asked === `create ${ids[2] ?? ''}`
          ? { before: failureWith(asked.startsWith('batch') ? status : 422) }
          : undefined,
    });
    expect(kinds(await writeAppointments(there.ehr, five))).toEqual([
      'created',
      'created',
      'parked',
      'created',
      'created',
    ]);
    expect(there.asked).toHaveLength(6);
  });

  it('goes one by one where the EHR takes no batch, or when told to', async () => {
    const without = createMemoryEhr({ capabilities: { batch: false } });
    await writeAppointments(without.ehr, five);
    const told = createMemoryEhr();
    await writeAppointments(told.ehr, five, { oneByOne: true });
    for (const { asked } of [without, told]) expect(asked).toEqual(ids.map((id) => `create ${id}`));
  });

  it('knows nothing of any of them when the answer to the batch is lost', async () => {
    const there = createMemoryEhr({ mishap: (asked) => (asked.startsWith('batch') ? { after: lost } : undefined) });
    const outcomes = await writeAppointments(there.ehr, five);
    expect(outcomes).toEqual(five.map(() => ({ kind: 'retry', failure: lost })));
    expect(there.asked).toEqual(['batch of 5']);
    const again = await writeAppointments(
      there.ehr,
      five.map((item) => ({ ...item, unanswered: [item.wanted] })),
    );
    expect(kinds(again)).toEqual(five.map(() => 'created'));
    expect(there.resources.size).toBe(5);
  });

  it('sends nothing more once the server is away, and says that the rest was not sent', async () => {
    const there = createMemoryEhr({
      capabilities: { batch: false },
      mishap: (asked) => (asked === `create ${ids[1] ?? ''}` ? { before: lost } : undefined),
    });
    const outcomes = await writeAppointments(there.ehr, five);
    expect(kinds(outcomes)).toEqual(['created', 'retry', 'retry', 'retry', 'retry']);
    expect(outcomes.slice(1).map((one) => one.kind === 'retry' && one.failure.mayHaveHappened)).toEqual([
      true,
      false,
      false,
      false,
    ]);
    expect(there.asked).toHaveLength(2);
  });

  it('shows that it is alive after every request', async () => {
    const there = createMemoryEhr();
    let beats = 0;
    await writeAppointments(there.ehr, five, { oneByOne: true, onProgress: () => (beats += 1) });
    expect(beats).toBe(5);
  });
});
