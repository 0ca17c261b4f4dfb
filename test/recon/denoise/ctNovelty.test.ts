import { describe, expect, it } from 'vitest';
import { ctNoveltyOf, ctNoveltyTexts } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

const size = 64;
/** Muscle with a rim of fat in air, and noise. */
function trunk(noiseHu = 20): Float32Array {
  const random = new Random(1);
  return Float32Array.from({ length: size * size }, (_, p) => {
    const radius = Math.hypot((p % size) - 32, Math.floor(p / size) - 32);
    return (radius < 20 ? 50 : radius < 26 ? -100 : -1000) + noiseHu * random.normal();
  });
}

describe('ctNoveltyOf', () => {
  it('lets a trunk pass, noisy or not, and a field of view that lies within it', () => {
    expect(ctNoveltyOf(trunk(5), size, size)).toBeUndefined();
    expect(ctNoveltyOf(trunk(150), size, size)).toBeUndefined();
    const within = Float32Array.from({ length: size * size }, (_, p) => (p % size < 50 ? 45 : -95) + ((p * 7919) % 101) / 10);
    expect(ctNoveltyOf(within, size, size)).toBeUndefined();
  });

  it('refuses what is no CT image, with the reason', () => {
    const random = new Random(2);
    const magnitude = Float32Array.from({ length: size * size }, () => Math.abs(400 + 300 * random.normal()));
    const snrUnits = Float32Array.from({ length: size * size }, () => 12 + 5 * random.normal());
    const cases = [
      [new Float32Array(size * size), 'empty'],
      [new Float32Array(size * size).fill(-1000), 'constant'],
      [trunk().fill(NaN, 7, 8), 'notFinite'],
      [trunk(0), 'fewValues'],
      [trunk().map((value) => value * 1e4), 'range'],
      [magnitude, 'noSoftTissue'],
      [snrUnits, 'noFatOrAir'],
      [trunk().map((value) => value + 1024), 'noFatOrAir'],
    ] as const;
    for (const [image, reason] of cases) {
      expect(ctNoveltyOf(image, size, size)).toBe(reason);
      expect(ctNoveltyTexts[reason]).toMatch(/^(is|has) /);
    }
  });
});
