/** Small SENSE models with random maps of norm 1, and their equations as dense matrices. */
import type { Kernels, NormalEquations, SenseModel } from '../../../recon/index.js';
import type { Random } from '../../../simulator/index.js';
import { place } from '../fft/reference.js';

export interface ModelShape {
  readonly nCoils: number;
  readonly nRows: number;
  readonly nColumns: number;
}

/** `lines`: whole lines are measured or not; `points`: any samples. */
export function randomModel(kernels: Kernels, random: Random, shape: ModelShape, sampling: 'lines' | 'points', norm = 1): SenseModel {
  const { nCoils, nRows, nColumns } = shape;
  const nPixels = nRows * nColumns;
  const maps = Float64Array.from({ length: 2 * nCoils * nPixels }, () => random.normal());
  for (let pixel = 0; pixel < nPixels; pixel++) {
    let energy = 0;
    for (let coil = 0; coil < nCoils; coil++) {
      for (let part = 0; part < 2; part++) energy += maps[2 * (coil * nPixels + pixel) + part]! ** 2;
    }
    for (let coil = 0; coil < nCoils; coil++) {
      for (let part = 0; part < 2; part++) maps[2 * (coil * nPixels + pixel) + part]! *= norm / Math.sqrt(energy);
    }
  }
  const weights = Float32Array.from({ length: sampling === 'lines' ? nRows : nPixels }, () => Math.floor(2.5 * random.uniform()));
  return { maps: place(kernels, maps), nCoils, nRows, nColumns, weights };
}

export function normals(random: Random, n: number): Float64Array {
  return Float64Array.from({ length: n }, () => Math.fround(random.normal()));
}

/** E^H E, complex [n, n], a column a unit image. */
export function denseNormal(kernels: Kernels, equations: NormalEquations): Float64Array {
  const n = equations.nRows * equations.nColumns;
  const matrix = new Float64Array(2 * n * n);
  const image = kernels.arena.allocate(16 * n);
  for (let column = 0; column < n; column++) {
    kernels.arena.f32(image, 2 * n).fill(0)[2 * column] = 1;
    equations.normal(image, image + 8 * n);
    const out = kernels.arena.f32(image + 8 * n, 2 * n);
    for (let row = 0; row < n; row++) matrix.set(out.subarray(2 * row, 2 * row + 2), 2 * (row * n + column));
  }
  kernels.arena.release(image);
  return matrix;
}

/** x of A x = b, complex, by Gauss-Jordan elimination with pivots. */
export function solveDense(matrix: Float64Array, b: ArrayLike<number>): Float64Array {
  const n = b.length / 2;
  const a = matrix.slice();
  const x = Float64Array.from(b);
  const swapRows = (values: Float64Array, i: number, j: number, width: number) => {
    const row = values.slice(i * width, (i + 1) * width);
    values.copyWithin(i * width, j * width, (j + 1) * width);
    values.set(row, j * width);
  };
  for (let k = 0; k < n; k++) {
    let pivot = k;
    const size = (i: number) => Math.hypot(a[2 * (i * n + k)]!, a[2 * (i * n + k) + 1]!);
    for (let i = k; i < n; i++) if (size(i) > size(pivot)) pivot = i;
    swapRows(a, k, pivot, 2 * n);
    swapRows(x, k, pivot, 2);
    const [pRe, pIm] = [a[2 * (k * n + k)]!, a[2 * (k * n + k) + 1]!];
    const power = pRe * pRe + pIm * pIm;
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const [re, im] = [a[2 * (i * n + k)]!, a[2 * (i * n + k) + 1]!];
      const [fRe, fIm] = [(re * pRe + im * pIm) / power, (im * pRe - re * pIm) / power];
      const take = (values: Float64Array, to: number, from: number) => {
        values[to]! -= fRe * values[from]! - fIm * values[from + 1]!;
        values[to + 1]! -= fRe * values[from + 1]! + fIm * values[from]!;
      };
      for (let j = k; j < n; j++) take(a, 2 * (i * n + j), 2 * (k * n + j));
      take(x, 2 * i, 2 * k);
    }
  }
  for (let k = 0; k < n; k++) {
    const [pRe, pIm] = [a[2 * (k * n + k)]!, a[2 * (k * n + k) + 1]!];
    const power = pRe * pRe + pIm * pIm;
    const [re, im] = [x[2 * k]!, x[2 * k + 1]!];
    x[2 * k] = (re * pRe + im * pIm) / power;
    x[2 * k + 1] = (im * pRe - re * pIm) / power;
  }
  return x;
}
