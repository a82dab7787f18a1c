import { describe, expect, it } from '@jest/globals';
import { countSmsSegments } from '../../../src/notifications/sms-segments.ts';

describe('counting SMS segments', () => {
  it.each([
    ['an empty text', '', 1],
    ['160 GSM characters', 'a'.repeat(160), 1],
    ['161 GSM characters', 'a'.repeat(161), 2],
    ['306 GSM characters', 'a'.repeat(306), 2],
    ['307 GSM characters', 'a'.repeat(307), 3],
    ['80 characters of the extension table, two places each', '€'.repeat(80), 1],
    ['81 characters of the extension table', '€'.repeat(81), 2],
    ['70 characters outside the GSM alphabet', 'á'.repeat(70), 1],
    ['71 characters outside the GSM alphabet', 'á'.repeat(71), 2],
    ['135 characters outside the GSM alphabet', 'á'.repeat(135), 3],
    ['159 GSM characters and one curly quote', `${'a'.repeat(159)}’`, 3],
    ['35 emoji, two places each', '😀'.repeat(35), 1],
    ['66 emoji, never split over two parts', '😀'.repeat(66), 2],
    ['67 emoji', '😀'.repeat(67), 3],
    ['an extension character that no longer fits into the first part', `${'a'.repeat(152)}€${'a'.repeat(152)}`, 3],
  ])('%s', (_name, text, segments) => {
    expect(countSmsSegments(text)).toBe(segments);
  });
});
