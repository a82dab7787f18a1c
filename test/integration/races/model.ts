/*
 * One day of a clinic in its simplest form: who has which quarters of an hour. It knows nothing of locks, ranges or SQL, and is what the answers of the
 * doors are held against. Times are quarters since the day's first; a visit takes `[from, from + quarters)`.
 */

/** The day that every provider works. Between two visits of one provider a quarter stays free: their buffers. */
export const DAY = {
  providers: 2,
  patients: 3,
  quarters: 20,
  buffer: 1,
  mostVisits: 5,
  mostHolds: 5,
  mostAhead: 3,
  mostAheadWithProvider: 2,
} as const;

export type Command =
  | {
      readonly kind: 'book';
      readonly provider: number;
      readonly patient: number;
      readonly from: number;
      readonly quarters: number;
    }
  | {
      readonly kind: 'move';
      readonly visit: string;
      readonly version: number;
      readonly from?: number;
      readonly quarters?: number;
      readonly provider?: number;
    }
  | { readonly kind: 'cancel' | 'check-in' | 'complete' | 'no-show' | 'undo'; readonly visit: string }
  | {
      readonly kind: 'hold';
      readonly provider: number;
      readonly from: number;
      readonly quarters: number;
      readonly by: string;
    }
  | { readonly kind: 'book held'; readonly hold: string; readonly patient: number }
  | { readonly kind: 'release'; readonly hold: string };

export type Answer =
  | { readonly ok: true; readonly visit: string; readonly version: number }
  | { readonly ok: true; readonly hold: string }
  | { readonly ok: false; readonly code: string };

/** Which visit or hold an answer is about; empty for a refusal. */
export function idIn(answer: Answer): string {
  if (!answer.ok) return '';
  return 'visit' in answer ? answer.visit : answer.hold;
}

interface Time {
  readonly provider: number;
  readonly from: number;
  readonly quarters: number;
}

interface Visit extends Time {
  readonly patient: number;
  readonly status: 'SCHEDULED' | 'COMPLETED' | 'CANCELLED' | 'NO_SHOW';
  readonly checkedIn: boolean;
  readonly version: number;
}

interface Hold extends Time {
  readonly by: string;
  readonly isLive: boolean;
}

export interface Model {
  readonly visits: ReadonlyMap<string, Visit>;
  readonly holds: ReadonlyMap<string, Hold>;
}

export const NOTHING_BOOKED: Model = { visits: new Map(), holds: new Map() };

type Step = { readonly answer: Answer; readonly model: Model };

/**
 * What a command is answered, and what is so afterwards.
 * @param newId - of the visit or hold that it makes, if it makes one
 */
export function step(model: Model, command: Command, newId: string): Step {
  const refuse = (code: string): Step => ({ answer: { ok: false, code }, model });
  const put = (id: string, visit: Visit, changed = true): Step => ({
    answer: { ok: true, visit: id, version: visit.version },
    model: changed ? { ...model, visits: new Map(model.visits).set(id, visit) } : model,
  });
  const book = (time: Time, patient: number, hold?: string): Step => {
    const refusal = placeRefusal(
      without(model, hold),
      time,
      patient,
      ['at_clinic', 'with_provider'],
      hold !== undefined,
    );
    if (refusal !== undefined) return refuse(refusal);
    const visit: Visit = { ...timeOf(time), patient, status: 'SCHEDULED', checkedIn: false, version: 1 };
    const { answer, model: after } = put(newId, visit);
    return { answer, model: hold === undefined ? after : without(after, hold) };
  };

  switch (command.kind) {
    case 'book':
      return book(command, command.patient);
    case 'hold': {
      const refusal = holdRefusal(model, command);
      if (refusal !== undefined) return refuse(refusal);
      const hold = { ...timeOf(command), by: command.by, isLive: true };
      return { answer: { ok: true, hold: newId }, model: { ...model, holds: new Map(model.holds).set(newId, hold) } };
    }
    case 'book held': {
      const hold = model.holds.get(command.hold);
      if (hold === undefined) return refuse('not_found');
      return hold.isLive ? book(hold, command.patient, command.hold) : refuse('hold_gone');
    }
    case 'release':
      return model.holds.has(command.hold)
        ? { answer: { ok: true, hold: command.hold }, model: without(model, command.hold) }
        : refuse('not_found');
  }

  const visit = model.visits.get(command.visit);
  if (visit === undefined) return refuse('not_found');
  const change = (to: Partial<Visit>): Step => put(command.visit, { ...visit, ...to, version: visit.version + 1 });
  const nothing = (): Step => put(command.visit, visit, false);
  const isOpen = visit.status === 'SCHEDULED';

  switch (command.kind) {
    case 'move': {
      if (command.version !== visit.version) return refuse('version_mismatch');
      if (!isOpen) return refuse('appointment_not_scheduled');
      if (visit.checkedIn) return refuse('already_checked_in');
      const to = { ...visit, ...timeOf({ ...visit, ...command }) };
      if (to.from === visit.from && to.quarters === visit.quarters && to.provider === visit.provider) return nothing();
      const others = { ...model, visits: new Map([...model.visits].filter(([id]) => id !== command.visit)) };
      // One visit goes and one comes: only the number with another provider grows.
      const refusal = placeRefusal(others, to, visit.patient, to.provider === visit.provider ? [] : ['with_provider']);
      return refusal === undefined ? change(to) : refuse(refusal);
    }
    case 'cancel':
      if (visit.status === 'CANCELLED') return nothing();
      return isOpen ? change({ status: 'CANCELLED' }) : refuse('appointment_not_scheduled');
    case 'check-in':
      if (!isOpen) return refuse('appointment_not_scheduled');
      return visit.checkedIn ? nothing() : change({ checkedIn: true });
    case 'complete':
      if (visit.status === 'COMPLETED') return nothing();
      return visit.status === 'CANCELLED' ? refuse('appointment_not_scheduled') : change({ status: 'COMPLETED' });
    case 'no-show':
      if (visit.status === 'NO_SHOW') return nothing();
      if (visit.status === 'CANCELLED') return refuse('appointment_not_scheduled');
      return visit.checkedIn ? refuse('already_checked_in') : change({ status: 'NO_SHOW' });
    case 'undo':
      return visit.status === 'NO_SHOW' ? change({ status: 'SCHEDULED' }) : refuse('not_marked_no_show');
  }
}

