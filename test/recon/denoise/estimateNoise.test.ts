import { describe, expect, it } from 'vitest';
import { estimateNoise } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { cleanImage, columns, gNoise, magnitudes, rows, withNoise } from './phantoms.js';

/** Medians over the image of estimate / truth, and of how far that is from 1. */
function errorsOf(estimate: Float32Array, truth: Float32Array): { ratio: number; deviation: number } {
  const ratios = [...estimate.map((value, p) => value / truth[p]!)].sort((a, b) => a - b);
  const deviations = ratios.map((ratio) => Math.abs(ratio - 1)).sort((a, b) => a - b);
  return { ratio: ratios[ratios.length >> 1]!, deviation: deviations[deviations.length >> 1]! };
}

describe('the noise of a magnitude image', () => {
  it('is found within 15 % at SNR 5 to 30, also where it varies', () => {
    for (const snr of [5, 10, 20, 30]) {
      for (const most of [1, 1.8]) {
        const noise = gNoise(most, 3);
        const image = magnitudes(withNoise(cleanImage(3 * snr), noise, snr));
        const { noise: estimate, confidence } = estimateNoise(image, rows, columns)!;
        const { ratio, deviation } = errorsOf(estimate, noise);
        expect(Math.abs(ratio - 1), `SNR ${snr}, g ${most}`).toBeLessThan(0.15);
        expect(deviation, `SNR ${snr}, g ${most}`).toBeLessThan(0.15);
        expect(confidence).toBeGreaterThan(0.8);
      }
    }
  });

  it('is found where there is no signal: magnitudes spread less there', () => {
    const noise = gNoise(1, 2);
    const image = magnitudes(withNoise(new Float32Array(2 * rows * columns), noise, 4));
    expect(Math.abs(errorsOf(estimateNoise(image, rows, columns)!.noise, noise).ratio - 1)).toBeLessThan(0.05);
  });

  it('scales with the image', () => {
    const image = magnitudes(withNoise(cleanImage(15), gNoise(1.5), 2));
    const [once, often] = [estimateNoise(image, rows, columns)!, estimateNoise(image.map((value) => 4 * value), rows, columns)!];
    often.noise.forEach((value, p) => expect(value / once.noise[p]!).toBeCloseTo(4, 4));
    expect(often.confidence).toBe(once.confidence);
  });

  it('of an image that was filtered is found, too, with less confidence and less strength', () => {
    const one = gNoise(1);
    const noisy = withNoise(cleanImage(15), one, 9);
    // A mean of 2 x 2 pixels: half the noise, up to about half of the highest frequency.
    const smooth = new Float32Array(noisy.length);
    for (let p = 0; p < rows * columns; p++) {
      const right = p % columns === columns - 1 ? p : p + 1;
      const below = (q: number) => Math.min(rows * columns - 1, q + columns);
      for (let part = 0; part < 2; part++) {
        smooth[2 * p + part] = (noisy[2 * p + part]! + noisy[2 * right + part]! + noisy[2 * below(p) + part]! + noisy[2 * below(right) + part]!) / 4;
      }
    }
    const whole = estimateNoise(magnitudes(noisy), rows, columns)!;
    const filtered = estimateNoise(magnitudes(smooth), rows, columns)!;
    expect(filtered.noiseBandwidth).toBeLessThan(0.8);
    expect(filtered.confidence).toBeLessThan(whole.confidence);
    expect(filtered.mostStrengthPercent).toBeLessThan(whole.mostStrengthPercent);
    expect(whole.mostStrengthPercent).toBeLessThanOrEqual(60);
    expect(Math.abs(errorsOf(filtered.noise, one.map((value) => value / 2)).ratio - 1)).toBeLessThan(0.35);
  });

  it('is not told of what has none', () => {
    expect(estimateNoise(new Float32Array(rows * columns), rows, columns)).toBeUndefined();
    const random = new Random(1);
    expect(estimateNoise(Float32Array.from({ length: 16 }, () => random.uniform()), 4, 4)).toBeUndefined();
  });
});
