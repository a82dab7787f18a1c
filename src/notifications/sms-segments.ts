/** The GSM 7 bit default alphabet without the escape character (3GPP TS 23.038 §6.2.1). */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Its extension table: each of these takes two places (§6.2.1.1). */
const EXTENSION = new Set('\f^{}\\[~]|€');

/** How many places one SMS has, and each part of a longer one, which carries a header (3GPP TS 23.040 §9.2.3.24.1). */
const GSM = { single: 160, part: 153 };
const UCS2 = { single: 70, part: 67 };

/** How many SMS a text is sent as, and paid for. One character outside the GSM alphabet makes all of it UCS-2. */
export function countSmsSegments(text: string): number {
  const characters = Array.from(text);
  const isGsm = characters.every((character) => BASIC.has(character) || EXTENSION.has(character));
  const { single, part } = isGsm ? GSM : UCS2;
  const width = (character: string) => (isGsm ? (EXTENSION.has(character) ? 2 : 1) : character.length);
  const total = characters.reduce((sum, character) => sum + width(character), 0);
  if (total <= single) return 1;

  // A character is never split over two parts.
  let segments = 1;
  let used = 0;
  for (const character of characters) {
    if (used + width(character) > part) {
      segments += 1;
      used = 0;
    }
    used += width(character);
  }
  return segments;
}
