/**
 * Prewhitening:
 *
 *   W = sqrt(2 T_acq / T_noise b) L^-1,   Psi = L L^H
 *
 * with the dwell times of imaging and noise readouts, T, and the relative noise bandwidth of the
 * receiver, b. Noise power is proportional to bandwidth, 1 / T; the noise scan sees the receiver
 * filter's whole passband, of which the noise fills the part b. Then W n has variance 1 in the real and
 * in the imaginary part of each channel, uncorrelated.
 * Kellman P, McVeigh ER. Image reconstruction in SNR units. Magn Reson Med 2005;54:1439-1447.
 * doi:10.1002/mrm.20713
 */
import { reconError } from '../errors.js';
import type { NoiseCovariance } from './covariance.js';
import { coilName } from './statistics.js';

/** Kellman and McVeigh's value, for headers that give none. */
export const defaultRelativeReceiverNoiseBandwidth = 0.793;

/**
 * A pivot below this part of its diagonal is rounding noise: the coil is a combination of others. A real
 * array stays above 1e-4; float32 samples carry 1e-14 of their power as rounding errors.
 */
const smallestRelativePivot = 1e-10;

export interface NoiseBandwidth {
  /** Dwell time of the readouts to be whitened; 0 where it is unknown. */
  readonly acquisitionDwellTimeUs: number;
  /** Dwell time of the noise readouts; 0 where it is unknown. */
  readonly noiseDwellTimeUs: number;
  readonly relativeReceiverNoiseBandwidth?: number | undefined;
}

export interface Whitener {
  readonly nCoils: number;
  /** Channels that come out: those that were not left out. */
  readonly nOutputs: number;
  /** complex64 interleaved, [nOutputs, nCoils], out[a] = sum_b matrix[a, b] in[b]; lower triangular where no coil is left out */
  readonly matrix: Float32Array;
  /** sqrt(2 T_acq / T_noise b), contained in the matrix. */
  readonly scale: number;
  /** False where a dwell time was missing and their ratio was taken as 1. */
  readonly dwellTimesKnown: boolean;
}

/**
 * @param coilNames for the error, by coil
 * @param leftOut coils that are to have no part in the outputs, broken ones
 * @throws CodedError RECON_ERR_NOISE_COIL, naming the coil, when it has no noise, noise that is not
 *   finite, or only what other coils have
 */
export function whitener(
  covariance: NoiseCovariance, bandwidth: NoiseBandwidth, coilNames: readonly string[] = [], leftOut: readonly number[] = [],
): Whitener {
  const { nCoils } = covariance;
  const kept = Array.from({ length: nCoils }, (_, coil) => coil).filter((coil) => !leftOut.includes(coil));
  const { acquisitionDwellTimeUs, noiseDwellTimeUs } = bandwidth;
  const relativeBandwidth = bandwidth.relativeReceiverNoiseBandwidth ?? defaultRelativeReceiverNoiseBandwidth;
  const dwellTimesKnown = acquisitionDwellTimeUs > 0 && noiseDwellTimeUs > 0;
  const scale = Math.sqrt(2 * (dwellTimesKnown ? acquisitionDwellTimeUs / noiseDwellTimeUs : 1) * relativeBandwidth);

  const nOutputs = kept.length;
  if (nOutputs === 0) throw reconError('RECON_ERR_NOISE_COIL', `${nCoils} coils, all of which are broken`);
  const names = kept.map((coil) => coilName(coilNames, coil));
  const inverse = invertLowerTriangle(factorize(part(covariance, kept), names), nOutputs);
  const matrix = new Float32Array(2 * nOutputs * nCoils);
  for (let row = 0; row < nOutputs; row++) {
    kept.forEach((coil, column) => {
      matrix[2 * (row * nCoils + coil)] = scale * inverse[2 * (row * nOutputs + column)]!;
      matrix[2 * (row * nCoils + coil) + 1] = scale * inverse[2 * (row * nOutputs + column) + 1]!;
    });
  }
  return { nCoils, nOutputs, matrix, scale, dwellTimesKnown };
}

/** Rows and columns of some coils. */
function part({ nCoils, nSamples, matrix }: NoiseCovariance, coils: readonly number[]): NoiseCovariance {
  const n = coils.length;
  const some = new Float64Array(2 * n * n);
  coils.forEach((a, row) => {
    coils.forEach((b, column) => {
      some[2 * (row * n + column)] = matrix[2 * (a * nCoils + b)]!;
      some[2 * (row * n + column) + 1] = matrix[2 * (a * nCoils + b) + 1]!;
    });
  });
  return { nCoils: n, nSamples, matrix: some };
}

/** Cholesky: the lower triangular L, complex128 interleaved, with Psi = L L^H. */
function factorize(covariance: NoiseCovariance, coilNames: readonly string[]): Float64Array {
  const { nCoils, matrix } = covariance;
  const factor = new Float64Array(2 * nCoils * nCoils);
  for (let c = 0; c < nCoils; c++) {
    const variance = matrix[2 * (c * nCoils + c)]!;
    if (!Number.isFinite(variance) || variance <= 0) {
      throw reconError('RECON_ERR_NOISE_COIL', `${coilName(coilNames, c)} (channel ${c}) with variance ${variance}`);
    }
  }
  for (let row = 0; row < nCoils; row++) {
    for (let column = 0; column <= row; column++) {
      let re = matrix[2 * (row * nCoils + column)]!;
      let im = matrix[2 * (row * nCoils + column) + 1]!;
      for (let k = 0; k < column; k++) {
        const a = 2 * (row * nCoils + k);
        const b = 2 * (column * nCoils + k);
        re -= factor[a]! * factor[b]! + factor[a + 1]! * factor[b + 1]!;
        im -= factor[a + 1]! * factor[b]! - factor[a]! * factor[b + 1]!;
      }
      const at = 2 * (row * nCoils + column);
      if (row === column) {
        if (!(re > smallestRelativePivot * matrix[at]!)) {
          throw reconError(
            'RECON_ERR_NOISE_COIL',
            `${coilName(coilNames, row)} (channel ${row}) whose noise is a combination of other channels'`,
          );
        }
        factor[at] = Math.sqrt(re);
      } else {
        const pivot = factor[2 * (column * nCoils + column)]!;
        factor[at] = re / pivot;
        factor[at + 1] = im / pivot;
      }
    }
  }
  return factor;
}

/** L^-1 of a lower triangular complex128 [n, n] with a real diagonal, by forward substitution. */
function invertLowerTriangle(factor: Float64Array, n: number): Float64Array {
  const inverse = new Float64Array(2 * n * n);
  for (let column = 0; column < n; column++) {
    for (let row = column; row < n; row++) {
      let re = row === column ? 1 : 0;
      let im = 0;
      for (let k = column; k < row; k++) {
        const a = 2 * (row * n + k);
        const b = 2 * (k * n + column);
        re -= factor[a]! * inverse[b]! - factor[a + 1]! * inverse[b + 1]!;
        im -= factor[a]! * inverse[b + 1]! + factor[a + 1]! * inverse[b]!;
      }
      const pivot = factor[2 * (row * n + row)]!;
      inverse[2 * (row * n + column)] = re / pivot;
      inverse[2 * (row * n + column) + 1] = im / pivot;
    }
  }
  return inverse;
}
