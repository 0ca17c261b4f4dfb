import { describe, expect, it } from 'vitest';
import { noiseRatio, structureLimit, trustOf, type Trust } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { cleanImage, columns, gNoise, goodDenoiser, rows, withDisc, withNoise } from './phantoms.js';

const nImages = 20;
const noise = gNoise(1.6);

interface Series {
  readonly snr: number;
  readonly clean: Float32Array;
  readonly noisy: Float32Array;
  readonly denoised: Float32Array;
}

const series: readonly Series[] = Array.from({ length: nImages }, (_, seed) => {
  const snr = 6 + 2 * seed;
  const clean = cleanImage(snr);
  const noisy = withNoise(clean, noise, seed + 1);
  return { snr, clean, noisy, denoised: goodDenoiser(clean, noisy, noise) };
});

const trust = ({ noisy, denoised }: Pick<Series, 'noisy' | 'denoised'>, map = noise): Trust =>
  trustOf({ rows, columns, noisy, denoised, noise: map, components: 2 });
const partOf = (lights: readonly Trust[], isWanted: (trust: Trust) => boolean) => lights.filter(isWanted).length / lights.length;

describe('the quality light', () => {
  it('is green for what a good denoiser does', () => {
    expect(partOf(series.map((image) => trust(image)), ({ light }) => light === 'green')).toBeGreaterThanOrEqual(0.95);
    for (const { reasons } of series.map((image) => trust(image)).filter(({ light }) => light === 'green')) expect(reasons).toEqual([]);
  });

  it.each([0.5, 2])('is red where the noise map is wrong by a factor of %d, whatever the denoiser made of it', (factor) => {
    const wrong = noise.map((value) => factor * value);
    expect(partOf(series.map((image) => trust(image, wrong)), ({ light }) => light === 'red')).toBeGreaterThanOrEqual(0.95);
  });

  it.each([[2, 3], [3, 2], [5, 1.5], [3, -2], [5, -1.5]])('is not green where a disc of radius %d and %d times the noise was made up or taken away', (radius, size) => {
    const lights = series.map(({ noisy, denoised }, at) => trust({ noisy, denoised: withDisc(denoised, 40 + 4 * at, 64, radius, 1.4 * size) }));
    expect(partOf(lights, ({ light }) => light !== 'green')).toBeGreaterThanOrEqual(0.95);
    expect(lights.at(-1)!.reasons.join()).toContain('structure');
  });

  it('is not green where an edge was moved', () => {
    // A strip of two pixels along 24 rows takes the brightness beside it.
    const lights = series.map(({ noisy, denoised, snr }) => {
      const moved = denoised.slice();
      for (let row = 60; row < 84; row++) for (let c = 0; c < 2; c++) moved[2 * (row * columns + 64 + c)] = moved[2 * (row * columns + 64 + c)]! + 0.4 * snr;
      return trust({ noisy, denoised: moved });
    });
    expect(partOf(lights, ({ light }) => light !== 'green')).toBeGreaterThanOrEqual(0.95);
  });

  it('is not green where noise was left, signal was scaled, or edges were blurred', () => {
    const [image] = series.slice(8);
    const { noisy, denoised } = image!;
    const light = (of: Float32Array) => trust({ noisy, denoised: of }).light;
    expect(light(denoised.map((value, i) => 0.55 * noisy[i]! + 0.45 * value))).not.toBe('green');
    expect(light(denoised.map((value) => 0.93 * value))).not.toBe('green');
    const blurred = denoised.map((value, i) =>
      i > 2 && i < denoised.length - 2 ? (2 * value + denoised[i - 2]! + denoised[i + 2]!) / 4 : value);
    expect(light(blurred)).not.toBe('green');
  });

  it('does not know units, phase or which way the image lies', () => {
    const { noisy, denoised } = series[5]!;
    const before = trust(series[5]!);
    const scaled = trustOf({ rows, columns, noisy: noisy.map((v) => 8 * v), denoised: denoised.map((v) => 8 * v), noise: noise.map((v) => 8 * v), components: 2 });
    const turned = trust({ noisy: timesI(noisy), denoised: timesI(denoised) });
    for (const other of [scaled, turned]) {
      for (const name of ['noiseRatio', 'residualStd', 'imageCorrelation', 'edgeCorrelation', 'largestStructure'] as const) {
        expect(other[name]).toBeCloseTo(before[name], 4);
      }
    }
  });

  it('is for real images, too', () => {
    const realOf = (image: Float32Array) => image.filter((_, i) => i % 2 === 0);
    const { noisy, denoised } = series[5]!;
    const input = { rows, columns, noisy: realOf(noisy), denoised: realOf(denoised), noise, components: 1 } as const;
    expect(trustOf(input).light).toBe('green');
    expect(trustOf({ ...input, noise: noise.map((value) => 2 * value) }).light).toBe('red');
  });
});

/** i z */
function timesI(image: Float32Array): Float32Array {
  return image.map((_, i) => (i % 2 === 0 ? -image[i + 1]! : image[i - 1]!));
}

describe('the largest structure', () => {
  it('of white noise stays below its limit', () => {
    const one = new Float32Array(rows * columns).fill(1);
    const nothing = new Float32Array(2 * rows * columns);
    for (let seed = 0; seed < 60; seed++) {
      const { largestStructure } = trust({ noisy: withNoise(nothing, one, 100 + seed), denoised: nothing }, one);
      expect(largestStructure).toBeLessThan(structureLimit(rows, columns));
      expect(largestStructure).toBeGreaterThan(0.55 * structureLimit(rows, columns));
    }
  });

  it('is said where it is', () => {
    const { noisy, denoised } = series[3]!;
    const { structureAt } = trust({ noisy, denoised: withDisc(denoised, 70, 50, 4, 5) });
    expect(Math.abs(structureAt[0] - 70)).toBeLessThanOrEqual(3);
    expect(Math.abs(structureAt[1] - 50)).toBeLessThanOrEqual(3);
  });
});

describe('the noise of an image over its map', () => {
  it('is 1 where the map is right, and follows it', () => {
    for (const { noisy } of series) {
      expect(Math.abs(noiseRatio(noisy, noise, rows, columns, 2) - 1)).toBeLessThan(0.12);
      expect(Math.abs(noiseRatio(noisy, noise.map((value) => value / 2), rows, columns, 2) - 2)).toBeLessThan(0.24);
    }
  });

  it('does not ask where the image is masked', () => {
    const random = new Random(3);
    const masked = Float32Array.from({ length: 2 * rows * columns }, (_, i) => ((i >> 1) % columns < 50 ? random.normal() : 0));
    const one = new Float32Array(rows * columns).fill(1);
    expect(noiseRatio(masked, one, rows, columns, 2)).toBeCloseTo(1, 1);
    expect(noiseRatio(new Float32Array(2 * rows * columns), one, rows, columns, 2)).toBeNaN();
  });
});
