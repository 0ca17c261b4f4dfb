import { describe, expect, it } from 'vitest';
import { noveltyOf, type NoveltyReason } from '../../../recon/index.js';
import { cleanImage, columns, gNoise, magnitudes, rows, spine, withNoise } from './phantoms.js';

const nPixels = rows * columns;
const one = new Float32Array(nPixels).fill(1);
const noise = gNoise(1.6);
const complexOf = (values: Float32Array) => Float32Array.from({ length: 2 * nPixels }, (_, i) => (i % 2 === 0 ? values[i >> 1]! : 0));
const novelty = (data: Float32Array, map: Float32Array = one) => noveltyOf({ rows, columns, data, noise: map, components: data.length === nPixels ? 1 : 2 });

describe('the gate before a denoiser', () => {
  it('lets MR images pass, complex or magnitude, at any SNR that has something to show', () => {
    for (const snr of [2, 5, 20, 80]) {
      for (let seed = 1; seed <= 5; seed++) {
        const noisy = withNoise(cleanImage(snr), noise, seed);
        expect(novelty(noisy, noise)).toBeUndefined();
        expect(novelty(noisy.map((value) => 1e-3 * value), noise.map((value) => 1e-3 * value))).toBeUndefined();
        if (snr >= 5) expect(novelty(magnitudes(noisy), noise)).toBeUndefined();
      }
    }
  });

  it('lets masked images pass, whose noise is zero where there is nothing', () => {
    const noisy = withNoise(cleanImage(15), noise, 3);
    const isMasked = (p: number) => spine[p]! < 0.05;
    const map = noise.map((value, p) => (isMasked(p) ? 0 : value));
    expect(novelty(noisy.map((value, i) => (isMasked(i >> 1) ? 1e-6 * value : value)), map)).toBeUndefined();
    expect(novelty(noisy, map)).toBe('noiseMap');
    expect(novelty(noisy, new Float32Array(nPixels))).toBe('noiseMap');
  });

  const noiseOnly = withNoise(new Float32Array(2 * nPixels), one, 5);
  const hounsfield = spine.map((value, p) => (value > 0.05 ? 300 * value - 100 : -1000) + 20 * noiseOnly[p]!);
  const cases: [reason: NoveltyReason, what: string, data: Float32Array, map: Float32Array | undefined][] = [
    ['empty', 'zeros', new Float32Array(2 * nPixels), undefined],
    ['notFinite', 'a NaN', withNoise(cleanImage(10), one, 1).fill(NaN, 77, 78), undefined],
    ['notFinite', 'an infinity', withNoise(cleanImage(10), one, 1).fill(Infinity, 77, 78), undefined],
    ['noiseMap', 'a map with a zero', withNoise(cleanImage(10), one, 1), one.slice().fill(0, 9, 10)],
    ['noiseMap', 'a map with a NaN', withNoise(cleanImage(10), one, 1), one.slice().fill(NaN, 9, 10)],
    ['constant', 'one value', complexOf(new Float32Array(nPixels).fill(7)), undefined],
    ['fewValues', 'a mask', complexOf(spine.map((value) => (value > 0.3 ? 1 : 0))), undefined],
    ['hounsfield', 'a CT slice', hounsfield, one.map(() => 20)],
    ['hounsfield', 'a CT slice, given as complex', complexOf(hounsfield), one.map(() => 20)],
    ['noiseOnly', 'noise', noiseOnly, undefined],
    ['noiseOnly', 'the magnitude of noise', magnitudes(noiseOnly), undefined],
    ['noiseOnly', 'noise whose map is off', noiseOnly, one.map(() => 1.5)],
    ['noiseScale', 'a map in other units', withNoise(cleanImage(10), one, 1), one.map(() => 100)],
    ['noiseScale', 'a map in other units, smaller', withNoise(cleanImage(10), one, 1), one.map(() => 0.01)],
    ['noiseScale', 'an image without noise', cleanImage(10, spine.map((value, p) => value * (1 + 1e-4 * Math.sin(p)))), one],
  ];
  it.each(cases)('says %s of %s', (reason, _, data, map) => {
    expect(novelty(data, map)).toBe(reason);
  });
});
