/** One line without control characters and halves of surrogate pairs, as texts are everywhere else. */
export function plainText(text: string): string {
  return text.replace(/[\s\p{Cc}\p{Cs}]+/gu, ' ').trim();
}
