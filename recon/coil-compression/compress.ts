/**
 * Fewer, virtual coils that hold the signal of all: with G = E[s s^H] over samples s of all (whitened)
 * channels, the virtual coils are its principal eigenvectors,
 *
 *   G = U diag(lambda) U^H,   out = U_V^H s,
 *
 * an orthonormal change of channels: what was white stays white, with the same variance. The number V
 * is the smallest that keeps a part of the signal's energy. White noise adds the same to every
 * eigenvalue; it is taken off first,
 *
 *   sum_(v < V) max(0, lambda_v - noise) >= energy * sum_v max(0, lambda_v - noise).
 *
 * Huang F et al. A software channel compression technique for faster reconstruction with many channels.
 * Magn Reson Imaging 2008;26:133-141. doi:10.1016/j.mri.2007.04.010
 * Buehrer M et al. Array compression for MRI with large coil arrays. Magn Reson Med 2007;57:1131-1139.
 * doi:10.1002/mrm.21237
 */
import type { SampleGram } from '../sample-gram/index.js';
import { hermitianEigensystem } from './eigen.js';

export interface CoilCompression {
  readonly nCoils: number;
  readonly nVirtualCoils: number;
  /** complex64 interleaved, [nVirtualCoils, nCoils], orthonormal rows times the whitener: out[v] = sum_c matrix[v, c] in[c] */
  readonly matrix: Float32Array;
  /** Part of the signal's energy that the virtual coils hold. */
  readonly keptEnergy: number;
}

export interface CompressionTarget {
  /** A number of virtual coils, or the part of the energy that they are to hold. */
  readonly nVirtualCoils?: number;
  readonly energy: number;
}

/**
 * @param whitener complex64 interleaved, [nWhitened, nCoils], whose outputs have variance 1 in the real and in the imaginary part; none: the noise is unknown and counts as signal
 */
export function compressCoils(gram: SampleGram, target: CompressionTarget, whitener?: Float32Array): CoilCompression {
  const { nCoils } = gram;
  const nWhitened = whitener === undefined ? nCoils : whitener.length / (2 * nCoils);
  const whitened = whitener === undefined ? gram.matrix() : congruent(whitener, gram.matrix(), nWhitened, nCoils);
  const { values, vectors } = hermitianEigensystem(whitened, nWhitened);
  const noise = whitener === undefined ? 0 : 2 * gram.nSamples;
  const signals = values.map((value) => Math.max(0, value - noise));
  const total = signals.reduce((sum, signal) => sum + signal, 0);
  let nVirtualCoils = 0;
  let kept = 0;
  const isEnough = () => (target.nVirtualCoils === undefined ? kept >= target.energy * total : nVirtualCoils >= target.nVirtualCoils);
  while (nVirtualCoils < nWhitened && (nVirtualCoils === 0 || !isEnough())) kept += signals[nVirtualCoils++]!;
  const rows = conjugate(vectors.subarray(0, 2 * nVirtualCoils * nWhitened));
  const matrix = whitener === undefined ? rows : product(rows, whitener, nVirtualCoils, nWhitened, nCoils);
  return { nCoils, nVirtualCoils, matrix: Float32Array.from(matrix), keptEnergy: total > 0 ? kept / total : 1 };
}

function conjugate(values: Float64Array): Float64Array {
  return values.map((value, i) => (i % 2 === 0 ? value : -value));
}

/** W G W^H of W [m, n] and a Hermitian G [n, n]: [m, m] */
function congruent(w: Float32Array, g: Float64Array, m: number, n: number): Float64Array {
  const half = product(Float64Array.from(w), g, m, n, n);
  return product(half, adjoint(w, m, n), m, n, m);
}

/** [n, m] of [m, n] */
function adjoint(a: ArrayLike<number>, m: number, n: number): Float64Array {
  const out = new Float64Array(a.length);
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      out[2 * (j * m + i)] = a[2 * (i * n + j)]!;
      out[2 * (j * m + i) + 1] = -a[2 * (i * n + j) + 1]!;
    }
  }
  return out;
}

/** [m, n] times [n, p] */
function product(a: Float64Array, b: ArrayLike<number>, m: number, n: number, p: number): Float64Array {
  const out = new Float64Array(2 * m * p);
  for (let i = 0; i < m; i++) {
    for (let k = 0; k < n; k++) {
      const re = a[2 * (i * n + k)]!;
      const im = a[2 * (i * n + k) + 1]!;
      if (re === 0 && im === 0) continue;
      for (let j = 0; j < p; j++) {
        const at = 2 * (k * p + j);
        const to = 2 * (i * p + j);
        out[to] = out[to]! + re * b[at]! - im * b[at + 1]!;
        out[to + 1] = out[to + 1]! + re * b[at + 1]! + im * b[at]!;
      }
    }
  }
  return out;
}
