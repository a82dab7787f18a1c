import type { AppointmentRow } from '../db/appointments.ts';
import type { Act, SchedulingDeps } from '../scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../scheduling/visits/attend.ts';
import { bookAppointment, type Booked, type Booking } from '../scheduling/visits/book.ts';
import { bookSeries } from '../scheduling/visits/book-series.ts';
import { completeCallTask } from '../scheduling/sick-day/call-task.ts';
import { cancelAppointment, type Cancellation, type Cancelled } from '../scheduling/visits/cancel.ts';
import { cancelSeries } from '../scheduling/visits/cancel-series.ts';
import { changeClinic, changePolicy } from '../scheduling/registry/clinic.ts';
import { changePatient, createPatient } from '../scheduling/registry/patient.ts';
import { changeProvider, createProvider } from '../scheduling/registry/provider.ts';
import { changeHours, clearOverride, overrideDate } from '../scheduling/schedule/hours.ts';
import { addClosure, importClosures, removeClosure } from '../scheduling/schedule/closures.ts';
import { extendHold, placeHold, releaseHold } from '../scheduling/claims/hold.ts';
import { acceptMoveOffer, declineMoveOffer } from '../scheduling/sick-day/move-offer.ts';
import { moveAppointment, type Move } from '../scheduling/visits/move.ts';
import { moveSeries } from '../scheduling/visits/move-series.ts';
import { endRegistration, registerPatient } from '../scheduling/registry/registrations.ts';
import { addTimeOff, removeTimeOff } from '../scheduling/schedule/time-off.ts';
import { callInSick, pauseSickDay, resumeSickDay, stopSickDay } from '../scheduling/sick-day/sick-day.ts';
import { joinWaitlist, leaveWaitlist } from '../scheduling/waitlist/entries.ts';

/** Every change the API can make to the schedule: `src/scheduling` and nothing else. */
export interface Doors {
  readonly book: (act: Act, booking: Booking) => Promise<Booked>;
  readonly move: (act: Act, move: Move) => Promise<AppointmentRow>;
  readonly cancel: (act: Act, cancellation: Cancellation) => Promise<Cancelled>;
  readonly bookSeries: Door<typeof bookSeries>;
  readonly moveSeries: Door<typeof moveSeries>;
  readonly cancelSeries: Door<typeof cancelSeries>;
  readonly checkIn: Attend;
  readonly complete: Attend;
  readonly markNoShow: Attend;
  readonly undoNoShow: Attend;
  readonly placeHold: Door<typeof placeHold>;
  readonly extendHold: Door<typeof extendHold>;
  readonly releaseHold: Door<typeof releaseHold>;
  readonly joinWaitlist: Door<typeof joinWaitlist>;
  readonly leaveWaitlist: (act: Act, entry: { readonly entryId: string }) => Promise<void>;
  readonly callInSick: Door<typeof callInSick>;
  readonly pauseSickDay: Door<typeof pauseSickDay>;
  readonly resumeSickDay: Door<typeof resumeSickDay>;
  readonly stopSickDay: Door<typeof stopSickDay>;
  readonly acceptMoveOffer: Door<typeof acceptMoveOffer>;
  readonly declineMoveOffer: Door<typeof declineMoveOffer>;
  readonly completeCallTask: Door<typeof completeCallTask>;
  readonly changeClinic: Door<typeof changeClinic>;
  readonly changePolicy: Door<typeof changePolicy>;
  readonly createProvider: Door<typeof createProvider>;
  readonly changeProvider: Door<typeof changeProvider>;
  readonly changeHours: Door<typeof changeHours>;
  readonly overrideDate: Door<typeof overrideDate>;
  readonly clearOverride: Door<typeof clearOverride>;
  readonly addTimeOff: Door<typeof addTimeOff>;
  readonly removeTimeOff: Door<typeof removeTimeOff>;
  readonly addClosure: Door<typeof addClosure>;
  readonly removeClosure: Door<typeof removeClosure>;
  readonly importClosures: Door<typeof importClosures>;
  readonly createPatient: Door<typeof createPatient>;
  readonly changePatient: Door<typeof changePatient>;
  readonly registerPatient: Door<typeof registerPatient>;
  readonly endRegistration: Door<typeof endRegistration>;
}

/** A function of `src/scheduling` that needs nothing more but who acts and what they want. */
type Door<F> = F extends (deps: SchedulingDeps, ...args: infer Args) => infer Result
  ? (...args: Args) => Result
  : never;

export type Attend = Door<typeof checkIn>;

export function createDoors(deps: SchedulingDeps): Doors {
  return {
    book: (act, booking) => bookAppointment(deps, act, booking),
    move: (act, move) => moveAppointment(deps, act, move),
    cancel: (act, cancellation) => cancelAppointment(deps, act, cancellation),
    bookSeries: (act, booking, idempotency) => bookSeries(deps, act, booking, idempotency),
    moveSeries: (act, move) => moveSeries(deps, act, move),
    cancelSeries: (act, cancellation) => cancelSeries(deps, act, cancellation),
    checkIn: (act, visit) => checkIn(deps, act, visit),
    complete: (act, visit) => completeAppointment(deps, act, visit),
    markNoShow: (act, visit) => markNoShow(deps, act, visit),
    undoNoShow: (act, visit) => undoNoShow(deps, act, visit),
    placeHold: (act, slot, idempotency) => placeHold(deps, act, slot, idempotency),
    extendHold: (act, hold) => extendHold(deps, act, hold),
    releaseHold: (act, hold) => releaseHold(deps, act, hold),
    joinWaitlist: (act, wish, idempotency) => joinWaitlist(deps, act, wish, idempotency),
    leaveWaitlist: (act, entry) => leaveWaitlist(deps, act, entry),
    callInSick: (act, absence, idempotency) => callInSick(deps, act, absence, idempotency),
    pauseSickDay: (act, sickDay) => pauseSickDay(deps, act, sickDay),
    resumeSickDay: (act, sickDay) => resumeSickDay(deps, act, sickDay),
    stopSickDay: (act, sickDay) => stopSickDay(deps, act, sickDay),
    acceptMoveOffer: (act, offer) => acceptMoveOffer(deps, act, offer),
    declineMoveOffer: (act, offer) => declineMoveOffer(deps, act, offer),
    completeCallTask: (act, call) => completeCallTask(deps, act, call),
    changeClinic: (act, change) => changeClinic(deps, act, change),
    changePolicy: (act, change) => changePolicy(deps, act, change),
    createProvider: (act, provider, idempotency) => createProvider(deps, act, provider, idempotency),
    changeProvider: (act, change) => changeProvider(deps, act, change),
    changeHours: (act, hours) => changeHours(deps, act, hours),
    overrideDate: (act, override) => overrideDate(deps, act, override),
    clearOverride: (act, override) => clearOverride(deps, act, override),
    addTimeOff: (act, timeOff, idempotency) => addTimeOff(deps, act, timeOff, idempotency),
    removeTimeOff: (act, timeOff) => removeTimeOff(deps, act, timeOff),
    addClosure: (act, closure, idempotency) => addClosure(deps, act, closure, idempotency),
    removeClosure: (act, closure) => removeClosure(deps, act, closure),
    importClosures: (act, events, idempotency) => importClosures(deps, act, events, idempotency),
    createPatient: (act, patient, idempotency) => createPatient(deps, act, patient, idempotency),
    changePatient: (act, change) => changePatient(deps, act, change),
    registerPatient: (act, registrant) => registerPatient(deps, act, registrant),
    endRegistration: (act, registrant) => endRegistration(deps, act, registrant),
  };
}
