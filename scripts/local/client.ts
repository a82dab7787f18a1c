import { createClient, type MediConnectClient } from '../../client/index.ts';

interface Addresses {
  readonly apiUrl: string;
  readonly sandboxUrl: string;
}

/** Gets a token with the client's id and secret, as any API client would. */
export async function tokenOf({ sandboxUrl }: Pick<Addresses, 'sandboxUrl'>, clientId: string): Promise<string> {
  const response = await fetch(`${sandboxUrl}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientId}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`no token for ${clientId}: ${response.status}`);
  return token;
}

/** A caller of the API, with the token that the OAuth2 service gave them. */
export async function logIn(system: Addresses, clientId: string): Promise<MediConnectClient> {
  return createClient({ baseUrl: system.apiUrl, token: await tokenOf(system, clientId) });
}

/** What the API answered. @throws Error when it refused */
export async function answerOf<Data>(
  request: Promise<{ readonly data?: Data; readonly error?: unknown; readonly response: Response }>,
): Promise<Data> {
  const { data, error, response } = await request;
  if (data === undefined) throw new Error(`${response.url} answered ${response.status} ${JSON.stringify(error)}`);
  return data;
}

/** A message as the patient reads it in the sandbox's inbox. */
export interface InboxMessage {
  readonly channel: 'sms' | 'email';
  readonly to: string;
  readonly subject?: string;
  readonly text: string;
  readonly status: string;
  readonly createdAt: string;
}

/** What arrived at a phone number or email address, oldest first. */
export async function inboxOf(sandboxUrl: string, address: string): Promise<InboxMessage[]> {
  const response = await fetch(`${sandboxUrl}/control/messages?to=${encodeURIComponent(address)}`);
  return ((await response.json()) as InboxMessage[]).reverse();
}

/** A resource as the clinic's EHR holds it. */
export async function ehrAppointments(
  sandboxUrl: string,
  tenant: string,
): Promise<Readonly<Record<string, unknown>>[]> {
  const response = await fetch(`${sandboxUrl}/control/ehr/${tenant}/Appointment`);
  return (await response.json()) as Readonly<Record<string, unknown>>[];
}

/** Tells a stand-in to fail. */
export async function setFault(sandboxUrl: string, fault: Readonly<Record<string, unknown>>): Promise<void> {
  const response = await fetch(`${sandboxUrl}/control/faults`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(fault),
  });
  if (!response.ok) throw new Error(`fault refused: ${response.status} ${await response.text()}`);
}

export async function clearFaults(sandboxUrl: string): Promise<void> {
  await fetch(`${sandboxUrl}/control/faults`, { method: 'DELETE' });
}

/** Slots a patient can book with the provider, from the first date at or after `daysAhead` days that has any. */
export async function findSlots(
  client: MediConnectClient,
  providerId: string,
  daysAhead: number,
): Promise<{ date: string; starts: string[] }> {
  for (let days = daysAhead; days < daysAhead + 10; days += 1) {
    const date = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const { availableSlots } = await answerOf(
      client.GET('/api/v1/providers/{providerId}/availability', {
        params: { path: { providerId }, query: { date, durationMinutes: 30 } },
      }),
    );
    if (availableSlots.length > 0) return { date, starts: availableSlots.map((slot) => slot.startTime) };
  }
  throw new Error('no slot in ten days');
}
