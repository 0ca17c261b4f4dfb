import { describe, expect, it } from 'vitest';
import { filterWindow } from '../../../recon/index.js';

describe('a raw filter', () => {
  it.each([['hann', 0], ['gaussian', Math.exp(-1 / 0.32)]] as const)('%s: is 1 at the centre, even, and falls to the edge', (filter, atEdge) => {
    const window = filterWindow(filter, 1, 33, 16);
    expect(window[16]).toBe(1);
    for (let k = 1; k <= 16; k++) {
      expect(window[16 + k]).toBe(window[16 - k]);
      expect(window[16 + k]!).toBeLessThan(window[15 + k]!);
    }
    expect(window[0]).toBeCloseTo(atEdge, 10);
  });

  it('of half the strength is half way to none', () => {
    const whole = filterWindow('hann', 1, 20, 10);
    filterWindow('hann', 0.5, 20, 10).forEach((value, i) => expect(value).toBeCloseTo((1 + whole[i]!) / 2, 12));
    expect(filterWindow('none', 1, 20, 10).every((value) => value === 1)).toBe(true);
  });
});
