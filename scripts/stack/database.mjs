// A database of its own for each run, with the three roles MediConnect uses. The driver is loaded when first needed: the stack itself runs
// before any package is installed.
import { createHmac } from 'node:crypto';

/** `owner` owns the schema and runs migrations; `app` serves; `relay` sees the outbox and what is due. */
const ROLES = { owner: 'mediconnect_owner', app: 'mediconnect_app', relay: 'mediconnect_relay' };

/**
 * The password of a role, derived from the superuser's: whoever may create the roles can also log in as them, in any process.
 * @param {string} superuserPassword
 * @param {string} role
 */
function rolePassword(superuserPassword, role) {
  return createHmac('sha256', superuserPassword).update(role).digest('hex').slice(0, 32);
}

/**
 * Creates the roles if they are missing, and a database that belongs to the owner role and lets in nobody but the three.
 * @param {{ superuserDatabaseUrl: string, name: string, template?: string }} options `template`: a database to copy, with nobody connected to it
 * @returns {Promise<import('./index.d.mts').ProvisionedDatabase>}
 */
export async function provisionDatabase({ superuserDatabaseUrl, name, template }) {
  const superuser = new URL(superuserDatabaseUrl);
  const passwordOf = (/** @type {string} */ role) => rolePassword(decodeURIComponent(superuser.password), role);
  await withClient(superuserDatabaseUrl, async (client) => {
    await createRoles(client, passwordOf);
    const database = client.escapeIdentifier(name);
    // A copy of the files beats writing them to the log, once there is something to copy.
    const source = template === undefined ? '' : ` template ${client.escapeIdentifier(template)} strategy file_copy`;
    await client.query(`create database ${database} owner ${ROLES.owner}${source}`);
    await client.query(`revoke all on database ${database} from public`);
    await client.query(`grant connect on database ${database} to ${Object.values(ROLES).join(', ')}`);
  });
  const urlOf = (/** @type {string} */ role) => {
    const url = new URL(superuserDatabaseUrl);
    url.username = role;
    url.password = passwordOf(role);
    url.pathname = `/${encodeURIComponent(name)}`;
    return url.href;
  };
  return { name, ownerUrl: urlOf(ROLES.owner), appUrl: urlOf(ROLES.app), relayUrl: urlOf(ROLES.relay) };
}

/**
 * Drops a database, whoever is still connected to it. One that does not exist is no error.
 * @param {{ superuserDatabaseUrl: string, name: string }} options
 */
export async function dropDatabase({ superuserDatabaseUrl, name }) {
  await withClient(superuserDatabaseUrl, async (client) => {
    await client.query(`drop database if exists ${client.escapeIdentifier(name)} with (force)`);
  });
}

/**
 * @param {import('pg').Client} client
 * @param {(role: string) => string} passwordOf
 */
async function createRoles(client, passwordOf) {
  await client.query('begin');
  // Roles belong to the whole cluster, and PostgreSQL has no "create role if not exists": one at a time.
  await client.query("select pg_advisory_xact_lock(hashtext('mediconnect roles'))");
  for (const role of Object.values(ROLES)) {
    const known = await client.query('select from pg_roles where rolname = $1', [role]);
    const attributes = `login nosuperuser nocreatedb nocreaterole nobypassrls password ${client.escapeLiteral(passwordOf(role))}`;
    await client.query(`${known.rowCount === 0 ? 'create' : 'alter'} role ${role} ${attributes}`);
  }
  await client.query('commit');
}

/**
 * @param {string} connectionString
 * @param {(client: import('pg').Client) => Promise<void>} work
 */
async function withClient(connectionString, work) {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString, application_name: 'mediconnect-stack' });
  await client.connect();
  try {
    await work(client);
  } finally {
    await client.end();
  }
}
