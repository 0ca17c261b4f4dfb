import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inverseWaveletTransform, shrinkWavelets, waveletShape, waveletTransform } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { distance, freshKernels, norm, place, relativeError } from '../fft/reference.js';
import { normals } from '../sense/models.js';

const sizes = fc.record({ nRows: fc.integer({ min: 1, max: 70 }), nColumns: fc.integer({ min: 1, max: 70 }), seed: fc.nat() });

/** Each column one unit vector's coefficients. */
function matrixOf(nRows: number, nColumns: number, nLevels: number): Float64Array[] {
  const kernels = freshKernels();
  const n = nRows * nColumns;
  const image = place(kernels, new Float64Array(4 * n));
  return Array.from({ length: n }, (_, i) => {
    kernels.arena.f32(image, 2 * n).fill(0)[2 * i] = 1;
    waveletTransform(kernels, { nRows, nColumns, nLevels }, image, image + 8 * n);
    return Float64Array.from(kernels.arena.f32(image, 2 * n));
  });
}

describe('the wavelet transform', () => {
  it('comes back and keeps the energy, at any size, odd ones too', () => {
    fc.assert(
      fc.property(sizes, ({ nRows, nColumns, seed }) => {
        const kernels = freshKernels();
        const n = nRows * nColumns;
        const x = normals(new Random(seed), 2 * n);
        const image = place(kernels, x);
        const scratch = kernels.arena.allocate(8 * n);
        const shape = waveletShape(nRows, nColumns);
        waveletTransform(kernels, shape, image, scratch);
        expect(norm(kernels.arena.f32(image, 2 * n)) / norm(x)).toBeCloseTo(1, 5);
        inverseWaveletTransform(kernels, shape, image, scratch);
        expect(relativeError(kernels.arena.f32(image, 2 * n), x)).toBeLessThan(2e-6);
      }),
      { numRuns: 80 },
    );
  });

  it.each([[8, 8, 2], [9, 7, 2], [2, 5, 1]])('is orthonormal: %i x %i, %i levels', (nRows, nColumns, nLevels) => {
    const columns = matrixOf(nRows, nColumns, nLevels);
    columns.forEach((a, i) =>
      columns.forEach((b, j) => {
        const product = a.reduce((sum, value, k) => sum + value * b[k]!, 0);
        expect(product).toBeCloseTo(i === j ? 1 : 0, 5);
      }),
    );
  });

  it('has two vanishing moments: a ramp leaves no details but where it goes round', () => {
    const kernels = freshKernels();
    const n = 32;
    const ramp = Float64Array.from({ length: 2 * n * n }, (_, i) => (i % 2 === 0 ? 1 + 0.5 * Math.floor(i / 2 / n) - 0.25 * (Math.floor(i / 2) % n) : 0));
    const image = place(kernels, ramp);
    waveletTransform(kernels, { nRows: n, nColumns: n, nLevels: 1 }, image, kernels.arena.allocate(8 * n * n));
    const coefficients = kernels.arena.f32(image, 2 * n * n);
    for (let row = 0; row < 15; row++) {
      for (let column = 16; column < 31; column++) expect(Math.abs(coefficients[2 * (row * n + column)]!)).toBeLessThan(1e-4);
    }
  });

  it('takes as many levels as the smaller side allows', () => {
    expect(waveletShape(320, 320).nLevels).toBe(4);
    expect(waveletShape(320, 33).nLevels).toBe(2);
    expect(waveletShape(320, 15).nLevels).toBe(0);
  });
});

describe('the proximal map', () => {
  it('is no further from any two images than they are from each other, and minimises its objective', () => {
    const kernels = freshKernels();
    const random = new Random(4);
    const shape = waveletShape(37, 50);
    const n = 37 * 50;
    const threshold = 0.7;
    const shift = { rows: 5, columns: 3 };
    const prox = (x: Float64Array): Float64Array => {
      const image = place(kernels, x);
      kernels.arena.withScratch(16 * n, (scratch) => shrinkWavelets(kernels, shape, image, scratch, threshold, shift));
      return Float64Array.from(kernels.arena.f32(image, 2 * n));
    };
    const x = normals(random, 2 * n);
    const y = normals(random, 2 * n);
    expect(distance(prox(x), prox(y))).toBeLessThanOrEqual(distance(x, y));
    // What is taken away has no coefficient above the threshold.
    const taken = x.map((value, i) => value - prox(x)[i]!);
    const image = place(kernels, taken);
    expect(norm(taken)).toBeGreaterThan(0);
    kernels.arena.withScratch(16 * n, (scratch) => shrinkWavelets(kernels, shape, image, scratch, threshold, shift));
    expect(norm(kernels.arena.f32(image, 2 * n)) / norm(taken)).toBeLessThan(1e-5);
  });
});
