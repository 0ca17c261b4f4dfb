import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { blend, fallbackAt, strengthAt, type QualityLight } from '../../../recon/index.js';

const images = fc.integer({ min: 1, max: 40 }).chain((n) => {
  const values = fc.float32Array({ minLength: n, maxLength: n, noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 });
  return fc.tuple(values, values);
});

describe('strength', () => {
  it('0 is the image and 1 the denoised one, bit for bit, as copies', () => {
    fc.assert(
      fc.property(images, ([noisy, denoised]) => {
        expect(blend(noisy, denoised, 0)).toEqual(noisy);
        expect(blend(noisy, denoised, 1)).toEqual(denoised);
        expect(blend(noisy, denoised, 0)).not.toBe(noisy);
        expect(blend(noisy, denoised, 1)).not.toBe(denoised);
      }),
    );
  });

  it('in between is linear', () => {
    fc.assert(
      fc.property(images, fc.double({ min: 0, max: 1, noNaN: true }), ([noisy, denoised], strength) => {
        const blended = blend(noisy, denoised, strength);
        blended.forEach((value, i) => {
          const expected = noisy[i]! + strength * (denoised[i]! - noisy[i]!);
          expect(Math.abs(value - expected)).toBeLessThanOrEqual(1e-6 * (Math.abs(noisy[i]!) + Math.abs(denoised[i]!)) + 1e-37);
        });
      }),
    );
  });
});

it('is what was asked for where the light is green or is to be delivered, and no more than its light allows', () => {
  const fallbacks = { onAmber: 40, onRed: 'end' } as const;
  expect(['green', 'amber', 'red'].map((light) => strengthAt(light as QualityLight, 75, fallbacks))).toEqual([75, 40, 75]);
  expect(strengthAt('amber', 30, fallbacks)).toBe(30);
  expect([fallbackAt('green', fallbacks), fallbackAt('amber', fallbacks), fallbackAt('red', fallbacks)]).toEqual(['deliver', 40, 'end']);
});
