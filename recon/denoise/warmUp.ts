/**
 * So that the first scans wait for no compiler: what is computed of every denoised image, again and again on a small one. Functions that
 * are called once an image are optimised after many images only; until then they take ten times as long as the denoiser leaves them.
 */
import { repeatableNoise } from '../repeatableNoise.js';
import { noiseNoveltyOf, plainNoveltyOf } from './novelty.js';
import { blend } from './strength.js';
import { trustOf } from './trust.js';

const size = 48;
const nRounds = 60;

export function warmUpDenoising(): void {
  const nPixels = size * size;
  const random = repeatableNoise();
  const truth = Float32Array.from({ length: 2 * nPixels }, (_, i) => 12 * (1 + Math.sin((i >> 1) / 7)) * ((i & 1) === 0 ? 1 : 0.3));
  const data = truth.map((value) => value + 1.7 * random());
  const denoised = truth.map((value) => value + 0.2 * random());
  const noise = new Float32Array(nPixels).fill(1);
  const noisy = { rows: size, columns: size, data, noise, components: 2 } as const;
  for (let round = 0; round < nRounds; round++) {
    plainNoveltyOf(noisy);
    noiseNoveltyOf({ ...noisy, noiseIsWhite: true });
    trustOf({ rows: size, columns: size, noisy: data, denoised, noise, components: 2, noiseRatio: 1 });
    blend(data, denoised, 0.75);
  }
}
