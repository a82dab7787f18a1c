import fc from 'fast-check';
import { sql } from 'kysely';
import type { Connection } from '../../../src/db/connection.ts';
import { AppError } from '../../../src/domain/errors.ts';
import type { Act, SchedulingDeps } from '../../../src/scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../../../src/scheduling/visits/attend.ts';
import { bookAppointment } from '../../../src/scheduling/visits/book.ts';
import { cancelAppointment } from '../../../src/scheduling/visits/cancel.ts';
import { placeHold, releaseHold } from '../../../src/scheduling/claims/hold.ts';
import { moveAppointment } from '../../../src/scheduling/visits/move.ts';
import { aClinic, aPatient, aProvider, slotAt } from '../../support/builders.ts';
import { DAY, type Answer, type Command } from './model.ts';

/** The model's day as the product has it. */
export interface ModelledDay {
  /** Asks the doors; a refusal is an answer. @throws what is no refusal */
  readonly ask: (command: Command, requestId?: string) => Promise<Answer>;
  /** What the clients have been told of. */
  readonly known: { readonly visits: { readonly id: string; version: number }[]; readonly holds: string[] };
  /** Every visit as it stands, by id. */
  readonly visits: () => Promise<Map<string, string>>;
}

const QUARTER_MS = 15 * 60_000;
const DAYS_AHEAD = 4;

export async function aModelledDay(owner: Connection, deps: SchedulingDeps): Promise<ModelledDay> {
  const clinic = await aClinic(owner, {
    policy: {
      bufferBeforeMinutes: 5,
      bufferAfterMinutes: DAY.buffer * 15 - 5,
      maxUpcomingPerPatient: DAY.mostAhead,
      maxUpcomingPerProviderAndPatient: DAY.mostAheadWithProvider,
    },
  });
  const hours = { startTime: '08:00', endTime: '13:00', maxDailyAppointments: DAY.mostVisits };
  const providers = await Promise.all(Array.from({ length: DAY.providers }, () => aProvider(owner, clinic, hours)));
  const patients = await Promise.all(Array.from({ length: DAY.patients }, () => aPatient(owner, clinic)));
  const morning = slotAt(clinic, DAYS_AHEAD, '08:00').getTime();
  const known: ModelledDay['known'] = { visits: [], holds: [] };
  const heldBy = new Map<string, { by: string; provider: number; from: number; quarters: number }>();

  const at = (from: number): Date => new Date(morning + from * QUARTER_MS);
  const nth = (ids: readonly string[], n: number): string => ids[n] ?? '';
  const actAt = (now: Date, requestId: string | undefined): Act => ({
    actor: { kind: 'staff', id: 'desk' },
    clinicId: clinic.clinicId,
    now,
    ...(requestId === undefined ? {} : { requestId }),
  });
  const perform = async (command: Command, requestId: string | undefined): Promise<Answer> => {
    const act = actAt(new Date(), requestId);
    // Nobody is seen or missed before the hour: by then everybody's has struck, and everybody's is over.
    const late = actAt(at(DAY.quarters), requestId);
    const book = async (time: { provider: number; from: number; quarters: number }, patient: number, hold?: string) => {
      const held = hold === undefined ? {} : { hold: { holdId: hold, heldBy: heldBy.get(hold)?.by ?? '' } };
      const { appointmentId, version } = await bookAppointment(deps, act, {
        patientId: nth(patients, patient),
        providerId: nth(providers, time.provider),
        appointmentTime: at(time.from),
        durationMinutes: time.quarters * 15,
        registersPatient: false,
        ...held,
      });
      known.visits.push({ id: appointmentId, version });
      return { appointment_id: appointmentId, version };
    };
    const visitAnswer = (row: { appointment_id: string; version: number }): Answer => {
      const seen = known.visits.find(({ id }) => id === row.appointment_id);
      if (seen !== undefined) seen.version = Math.max(seen.version, row.version);
      return { ok: true, visit: row.appointment_id, version: row.version };
    };
    switch (command.kind) {
      case 'book':
        return visitAnswer(await book(command, command.patient));
      case 'book held': {
        const held = heldBy.get(command.hold);
        if (held === undefined) throw new Error('nobody was told of this hold');
        return visitAnswer(await book(held, command.patient, command.hold));
      }
      case 'hold': {
        const { hold } = await placeHold(deps, act, {
          providerId: nth(providers, command.provider),
          slotStart: at(command.from),
          durationMinutes: command.quarters * 15,
          heldBy: command.by,
        });
        heldBy.set(hold.hold_id, command);
        known.holds.push(hold.hold_id);
        return { ok: true, hold: hold.hold_id };
      }
      case 'release':
        await releaseHold(deps, act, { holdId: command.hold });
        return { ok: true, hold: command.hold };
      case 'move': {
        const after = await moveAppointment(deps, act, {
          appointmentId: command.visit,
          expectedVersion: command.version,
          ...(command.from === undefined ? {} : { appointmentTime: at(command.from) }),
          ...(command.quarters === undefined ? {} : { durationMinutes: command.quarters * 15 }),
          ...(command.provider === undefined ? {} : { providerId: nth(providers, command.provider) }),
        });
        return visitAnswer(after);
      }
      case 'cancel': {
        const wanted = { appointmentId: command.visit, reason: 'other' } as const;
        const { version } = await cancelAppointment(deps, act, wanted);
        return visitAnswer({ appointment_id: command.visit, version });
      }
      case 'check-in':
        return visitAnswer(await checkIn(deps, late, { appointmentId: command.visit }));
      case 'complete':
        return visitAnswer(await completeAppointment(deps, late, { appointmentId: command.visit }));
      case 'no-show':
        return visitAnswer(await markNoShow(deps, late, { appointmentId: command.visit }));
      case 'undo':
        return visitAnswer(await undoNoShow(deps, late, { appointmentId: command.visit }));
    }
  };
  return {
    known,
    ask: (command, requestId) =>
      perform(command, requestId).catch((error: unknown) => {
        if (error instanceof AppError) return { ok: false, code: error.code };
        throw error;
      }),
    visits: async () => {
      const { rows } = await sql<{ id: string; row: string }>`select appointment_id as id,
        concat_ws(' ', status, version, array_position(${providers}::uuid[], provider_id) - 1, array_position(${patients}::uuid[], patient_id) - 1,
          extract(epoch from appointment_time - ${new Date(morning)}::timestamptz)::integer / 900, duration_minutes / 15) as row
        from appointment where clinic_id = ${clinic.clinicId}`.execute(owner.db);
      return new Map(rows.map(({ id, row }) => [id, row]));
    },
  };
}

