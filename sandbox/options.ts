import type { Clock } from './context.ts';
import type { EhrOptions } from './ehr/ehr.ts';
import type { OAuth2Options } from './oauth2/oauth2.ts';
import type { SendGridOptions } from './sendgrid/sendgrid.ts';
import type { TwilioOptions } from './twilio/twilio.ts';

/** Everything a sandbox needs to know before it starts. */
export interface SandboxOptions {
  /** Address to listen on. Default 127.0.0.1. */
  host?: string;
  /** Port to listen on; 0 takes a free one. Default 0. */
  port?: number;
  /** Log every request. Off by default. */
  log?: boolean;
  /** Time for every date, signature age and token life. Default: the machine's clock. */
  clock?: Clock;
  twilio: TwilioOptions;
  sendgrid: SendGridOptions;
  oauth2: OAuth2Options;
  ehr: EhrOptions;
}
