import { v5 as uuidV5 } from 'uuid';

/*
 * A believable network of clinics, the same on every machine: ids are derived from names, so a command in a page of documentation works everywhere.
 */

const NAMESPACE = '0f2d9f3c-7a55-4d0c-8a86-5d0b6c1f7e21';

/** The id of a seeded thing, from its name: `seededId('clinic', 'riverside')`. */
export function seededId(kind: 'clinic' | 'provider' | 'patient' | 'waitlist_entry', name: string): string {
  return uuidV5(`${kind} ${name}`, NAMESPACE);
}

export interface SeededClinic {
  readonly slug: string;
  readonly clinicId: string;
  readonly name: string;
  readonly timeZone: string;
  readonly providers: readonly SeededProvider[];
  readonly patients: readonly SeededPatient[];
}

export interface SeededProvider {
  readonly providerId: string;
  readonly name: string;
  readonly specialty: string;
  readonly maxDailyAppointments: number;
  /** 1 = Monday … 7 = Sunday. */
  readonly days: readonly number[];
  readonly hours: readonly [string, string];
  readonly break: readonly [string, string];
}

export interface SeededPatient {
  readonly patientId: string;
  readonly givenName: string;
  readonly familyName: string;
  readonly birthDate: string;
  readonly phone: string;
  readonly email: string;
  readonly locale: string;
  readonly preferredChannel: 'sms' | 'email';
}

const WEEKDAYS = [1, 2, 3, 4, 5];

const CLINICS = [
  {
    slug: 'riverside',
    name: 'Riverside Family Clinic',
    timeZone: 'America/New_York',
    locales: ['en-US', 'en-US', 'es-US'],
    phone: (n: number) =>
      `+1${['212', '718', '917', '646'][n % 4] ?? '212'}555${String(100 + Math.floor(n / 4)).padStart(4, '0')}`,
    providers: [
      ['Dr. Maria Alvarez', 'Family medicine', WEEKDAYS, '08:30', '17:00'],
      ['Dr. Thomas Reed', 'Dermatology', WEEKDAYS, '09:00', '17:30'],
      ['Dr. Grace Kim', 'Pediatrics', [1, 2, 3, 4, 6], '08:00', '16:00'],
      ['Dr. Samuel Osei', 'Cardiology', [1, 3, 5], '09:00', '18:00'],
    ],
  },
  {
    // Arizona keeps standard time all year.
    slug: 'desert-bloom',
    name: 'Desert Bloom Clinic',
    timeZone: 'America/Phoenix',
    locales: ['en-US', 'es-US', 'es-US'],
    phone: (n: number) =>
      `+1${['602', '480', '623', '928'][n % 4] ?? '602'}555${String(100 + Math.floor(n / 4)).padStart(4, '0')}`,
    providers: [
      ['Dr. Elena Navarro', 'Family medicine', WEEKDAYS, '07:30', '15:30'],
      ['Dr. Peter Lindqvist', 'Orthopedics', [1, 2, 4, 5], '08:00', '16:30'],
      ['Dr. Hannah Weiss', 'Ophthalmology', [2, 3, 4], '09:00', '17:00'],
      ['Dr. Luis Ortega', 'Internal medicine', WEEKDAYS, '10:00', '18:30'],
    ],
  },
  {
    // Half an hour beside the whole hours.
    slug: 'lotus',
    name: 'Lotus Health Centre',
    timeZone: 'Asia/Kolkata',
    locales: ['en-IN', 'en-IN', 'de-DE'],
    phone: (n: number) => `+9198${String(20_000_000 + n * 7_919).slice(0, 8)}`,
    providers: [
      ['Dr. Anjali Rao', 'Family medicine', [1, 2, 3, 4, 5, 6], '09:30', '18:00'],
      ['Dr. Vikram Mehta', 'Endocrinology', WEEKDAYS, '10:00', '17:00'],
      ['Dr. Priya Nair', 'Gynecology', [1, 2, 4, 6], '09:00', '15:00'],
      ['Dr. Karan Singh', 'ENT', [2, 3, 5, 6], '11:00', '19:00'],
    ],
  },
] as const;

const GIVEN = [
  ...[
    'Amelia',
    'Noah',
    'Olivia',
    'Liam',
    'Sofia',
    'Mateo',
    'Emma',
    'Lucas',
    'Isla',
    'Ethan',
    'Zoe',
    'Daniel',
    'Chloe',
    'Omar',
    'Ruth',
    'Felix',
  ],
  ...['Nadia', 'Hugo', 'Leah', 'Arjun', 'Meera', 'Ines', 'Jonas', 'Clara', 'Diego'],
];
const FAMILY = [
  ...['Walker', 'Garcia', 'Nguyen', 'Patel', 'Brown', 'Schmidt', 'Okafor', 'Rossi', 'Silva', 'Cohen', 'Larsen', 'Iyer'],
];

const PATIENTS_PER_CLINIC = 100;

/** Three clinics in three zones, a dozen providers, three hundred patients. */
export const NETWORK: readonly SeededClinic[] = CLINICS.map((clinic) => ({
  slug: clinic.slug,
  clinicId: seededId('clinic', clinic.slug),
  name: clinic.name,
  timeZone: clinic.timeZone,
  providers: clinic.providers.map(([name, specialty, days, from, to]) => ({
    providerId: seededId('provider', name),
    name,
    specialty,
    maxDailyAppointments: 16,
    days,
    hours: [from, to],
    break: ['12:30', '13:15'],
  })),
  patients: Array.from({ length: PATIENTS_PER_CLINIC }, (_, n) => aPatient(clinic, n)),
}));

function aPatient(clinic: (typeof CLINICS)[number], n: number): SeededPatient {
  const givenName = GIVEN[n % GIVEN.length] ?? 'Amelia';
  const familyName = FAMILY[(n * 5 + Math.floor(n / GIVEN.length)) % FAMILY.length] ?? 'Walker';
  return {
    patientId: seededId('patient', `${clinic.slug} ${n}`),
    givenName,
    familyName,
    birthDate: `${1940 + ((n * 7) % 75)}-${String((n % 12) + 1).padStart(2, '0')}-${String((n % 28) + 1).padStart(2, '0')}`,
    phone: clinic.phone(n),
    email: `${givenName}.${familyName}.${n}@${clinic.slug}.example`.toLowerCase(),
    locale: clinic.locales[n % clinic.locales.length] ?? 'en-US',
    preferredChannel: n % 4 === 3 ? 'email' : 'sms',
  };
}

/** Who waits from the start: for specialties the story does not touch. */
export const WAITING: readonly {
  readonly clinic: string;
  readonly patient: number;
  readonly specialty: string;
  readonly priority: number;
}[] = [
  { clinic: 'riverside', patient: 40, specialty: 'Cardiology', priority: 3 },
  { clinic: 'riverside', patient: 41, specialty: 'Pediatrics', priority: 0 },
  { clinic: 'desert-bloom', patient: 40, specialty: 'Orthopedics', priority: 0 },
  { clinic: 'desert-bloom', patient: 41, specialty: 'Ophthalmology', priority: 5 },
  { clinic: 'lotus', patient: 40, specialty: 'ENT', priority: 0 },
  { clinic: 'lotus', patient: 41, specialty: 'Endocrinology', priority: 2 },
];
