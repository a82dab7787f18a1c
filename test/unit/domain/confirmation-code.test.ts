import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { CONFIRMATION_CODE_BYTES, confirmationCode } from '../../../src/domain/confirmation-code.ts';

describe('a confirmation code', () => {
  it('is six characters that are not mistaken for one another and spell no word', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 200, maxLength: 200 }), (bytes) => {
        fc.pre(bytes.filter((byte) => byte < 240).length >= 6);
        expect(confirmationCode(bytes)).toMatch(/^[234679BCDFGHJKMNPQRTVWXY]{6}$/);
      }),
    );
  });

  it('has each character equally often over all bytes', () => {
    const counts = new Map<string, number>();
    for (let byte = 0; byte < 256; byte += 1) {
      // A byte that is passed over leaves the code to the zeros behind it.
      const code = confirmationCode(Uint8Array.of(1, 1, 1, 1, 1, byte, 0));
      const last = code.at(-1) ?? '';
      counts.set(last, (counts.get(last) ?? 0) + 1);
    }
    const passedOver = 256 % 24;
    const first = confirmationCode(new Uint8Array(6)).at(-1) ?? '';
    counts.set(first, (counts.get(first) ?? 0) - passedOver);
    expect([...counts.values()]).toEqual(Array.from({ length: 24 }, () => 10));
  });

  it('is refused for too few usable bytes', () => {
    expect(() => confirmationCode(new Uint8Array(5))).toThrow(RangeError);
    expect(() => confirmationCode(new Uint8Array(CONFIRMATION_CODE_BYTES).fill(255))).toThrow(RangeError);
  });
});
