import { sql } from 'kysely';

/** People write specialties as they like: capitals make no difference. */
export function isSpecialty(column: 'specialty' | 'provider.specialty', specialty: string) {
  return sql<boolean>`lower(${sql.ref(column)}) = lower(${specialty})`;
}
