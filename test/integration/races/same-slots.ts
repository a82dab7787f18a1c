import { sql } from 'kysely';
import type { Connection } from '../../../src/db/connection.ts';
import { aClinic } from '../../support/builders.ts';
import { integrityFaults } from '../../support/integrity.ts';
import type { Dice } from '../../support/seed.ts';
import { withClients } from './clients.ts';
import { countOf } from './history.ts';
import { halfHour, patientsOf, providersOf } from './slots.ts';

/** One patient's request for one slot. */
export interface Claim {
  readonly clinicId: string;
  readonly patientId: string;
  readonly providerId: string;
  readonly appointmentTime: Date;
  readonly durationMinutes: number;
}

export interface SlotRace {
  readonly providers: number;
  readonly slotsEach: number;
  /** Patients of each provider: every one of them asks for every slot of the provider, so nobody is ever in two places. */
  readonly racers: number;
  /** Requests at once. */
  readonly clients: number;
}

/** Many patients for few slots, in random order. `ask` says `booked` or why not. */
export async function raceForSlots(
  owner: Connection,
  race: SlotRace,
  dice: Dice,
  ask: (claim: Claim) => Promise<string>,
): Promise<{ readonly answers: Readonly<Record<string, number>>; readonly faults: readonly string[] }> {
  const clinic = await aClinic(owner);
  const claims: Claim[] = [];
  for (const providerId of await providersOf(owner, clinic, race.providers)) {
    for (const patientId of await patientsOf(owner, clinic, race.racers)) {
      for (let n = 0; n < race.slotsEach; n += 1) {
        const appointmentTime = halfHour(clinic, n);
        claims.push({ clinicId: clinic.clinicId, patientId, providerId, appointmentTime, durationMinutes: 30 });
      }
    }
  }
  const answers: string[] = [];
  await withClients(race.clients, dice.shuffled(claims), async (claim) => answers.push(await ask(claim)));
  return {
    answers: countOf(answers),
    faults: [...(await slotFaults(owner, clinic.clinicId)), ...(await integrityFaults(owner))],
  };
}

/** Every slot of the race must have been booked, once. */
async function slotFaults(owner: Connection, clinicId: string): Promise<string[]> {
  const { rows } = await sql<{ slot: string; n: number }>`
    select provider_id || ' at ' || appointment_time as slot, count(*)::integer as n from appointment
    where clinic_id = ${clinicId} group by 1 having count(*) <> 1`.execute(owner.db);
  return rows.map(({ slot, n }) => `the slot of ${slot} was booked ${n} times`);
}
