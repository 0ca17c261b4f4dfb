import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hermitianEigensystem } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

function randomHermitian(random: Random, n: number, rank: number): Float64Array {
  const matrix = new Float64Array(2 * n * n);
  for (let r = 0; r < rank; r++) {
    const v = Float64Array.from({ length: 2 * n }, () => random.normal());
    const sign = r % 3 === 2 ? -1 : 1;
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        matrix[2 * (i * n + j)]! += sign * (v[2 * i]! * v[2 * j]! + v[2 * i + 1]! * v[2 * j + 1]!);
        matrix[2 * (i * n + j) + 1]! += sign * (v[2 * i + 1]! * v[2 * j]! - v[2 * i]! * v[2 * j + 1]!);
      }
    }
  }
  return matrix;
}

describe('the eigensystem of a Hermitian matrix', () => {
  it('is orthonormal, descending, and makes the matrix again; of any rank', () => {
    fc.assert(
      fc.property(fc.record({ n: fc.integer({ min: 1, max: 24 }), rank: fc.integer({ min: 0, max: 24 }), seed: fc.nat() }), ({ n, rank, seed }) => {
        const matrix = randomHermitian(new Random(seed), n, rank);
        const before = matrix.slice();
        const { values, vectors } = hermitianEigensystem(matrix, n);
        expect(matrix).toEqual(before);
        const size = Math.max(1, Math.abs(values[0]!), Math.abs(values[n - 1]!));
        for (let v = 1; v < n; v++) expect(values[v]!).toBeLessThanOrEqual(values[v - 1]!);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            let [sumRe, sumIm, dotRe, dotIm] = [0, 0, 0, 0];
            for (let v = 0; v < n; v++) {
              const a = 2 * (v * n + i);
              const b = 2 * (v * n + j);
              sumRe += values[v]! * (vectors[a]! * vectors[b]! + vectors[a + 1]! * vectors[b + 1]!);
              sumIm += values[v]! * (vectors[a + 1]! * vectors[b]! - vectors[a]! * vectors[b + 1]!);
              const p = 2 * (i * n + v);
              const q = 2 * (j * n + v);
              dotRe += vectors[p]! * vectors[q]! + vectors[p + 1]! * vectors[q + 1]!;
              dotIm += vectors[p + 1]! * vectors[q]! - vectors[p]! * vectors[q + 1]!;
            }
            expect(Math.abs(sumRe - matrix[2 * (i * n + j)]!) / size).toBeLessThan(1e-12);
            expect(Math.abs(sumIm - matrix[2 * (i * n + j) + 1]!) / size).toBeLessThan(1e-12);
            expect(Math.abs(dotRe - (i === j ? 1 : 0))).toBeLessThan(1e-12);
            expect(Math.abs(dotIm)).toBeLessThan(1e-12);
          }
        }
      }),
      { numRuns: 60 },
    );
  });
});