type Limit = 'at_clinic' | 'with_provider';

/** The first refusal is told: who has the time, then the day's limit, then those on visits ahead. What was held had its place in the day. */
function placeRefusal(
  model: Model,
  time: Time,
  patient: number,
  limits: readonly Limit[],
  isHeld = false,
): string | undefined {
  return (
    outsideHours(time) ??
    slotTaken(model, time) ??
    patientBusy(model, time, patient) ??
    (isHeld ? undefined : dayFull(model, time)) ??
    tooManyAhead(model, time, patient, limits)
  );
}

function holdRefusal(model: Model, time: Time & { readonly by: string }): string | undefined {
  const held = [...model.holds.values()].filter((hold) => hold.isLive && hold.by === time.by);
  const tooMany = held.length >= DAY.mostHolds ? 'too_many_holds' : undefined;
  return outsideHours(time) ?? slotTaken(model, time) ?? dayFull(model, time) ?? tooMany;
}

function tooManyAhead(model: Model, time: Time, patient: number, limits: readonly Limit[]): string | undefined {
  const ahead = [...model.visits.values()].filter((visit) => visit.patient === patient && visit.status === 'SCHEDULED');
  if (limits.includes('at_clinic') && ahead.length >= DAY.mostAhead) return 'too_many_upcoming';
  const withProvider = ahead.filter((visit) => visit.provider === time.provider);
  const isTooMuch = limits.includes('with_provider') && withProvider.length >= DAY.mostAheadWithProvider;
  return isTooMuch ? 'too_many_upcoming_with_provider' : undefined;
}

function outsideHours({ from, quarters }: Time): 'outside_hours' | undefined {
  return from + quarters > DAY.quarters ? 'outside_hours' : undefined;
}

function slotTaken(model: Model, time: Time): 'slot_taken' | undefined {
  return takenBy(model, time.provider).some((other) => overlap(other, time, DAY.buffer)) ? 'slot_taken' : undefined;
}

function patientBusy(model: Model, time: Time, patient: number): 'patient_busy' | undefined {
  const own = [...model.visits.values()].filter((visit) => visit.patient === patient && visit.status !== 'CANCELLED');
  return own.some((other) => overlap(other, time)) ? 'patient_busy' : undefined;
}

function dayFull(model: Model, time: Time): 'day_full' | undefined {
  return takenBy(model, time.provider).length >= DAY.mostVisits ? 'day_full' : undefined;
}

/** A visit that was completed or missed keeps its time; only a cancelled one gives it back. */
function takenBy(model: Model, provider: number): Time[] {
  const visits = [...model.visits.values()].filter((visit) => visit.status !== 'CANCELLED');
  const holds = [...model.holds.values()].filter((hold) => hold.isLive);
  return [...visits, ...holds].filter((time) => time.provider === provider);
}

/** Half-open: visits that touch do not overlap, those of a provider when their buffers only touch. */
function overlap(a: Time, b: Time, buffer = 0): boolean {
  return a.from < b.from + b.quarters + buffer && b.from < a.from + a.quarters + buffer;
}

function without(model: Model, holdId: string | undefined): Model {
  const hold = holdId === undefined ? undefined : model.holds.get(holdId);
  if (holdId === undefined || hold === undefined) return model;
  return { ...model, holds: new Map(model.holds).set(holdId, { ...hold, isLive: false }) };
}

function timeOf({ provider, from, quarters }: Time): Time {
  return { provider, from, quarters };
}

/** Every visit as it stands, by id, in the form of `ModelledDay.visits`. */
export function visitsOf(model: Model): Map<string, string> {
  return new Map(
    [...model.visits].map(([id, { status, version, provider, patient, from, quarters }]) => [
      id,
      [status, version, provider, patient, from, quarters].join(' '),
    ]),
  );
}
