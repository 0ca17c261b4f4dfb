/**
 * Covariance of the receiver noise:
 *
 *   Psi = E[n n^H],  Psi[a, b] = 1/N sum_s n[a, s] conj(n[b, s])
 *
 * over the N samples of the noise readouts. The mean is not removed: receiver noise has mean zero, and
 * a constant offset is disturbance that belongs to what is measured.
 */
import { reconError } from '../errors.js';

export interface NoiseCovariance {
  readonly nCoils: number;
  readonly nSamples: number;
  /** complex128 interleaved, [nCoils, nCoils], Hermitian */
  readonly matrix: Float64Array;
}

/** Sums outer products in float64, readout by readout. */
export class NoiseAccumulator {
  readonly nCoils: number;
  /** Lower triangle, complex128 interleaved, [nCoils, nCoils]. */
  readonly #sum: Float64Array;
  #nSamples = 0;

  constructor(nCoils: number) {
    this.nCoils = nCoils;
    this.#sum = new Float64Array(2 * nCoils * nCoils);
  }

  get nSamples(): number {
    return this.#nSamples;
  }

  /**
   * @param samples one noise readout, complex64 interleaved, [nCoils, nSamples]
   */
  add(samples: Float32Array, nSamples: number): void {
    for (let a = 0; a < this.nCoils; a++) {
      for (let b = 0; b <= a; b++) {
        let re = 0;
        let im = 0;
        let i = 2 * a * nSamples;
        let j = 2 * b * nSamples;
        for (let s = 0; s < nSamples; s++, i += 2, j += 2) {
          const aRe = samples[i]!;
          const aIm = samples[i + 1]!;
          const bRe = samples[j]!;
          const bIm = samples[j + 1]!;
          re += aRe * bRe + aIm * bIm;
          im += aIm * bRe - aRe * bIm;
        }
        const at = 2 * (a * this.nCoils + b);
        this.#sum[at] = this.#sum[at]! + re;
        this.#sum[at + 1] = this.#sum[at + 1]! + im;
      }
    }
    this.#nSamples += nSamples;
  }

  /** @throws CodedError RECON_ERR_NOISE_NO_SAMPLES */
  covariance(): NoiseCovariance {
    const { nCoils } = this;
    if (this.#nSamples === 0) throw reconError('RECON_ERR_NOISE_NO_SAMPLES', 'no noise samples');
    const matrix = new Float64Array(2 * nCoils * nCoils);
    for (let a = 0; a < nCoils; a++) {
      for (let b = 0; b <= a; b++) {
        const lower = 2 * (a * nCoils + b);
        const upper = 2 * (b * nCoils + a);
        matrix[lower] = matrix[upper] = this.#sum[lower]! / this.#nSamples;
        matrix[lower + 1] = this.#sum[lower + 1]! / this.#nSamples;
        matrix[upper + 1] = -matrix[lower + 1]!;
      }
    }
    return { nCoils, nSamples: this.#nSamples, matrix };
  }
}
