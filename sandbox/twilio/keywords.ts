/** The words Twilio itself acts on for a US long code. Source: help.twilio.com, "Twilio support for opt-out keywords". */
const OPT_OUT = new Set(['STOP', 'STOPALL', 'UNSUBSCRIBE', 'CANCEL', 'END', 'QUIT', 'REVOKE', 'OPTOUT']);
const OPT_IN = new Set(['START', 'YES', 'UNSTOP']);
const HELP = new Set(['HELP', 'INFO']);

/** What a text from a patient means to the carrier. */
export type Keyword = 'opt-out' | 'opt-in' | 'help';

/** Reads a keyword: the whole text, whatever its case. */
export function readKeyword(body: string): Keyword | undefined {
  const word = body.trim().toUpperCase();
  if (OPT_OUT.has(word)) return 'opt-out';
  if (OPT_IN.has(word)) return 'opt-in';
  return HELP.has(word) ? 'help' : undefined;
}

/** What Twilio answers by itself. */
export const KEYWORD_ANSWERS: Record<Keyword, string> = {
  'opt-out':
    'You have successfully been unsubscribed. You will not receive any more messages from this number. Reply START to resubscribe.',
  'opt-in':
    'You have successfully been re-subscribed to messages from this number. Reply HELP for help. Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
  help: 'Reply STOP to unsubscribe. Msg&Data Rates May Apply.',
};
