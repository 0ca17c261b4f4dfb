import { describe, expect, it } from 'vitest';
import { compressedSensingNoise } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { freshKernels, place, relativeError } from '../fft/reference.js';
import { usedBytes } from '../parallelImaging.js';
import { normals, randomModel } from '../sense/models.js';

const shape = { nCoils: 4, nRows: 24, nColumns: 20 };
const steps = { onSamples: () => undefined, onImage: () => undefined };

describe('the noise of compressed sensing', () => {
  it('without a norm to shrink, fully sampled, is that of the data over the root of the averages', () => {
    const kernels = freshKernels();
    const random = new Random(4);
    for (const averages of [1, 4]) {
      const model = { ...randomModel(kernels, random, shape, 'lines'), weights: new Float32Array(24).fill(averages) };
      const data = place(kernels, normals(random, 2 * 4 * 480));
      const noise = compressedSensingNoise(kernels, model, data, { lambda: 0, nIterations: 10 }, 0.3, steps);
      // 4 draws and 16 neighbours or more, real and imaginary part: 9 % where the window is cut at a corner.
      noise.forEach((value) => expect(Math.abs((value * Math.sqrt(averages)) / 0.3 - 1)).toBeLessThan(0.4));
      const mean = noise.reduce((sum, value) => sum + value, 0) / noise.length;
      expect(Math.abs((mean * Math.sqrt(averages)) / 0.3 - 1)).toBeLessThan(0.03);
    }
  });

  it('falls as the norm weighs more, has the unit of the data, and gives its memory back', () => {
    const kernels = freshKernels();
    const random = new Random(5);
    const model = randomModel(kernels, random, shape, 'lines');
    const d = normals(random, 2 * 4 * 480);
    const noiseOf = (scale: number, lambda: number) => {
      const data = place(kernels, d.map((value) => scale * value));
      const noise = compressedSensingNoise(kernels, model, data, { lambda: scale * lambda, nIterations: 20 }, scale, steps);
      kernels.arena.release(data);
      return noise;
    };
    const mean = (values: Float32Array) => values.reduce((sum, value) => sum + value, 0) / values.length;
    const [little, some, all] = [noiseOf(1, 0.1), noiseOf(1, 0.5), noiseOf(1, 50)];
    expect(mean(some)).toBeLessThan(0.9 * mean(little));
    expect(mean(all)).toBeLessThan(0.5 * mean(some));
    expect(relativeError(noiseOf(64, 0.5).map((value) => value / 64), some)).toBeLessThan(1e-4);
    kernels.arena.release(model.maps);
    expect(usedBytes(kernels)).toBe(0);
  });
});
