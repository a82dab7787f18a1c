import { sql } from 'kysely';
import type { Connection } from '../../../src/db/connection.ts';
import { aClinic } from '../../support/builders.ts';
import { integrityFaults } from '../../support/integrity.ts';
import type { Dice } from '../../support/seed.ts';
import { withClients } from './clients.ts';
import { halfHour, patientsOf, providersOf } from './slots.ts';
import type { Claim } from './same-slots.ts';

/** What one request under a key was answered. `whole` is everything that a client can see of a success. */
export type KeyedAnswer =
  | { readonly outcome: 'booked'; readonly whole: string; readonly replayed: boolean }
  | { readonly outcome: 'refused'; readonly code: string };

export interface KeyRace {
  readonly keys: number;
  /** Requests in parallel under each key. */
  readonly each: number;
  /** Keys at once. */
  readonly clients: number;
}

/** Slots of one provider, and the patients who share them, so that nobody is in two places. */
const SLOTS_EACH = 100;
const PATIENTS_EACH = 25;
/** In progress is told for as long as the first request runs: an answer must come before a client gives up. */
const RETRIES = 1_000;

/**
 * The same request many times at once under each of many keys, and then another body under the key. Every key must book once and answer everybody alike.
 * Returns what is wrong, and how often a request came while the first was running.
 */
export async function raceForKeys(
  owner: Connection,
  race: KeyRace,
  dice: Dice,
  ask: (claim: Claim, key: string) => Promise<KeyedAnswer>,
): Promise<{ readonly faults: readonly string[]; readonly inProgress: number; readonly booked: number }> {
  const { clinicId, claims } = await someClaims(owner, race.keys);
  const faults: string[] = [];
  let inProgress = 0;
  const askUntilSettled = async (claim: Claim, key: string): Promise<KeyedAnswer> => {
    for (let tries = 1; ; tries += 1) {
      const answer = await ask(claim, key);
      if (answer.outcome === 'booked' || answer.code !== 'idempotency_in_progress' || tries >= RETRIES) return answer;
      inProgress += 1;
    }
  };
  await withClients(race.clients, dice.shuffled([...claims.entries()]), async ([key, claim]) => {
    const answers = await Promise.all(Array.from({ length: race.each }, () => askUntilSettled(claim, key)));
    const other = await ask({ ...claim, durationMinutes: claim.durationMinutes - 15 }, key);
    faults.push(...faultsOf(key, answers, other));
  });
  const { rows } = await sql<{ booked: number }>`select count(*)::integer as booked from appointment
    where clinic_id = ${clinicId}`.execute(owner.db);
  return { faults: [...faults, ...(await integrityFaults(owner))], inProgress, booked: rows[0]?.booked ?? 0 };
}

function faultsOf(key: string, answers: readonly KeyedAnswer[], other: KeyedAnswer): string[] {
  const refusals = answers.flatMap((answer) => (answer.outcome === 'refused' ? [answer.code] : []));
  const successes = answers.flatMap((answer) => (answer.outcome === 'booked' ? [answer] : []));
  const different = new Set(successes.map((answer) => answer.whole)).size;
  const first = successes.filter((answer) => !answer.replayed).length;
  return [
    ...(refusals.length > 0
      ? [`${key}: ${refusals.length} time(s) refused with ${[...new Set(refusals)].join()}`]
      : []),
    ...(different > 1 ? [`${key}: ${different} different answers`] : []),
    ...(successes.length > 0 && first !== 1 ? [`${key}: ${first} answers say that they are the first`] : []),
    ...(other.outcome === 'refused' && other.code === 'idempotency_mismatch'
      ? []
      : [`${key}: another body was ${other.outcome === 'booked' ? 'booked' : `refused with ${other.code}`}`]),
  ];
}

async function someClaims(owner: Connection, keys: number): Promise<{ clinicId: string; claims: Map<string, Claim> }> {
  const clinic = await aClinic(owner);
  const claims = new Map<string, Claim>();
  for (const providerId of await providersOf(owner, clinic, Math.ceil(keys / SLOTS_EACH))) {
    const patients = await patientsOf(owner, clinic, PATIENTS_EACH);
    for (let n = 0; n < SLOTS_EACH && claims.size < keys; n += 1) {
      const patientId = patients[n % PATIENTS_EACH] ?? '';
      const appointmentTime = halfHour(clinic, n);
      const claim = { clinicId: clinic.clinicId, patientId, providerId, appointmentTime, durationMinutes: 30 };
      claims.set(`key-${claims.size + 1}`, claim);
    }
  }
  return { clinicId: clinic.clinicId, claims };
}
