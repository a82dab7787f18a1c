import { API_VERSION, renderMessage } from './message.ts';
import { twilioError } from './errors.ts';
import type { TwilioError } from './errors.ts';
import type { TwilioMessage } from './message.ts';

const KNOWN_FILTERS = new Set(['To', 'From', 'DateSent', 'DateSent<', 'DateSent>', 'PageSize', 'Page', 'PageToken']);
const DEFAULT_PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 1_000;
const DAY_MS = 86_400_000;

/** One page of messages, newest first. Source: twilio.com/docs/messaging/api/message-resource#list-all-messages. */
export function listMessages(
  messages: readonly TwilioMessage[],
  query: URLSearchParams,
  accountSid: string,
): { page: unknown } | { error: TwilioError } {
  for (const name of query.keys()) {
    if (!KNOWN_FILTERS.has(name)) return { error: twilioError(400, 20001, `Unknown parameter: ${name}`) };
  }
  const pageSize = Number(query.get('PageSize') ?? DEFAULT_PAGE_SIZE);
  if (!Number.isInteger(pageSize) || pageSize < 1 || pageSize > MAX_PAGE_SIZE) {
    return { error: twilioError(400, 20006, `Page size must be between 1 and ${String(MAX_PAGE_SIZE)}`) };
  }
  const dates = readDates(query);
  if (!dates) return { error: twilioError(400, 20001, 'DateSent is not a date') };

  const found = messages.filter((message) => matches(message, query, dates)).reverse();
  const token = query.get('PageToken');
  const after = token === null ? -1 : found.findIndex((message) => `PA${message.sid}` === token);
  const shown = found.slice(after + 1, after + 1 + pageSize);
  const number = Number(query.get('Page') ?? 0);
  const path = `/${API_VERSION}/Accounts/${accountSid}/Messages.json`;
  const last = shown.at(-1);
  const hasMore = last !== undefined && last !== found.at(-1);
  const link = (page: number, pageToken?: string) => {
    const parameters = new URLSearchParams(query);
    parameters.set('PageSize', String(pageSize));
    parameters.set('Page', String(page));
    parameters.delete('PageToken');
    if (pageToken !== undefined) parameters.set('PageToken', pageToken);
    return `${path}?${parameters.toString()}`;
  };
  return {
    page: {
      messages: shown.map((message) => renderMessage(message, accountSid)),
      first_page_uri: link(0),
      next_page_uri: hasMore ? link(number + 1, `PA${last.sid}`) : null,
      previous_page_uri: null,
      uri: link(number, token ?? undefined),
      page: number,
      page_size: pageSize,
      start: number * pageSize,
      end: number * pageSize + shown.length - 1,
    },
  };
}

interface DateFilters {
  from: number;
  until: number;
}

/** A date without a time means the whole day in GMT. */
function readDates(query: URLSearchParams): DateFilters | undefined {
  const filters = { from: -Infinity, until: Infinity };
  for (const name of ['DateSent', 'DateSent<', 'DateSent>']) {
    const text = query.get(name);
    if (text === null) continue;
    const start = Date.parse(text);
    if (Number.isNaN(start)) return undefined;
    const end = start + (/^\d{4}-\d{2}-\d{2}$/.test(text) ? DAY_MS - 1 : 999);
    if (name !== 'DateSent<') filters.from = Math.max(filters.from, start);
    if (name !== 'DateSent>') filters.until = Math.min(filters.until, end);
  }
  return filters;
}

/** A queued message has no date of sending yet, so that no filter by that date finds it. */
function matches(message: TwilioMessage, query: URLSearchParams, dates: DateFilters): boolean {
  const to = query.get('To');
  const from = query.get('From');
  const isFiltered = dates.from !== -Infinity || dates.until !== Infinity;
  const sent = message.dateSent?.getTime();
  return (
    (to === null || message.to === to) &&
    (from === null || message.from === from) &&
    (!isFiltered || (sent !== undefined && sent >= dates.from && sent <= dates.until))
  );
}
