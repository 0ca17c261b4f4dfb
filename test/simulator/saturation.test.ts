import { describe, expect, it } from 'vitest';
import { saturationGain } from '../../simulator/index.js';

describe('saturationGain', () => {
  const anterior = [{ side: 'anterior', distanceMm: 40, thicknessMm: 60 }] as const;

  it('leaves the spine alone and takes what lies in the band', () => {
    for (const y of [30, 0, -30]) expect(saturationGain(anterior, [0, 0, 0], [5, y, 80])).toBe(1);
    for (const y of [-50, -70, -90]) expect(saturationGain(anterior, [0, 0, 0], [5, y, 80])).toBeCloseTo(0.2, 6);
    expect(saturationGain(anterior, [0, 0, 0], [0, -110, 0])).toBe(1);
  });

  it('is measured from the centre of the stack, on the side that is named', () => {
    const at = (side: 'head' | 'feet' | 'left' | 'right' | 'posterior') =>
      saturationGain([{ side, distanceMm: 10, thicknessMm: 100 }], [100, 200, 300], [100 + 50, 200 + 50, 300 + 50]);
    expect([at('head'), at('left'), at('posterior')].every((gain) => gain < 0.3)).toBe(true);
    expect([at('feet'), at('right')]).toEqual([1, 1]);
  });

  it('falls over its edge without a step, and bands multiply', () => {
    const gains = Array.from({ length: 41 }, (_, index) => saturationGain(anterior, [0, 0, 0], [0, -30 - 0.5 * index, 0]));
    gains.slice(1).forEach((gain, index) => expect(gains[index]! - gain).toBeLessThan(0.08));
    const twice = saturationGain([...anterior, ...anterior], [0, 0, 0], [0, -70, 0]);
    expect(twice).toBeCloseTo(0.2 ** 2, 6);
  });
});
