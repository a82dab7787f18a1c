/** One error of an answer. Source: twilio.com/docs/sendgrid/api-reference/mail-send/errors. */
export interface SendGridError {
  message: string;
  field: string | null;
  help: string | null;
}

const HELP = 'http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message';

/** Creates an error about a field, such as `personalizations.0.to`. */
export function fieldError(field: string | null, message: string): SendGridError {
  const topic = field?.replace(/\.\d+/g, '');
  return { message, field, help: topic === undefined ? null : `${HELP}.${topic}` };
}

/** The text SendGrid uses for an HTTP status when nothing more specific is known. */
export function genericMessage(status: number): string {
  return genericMessages[status] ?? 'internal server error';
}

const genericMessages: Record<number, string> = {
  400: 'bad request',
  401: 'The provided authorization grant is invalid, expired, or revoked',
  403: 'access forbidden',
  404: 'not found',
  405: 'method not allowed',
  413: 'request entity too large',
  415: 'Content-Type should be application/json.',
  429: 'too many requests',
  503: 'service not available',
};
