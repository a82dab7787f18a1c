/**
 * A BCP 47 language tag in its canonical form: `de-at` is `de-AT`; undefined for what is none (ECMA-402 §6.2).
 */
export function canonicalLocale(tag: string): string | undefined {
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch {
    return undefined;
  }
}

/** Has the patient left any address for messages? Without one nothing can be sent; the desk has to call. */
export function isReachable(patient: { readonly phone: string | null; readonly email: string | null }): boolean {
  return patient.phone !== null || patient.email !== null;
}
