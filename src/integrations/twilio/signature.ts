import twilio from 'twilio';

/**
 * Did Twilio send this callback? Its signature covers the public URL as Twilio called it and the sorted form fields
 * (twilio.com/docs/usage/security#validating-requests). It holds no time: repeats are for the receiver to see.
 *
 * @param authToken - the account's primary auth token
 * @param url - the public URL, with query and without fragment
 * @param params - the form fields exactly as received
 */
export function verifyTwilioSignature(
  authToken: string,
  url: string,
  params: Readonly<Record<string, unknown>>,
  signature: string | undefined,
): boolean {
  return signature !== undefined && twilio.validateRequest(authToken, signature, url, { ...params });
}
