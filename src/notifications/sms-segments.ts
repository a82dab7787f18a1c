/** The GSM 7 bit default alphabet without the escape character (3GPP TS 23.038 §6.2.1). */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** Its extension table: each of these takes two places (§6.2.1.1). */
const EXTENSION = new Set('\f^{}\\[~]|€');

function isGsm(character: string): boolean {
  return BASIC.has(character) || EXTENSION.has(character);
}

/** What is typed on a phone in place of what a text program makes of it. */
const PLAIN_MARKS: readonly (readonly [marks: RegExp, plain: string])[] = [
  [/[\u2018\u2019\u201A\u201B\u2032\u02B9\u02BC\u00B4`]/gu, "'"],
  [/[\u201C\u201D\u201E\u201F\u00AB\u00BB\u2033]/gu, '"'],
  [/[\u2010-\u2015\u2212\u00AD]/gu, '-'],
  [/\u2026/gu, '...'],
  [/[\u200B-\u200F\u202A-\u202E\u2060\uFEFF]/gu, ''],
];

/** The text with typographic quotes, apostrophes, dashes and ellipses as plain ones, so that they do not make it UCS-2. Letters stay as they are. */
export function withPlainMarks(text: string): string {
  return PLAIN_MARKS.reduce((plain, [marks, mark]) => plain.replaceAll(marks, mark), text);
}

/** The text with every letter that the GSM alphabet lacks as its base letter: for words of our own, such as months, never for names. */
export function inGsmAlphabet(text: string): string {
  return Array.from(withPlainMarks(text), (character) =>
    isGsm(character) ? character : character.normalize('NFD').replaceAll(/\p{Mark}/gu, ''),
  ).join('');
}

/** How many places one SMS has, and each part of a longer one, which carries a header (3GPP TS 23.040 §9.2.3.24.1). */
const GSM = { single: 160, part: 153 };
const UCS2 = { single: 70, part: 67 };

/** How many SMS a text is sent as, and paid for. One character outside the GSM alphabet makes all of it UCS-2. */
export function countSmsSegments(text: string): number {
  const characters = Array.from(text);
  const allGsm = characters.every(isGsm);
  const { single, part } = allGsm ? GSM : UCS2;
  const width = (character: string) => (allGsm ? (EXTENSION.has(character) ? 2 : 1) : character.length);
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
