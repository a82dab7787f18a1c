/** An answer of the API: its status, headers and body. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Readonly<Record<string, unknown>>;
}

/** One caller of the API, with the token that the OAuth2 service gave them. */
export interface ApiClient {
  readonly token: string;
  readonly get: (path: string) => Promise<Answer>;
  readonly post: (path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly patch: (path: string, body: unknown, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
  readonly delete: (path: string, headers?: Readonly<Record<string, string>>) => Promise<Answer>;
}

/** Gets a token with the client's id and secret, as any API client would. */
export async function logIn(
  system: { readonly apiUrl: string; readonly sandboxUrl: string },
  clientId: string,
): Promise<ApiClient> {
  const response = await fetch(`${system.sandboxUrl}/oauth2/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${clientId}:${clientId}`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials' }),
  });
  const { access_token: token } = (await response.json()) as { access_token?: string };
  if (token === undefined) throw new Error(`no token for ${clientId}: ${response.status}`);
  return apiClient(system.apiUrl, token);
}

function apiClient(apiUrl: string, token: string): ApiClient {
  const call = async (
    method: string,
    path: string,
    body?: unknown,
    headers: Readonly<Record<string, string>> = {},
  ): Promise<Answer> => {
    const response = await fetch(`${apiUrl}/api/v1${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? {} : (JSON.parse(text) as Answer['body']),
    };
  };
  return {
    token,
    get: (path) => call('GET', path),
    post: (path, body, headers) => call('POST', path, body, headers),
    patch: (path, body, headers) => call('PATCH', path, body, headers),
    delete: (path, headers) => call('DELETE', path, undefined, headers),
  };
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
  client: ApiClient,
  providerId: string,
  daysAhead: number,
): Promise<{ date: string; starts: string[] }> {
  for (let days = daysAhead; days < daysAhead + 10; days += 1) {
    const date = new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
    const answer = await client.get(`/providers/${providerId}/availability?date=${date}&durationMinutes=30`);
    if (answer.status !== 200) throw new Error(`availability answered ${answer.status} ${JSON.stringify(answer.body)}`);
    const starts = (answer.body['availableSlots'] as { startTime: string }[]).map((slot) => slot.startTime);
    if (starts.length > 0) return { date, starts };
  }
  throw new Error('no slot in ten days');
}
