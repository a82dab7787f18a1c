import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { inContext } from '../../../src/db/connection.ts';
import { insertClosures } from '../../../src/db/schedule-rules.ts';
import { loadProviderSchedule } from '../../../src/db/schedules.ts';
import { aClinic, aProvider, type Clinic } from '../../support/builders.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

describe('a provider’s schedule', () => {
  let database: TestDatabase;
  let clinic: Clinic;

  beforeAll(async () => {
    database = await createTestDatabase();
    clinic = await aClinic(database.owner);
  });
  afterAll(() => database.drop());

  const aClosure = (closure: { from_date: string; to_date: string; name: string; yearly?: boolean }) =>
    database.owner.db
      .insertInto('closure')
      .values({ closure_id: randomUUID(), clinic_id: clinic.clinicId, ...closure })
      .execute();

  it('has the closures to come, and yearly ones whenever they began', async () => {
    const providerId = await aProvider(database.owner, clinic);
    await aClosure({ from_date: '2001-05-01', to_date: '2001-05-01', name: 'Over' });
    await aClosure({ from_date: '2001-12-25', to_date: '2001-12-26', name: 'Christmas', yearly: true });
    await aClosure({ from_date: '2999-05-01', to_date: '2999-05-02', name: 'To come' });
    const schedule = await inContext(database.app.db, { clinicId: clinic.clinicId }, (tx) =>
      loadProviderSchedule(tx, providerId),
    );
    expect(schedule?.closures).toEqual([
      { fromDate: '2001-12-25', toDate: '2001-12-26', name: 'Christmas', yearly: true },
      { fromDate: '2999-05-01', toDate: '2999-05-02', name: 'To come', yearly: false },
    ]);
  });

  it('takes more closures at once than a statement takes parameters', async () => {
    const own = await aClinic(database.owner);
    const closures = Array.from({ length: 10_000 }, (_, index) => ({
      closureId: randomUUID(),
      fromDate: '2999-05-01',
      toDate: '2999-05-02',
      name: 'Works',
      yearly: false,
      calendarUid: index === 0 ? null : `event-${index}`,
    }));
    await inContext(database.app.db, { clinicId: own.clinicId }, (tx) => insertClosures(tx, own.clinicId, closures));
    const stored = await database.owner.db
      .selectFrom('closure')
      .select(['closure_id', 'from_date', 'to_date', 'name', 'yearly', 'calendar_uid'])
      .where('clinic_id', '=', own.clinicId)
      .execute();
    expect(stored).toHaveLength(closures.length);
    expect(stored).toContainEqual({
      closure_id: closures[0]?.closureId,
      from_date: '2999-05-01',
      to_date: '2999-05-02',
      name: 'Works',
      yearly: false,
      calendar_uid: null,
    });
  });

  it('has no yearly closure that never ends', async () => {
    const endless = { from_date: '2026-01-01', to_date: '2027-01-01', name: 'Gone', yearly: true };
    await expect(aClosure(endless)).rejects.toMatchObject({ code: '23514' });
    await aClosure({ ...endless, to_date: '2026-12-31' });
  });
});
