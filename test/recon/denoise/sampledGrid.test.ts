import { describe, expect, it } from 'vitest';
import { fromGrid, isInterpolated, mapOnGrid, onGrid, sampledGrid } from '../../../recon/index.js';
import { freshKernels, randomComplex, relativeError } from '../fft/reference.js';

const extent = (n: number, m: number) => ({ n, from: Math.floor(n / 2) - m / 2, end: Math.floor(n / 2) + m / 2 });

describe('the grid that was sampled', () => {
  it('holds as many points as samples, and the image where nearly all of it was sampled', () => {
    expect(sampledGrid(extent(40, 20), extent(31, 14))).toEqual({ rows: 40, columns: 31, gridRows: 20, gridColumns: 14 });
    expect(isInterpolated(sampledGrid(extent(40, 40), extent(40, 39)))).toBe(false);
    // Partial Fourier leaves a side out, not the resolution.
    expect(sampledGrid({ n: 40, from: 12, end: 40 }, extent(40, 40)).gridRows).toBe(40);
  });

  it('takes an interpolated image and gives it back; values stay, pixel on pixel', () => {
    const kernels = freshKernels();
    for (const [rows, columns] of [[40, 32], [41, 33], [40, 20]] as const) {
      const grid = sampledGrid(extent(rows, 20), extent(columns, 16));
      const coarse = Float32Array.from(randomComplex(grid.gridRows * grid.gridColumns));
      const fine = fromGrid(kernels, grid, coarse);
      expect(fine).toHaveLength(2 * rows * columns);
      expect(relativeError(onGrid(kernels, grid, fine), coarse)).toBeLessThan(1e-5);
      const centre = (image: Float32Array, r: number, c: number) => image[2 * (Math.floor(r / 2) * c + Math.floor(c / 2))]!;
      expect(centre(fine, rows, columns)).toBeCloseTo(centre(coarse, grid.gridRows, grid.gridColumns), 5);
      const constant = new Float32Array(coarse.length).map((_, i) => (i % 2 === 0 ? 3 : 0));
      for (const [i, value] of fromGrid(kernels, grid, constant).entries()) expect(value).toBeCloseTo(i % 2 === 0 ? 3 : 0, 4);
    }
  });

  it('takes maps by their nearest pixel', () => {
    const grid = sampledGrid(extent(8, 4), extent(8, 8));
    const map = Float32Array.from({ length: 64 }, (_, p) => Math.floor(p / 8));
    expect([...mapOnGrid(grid, map)].filter((_, p) => p % 8 === 0)).toEqual([0, 2, 4, 6]);
  });
});
