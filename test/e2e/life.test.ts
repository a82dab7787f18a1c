import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { answerOf, findSlots, logIn } from '../../scripts/local/client.ts';
import { workflowIds } from '../../src/workflows/messages.ts';
import { searchAttributes } from '../../src/workflows/search-attributes.ts';
import { eventually } from '../support/eventually.ts';
import {
  book,
  cancel,
  CLINIC,
  delivered,
  ledger,
  messagesTo,
  nextAction,
  patient,
  providerId,
  readAppointment,
  startTestSystem,
  workflowClock,
  type TestSystem,
} from './support.ts';

describe('the life of an appointment', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await startTestSystem();
  }, 120_000);
  afterAll(() => system.close(), 60_000);

  const slot = async (days: number, provider: number, index = 0) => {
    const { starts } = await findSlots(system.desk, providerId(provider), days);
    const start = starts[index];
    if (start === undefined) throw new Error('no slot');
    return start;
  };

  /** The patient has a message before the callback about it has reached the ledger. */
  const ledgerBecomes = (appointmentId: string, lines: readonly string[]) =>
    eventually(async () => expect(await ledger(system, appointmentId)).toEqual(lines));

  it('reminds three days, one day and two hours before, each once, and leaves what nobody marked to the day-end list', async () => {
    const appointmentId = await book(system, 20, await slot(10, 0), 0);
    const clock = workflowClock(system, appointmentId);
    await delivered(system, 20, 1);
    for (const [index, kind] of ['reminder:P3D', 'reminder:P1D', 'reminder:PT2H'].entries()) {
      await clock.to((await nextAction(system, appointmentId, kind)) + 1_000);
      await delivered(system, 20, index + 2);
    }
    await clock.to((await nextAction(system, appointmentId, 'day_end_list')) + 1_000);
    await system.temporal.workflow.getHandle(workflowIds.appointment(appointmentId)).result();
    expect(await readAppointment(system, appointmentId)).toMatchObject({ status: 'SCHEDULED', nextAction: null });
    expect(await messagesTo(system, 20)).toHaveLength(4);
    await ledgerBecomes(appointmentId, [
      'confirmation DELIVERED',
      'reminder:P3D DELIVERED',
      'reminder:P1D DELIVERED',
      'reminder:PT2H DELIVERED',
    ]);
  }, 120_000);

  it('moved past a reminder, reminds for the new time and never for the old one', async () => {
    const appointmentId = await book(system, 21, await slot(10, 1), 1);
    const clock = workflowClock(system, appointmentId);
    await delivered(system, 21, 1);
    await clock.to((await nextAction(system, appointmentId, 'reminder:P3D')) + 1_000);
    await delivered(system, 21, 2);
    await nextAction(system, appointmentId, 'reminder:P1D');

    const moved = await system.desk.PATCH('/api/v1/appointments/{appointmentId}', {
      params: { path: { appointmentId }, header: { 'if-match': '"1"' } },
      body: { appointmentTime: await slot(14, 1) },
    });
    expect(moved.response.status).toBe(200);
    await delivered(system, 21, 3);
    for (const [index, kind] of ['reminder:P3D', 'reminder:P1D', 'reminder:PT2H'].entries()) {
      await clock.to((await nextAction(system, appointmentId, kind)) + 1_000);
      await delivered(system, 21, index + 4);
    }
    await clock.to((await nextAction(system, appointmentId, 'day_end_list')) + 1_000);
    await system.temporal.workflow.getHandle(workflowIds.appointment(appointmentId)).result();
    await ledgerBecomes(appointmentId, [
      'confirmation DELIVERED',
      'reminder:P3D DELIVERED',
      'rescheduled DELIVERED',
      'reminder:P3D DELIVERED',
      'reminder:P1D DELIVERED',
      'reminder:PT2H DELIVERED',
    ]);
    expect(await messagesTo(system, 21)).toHaveLength(6);
  }, 120_000);

  it('cancelled just before a reminder fires, sends the notice and not the reminder', async () => {
    const appointmentId = await book(system, 22, await slot(10, 2), 2);
    const clock = workflowClock(system, appointmentId);
    await delivered(system, 22, 1);
    await clock.to((await nextAction(system, appointmentId, 'reminder:P3D')) - 30_000);
    await cancel(system, appointmentId);
    await system.temporal.workflow.getHandle(workflowIds.appointment(appointmentId)).result();
    await delivered(system, 22, 2);
    await ledgerBecomes(appointmentId, ['confirmation DELIVERED', 'cancelled DELIVERED']);
  }, 120_000);

  it('cancelled, gives the slot to the waiting patient and tells both', async () => {
    const startsAt = await slot(7, 0, 3);
    const appointmentId = await book(system, 24, startsAt, 0);
    await delivered(system, 24, 1);
    const waiting = await logIn(system, `${CLINIC.slug}-patient-6`);
    await answerOf(
      waiting.POST('/api/v1/waitlist-entries', {
        body: {
          patientId: patient(6).patientId,
          providerId: providerId(0),
          durationMinutes: 30,
          earliestDate: startsAt.slice(0, 10),
          latestDate: new Date(Date.parse(startsAt) + 86_400_000).toISOString().slice(0, 10),
        },
      }),
    );
    await cancel(system, appointmentId);
    const found = await eventually(async () => {
      const { appointments } = await answerOf(waiting.GET('/api/v1/appointments'));
      expect(appointments).toHaveLength(1);
      return appointments[0];
    });
    expect(found).toMatchObject({ status: 'SCHEDULED', bookedVia: 'waitlist' });
    expect(Date.parse(found?.appointmentTime ?? '')).toBe(Date.parse(startsAt));
    await delivered(system, 6, 1);
    await delivered(system, 24, 2);
  }, 120_000);

  it('shows the operator readable search attributes and details', async () => {
    const appointmentId = await book(system, 25, await slot(9, 0, 5), 0);
    await nextAction(system, appointmentId, 'reminder:P3D');
    const handle = system.temporal.workflow.getHandle(workflowIds.appointment(appointmentId));
    await eventually(async () => {
      const { typedSearchAttributes } = await handle.describe();
      expect([
        typedSearchAttributes.get(searchAttributes.clinicId),
        typedSearchAttributes.get(searchAttributes.appointmentStatus),
        typedSearchAttributes.get(searchAttributes.reminderState),
      ]).toEqual([CLINIC.clinicId, 'SCHEDULED', 'PLANNED']);
      expect(JSON.stringify(typedSearchAttributes)).not.toContain(patient(25).familyName);
    });
  }, 60_000);
});
