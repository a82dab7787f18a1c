import { findHold } from '../../db/holds.ts';
import { clinicOfHold } from '../../db/look-ups.ts';
import { plain, type ReadDeps } from '../read.ts';

export const holdReads = {
  clinicOfHold: ({ connection }: ReadDeps, holdId: string) => clinicOfHold(connection.db, holdId),
  hold: plain(findHold),
};
