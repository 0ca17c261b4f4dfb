import fc from 'fast-check';
import FFT from 'fft.js';
import { describe, expect, it } from 'vitest';
import {
  fftColumns,
  fftLines,
  MAX_FFT_LENGTH,
  planFft,
  releaseFft,
  type FftDirection,
} from '../../../recon/index.js';
import {
  centredDft,
  columnOf,
  freshKernels,
  innerProduct,
  lineOf,
  place,
  randomComplex,
  relativeError,
} from './reference.js';

const kernels = freshKernels();
const directions: readonly FftDirection[] = ['forward', 'inverse'];

/** Lines [nLines, n] through the kernel. */
function transformLines(matrix: Float64Array, n: number, direction: FftDirection): Float64Array {
  const pointer = place(kernels, matrix);
  fftLines(kernels, planFft(kernels, n), pointer, matrix.length / 2 / n, direction);
  const out = Float64Array.from(kernels.arena.f32(pointer, matrix.length));
  kernels.arena.release(pointer);
  return out;
}

/** Columns of [n, nColumns] through the kernel. */
function transformColumns(matrix: Float64Array, n: number, direction: FftDirection): Float64Array {
  const pointer = place(kernels, matrix);
  fftColumns(kernels, planFft(kernels, n), pointer, matrix.length / 2 / n, direction);
  const out = Float64Array.from(kernels.arena.f32(pointer, matrix.length));
  kernels.arena.release(pointer);
  return out;
}

const matrixSizes = [
  160, 192, 200, 210, 240, 256, 320, 336, 343, 384, 448, 480, 512, 640, 768, 961, 1021, 1024, 1369,
];

