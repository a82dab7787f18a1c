import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import { explainAvailability } from '../../domain/availability/explain.ts';
import { availableSlotsInRange } from '../../domain/availability/search.ts';
import { earliestSlots } from '../../domain/earliest-slots.ts';
import { AppError } from '../../domain/errors.ts';
import { addDays } from '../../domain/time-zone.ts';
import { clinicFor } from '../authorization.ts';
import { callerOf, clinicOfProvider } from '../caller.ts';
import { invalidField } from '../problem.ts';
import type { Reads } from '../reads.ts';
import {
  ClinicAvailability,
  ClinicAvailabilityQuery,
  ClinicPath,
  explanationBody,
  MAX_DATES,
  ProviderAvailability,
  ProviderAvailabilityQuery,
  ProviderPath,
  providerSlotBody,
  slotBody,
} from './schemas.ts';

export interface AvailabilityRoutes {
  readonly reads: Reads;
  readonly now: () => Date;
}

/** When a visit can be booked. */
export const availabilityRoutes: FastifyPluginCallbackTypebox<AvailabilityRoutes> = (app, { reads, now }, done) => {
  app.get(
    '/providers/:providerId/availability',
    {
      config: { operation: 'searchAvailability', problems: ['not_found'] },
      schema: {
        operationId: 'searchAvailability',
        tags: ['availability'],
        summary: 'When a provider can be booked',
        description: `On a date, or on up to ${MAX_DATES} of them. Search and booking judge by the same rules: what is offered here can be booked until somebody does, the patient’s own other visits apart. Nothing on a date? explain=true says why.`,
        params: ProviderPath,
        querystring: ProviderAvailabilityQuery,
        response: { 200: ProviderAvailability },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { providerId } = request.params;
      const { durationMinutes, explain } = request.query;
      const dates = datesOf(request.query);
      const clinicId = await clinicOfProvider(caller, reads, providerId);
      const [time] = (await reads.providerTimes(clinicId, { providerId }, { ...dates, durationMinutes })) ?? [];
      if (time === undefined) throw new AppError('not_found');
      const search = { ...time, durationMinutes, now: now().getTime() };
      if (explain !== true) {
        return { availableSlots: availableSlotsInRange({ ...search, ...dates }).slots.map(slotBody) };
      }
      const explained = eachDate(dates).map((date) => explainAvailability({ ...search, date }));
      return {
        availableSlots: explained.flatMap(({ slots }) => slots.map(slotBody)),
        explanation: explained.map(explanationBody),
      };
    },
  );

  app.get(
    '/clinics/:clinicId/availability',
    {
      config: { operation: 'searchAvailability', problems: ['not_found'] },
      schema: {
        operationId: 'searchClinicAvailability',
        tags: ['availability'],
        summary: 'When any provider of a clinic can be booked, earliest first',
        description: `Any provider, or any of a specialty, on a date or on up to ${MAX_DATES} of them.`,
        params: ClinicPath,
        querystring: ClinicAvailabilityQuery,
        response: { 200: ClinicAvailability },
      },
    },
    async (request) => {
      const caller = callerOf(request);
      const { specialty, durationMinutes, limit = 20 } = request.query;
      const dates = { ...datesOf(request.query), durationMinutes };
      const clinicId = clinicFor(caller, request.params.clinicId);
      const times = await reads.providerTimes(clinicId, { specialty }, dates);
      if (times === undefined) throw new AppError('not_found');
      const slots = earliestSlots(times, { ...dates, now: now().getTime(), limit });
      return { availableSlots: slots.map(providerSlotBody) };
    },
  );
  done();
};

interface Dates {
  readonly fromDate: string;
  readonly toDate: string;
}

/** First and last date of a search. @throws RequestError `validation_failed` */
function datesOf({ date, toDate = date }: { readonly date: string; readonly toDate?: string }): Dates {
  if (toDate < date) throw invalidField('query', '/toDate', 'minimum');
  if (toDate > addDays(date, MAX_DATES - 1)) throw invalidField('query', '/toDate', 'maximum');
  return { fromDate: date, toDate };
}

function eachDate({ fromDate, toDate }: Dates): string[] {
  const dates: string[] = [];
  for (let date = fromDate; date <= toDate; date = addDays(date, 1)) dates.push(date);
  return dates;
}
