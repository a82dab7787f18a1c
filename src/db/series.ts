import type { Selectable } from 'kysely';
import type { AppointmentRow } from './appointments.ts';
import type { Tx } from './connection.ts';
import type { Database } from './schema.ts';

export type AppointmentSeriesRow = Selectable<Database['appointment_series']>;

/** The series, if the context sees it. */
export function findSeries(tx: Tx, seriesId: string): Promise<AppointmentSeriesRow | undefined> {
  return tx.selectFrom('appointment_series').selectAll().where('series_id', '=', seriesId).executeTakeFirst();
}

/** The visits of a series in its order, whatever became of them. */
export function visitsOfSeries(tx: Tx, seriesId: string): Promise<AppointmentRow[]> {
  return tx.selectFrom('appointment').selectAll().where('series_id', '=', seriesId).orderBy('series_index').execute();
}