describe('the centred orthonormal transform', () => {
  it.each([
    ['every length from 1 to 128', Array.from({ length: 128 }, (_, i) => i + 1)],
    ['matrix sizes, powers of 7 and 31, and lengths with large primes', matrixSizes],
  ])('is the definition: %s', (_, lengths) => {
    for (const n of lengths) {
      for (const direction of directions) {
        const lines = randomComplex(5 * n, n);
        const transformed = transformLines(lines, n, direction);
        for (const line of [0, 4]) {
          const error = relativeError(lineOf(transformed, line, n), centredDft(lineOf(lines, line, n), direction));
          expect(error, `line ${line}, length ${n}, ${direction}`).toBeLessThan(5e-7);
        }
      }
    }
  });

  it('does along the columns what it does along the lines, for every count of columns', () => {
    for (const n of [1, 2, 7, 12, 37, 45, 64]) {
      for (const nColumns of [1, 2, 3, 4, 5, 8, 31, 32, 33, 70]) {
        const matrix = randomComplex(n * nColumns, n + nColumns);
        const transformed = transformColumns(matrix, n, 'inverse');
        for (let column = 0; column < nColumns; column++) {
          const line = transformLines(columnOf(matrix, column, nColumns), n, 'inverse');
          expect(columnOf(transformed, column, nColumns), `${n} x ${nColumns}, column ${column}`).toEqual(line);
        }
      }
    }
  });

  it('touches nothing before or behind the matrix', () => {
    for (const [n, count] of [[15, 3], [16, 6], [37, 5]] as const) {
      for (const transform of [fftLines, fftColumns]) {
        const guard = 64;
        const pointer = place(kernels, new Float64Array(2 * guard + 2 * n * count).fill(7));
        transform(kernels, planFft(kernels, n), pointer + 4 * guard, count, 'forward');
        const after = kernels.arena.f32(pointer, 2 * guard + 2 * n * count);
        const edges = [...after.subarray(0, guard), ...after.subarray(guard + 2 * n * count)];
        expect(edges).toEqual(new Array(2 * guard).fill(7));
        kernels.arena.release(pointer);
      }
    }
  });

  it('agrees with fft.js on powers of two', () => {
    for (const n of [2, 8, 64, 256, 1024, 4096]) {
      const signal = randomComplex(n, n);
      const reference = new FFT(n);
      // fft.js is neither centred nor scaled: rotate in and out by n/2.
      const rotate = (values: ArrayLike<number>) =>
        Array.from({ length: 2 * n }, (_, i) => values[(i + n) % (2 * n)]!);
      const spectrum = reference.createComplexArray();
      reference.transform(spectrum, rotate(signal));
      const expected = rotate(spectrum).map((value) => value / Math.sqrt(n));
      expect(relativeError(transformLines(signal, n, 'forward'), expected)).toBeLessThan(5e-7);
    }
  });

  const anyLength = fc.integer({ min: 1, max: 400 });
  const anySeed = fc.nat(2 ** 31);

  it('keeps energy, and its inverse is its adjoint', () => {
    fc.assert(
      fc.property(anyLength, anySeed, anySeed, (n, seedU, seedV) => {
        const u = randomComplex(n, seedU);
        const v = randomComplex(n, seedV);
        const energy = innerProduct(u, u)[0];
        const fu = transformLines(u, n, 'forward');
        const bv = transformLines(v, n, 'inverse');
        expect(Math.abs(innerProduct(fu, fu)[0] / energy - 1)).toBeLessThan(1e-6);
        const left = innerProduct(fu, v);
        const right = innerProduct(u, bv);
        const size = Math.sqrt(energy * innerProduct(v, v)[0]);
        expect(Math.hypot(left[0] - right[0], left[1] - right[1]) / size).toBeLessThan(1e-6);
        expect(relativeError(transformLines(fu, n, 'inverse'), u)).toBeLessThan(1e-6);
      }),
      { numRuns: 60 },
    );
  });

  it('is linear', () => {
    fc.assert(
      fc.property(anyLength, anySeed, anySeed, (n, seedU, seedV) => {
        const u = randomComplex(n, seedU);
        const v = randomComplex(n, seedV);
        const sum = u.map((value, i) => 2 * value - v[i]! / 2);
        const fu = transformLines(u, n, 'forward');
        const fv = transformLines(v, n, 'forward');
        const expected = fu.map((value, i) => 2 * value - fv[i]! / 2);
        expect(relativeError(transformLines(sum, n, 'forward'), expected)).toBeLessThan(1e-6);
      }),
      { numRuns: 30 },
    );
  });

  it('turns a shift of the image into a phase ramp about the centre of k-space', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 400 }), fc.nat(400), anySeed, (n, shift, seed) => {
        const u = randomComplex(n, seed);
        const moved = Float64Array.from({ length: 2 * n }, (_, i) => {
          const from = (((Math.floor(i / 2) - shift) % n) + n) % n;
          return u[2 * from + (i % 2)]!;
        });
        const fu = transformLines(u, n, 'forward');
        const expected = Float64Array.from({ length: 2 * n }, (_, i) => {
          const k = Math.floor(i / 2);
          const angle = (-2 * Math.PI * shift * (k - Math.floor(n / 2))) / n;
          const [re, im] = [fu[2 * k]!, fu[2 * k + 1]!];
          return i % 2 === 0
            ? re * Math.cos(angle) - im * Math.sin(angle)
            : re * Math.sin(angle) + im * Math.cos(angle);
        });
        expect(relativeError(transformLines(moved, n, 'forward'), expected)).toBeLessThan(1e-6);
      }),
      { numRuns: 30 },
    );
  });

  it('turns a point at the centre into a constant, for odd and even lengths', () => {
    for (const n of [1, 2, 5, 6, 63, 64, 74, 320, 321]) {
      const point = new Float64Array(2 * n);
      point[2 * Math.floor(n / 2)] = 1;
      const constant = Float64Array.from({ length: 2 * n }, (_, i) => (i % 2 === 0 ? 1 / Math.sqrt(n) : 0));
      for (const direction of directions) {
        expect(relativeError(transformLines(point, n, direction), constant)).toBeLessThan(1e-6);
      }
    }
  });
});

describe('plans', () => {
  it('are made once and given back whole', () => {
    const own = freshKernels();
    const plan = planFft(own, 74);
    expect(planFft(own, 74)).toBe(plan);
    expect(own.arena.usedBytes).toBeGreaterThan(0);
    releaseFft(own);
    expect(own.arena.usedBytes).toBe(0);
    expect(planFft(own, 74)).not.toBe(plan);
  });

  it.each([0, -4, 2.5, NaN, MAX_FFT_LENGTH + 1])('refuses a length of %s', (n) => {
    expect(() => planFft(kernels, n)).toThrow(expect.objectContaining({ code: 'RECON_ERR_FFT_LENGTH' }));
  });
});
