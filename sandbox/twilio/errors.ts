import type { VendorError } from '../fault-hooks.ts';

/** Twilio's error body. Source: twilio.com/docs/usage/twilios-response#exceptions. */
export interface TwilioError {
  status: number;
  code: number;
  message: string;
}

/** Creates an error. Codes: twilio.com/docs/api/errors. */
export function twilioError(status: number, code: number, message: string): TwilioError {
  return { status, code, message };
}

/** Renders an error as Twilio does. */
export function renderTwilioError(error: TwilioError): VendorError {
  const { status, code, message } = error;
  const headers: Record<string, string> = status === 401 ? { 'www-authenticate': 'Basic realm="Twilio API"' } : {};
  return { headers, body: { code, message, more_info: `https://www.twilio.com/docs/errors/${String(code)}`, status } };
}

/** The code and text Twilio uses for an HTTP status when nothing more specific is known. */
export function genericTwilioError(status: number): TwilioError {
  const [code, message] = genericErrors[status] ?? [20500, 'An internal server error has occurred'];
  return { status, code, message };
}

const genericErrors: Record<number, readonly [number, string]> = {
  400: [20001, 'Invalid parameter'],
  401: [20003, 'Authenticate'],
  403: [20403, 'Forbidden'],
  404: [20404, 'The requested resource was not found'],
  405: [20004, 'Method not allowed'],
  429: [20429, 'Too Many Requests'],
  500: [20500, 'An internal server error has occurred'],
  503: [20503, 'Service is unavailable'],
};
