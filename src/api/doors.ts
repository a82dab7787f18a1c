import type { AppointmentRow } from '../db/appointments.ts';
import type { WaitlistEntryRow } from '../db/waitlist.ts';
import type { Act, SchedulingDeps } from '../scheduling/act.ts';
import { checkIn, completeAppointment, markNoShow, undoNoShow } from '../scheduling/attend.ts';
import { bookAppointment, type Booked, type Booking } from '../scheduling/book.ts';
import { cancelAppointment, type Cancellation, type Cancelled } from '../scheduling/cancel.ts';
import { moveAppointment, type Move } from '../scheduling/move.ts';
import { joinWaitlist, leaveWaitlist, type WaitlistWish } from '../scheduling/waitlist.ts';

/** Every change the API can make to the schedule: `src/scheduling` and nothing else. */
export interface Doors {
  readonly book: (act: Act, booking: Booking) => Promise<Booked>;
  readonly move: (act: Act, move: Move) => Promise<AppointmentRow>;
  readonly cancel: (act: Act, cancellation: Cancellation) => Promise<Cancelled>;
  readonly checkIn: Attend;
  readonly complete: Attend;
  readonly markNoShow: Attend;
  readonly undoNoShow: Attend;
  readonly joinWaitlist: (act: Act, wish: WaitlistWish) => Promise<WaitlistEntryRow>;
  readonly leaveWaitlist: (act: Act, entry: { readonly entryId: string }) => Promise<void>;
}

export type Attend = (act: Act, visit: { readonly appointmentId: string }) => Promise<AppointmentRow>;

export function createDoors(deps: SchedulingDeps): Doors {
  return {
    book: (act, booking) => bookAppointment(deps, act, booking),
    move: (act, move) => moveAppointment(deps, act, move),
    cancel: (act, cancellation) => cancelAppointment(deps, act, cancellation),
    checkIn: (act, visit) => checkIn(deps, act, visit),
    complete: (act, visit) => completeAppointment(deps, act, visit),
    markNoShow: (act, visit) => markNoShow(deps, act, visit),
    undoNoShow: (act, visit) => undoNoShow(deps, act, visit),
    joinWaitlist: (act, wish) => joinWaitlist(deps, act, wish),
    leaveWaitlist: (act, entry) => leaveWaitlist(deps, act, entry),
  };
}
