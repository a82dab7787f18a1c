import { messageOf } from '../../notifications/message.ts';
import type { Publisher } from '../../notifications/publish.ts';
import type { PlannedNotification } from '../../notifications/ledger/rows.ts';
import type { SchedulingDeps } from '../../scheduling/act.ts';
import { activityNow } from '../now.ts';
import { createBrokerGate } from './broker-gate.ts';
import type { PlannedStep } from './plan.ts';
import { proceed } from './proceed.ts';

export interface AppointmentRef {
  readonly appointmentId: string;
  readonly clinicId: string;
  readonly requestId?: string | undefined;
}

export interface ProceedInput extends AppointmentRef {
  /** The workflow's clock, ISO. */
  readonly now: string;
}

export interface AppointmentActivityDeps extends SchedulingDeps {
  readonly clock: () => number;
  readonly publisher: Pick<Publisher, 'publish'>;
}

export function createAppointmentActivities(deps: AppointmentActivityDeps) {
  const { clock, publisher } = deps;
  const gate = createBrokerGate(clock);

  const publish = (message: PlannedNotification, now: Date): Promise<void> =>
    publisher.publish(messageOf(message, now));

  return {
    /**
     * Does what is due now and says what comes next. It waits for nothing: a message that the broker does not take at once is what comes next, and
     * due. @throws AppError `not_found`
     */
    proceedWithAppointment(input: ProceedInput): Promise<PlannedStep> {
      const handOver = (message: PlannedNotification, now: Date) => gate.inPassing(() => publish(message, now));
      return proceed({ ...deps, handOver }, input, activityNow(clock, input.now));
    },

    /**
     * The same for a message that has to wait for the broker, on a queue where nothing else waits behind it. Every try decides anew whether it is
     * still due. @throws AppError `not_found`, `broker_unavailable`
     */
    publishNotification(input: ProceedInput): Promise<PlannedStep> {
      return gate.patiently((through) => {
        const handOver = async (message: PlannedNotification, now: Date) => {
          await through(() => publish(message, now));
          return true;
        };
        return proceed({ ...deps, handOver }, input, activityNow(clock, input.now));
      });
    },
  };
}
