/** One line without control characters, as texts are everywhere else. */
export function plainText(text: string): string {
  return text.replace(/[\s\u0000-\u001f\u007f-\u009f]+/g, ' ').trim();
}
