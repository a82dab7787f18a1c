import type { Tx } from '../../db/connection.ts';
import { findSeries, visitsOfSeries } from '../../db/series.ts';
import { one } from '../read.ts';

/** A series and its visits in their order. */
async function findWithVisits(tx: Tx, seriesId: string) {
  const series = await findSeries(tx, seriesId);
  return series && { series, visits: await visitsOfSeries(tx, seriesId) };
}

export const seriesReads = { series: one('appointment_series', findWithVisits) };
