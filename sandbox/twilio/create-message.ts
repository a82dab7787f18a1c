import { twilioError } from './errors.ts';
import { newMessage } from './message.ts';
import type { TwilioError } from './errors.ts';
import type { TwilioMessage } from './message.ts';

/**
 * Every parameter of Create Message. Source: twilio.com/docs/messaging/api/message-resource and the OpenAPI document
 * of api v2010.
 */
const KNOWN_PARAMETERS = new Set(
  (
    'To StatusCallback ApplicationSid MaxPrice ProvideFeedback Attempt ValidityPeriod ForceDelivery ContentRetention ' +
    'AddressRetention SmartEncoded PersistentAction TrafficType ShortenUrls ScheduleType SendAt SendAsMms ' +
    'ContentVariables MessageIntent RiskCheck From FallbackFrom MessagingServiceSid Body MediaUrl ContentSid'
  ).split(' '),
);

/** Parameters that would change what is sent, and that the stand-in does not act on: refused rather than ignored. */
const UNSUPPORTED_PARAMETERS = [
  'ApplicationSid',
  'ContentSid',
  'ContentVariables',
  'FallbackFrom',
  'MediaUrl',
  'MessagingServiceSid',
  'PersistentAction',
  'ScheduleType',
  'SendAsMms',
  'SendAt',
  'ShortenUrls',
];

const E164 = /^\+[1-9]\d{6,14}$/;

/** The longest body, in characters. */
const MAX_BODY = 1_600;

/** The longest validity period, in seconds. */
const MAX_VALIDITY_SECONDS = 36_000;

/** The senders and recipients with which Twilio's test credentials provoke errors. Source: twilio.com/docs/iam/test-credentials. */
const MAGIC_SENDERS: Record<string, readonly [number, string]> = {
  '+15005550001': [21212, "The 'From' number is invalid."],
  '+15005550007': [21606, "The 'From' phone number is not a valid message-capable Twilio phone number."],
  '+15005550008': [21611, "The 'From' number has exceeded the maximum number of queued messages."],
};
const MAGIC_RECIPIENTS: Record<string, readonly [number, string]> = {
  '+15005550001': [21211, "Invalid 'To' Phone Number: +15005550001"],
  '+15005550002': [21612, "Message cannot be sent with the current combination of 'To' and 'From' parameters."],
  '+15005550003': [
    21408,
    "Permission to send an SMS has not been enabled for the region indicated by the 'To' number.",
  ],
  '+15005550004': [21610, 'Attempt to send to unsubscribed recipient'],
  '+15005550009': [21614, "'To' number is not a valid mobile number"],
};
const ALWAYS_VALID_SENDER = '+15005550006';

/** What the rules need to know about the account. */
export interface SenderAccount {
  fromNumbers: readonly string[];
  hasOptedOut(patient: string, sender: string): boolean;
}

/** Checks the parameters of Create Message and creates the message, or says which rule refuses it. */
export function createMessage(
  parameters: URLSearchParams,
  account: SenderAccount,
  now: Date,
): { message: TwilioMessage } | { error: TwilioError } {
  const error =
    checkNames(parameters) ??
    checkRecipient(parameters) ??
    checkSender(parameters, account) ??
    checkBody(parameters) ??
    checkStatusCallback(parameters) ??
    checkValidityPeriod(parameters) ??
    checkOptOut(parameters, account);
  if (error) return { error };
  const message = newMessage(now, {
    to: parameters.get('To') ?? '',
    from: parameters.get('From') ?? '',
    body: parameters.get('Body') ?? '',
    statusCallback: parameters.get('StatusCallback'),
    direction: 'outbound-api',
    status: 'queued',
  });
  return { message };
}

function refuse(code: number, message: string): TwilioError {
  return twilioError(400, code, message);
}

function checkNames(parameters: URLSearchParams): TwilioError | undefined {
  for (const name of parameters.keys()) {
    if (!KNOWN_PARAMETERS.has(name)) return refuse(20001, `Unknown parameter: ${name}`);
    if (UNSUPPORTED_PARAMETERS.includes(name)) return refuse(20001, `The sandbox does not act on ${name}`);
    if (parameters.getAll(name).length > 1) return refuse(20001, `Parameter given twice: ${name}`);
  }
  return undefined;
}

function checkRecipient(parameters: URLSearchParams): TwilioError | undefined {
  const to = parameters.get('To');
  if (!to) return refuse(21604, "A 'To' phone number is required.");
  if (!E164.test(to)) return refuse(21211, `Invalid 'To' Phone Number: ${to}`);
  const magic = MAGIC_RECIPIENTS[to];
  return magic && refuse(...magic);
}

function checkSender(parameters: URLSearchParams, account: SenderAccount): TwilioError | undefined {
  const from = parameters.get('From');
  if (!from) return refuse(21603, "A 'From' phone number is required.");
  const magic = MAGIC_SENDERS[from];
  if (magic) return refuse(...magic);
  if (from === parameters.get('To')) return refuse(21266, "'To' and 'From' number cannot be the same");
  if (from === ALWAYS_VALID_SENDER || account.fromNumbers.includes(from)) return undefined;
  return refuse(21606, `The 'From' phone number provided (${from}) is not a valid message-capable Twilio phone number`);
}

function checkBody(parameters: URLSearchParams): TwilioError | undefined {
  const body = parameters.get('Body');
  if (!body) return refuse(21602, 'Message body is required.');
  if (Array.from(body).length > MAX_BODY)
    return refuse(21617, `The concatenated message body exceeds the ${String(MAX_BODY)} character limit`);
  return undefined;
}

function checkStatusCallback(parameters: URLSearchParams): TwilioError | undefined {
  const callback = parameters.get('StatusCallback');
  if (callback === null || isAbsoluteHttpUrl(callback)) return undefined;
  return refuse(21609, `The 'StatusCallback' URL ${callback} is not a valid URL.`);
}

/** Twilio wants a valid host name, without underscores. */
function isAbsoluteHttpUrl(text: string): boolean {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return false;
  const { hostname } = new URL(text);
  return hostname !== '' && !hostname.includes('_');
}

function checkValidityPeriod(parameters: URLSearchParams): TwilioError | undefined {
  const period = parameters.get('ValidityPeriod');
  if (period === null) return undefined;
  const seconds = /^\d{1,6}$/.test(period) ? Number(period) : NaN;
  if (seconds >= 1 && seconds <= MAX_VALIDITY_SECONDS) return undefined;
  return refuse(21624, `Invalid validity period value: ${period}`);
}

function checkOptOut(parameters: URLSearchParams, account: SenderAccount): TwilioError | undefined {
  const optedOut = account.hasOptedOut(parameters.get('To') ?? '', parameters.get('From') ?? '');
  return optedOut ? refuse(21610, 'Attempt to send to unsubscribed recipient') : undefined;
}
