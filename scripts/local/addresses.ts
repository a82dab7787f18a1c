import type { StackUrls } from '../stack/index.mjs';
import { NETWORK } from './network.ts';
import type { LocalSystem } from './system.ts';

/** Where to look, and the three operations as commands that work as they stand. */
export function printAddresses(
  say: (line: string) => void,
  system: LocalSystem,
  urls: StackUrls,
  appointmentId?: string,
): void {
  const { apiUrl, sandboxUrl, namespace } = system;
  const workflows = `${urls.temporalUiUrl}/namespaces/${namespace}/workflows`;
  const [clinic] = NETWORK;
  const provider = clinic?.providers[0];
  const patient = clinic?.patients[0];
  const broker = new URL(urls.amqpUrl);
  say('');
  say(`API               ${apiUrl}/docs        (OpenAPI: ${apiUrl}/openapi.json)`);
  say(`Temporal Web UI   ${appointmentId === undefined ? workflows : `${workflows}/appointment-${appointmentId}`}`);
  say(`RabbitMQ          ${urls.amqpManagementUrl}  (user ${broker.username}, password ${broker.password})`);
  say(`Inboxes and EHRs  ${sandboxUrl}`);
  say('');
  say('The three operations, as a patient of the Riverside Family Clinic:');
  say('');
  say(
    `  TOKEN=$(curl -s -u riverside-patient-0:riverside-patient-0 -d grant_type=client_credentials ${sandboxUrl}/oauth2/token | sed 's/.*"access_token":"\\([^"]*\\)".*/\\1/')`,
  );
  say(
    `  curl -s -H "Authorization: Bearer $TOKEN" "${apiUrl}/api/v1/providers/${provider?.providerId ?? ''}/availability?date=${nextWeekday()}&durationMinutes=30"`,
  );
  say(
    `  curl -s -H "Authorization: Bearer $TOKEN" -H 'Content-Type: application/json' ${apiUrl}/api/v1/appointments \\`,
  );
  say(
    `    -d '{"patientId":"${patient?.patientId ?? ''}","providerId":"${provider?.providerId ?? ''}","appointmentTime":"<a startTime from above>","durationMinutes":30}'`,
  );
  say(`  curl -s -X DELETE -H "Authorization: Bearer $TOKEN" ${apiUrl}/api/v1/appointments/<appointmentId>`);
}

/** A weekday a week or so ahead: every seeded provider of family medicine works on it. */
function nextWeekday(): string {
  const day = new Date(Date.now() + 7 * 86_400_000);
  while (day.getUTCDay() === 0 || day.getUTCDay() === 6) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}
