import { sql } from 'kysely';
import { findAppointment, lockAppointment, type AppointmentRow } from '../../db/appointments.ts';
import { audit } from '../../db/audit.ts';
import type { Tx } from '../../db/connection.ts';
import { lockForBooking } from '../../db/locks.ts';
import { closeOffer, openOfferOf, toldOffersOf, withdrawOffers, type OpenOffer } from '../../db/offers.ts';
import {
  changeItem,
  findItem,
  findSickDay,
  lockItem,
  lockSickDay,
  outlookOf,
  type ItemOutlook,
  type SickDayItemRef,
  type SickDayItemRow,
  type SickDayRow,
} from '../../db/sick-days.ts';
import { openCallTask } from '../../db/tasks.ts';
import { AppError, type ErrorCode } from '../../domain/errors.ts';
import { MAX_OFFERS, startsSoon } from '../../domain/sick-day.ts';
import type { CallReason } from '../../domain/task.ts';
import { door, type Act, type SchedulingDeps } from '../act.ts';
import { giveBackHold, holdSlot } from '../claims/hold.ts';
import { heldByOffer } from '../claims/answer-offer.ts';
import { joinWaitlistInstead } from './join-waitlist.ts';
import { slotOfColleague, slotOnOtherDay, type FreeSlot } from './offered-slot.ts';

const TRIES = 5;

/** What the sick day does next about one visit. */
type Step =
  | {
      readonly kind: 'offer';
      readonly step: 'colleague' | 'other_day';
      readonly index: number;
      readonly slot: FreeSlot;
    }
  | { readonly kind: 'waitlist'; readonly reason: CallReason }
  | { readonly kind: 'call'; readonly reason: CallReason }
  | { readonly kind: 'gone'; readonly reason: string };

/** Everything a step is decided from. */
interface Situation {
  readonly sickDay: SickDayRow;
  readonly item: SickDayItemRow;
  readonly visit: AppointmentRow;
  readonly offer: OpenOffer | undefined;
  readonly outlook: ItemOutlook;
}

/**
 * Takes the next step about one visit of a sick day: offers another time and holds it, puts the patient on the waitlist, or asks the desk to call. One
 * transaction, so a step is taken or it is not. Harmless to repeat and to run twice at once: nothing happens while the sick day is paused or has ended,
 * while an offer can still be answered, or once the visit is dealt with.
 *
 * @throws AppError `not_found`, `temporarily_unavailable` when others keep taking the times that are found
 */
export async function takeNextStep(deps: SchedulingDeps, act: Act, ref: SickDayItemRef): Promise<void> {
  for (let tries = 1; tries <= TRIES; tries += 1) {
    const planned = await door(deps, act, async (tx) => {
      const situation = await read(tx, act, ref);
      const step = isDue(situation) ? await decide(tx, act, situation) : undefined;
      return step && { situation, step };
    });
    if (planned === undefined) return;
    try {
      const done = await door(deps, act, (tx) => carryOut(deps, tx, act, planned.situation, planned.step));
      if (done) return;
    } catch (error) {
      if (!(error instanceof AppError) || !CHANGED_MEANWHILE.has(error.code)) throw error;
    }
  }
  throw new AppError('temporarily_unavailable', { sickDayId: ref.sickDayId, appointmentId: ref.appointmentId });
}

/**
 * The step cannot be taken and trying again does not help: the desk calls. Nothing happens when the step has no longer its turn.
 * @throws AppError `not_found`
 */
export function callInstead(deps: SchedulingDeps, act: Act, ref: SickDayItemRef): Promise<void> {
  return door(deps, act, async (tx) => {
    const situation = await read(tx, act, ref);
    if (isDue(situation)) await carryOut(deps, tx, act, situation, { kind: 'call', reason: 'error' });
  });
}

