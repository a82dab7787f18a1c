import { startProcess, type RunningProcess } from '../../../scripts/local/process.ts';
import { drawSecrets } from '../../../scripts/local/secrets.ts';
import { testServers } from '../../support/servers.ts';
import { aToken, SCOPES, TEST_JWT } from '../../support/tokens.ts';

/** Several instances of the API as processes of their own, on one database and one Redis. */
export interface ApiProcesses {
  readonly urls: readonly string[];
  /** Ends them all, and with them their connections. */
  readonly stop: () => Promise<void>;
}

export async function startApiProcesses(databaseUrl: string, instances: number): Promise<ApiProcesses> {
  const { shared, roles } = drawSecrets();
  const running = await Promise.all(
    Array.from({ length: instances }, (_, n) =>
      startProcess({
        root: process.cwd(),
        name: `api ${n + 1}`,
        file: 'src/main/api.ts',
        env: {
          ...shared,
          ...roles,
          JWT_SECRET: TEST_JWT.secret,
          JWT_ISSUER: TEST_JWT.issuer,
          JWT_AUDIENCE: TEST_JWT.audience,
          DATABASE_URL: databaseUrl,
          REDIS_URL: testServers().redisUrl,
          API_PORT: '0',
          ADMIN_PORT: '0',
          DRAIN_MS: '0',
          PUBLIC_URL: 'http://127.0.0.1',
          LOG_LEVEL: 'info',
          // A patient of these tests asks more often than a person would.
          RATE_LIMIT_PER_MINUTE: '100000',
        },
        isReady: (line) => line['event'] === 'ready',
      }),
    ),
  );
  return {
    urls: running.map(urlOf),
    stop: async () => {
      await Promise.all(running.map((api) => api.stop()));
    },
  };
}

function urlOf(api: RunningProcess): string {
  return `http://127.0.0.1:${String(api.ready['port'])}/api/v1`;
}

export function tokenOfPatient(patientId: string): Promise<string> {
  return aToken({ sub: patientId, role: 'patient', scope: SCOPES.patient, patient_id: patientId });
}

/** An answer, and how long it took. */
export interface TimedAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
  readonly ms: number;
}

/** Sends a booking as a client does. */
export async function postBooking(
  url: string,
  token: string,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): Promise<TimedAnswer> {
  const began = performance.now();
  const response = await fetch(`${url}/appointments`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return {
    status: response.status,
    headers: response.headers,
    body: await response.text(),
    ms: performance.now() - began,
  };
}

/** The code of a problem document. */
export function codeOf({ body }: Pick<TimedAnswer, 'body'>): string {
  return String((JSON.parse(body) as { code?: unknown }).code);
}