/** A command before it is known what there will be: visits and holds are told by their turn among the known ones. */
export type Intent =
  | {
      readonly kind: 'book';
      readonly provider: number;
      readonly patient: number;
      readonly from: number;
      readonly quarters: number;
    }
  | {
      readonly kind: 'move';
      readonly nth: number;
      readonly isStale: boolean;
      readonly from: number | undefined;
      readonly quarters: number | undefined;
      readonly provider: number | undefined;
    }
  | { readonly kind: 'cancel' | 'check-in' | 'complete' | 'no-show' | 'undo'; readonly nth: number }
  | {
      readonly kind: 'hold';
      readonly provider: number;
      readonly from: number;
      readonly quarters: number;
      readonly by: string;
    }
  | { readonly kind: 'book held'; readonly nth: number; readonly patient: number }
  | { readonly kind: 'release'; readonly nth: number };

const provider = fc.nat({ max: DAY.providers - 1 });
const patient = fc.nat({ max: DAY.patients - 1 });
const from = fc.nat({ max: DAY.quarters - 1 });
const quarters = fc.integer({ min: 1, max: 4 });
const nth = fc.nat({ max: 20 });
const maybe = <Value>(value: fc.Arbitrary<Value>) => fc.option(value, { nil: undefined });

/** What anybody may want, by kind: a kind is drawn more often when it is named more often. */
export const INTENTS: readonly fc.Arbitrary<Intent>[] = [
  ...Array.from({ length: 5 }, () =>
    fc.record({ kind: fc.constant('book' as const), provider, patient, from, quarters }),
  ),
  ...Array.from({ length: 4 }, () =>
    fc.record({
      kind: fc.constant('move' as const),
      nth,
      isStale: fc.nat({ max: 9 }).map((n) => n === 9),
      from: maybe(from),
      quarters: maybe(quarters),
      provider: maybe(provider),
    }),
  ),
  ...(['cancel', 'cancel', 'check-in', 'complete', 'no-show', 'undo'] as const).map((kind) =>
    fc.record({ kind: fc.constant(kind), nth }),
  ),
  ...Array.from({ length: 2 }, () =>
    fc.record({ kind: fc.constant('hold' as const), provider, from, quarters, by: fc.constantFrom('desk', 'patient') }),
  ),
  fc.record({ kind: fc.constant('book held' as const), nth, patient }),
  fc.record({ kind: fc.constant('release' as const), nth }),
];

/** The intent as a command; undefined while there is nothing that it could be about. */
export function commandOf(intent: Intent, known: ModelledDay['known']): Command | undefined {
  switch (intent.kind) {
    case 'book':
    case 'hold':
      return intent;
    case 'book held':
    case 'release': {
      const hold = known.holds[intent.nth % Math.max(known.holds.length, 1)];
      if (hold === undefined) return undefined;
      return intent.kind === 'release'
        ? { kind: 'release', hold }
        : { kind: 'book held', hold, patient: intent.patient };
    }
    default: {
      const visit = known.visits[intent.nth % Math.max(known.visits.length, 1)];
      if (visit === undefined) return undefined;
      if (intent.kind !== 'move') return { kind: intent.kind, visit: visit.id };
      return {
        kind: 'move',
        visit: visit.id,
        version: intent.isStale ? visit.version - 1 : visit.version,
        ...(intent.from === undefined ? {} : { from: intent.from }),
        ...(intent.quarters === undefined ? {} : { quarters: intent.quarters }),
        ...(intent.provider === undefined ? {} : { provider: intent.provider }),
      };
    }
  }
}