/** The time was free when it was looked for, or nobody waited, and it is so no more: look again. */
const CHANGED_MEANWHILE: ReadonlySet<ErrorCode> = new Set([
  'slot_taken',
  'day_full',
  'too_soon',
  'too_far_ahead',
  'in_the_past',
  'outside_hours',
  'provider_closed',
  'provider_away',
  'off_grid',
  'already_waiting',
]);

async function read(tx: Tx, act: Act, ref: SickDayItemRef): Promise<Situation> {
  const sickDay = await findSickDay(tx, ref.sickDayId);
  const item = await findItem(tx, ref);
  const visit = await findAppointment(tx, ref.appointmentId);
  if (sickDay === undefined || item === undefined || visit === undefined) throw new AppError('not_found');
  const offer = await openOfferOf(tx, ref, act.now);
  return { sickDay, item, visit, offer, outlook: await outlookOf(tx, ref, act.now) };
}

function isDue({ sickDay, outlook }: Pick<Situation, 'sickDay' | 'outlook'>): boolean {
  return sickDay.state === 'RUNNING' && outlook.due;
}

async function decide(tx: Tx, act: Act, situation: Situation): Promise<Step> {
  const { sickDay, item, visit, offer } = situation;
  const now = act.now.getTime();
  const goneBecause = whyGone(situation, now);
  if (goneBecause !== undefined) return { kind: 'gone', reason: goneBecause };
  const patient = await tx
    .selectFrom('patient')
    .select(['phone', 'email'])
    .where('patient_id', '=', visit.patient_id)
    .executeTakeFirstOrThrow();
  if (patient.phone === null && patient.email === null) return { kind: 'call', reason: 'no_contact' };
  if (offer?.fits === true && offer.message_failed) return { kind: 'call', reason: 'message_failed' };
  const { time_zone: timeZone } = await tx
    .selectFrom('clinic')
    .select('time_zone')
    .where('clinic_id', '=', act.clinicId)
    .executeTakeFirstOrThrow();
  const toAnswer = { timeZone, offerMinutes: sickDay.offer_minutes };
  if (startsSoon(toAnswer, visit.appointment_time.getTime(), now)) return { kind: 'call', reason: 'starts_soon' };

  const told = await toldOffersOf(tx, { sickDayId: sickDay.sick_day_id, appointmentId: visit.appointment_id });
  // An offer that the patient was told of and did not take is done with. One that never reached the broker is made again, and so is one for a visit that
  // has been changed and is still hit.
  const isDoneWith = offer !== undefined && offer.told_at !== null && offer.fits;
  const first = isDoneWith ? item.step_index + 1 : item.step_index;
  const { steps } = sickDay;
  // Round and round, so that the second time is of another kind where there are two.
  for (let turn = 0; turn < steps.length && told.length < MAX_OFFERS; turn += 1) {
    const index = (first + turn) % steps.length;
    const step = steps[index];
    if (step !== 'colleague' && step !== 'other_day') continue;
    const search = { visit, sickDay, now, told };
    const slot = await (step === 'colleague' ? slotOfColleague(tx, search) : slotOnOtherDay(tx, search));
    if (slot !== undefined) return { kind: 'offer', step, index, slot };
  }
  const reason = told.length > 0 ? 'not_accepted' : 'no_slot';
  return { kind: steps.includes('waitlist') ? 'waitlist' : 'call', reason };
}

/** Why there is nothing left to do about a visit: somebody else has seen to it, or its provider is there after all. */
function whyGone({ visit, outlook }: Situation, now: number): string | undefined {
  if (outlook.resolvedHow !== null) return outlook.resolvedHow;
  if (visit.appointment_time.getTime() <= now) return 'begun';
  return outlook.backAgain ? 'back_again' : undefined;
}

