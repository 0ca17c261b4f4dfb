/** The definitions in float64, as plainly as they can be written; what the kernels are held against. */
import { Arena, bindKernels, createSessionMemory, type FftDirection, type Kernels } from '../../../recon/index.js';

/** Kernels on a memory of their own. */
export function freshKernels(limitBytes = 2 ** 26): Kernels {
  const memory = createSessionMemory(limitBytes);
  return bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
}

/** Copies values into the arena. */
export function place({ arena }: Kernels, values: ArrayLike<number>): number {
  const pointer = arena.allocate(4 * values.length);
  arena.f32(pointer, values.length).set(values);
  return pointer;
}

/** n complex numbers, interleaved, real and imaginary parts uniform in [-1, 1), float32-exact. */
export function randomComplex(n: number, seed = 1): Float64Array {
  let state = seed >>> 0;
  return Float64Array.from({ length: 2 * n }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.fround(state / 2 ** 31 - 1);
  });
}

/** n^(-1/2) sum_j f[j] exp(-+ 2 pi i (j - c)(k - c) / n), c = floor(n / 2). */
export function centredDft(line: Float64Array, direction: FftDirection): Float64Array {
  const n = line.length / 2;
  const centre = Math.floor(n / 2);
  const sign = direction === 'forward' ? -1 : 1;
  const cosine = Float64Array.from({ length: n }, (_, t) => Math.cos((2 * Math.PI * t) / n));
  const sine = Float64Array.from({ length: n }, (_, t) => sign * Math.sin((2 * Math.PI * t) / n));
  const out = new Float64Array(2 * n);
  for (let k = 0; k < n; k++) {
    let re = 0;
    let im = 0;
    for (let j = 0; j < n; j++) {
      const turn = (((j - centre) * (k - centre)) % n + n) % n;
      re += line[2 * j]! * cosine[turn]! - line[2 * j + 1]! * sine[turn]!;
      im += line[2 * j]! * sine[turn]! + line[2 * j + 1]! * cosine[turn]!;
    }
    out[2 * k] = re / Math.sqrt(n);
    out[2 * k + 1] = im / Math.sqrt(n);
  }
  return out;
}

/** Element i of `line` to index i - from + to of a line of n, zeros elsewhere; what falls outside is dropped. */
export function shifted(line: Float64Array, from: number, to: number, n: number): Float64Array {
  const out = new Float64Array(2 * n);
  for (let i = 0; i < line.length / 2; i++) {
    const at = i - from + to;
    if (at >= 0 && at < n) out.set(line.subarray(2 * i, 2 * i + 2), 2 * at);
  }
  return out;
}

/** Line `index` of a row-major complex matrix. */
export function lineOf(matrix: Float64Array, index: number, length: number): Float64Array {
  return matrix.subarray(2 * index * length, 2 * (index + 1) * length);
}

/** Column `index` of a row-major complex matrix. */
export function columnOf(matrix: Float64Array, index: number, nColumns: number): Float64Array {
  const nRows = matrix.length / 2 / nColumns;
  return Float64Array.from(
    { length: 2 * nRows },
    (_, i) => matrix[2 * (Math.floor(i / 2) * nColumns + index) + (i % 2)]!,
  );
}

/** The Euclidean norm. */
export function norm(a: ArrayLike<number>): number {
  let energy = 0;
  for (let i = 0; i < a.length; i++) energy += a[i]! ** 2;
  return Math.sqrt(energy);
}

/** |a - b|; infinite where the lengths differ. */
export function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return a.length === b.length ? norm(Array.from(a, (value, i) => value - b[i]!)) : Infinity;
}

/** |a - b| / |b|. */
export function relativeError(a: ArrayLike<number>, b: ArrayLike<number>): number {
  return distance(a, b) / norm(b);
}

/** sum a conj(b) of complex vectors. */
export function innerProduct(a: ArrayLike<number>, b: ArrayLike<number>): [re: number, im: number] {
  let re = 0;
  let im = 0;
  for (let i = 0; i < a.length; i += 2) {
    re += a[i]! * b[i]! + a[i + 1]! * b[i + 1]!;
    im += a[i + 1]! * b[i]! - a[i]! * b[i + 1]!;
  }
  return [re, im];
}
