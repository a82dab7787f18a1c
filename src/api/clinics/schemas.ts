import { Type, type Static } from 'typebox';
import type { ClinicRow } from '../../db/clinics.ts';
import { SICK_DAY_STEPS, type ClinicPolicy } from '../../domain/policy.ts';
import { ETAG_HEADER, NextCursor, Nullable, PAGE_QUERY, Phone, PlainText, Strict, Uuid } from '../schemas.ts';

export const ClinicPath = Strict({ clinicId: Uuid('The clinic.') });

export const ClinicQuery = Strict(PAGE_QUERY);

export const TimeZone = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'An IANA zone. Hours, breaks, overrides and closures are wall-clock times there.',
  examples: ['Europe/Berlin'],
});

export const ClinicBody = Strict(
  {
    name: Type.Optional(PlainText(100, 'As patients read it in messages.')),
    phone: Type.Optional(Nullable(Phone)),
    timeZone: Type.Optional(TimeZone),
  },
  { minProperties: 1 },
);

const MONTH_MINUTES = 30 * 24 * 60;
const WEEK_MINUTES = 7 * 24 * 60;

const Minutes = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description });

/** The part of the policy by which clients know what can be booked, moved and cancelled. */
const PUBLIC_POLICY = {
  slotStepMinutes: Minutes(5, 1_440, 'The grid on which visits may start; it divides a day.'),
  bookingNoticeMinutes: Minutes(0, MONTH_MINUTES, 'A visit must be booked at least this long before it starts.'),
  bookingHorizonDays: Type.Integer({
    minimum: 1,
    maximum: 730,
    description: 'A visit may be booked at most this many days ahead.',
  }),
  moveNoticeMinutes: Minutes(0, MONTH_MINUTES, 'A visit may be moved until this long before it starts.'),
  cancellationNoticeMinutes: Minutes(0, MONTH_MINUTES, 'Cancelling later than this is marked as late, never refused.'),
  holdMinutes: Minutes(1, 60, 'How long a hold lasts.'),
};

const Limit = (minimum: number, description: string) =>
  Nullable(Type.Integer({ minimum, maximum: 1_000, description: `${description} null: no limit.` }));

/** `ClinicPolicy`, field by field: {@link policyOf} and {@link policyBody} do not compile when the two differ. */
const POLICY = {
  reminderOffsets: Type.Array(
    Type.String({
      maxLength: 20,
      pattern: '^P(?=[0-9T])([0-9]{1,2}W)?([0-9]{1,2}D)?(T(?=[0-9])([0-9]{1,4}H)?([0-9]{1,5}M)?)?$',
      description: 'An ISO 8601 period: weeks and days keep the clinic’s wall clock, hours and minutes are exact.',
      examples: ['P3D'],
    }),
    {
      maxItems: 10,
      uniqueItems: true,
      description: 'How long before the visit each reminder is due: 15 minutes to 90 days, no two of the same length.',
    },
  ),
  reminderGapMinutes: Minutes(
    0,
    WEEK_MINUTES,
    'A reminder that is due sooner than this after the confirmation, or after the notice of a move, is not sent.',
  ),
  ...PUBLIC_POLICY,
  maxMovesPerAppointment: Limit(0, 'How often one visit may be moved.'),
  maxUpcomingPerPatient: Limit(1, 'How many visits ahead a patient may have.'),
  maxUpcomingPerProviderAndPatient: Limit(1, 'How many visits ahead a patient may have with one provider.'),
  bufferBeforeMinutes: Minutes(0, 240, "The provider's time kept free before a visit."),
  bufferAfterMinutes: Minutes(0, 240, "The provider's time kept free after a visit."),
  waitlist: Strict({
    mode: Type.Enum(['auto-book'], { description: 'auto-book: the best waiting patient is booked at once.' }),
    stopBeforeMinutes: Minutes(0, WEEK_MINUTES, 'A freed slot that starts sooner goes back to the public at once.'),
  }),
  sickDay: Strict({
    steps: Type.Array(Type.Enum([...SICK_DAY_STEPS]), {
      maxItems: SICK_DAY_STEPS.length,
      uniqueItems: true,
      description: 'What is tried for each patient, in this order. A call by the desk is always the last resort.',
    }),
    offerMinutes: Minutes(
      5,
      WEEK_MINUTES,
      'How long an offer lasts at least; only the hours from 08:00 to 20:00 count.',
    ),
    searchDays: Type.Integer({
      minimum: 1,
      maximum: 90,
      description: "How many days after the visit's own another slot is looked for.",
    }),
  }),
  checkInFromMinutes: Minutes(
    0,
    1_440,
    'A patient may be checked in from this long before the visit until the end of its date.',
  ),
  completionGraceMinutes: Minutes(
    0,
    WEEK_MINUTES,
    'A visit whose patient was checked in is completed this long after its end, unless somebody marks it before.',
  ),
  correctionDays: Type.Integer({
    minimum: 0,
    maximum: 90,
    description: 'For how many days after a visit, or after it was last marked, what became of it can be corrected.',
  }),
};

export const PolicyBody = Strict(POLICY);

export const PolicyAnswer = Type.Object(POLICY, {
  description: 'The whole policy. The ETag is its version.',
  headers: ETAG_HEADER,
});

export function policyOf(body: Static<typeof PolicyBody>): ClinicPolicy {
  return body;
}

export function policyBody(policy: ClinicPolicy): Static<typeof PolicyBody> {
  return {
    ...policy,
    reminderOffsets: [...policy.reminderOffsets],
    sickDay: { ...policy.sickDay, steps: [...policy.sickDay.steps] },
  };
}

const Clinic = Type.Object({
  clinicId: Uuid('The clinic.'),
  name: Type.String(),
  slug: Type.String({ description: 'Its name in addresses.', examples: ['riverside'] }),
  phone: Nullable(
    Type.String({ ...Phone, description: 'Whom messages ask to call; they say "call us" where it is not known.' }),
  ),
  timeZone: TimeZone,
  policy: Type.Object(PUBLIC_POLICY, { description: 'What clients may know of the policy.' }),
});

export const ClinicAnswer = Type.Object(Clinic.properties, { description: 'The clinic.', headers: ETAG_HEADER });

export const ClinicChanged = Type.Object(
  {
    ...Clinic.properties,
    affectedAppointments: Type.Integer({
      description:
        'How many booked visits to come another zone leaves where a rule now refuses them. They stay until somebody moves them.',
    }),
  },
  { description: 'The clinic as it is now.', headers: ETAG_HEADER },
);

export const ClinicPage = Type.Object({ clinics: Type.Array(Clinic), nextCursor: NextCursor });

export function clinicBody(row: ClinicRow): Static<typeof Clinic> {
  const { slotStepMinutes, bookingNoticeMinutes, bookingHorizonDays } = row.policy;
  const { moveNoticeMinutes, cancellationNoticeMinutes, holdMinutes } = row.policy;
  return {
    clinicId: row.clinic_id,
    name: row.name,
    slug: row.slug,
    phone: row.phone,
    timeZone: row.time_zone,
    policy: {
      slotStepMinutes,
      bookingNoticeMinutes,
      bookingHorizonDays,
      moveNoticeMinutes,
      cancellationNoticeMinutes,
      holdMinutes,
    },
  };
}
