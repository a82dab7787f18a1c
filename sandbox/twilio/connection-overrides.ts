/** When and how often Twilio repeats a webhook. Source: twilio.com/docs/usage/webhooks/webhooks-connection-overrides. */
export interface ConnectionOverrides {
  /** The URL without the fragment: this is what is called and signed. */
  url: string;
  retries: number;
  policies: readonly string[];
}

/** Reads the overrides from a URL's fragment. By default a failed connection is tried once more, and nothing else. */
export function readConnectionOverrides(url: string): ConnectionOverrides {
  const [base = '', fragment = ''] = url.split('#', 2);
  const given = new URLSearchParams(fragment);
  const retries = Number(given.get('rc') ?? 1);
  return {
    url: base,
    retries: Number.isInteger(retries) && retries >= 0 && retries <= 5 ? retries : 1,
    policies: (given.get('rp') ?? 'ct').split(','),
  };
}

/** Whether an answer is worth another attempt under these policies. */
export function isRepeated(
  answer: { status: number } | { error: string; connected: boolean },
  policies: readonly string[],
): boolean {
  const wanted = (policy: string) => policies.includes(policy) || policies.includes('all');
  if (!('status' in answer)) return wanted(answer.connected ? 'rt' : 'ct');
  return (answer.status >= 500 && wanted('5xx')) || (answer.status >= 400 && answer.status < 500 && wanted('4xx'));
}
