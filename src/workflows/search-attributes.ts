import { defineSearchAttributeKey } from '@temporalio/common';

/** What an operator can filter workflows by in the Temporal Web UI. Ids, states and instants only: search attributes are stored in clear. */
export const searchAttributes = {
  clinicId: defineSearchAttributeKey('ClinicId', 'KEYWORD'),
  providerId: defineSearchAttributeKey('ProviderId', 'KEYWORD'),
  appointmentStatus: defineSearchAttributeKey('AppointmentStatus', 'KEYWORD'),
  nextActionAt: defineSearchAttributeKey('NextActionAt', 'DATETIME'),
  reminderState: defineSearchAttributeKey('ReminderState', 'KEYWORD'),
  /** A person is needed, and why; nobody is where it is not set. */
  attention: defineSearchAttributeKey('Attention', 'KEYWORD'),
} as const;
