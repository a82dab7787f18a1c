/** The GSM 03.38 basic set, without the escape character. Source: 3GPP TS 23.038 §6.2.1. */
const GSM_BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
/** The GSM 03.38 extension table: each character takes two places. Source: 3GPP TS 23.038 §6.2.1.1. */
const GSM_EXTENDED = new Set('\f^{}\\[~]|€');

/** How a text is cut into SMS parts. */
export interface Segmentation {
  encoding: 'GSM-7' | 'UCS-2';
  segments: number;
}

/**
 * Counts the SMS parts of a text: 160 places, or 153 a part, in GSM-7; 70 places, or 67 a part, in UCS-2.
 * A character is never split over two parts.
 */
export function countSegments(text: string): Segmentation {
  const characters = Array.from(text);
  const isGsm = characters.every((character) => GSM_BASIC.has(character) || GSM_EXTENDED.has(character));
  const places = characters.map((character) => (isGsm ? (GSM_EXTENDED.has(character) ? 2 : 1) : character.length));
  const [single, part] = isGsm ? [160, 153] : [70, 67];
  const total = places.reduce((sum, width) => sum + width, 0);
  const encoding = isGsm ? 'GSM-7' : 'UCS-2';
  if (total <= single) return { encoding, segments: 1 };
  let segments = 1;
  let filled = 0;
  for (const width of places) {
    if (filled + width > part) {
      segments += 1;
      filled = 0;
    }
    filled += width;
  }
  return { encoding, segments };
}
