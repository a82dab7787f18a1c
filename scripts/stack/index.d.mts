/** Where the four servers are reached. */
export interface StackUrls {
  /** PostgreSQL as its superuser, database `postgres`. */
  superuserDatabaseUrl: string;
  redisUrl: string;
  amqpUrl: string;
  /** RabbitMQ's management page and API; user and password are those in `amqpUrl`. */
  amqpManagementUrl: string;
  /** host:port of Temporal's gRPC service. */
  temporalAddress: string;
  temporalUiUrl: string;
}

export interface Stack {
  urls: StackUrls;
  /** False when another process runs these servers: then `stop` leaves them alone. */
  owned: boolean;
  stop(): Promise<void>;
}

export interface StackOptions {
  /** The clone's folder. */
  root: string;
  /** A stack for tests: its own free ports and data, nothing forced to disk, all removed at stop. */
  ephemeral?: boolean;
  quiet?: boolean;
  log?: (line: string) => void;
  /** A server ended by itself. */
  onServerExit?: (name: string) => void;
  /** Another process asked to stop the stack (`npm run stack -- down`); without it the servers are stopped. */
  onDown?: () => void;
}

/**
 * Starts PostgreSQL, Redis, RabbitMQ and Temporal, or attaches to those that another process of this clone runs.
 * @throws {StackError} with a sentence for the user
 */
export function startStack(options: StackOptions): Promise<Stack>;

/** Every port a stack listens on. */
export interface Ports {
  postgres: number;
  redis: number;
  amqp: number;
  amqpManagement: number;
  amqpPrometheus: number;
  rabbitmqDistribution: number;
  rabbitmqEpmd: number;
  temporal: number;
  temporalUi: number;
  temporalHttp: number;
  temporalMetrics: number;
}

export interface ServerOptions {
  /** The server's folder; without it a new one, removed at stop. */
  directory?: string;
  /** Without it free ones. */
  ports?: Ports;
  /** The password; without it a random one kept in the folder. */
  secret?: string;
  /** False: faster, and the data need not survive a crash of the machine (that of the server it does). */
  durable?: boolean;
  log?: (line: string) => void;
}

/** One private server, for tests that kill it. */
export interface ServerHandle {
  readonly name: 'postgres' | 'redis' | 'rabbitmq' | 'temporal';
  readonly pid: number;
  /** Sends a signal, SIGKILL unless told otherwise, and waits for the end; SIGSTOP and SIGCONT freeze and thaw and return at once. */
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same ports with the same data, stopping it first if it runs; resolves when it is ready. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export function startPostgres(options?: ServerOptions): Promise<ServerHandle & Pick<StackUrls, 'superuserDatabaseUrl'>>;
export function startRedis(options?: ServerOptions): Promise<ServerHandle & Pick<StackUrls, 'redisUrl'>>;
/**
 * A quorum queue declared less than about a second before a SIGKILL has no leader afterwards: Ra 2.2 (RabbitMQ 3.10) saves its list of queues
 * late. Declare the queues first, and kill later.
 */
export function startRabbitmq(
  options?: ServerOptions,
): Promise<ServerHandle & Pick<StackUrls, 'amqpUrl' | 'amqpManagementUrl'>>;
export function startTemporal(
  options?: ServerOptions & {
    /** Keeps what an earlier server left in `directory`; else it starts empty. A restart always keeps. */
    keepData?: boolean;
  },
): Promise<ServerHandle & Pick<StackUrls, 'temporalAddress' | 'temporalUiUrl'>>;

export interface ProvisionedDatabase {
  name: string;
  /** As `mediconnect_owner`, who owns the database and runs migrations; no superuser, bound by row-level security where forced. */
  ownerUrl: string;
  /** As `mediconnect_app`. */
  appUrl: string;
  /** As `mediconnect_relay`. */
  relayUrl: string;
}

/**
 * Creates a database and, where missing, the three login roles of the cluster. Any process with the same superuser URL gets the same passwords.
 * @param options.template a migrated database to copy (about 50 ms); nobody may be connected to it
 */
export function provisionDatabase(options: {
  superuserDatabaseUrl: string;
  name: string;
  template?: string;
}): Promise<ProvisionedDatabase>;

/** Drops a database and whatever connections it has. One that does not exist is no error. */
export function dropDatabase(options: { superuserDatabaseUrl: string; name: string }): Promise<void>;

/** Registers a Temporal namespace with MediConnect's search attributes; resolves when it is usable. */
export function createTemporalNamespace(options: { address: string; name: string }): Promise<void>;

/** Runs `npm ci` when node_modules is missing or not what package-lock.json says. */
export function ensureDependencies(
  root: string,
  options?: { quiet?: boolean; log?: (line: string) => void },
): Promise<void>;

/**
 * Installs what is missing of the servers, where that is allowed.
 * @throws {StackError} saying what to install
 */
export function ensureInstalled(options?: { quiet?: boolean; log?: (line: string) => void }): Promise<void>;

/** Where the Temporal command line tool is once `ensureInstalled` has run. */
export function temporalCliPath(): string;

/** A failure whose message is meant for the person at the keyboard. */
export class StackError extends Error {}