/** Does the step if everything is still as it was when it was decided. Returns false, and has done nothing, if it is not. */
async function carryOut(deps: SchedulingDeps, tx: Tx, act: Act, seen: Situation, step: Step): Promise<boolean> {
  const ref = { sickDayId: seen.sickDay.sick_day_id, appointmentId: seen.visit.appointment_id };
  await lockForBooking(tx, {
    clinicId: act.clinicId,
    providerIds: [
      seen.visit.provider_id,
      ...(step.kind === 'offer' ? [step.slot.providerId] : []),
      ...(seen.offer === undefined ? [] : [seen.offer.provider_id]),
    ],
    patientIds: [seen.visit.patient_id],
  });
  const visit = await lockAppointment(tx, ref.appointmentId);
  const sickDay = await lockSickDay(tx, ref.sickDayId, 'share');
  const item = await lockItem(tx, ref);
  if (visit === undefined || sickDay === undefined || item === undefined) throw new AppError('not_found');
  const offer = await openOfferOf(tx, ref, act.now);
  const isUnchanged =
    isDue({ sickDay, outlook: await outlookOf(tx, ref, act.now) }) &&
    visit.version === seen.visit.version &&
    item.step_index === seen.item.step_index &&
    offer?.offer_id === seen.offer?.offer_id;
  if (!isUnchanged) return false;

  if (offer !== undefined) {
    if (offer.live) {
      await withdrawOffers(tx, act, [offer.offer_id], undefined);
    } else {
      await closeOffer(tx, offer.offer_id, 'EXPIRED');
      await giveBackHold(tx, act, offer.hold_id);
    }
  }
  switch (step.kind) {
    case 'offer':
      await offerSlot(deps, tx, act, { sickDay, visit }, step);
      await changeItem(tx, ref, { state: 'OFFERED', stepIndex: step.index, reason: step.step });
      break;
    case 'waitlist':
      // The visit stands until a person or a better time decides.
      await joinWaitlistInstead(deps, tx, act, sickDay, visit);
      await openCallTask(tx, { taskId: deps.newId(), ...ref, reason: step.reason });
      await changeItem(tx, ref, { state: 'WAITLISTED', reason: step.reason });
      break;
    case 'call':
      await openCallTask(tx, { taskId: deps.newId(), ...ref, reason: step.reason });
      await changeItem(tx, ref, { state: 'CALL', reason: step.reason });
      break;
    case 'gone':
      await changeItem(tx, ref, { state: 'GONE', reason: step.reason });
      break;
  }
  await audit(tx, act, 'sick_day', ref.sickDayId, step.kind === 'offer' ? 'offered' : step.kind, {
    appointmentId: ref.appointmentId,
    ...(step.kind === 'offer' ? { step: step.step } : {}),
    ...('reason' in step ? { reason: step.reason } : {}),
  });
  return true;
}

async function offerSlot(
  deps: SchedulingDeps,
  tx: Tx,
  act: Act,
  { sickDay, visit }: { readonly sickDay: SickDayRow; readonly visit: AppointmentRow },
  { step, slot }: Extract<Step, { kind: 'offer' }>,
): Promise<void> {
  const offerId = deps.newId();
  // Holds run on the database's clock, and last at least as long as the offer.
  const { minutes } = await tx
    .selectNoFrom(
      sql<number>`ceil(extract(epoch from ${new Date(slot.deadline)}::timestamptz - now()) / 60)::integer`.as(
        'minutes',
      ),
    )
    .executeTakeFirstOrThrow();
  const holdId = await holdSlot(deps, tx, act, {
    providerId: slot.providerId,
    slotStart: new Date(slot.from),
    durationMinutes: visit.duration_minutes,
    heldBy: heldByOffer(offerId),
    minutes,
  });
  await tx
    .insertInto('offer')
    .values({
      offer_id: offerId,
      clinic_id: act.clinicId,
      purpose: 'sick_day',
      appointment_id: visit.appointment_id,
      appointment_version: visit.version,
      patient_id: visit.patient_id,
      sick_day_id: sickDay.sick_day_id,
      step,
      provider_id: slot.providerId,
      slot_start: new Date(slot.from),
      duration_minutes: visit.duration_minutes,
      hold_id: holdId,
      state: 'OPEN',
      expires_at: new Date(slot.deadline),
    })
    .execute();
}
