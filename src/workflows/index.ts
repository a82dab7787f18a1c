// What the worker's bundle contains: every workflow, by its name.
export { appointment } from './appointment.ts';
export { rebookFreedSlot } from './rebook-freed-slot.ts';
export { replayNotifications } from './replay-notifications.ts';
export { sickDay } from './sick-day.ts';
export { syncClinicEhr, syncEhr } from './sync-ehr.ts';
