import { randomUUID } from 'node:crypto';

/** Who misbehaves. `oauth2` covers every token endpoint, the EHR's included. */
export type FaultVendor = 'twilio' | 'sendgrid' | 'ehr' | 'oauth2';

/** Which requests a fault applies to; what is left out matches everything. */
export interface FaultMatch {
  /** A recipient: phone number or email address. */
  to?: string;
  /** Part of the path. */
  path?: string;
  method?: string;
  /** Part of the decoded body. */
  bodyIncludes?: string;
  /** True for an entry of an EHR batch instead of a whole request. */
  entry?: boolean;
}

/**
 * What goes wrong.
 *
 * - `status`: the request is refused with `status` (and the vendor's `code`, `retryAfter` seconds, or an HTML page as a
 *   broken proxy sends); nothing happens.
 * - `drop`: the connection is closed at once; nothing happens.
 * - `timeout-before`: no answer for `ms`, then the connection is closed; nothing happens.
 * - `slow`: the request is served after `ms`.
 * - `accept-then-hang`: the effect happens, but no answer comes for `ms`, then the connection is closed.
 * - `accept-then-drop`: the effect happens, then the connection is closed without an answer.
 */
export type FaultKind = 'status' | 'drop' | 'timeout-before' | 'slow' | 'accept-then-hang' | 'accept-then-drop';

/** A message that is accepted and fails later. */
export interface DeliveryFailure {
  /** A Twilio error code such as 30003, or for an email an enhanced SMTP status such as 5.1.1 or 4.2.2. */
  errorCode: string | number;
  /** Twilio's final status. Default `undelivered`. */
  status?: 'undelivered' | 'failed';
}

/** What becomes of the vendor's webhooks about an accepted message. */
export type WebhookFault = 'none' | 'twice' | 'reversed' | 'forged';

/** A fault on command. */
export interface Fault {
  vendor: FaultVendor;
  match?: FaultMatch;
  kind?: FaultKind;
  status?: number;
  code?: string | number;
  message?: string;
  /** Seconds, sent as Retry-After. */
  retryAfter?: number;
  /** Answer with an HTML page instead of the vendor's error body. */
  html?: boolean;
  /** Milliseconds for `slow`, `timeout-before` and `accept-then-hang`. */
  ms?: number;
  /** How many requests it applies to. Left out: every request until it is removed. */
  times?: number;
  deliveryFailure?: DeliveryFailure;
  webhooks?: WebhookFault;
}

/** A fault in place. */
export interface ArmedFault extends Fault {
  id: string;
  /** How many requests it has met so far. */
  met: number;
}

/** A request as faults see it. */
export interface FaultTarget {
  vendor: FaultVendor;
  method: string;
  path: string;
  to: readonly string[];
  body: string;
  entry?: boolean;
}

/** The faults in place. */
export interface Faults {
  add: (fault: Fault) => ArmedFault;
  list: () => ArmedFault[];
  /** Removes one fault, or all of them. */
  clear: (id?: string) => void;
  /** The first fault that applies to a request; counts it as met. */
  take: (target: FaultTarget) => ArmedFault | undefined;
}

/** Creates an empty list of faults. */
export function createFaults(): Faults {
  let armed: ArmedFault[] = [];
  return {
    add(fault) {
      const entry = { ...fault, id: randomUUID(), met: 0 };
      armed.push(entry);
      return { ...entry };
    },
    list: () => armed.map((fault) => ({ ...fault })),
    clear(id) {
      armed = id === undefined ? [] : armed.filter((fault) => fault.id !== id);
    },
    take(target) {
      const fault = armed.find((candidate) => applies(candidate, target));
      if (fault) fault.met += 1;
      return fault;
    },
  };
}

function applies(fault: ArmedFault, target: FaultTarget): boolean {
  const match = fault.match ?? {};
  return (
    fault.vendor === target.vendor &&
    (fault.times === undefined || fault.met < fault.times) &&
    (match.entry ?? false) === (target.entry ?? false) &&
    (match.path === undefined || target.path.includes(match.path)) &&
    (match.method === undefined || match.method.toUpperCase() === target.method.toUpperCase()) &&
    (match.bodyIncludes === undefined || target.body.includes(match.bodyIncludes)) &&
    (match.to === undefined || target.to.some((address) => address.toLowerCase() === match.to?.toLowerCase()))
  );
}
