import type { Tx } from '../../db/connection.ts';
import type { CalendarEvent } from '../../domain/closure-import.ts';
import {
  affectedOfClinic,
  affectedOfProvider,
  type ClinicChange,
  type ProviderChange,
} from '../../scheduling/schedule/affected-visits.ts';
import { effectOfImport } from '../../scheduling/schedule/closures.ts';
import { list } from '../read.ts';

const countOf = ({ affected }: { readonly affected: readonly unknown[] }) => affected.length;

/** What a door would say, without writing. */
export const previewReads = {
  affectedOfProvider: list(
    'schedule_preview',
    (tx: Tx, asked: { readonly providerId: string; readonly change: ProviderChange; readonly now: Date }) =>
      affectedOfProvider(tx, asked.providerId, asked.change, asked.now),
    countOf,
  ),
  affectedOfClinic: list(
    'schedule_preview',
    (tx: Tx, asked: { readonly clinicId: string; readonly change: ClinicChange; readonly now: Date }) =>
      affectedOfClinic(tx, asked.clinicId, asked.change, asked.now),
    countOf,
  ),
  effectOfImport: list(
    'schedule_preview',
    (tx: Tx, asked: { readonly clinicId: string; readonly events: readonly CalendarEvent[]; readonly now: Date }) =>
      effectOfImport(tx, asked, asked.events),
    countOf,
  ),
};
