/**
 * What a confirmation code is made of: no vowels, so that no code spells a word, and at most one of each group that is mistaken
 * for one another on paper (0 O, 1 I L, 2 Z, 5 S, 8 B, U V).
 */
const ALPHABET = '234679BCDFGHJKMNPQRTVWXY';
const LENGTH = 6;

// Bytes from here up would favour the first characters of the alphabet.
const FIRST_BIASED_BYTE = 256 - (256 % ALPHABET.length);

/** How many random bytes to hand in: with 32 the chance that too few are usable is below one in 10^20. */
export const CONFIRMATION_CODE_BYTES = 32;

/**
 * Six unambiguous characters, each equally likely. Unique in a clinic by the database; the caller retries a collision with fresh bytes.
 *
 * @param randomBytes - {@link CONFIRMATION_CODE_BYTES} bytes from a cryptographic source
 * @throws RangeError when too few of the bytes are usable
 */
export function confirmationCode(randomBytes: Uint8Array): string {
  let code = '';
  for (const byte of randomBytes) {
    if (byte >= FIRST_BIASED_BYTE) continue;
    code += ALPHABET.charAt(byte % ALPHABET.length);
    if (code.length === LENGTH) return code;
  }
  throw new RangeError('too few usable random bytes for a confirmation code');
}
