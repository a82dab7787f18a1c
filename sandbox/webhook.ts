/** One attempt to tell the product something, kept for tests and the inbox page. */
export interface WebhookAttempt {
  url: string;
  /** What the attempt was about, for example a message status. */
  event: string;
  at: string;
  /** The HTTP status of the answer; absent when none came. */
  status?: number;
  error?: string;
}

/** The answer to a webhook, or why there was none. */
export type WebhookAnswer = { status: number; body: string } | { error: string; connected: boolean };

/** How long a vendor waits for an answer, in milliseconds. Twilio documents 15 seconds. */
const ANSWER_TIMEOUT_MS = 15_000;

/** Posts a webhook. Never throws for a failed request; does throw when the signal is aborted. */
export async function postWebhook(
  url: string,
  request: { headers: Record<string, string>; body: string },
  signal: AbortSignal,
): Promise<WebhookAnswer> {
  const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: request.headers,
      body: request.body,
      redirect: 'manual',
      signal: AbortSignal.any([signal, timeout]),
    });
    return { status: response.status, body: await response.text() };
  } catch (error) {
    signal.throwIfAborted();
    return { error: failureCode(error), connected: timeout.aborted };
  }
}

function failureCode(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  const { cause } = error;
  if (cause instanceof Error && 'code' in cause && typeof cause.code === 'string') return cause.code;
  return error.name;
}

/** Turns an answer into a record of the attempt. */
export function describeAttempt(url: string, event: string, at: Date, answer: WebhookAnswer): WebhookAttempt {
  const base = { url, event, at: at.toISOString() };
  return 'status' in answer ? { ...base, status: answer.status } : { ...base, error: answer.error };
}
