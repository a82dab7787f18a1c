import { parseArgs } from 'node:util';
import { v7 as uuidV7 } from 'uuid';
import { loadConfig } from '../config.ts';
import { insertClinic } from '../db/clinics.ts';
import { createConnection } from '../db/connection.ts';
import { isTimeZone } from '../domain/time-zone.ts';
import { createLogger } from '../logger.ts';

// A new clinic, with the usual policy and nothing else: its administrators do the rest over HTTP.
const USAGE = 'add-clinic --name "Riverside Clinic" --slug riverside --time-zone Europe/Berlin';

const { name, slug, timeZone } = asked(process.argv.slice(2));
const config = loadConfig(process.env, ['log', 'databaseOwner']);
const logger = createLogger({ level: config.log.LOG_LEVEL, role: 'add-clinic' });
const connection = createConnection({
  url: config.databaseOwner.DATABASE_OWNER_URL,
  poolSize: 1,
  name: 'mediconnect-add-clinic',
});
try {
  const clinicId = uuidV7();
  if (await insertClinic(connection.db, { clinicId, name, slug, timeZone })) {
    logger.info({ event: 'clinic_added', clinicId });
  } else {
    refuse(`There is a clinic with the slug ${slug} already: choose another.`);
  }
} finally {
  await connection.close();
}

function asked(args: readonly string[]): { name: string; slug: string; timeZone: string } {
  const option = { type: 'string', default: '' } as const;
  const options = { name: option, slug: option, 'time-zone': option };
  let values;
  try {
    ({ values } = parseArgs({ args: [...args], options }));
  } catch {
    refuse(`Usage: ${USAGE}`);
  }
  const { name, slug, 'time-zone': timeZone } = values;
  if (name.trim() === '' || name.length > 100) refuse(`--name is 1 to 100 characters. Usage: ${USAGE}`);
  if (!/^[a-z0-9-]{1,40}$/.test(slug)) refuse(`--slug is 1 to 40 of a-z, 0-9 and -. Usage: ${USAGE}`);
  if (!isTimeZone(timeZone)) refuse(`--time-zone is a name of the IANA database. Usage: ${USAGE}`);
  return { name, slug, timeZone };
}

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(2);
}
