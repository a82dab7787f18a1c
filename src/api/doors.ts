import type { SchedulingDeps } from '../scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../scheduling/visits/attend.ts';
import { bookAppointment } from '../scheduling/visits/book.ts';
import { bookSeries } from '../scheduling/visits/book-series.ts';
import { completeCallTask } from '../scheduling/sick-day/call-task.ts';
import { cancelAppointment } from '../scheduling/visits/cancel.ts';
import { cancelSeries } from '../scheduling/visits/cancel-series.ts';
import { changeClinic, changePolicy } from '../scheduling/registry/clinic.ts';
import { changePatient, createPatient } from '../scheduling/registry/patient.ts';
import { changeProvider, createProvider } from '../scheduling/registry/provider.ts';
import { changeHours, clearOverride, overrideDate } from '../scheduling/schedule/hours.ts';
import { addClosure, importClosures, removeClosure } from '../scheduling/schedule/closures.ts';
import { extendHold, placeHold, releaseHold } from '../scheduling/claims/hold.ts';
import { acceptMoveOffer, declineMoveOffer } from '../scheduling/sick-day/move-offer.ts';
import { moveAppointment } from '../scheduling/visits/move.ts';
import { moveSeries } from '../scheduling/visits/move-series.ts';
import { endRegistration, registerPatient } from '../scheduling/registry/registrations.ts';
import { addTimeOff, removeTimeOff } from '../scheduling/schedule/time-off.ts';
import { pauseReplay, requestReplay, resumeReplay, stopReplay } from '../scheduling/replays.ts';
import { requestSync } from '../scheduling/ehr-sync.ts';
import { callInSick, pauseSickDay, resumeSickDay, stopSickDay } from '../scheduling/sick-day/sick-day.ts';
import { joinWaitlist, leaveWaitlist } from '../scheduling/waitlist/entries.ts';

/** Every change the API can make: `src/scheduling` and nothing else. */
const DOORS = {
  book: bookAppointment,
  move: moveAppointment,
  cancel: cancelAppointment,
  bookSeries,
  moveSeries,
  cancelSeries,
  checkIn,
  complete: completeAppointment,
  markNoShow,
  undoNoShow,
  placeHold,
  extendHold,
  releaseHold,
  joinWaitlist,
  leaveWaitlist,
  callInSick,
  pauseSickDay,
  resumeSickDay,
  stopSickDay,
  acceptMoveOffer,
  declineMoveOffer,
  completeCallTask,
  changeClinic,
  changePolicy,
  createProvider,
  changeProvider,
  changeHours,
  overrideDate,
  clearOverride,
  addTimeOff,
  removeTimeOff,
  addClosure,
  removeClosure,
  importClosures,
  createPatient,
  changePatient,
  registerPatient,
  endRegistration,
  requestReplay,
  pauseReplay,
  resumeReplay,
  stopReplay,
  requestSync,
};

type Bound<Door> = Door extends (deps: SchedulingDeps, ...asked: infer Asked) => infer Answer
  ? (...asked: Asked) => Answer
  : never;

export type Doors = { readonly [Name in keyof typeof DOORS]: Bound<(typeof DOORS)[Name]> };

/** The doors over one connection. */
export function createDoors(deps: SchedulingDeps): Doors {
  const bind =
    (door: (deps: SchedulingDeps, ...asked: never[]) => unknown) =>
    (...asked: never[]) =>
      door(deps, ...asked);
  return Object.fromEntries(Object.entries(DOORS).map(([name, door]) => [name, bind(door)])) as Doors;
}
