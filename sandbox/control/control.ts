import type { ArmedFault, Fault } from '../faults.ts';
import type { DeliveredMessage } from '../delivered-message.ts';
import type { EhrSettings } from '../ehr/tenant.ts';
import type { EhrStandIn } from '../ehr/ehr.ts';
import type { Faults } from '../faults.ts';
import type { InboundResult, InboundText } from '../twilio/inbound.ts';
import type { OAuth2Client, OAuth2StandIn, TokenOrder } from '../oauth2/oauth2.ts';
import type { SendGridSettings, SendGridStandIn } from '../sendgrid/sendgrid.ts';
import type { StoredResource } from '../ehr/resource.ts';
import type { TwilioSettings, TwilioStandIn } from '../twilio/twilio.ts';

/** Which messages are wanted; what is left out matches everything. */
export interface MessageFilter {
  to?: string | undefined;
  channel?: 'sms' | 'email' | undefined;
}

/** Steers and inspects the sandbox. The HTTP control API offers the same. */
export interface SandboxControl {
  /** Text messages and emails in both directions, newest first. */
  messages(filter?: MessageFilter): DeliveredMessage[];
  faults: {
    add(fault: Fault): ArmedFault;
    list(): ArmedFault[];
    clear(id?: string): void;
  };
  twilio: {
    /** Sends a patient's text to the product's webhook and waits for its answer. */
    inbound(text: InboundText): Promise<InboundResult>;
    optOuts(): { patient: string; sender: string }[];
    configure(settings: Partial<TwilioSettings>): TwilioSettings;
  };
  sendgrid: {
    /** Base64 of the DER public key that verifies event webhooks. */
    webhookPublicKey: string;
    configure(settings: Partial<SendGridSettings>): SendGridSettings;
  };
  oauth2: {
    addClient(client: OAuth2Client): void;
    /** Signs any token, also one that the token endpoint would not issue. */
    issueToken(order: TokenOrder): Promise<string>;
  };
  ehr: {
    tenants(): string[];
    /** The current resources of a type, oldest first. */
    resources(tenant: string, type: string): StoredResource[];
    /** Writes resources as the clinic's own staff would. */
    seed(tenant: string, resources: readonly unknown[]): StoredResource[];
    configure(tenant: string, settings: Partial<EhrSettings>): EhrSettings;
  };
  /** Forgets everything that has happened since the start: messages, resources, faults, tokens, settings. */
  reset(): void;
}

/** The stand-ins that are steered. */
export interface StandIns {
  faults: Faults;
  twilio: TwilioStandIn;
  sendgrid: SendGridStandIn;
  oauth2: OAuth2StandIn;
  ehr: EhrStandIn;
}

/** Creates the control of these stand-ins. */
export function createControl({ faults, twilio, sendgrid, oauth2, ehr }: StandIns): SandboxControl {
  return {
    messages({ to, channel } = {}) {
      const every = [...twilio.messages(), ...sendgrid.messages()];
      return every
        .filter((message) => channel === undefined || message.channel === channel)
        .filter((message) => to === undefined || message.to === to)
        .toReversed()
        .sort((left, right) => right.createdAt.localeCompare(left.createdAt));
    },
    faults: { add: faults.add, list: faults.list, clear: faults.clear },
    twilio: { inbound: twilio.inbound, optOuts: twilio.optOuts, configure: twilio.configure },
    sendgrid: { webhookPublicKey: sendgrid.webhookPublicKey, configure: sendgrid.configure },
    oauth2: { addClient: oauth2.addClient, issueToken: oauth2.issueToken },
    ehr: { tenants: ehr.tenants, resources: ehr.resources, seed: ehr.seed, configure: ehr.configure },
    reset() {
      faults.clear();
      twilio.reset();
      sendgrid.reset();
      oauth2.reset();
      ehr.reset();
    },
  };
}
