/**
 * Covariance of the receiver noise:
 *
 *   Psi = E[n n^H],  Psi[a, b] = 1/N sum_s n[a, s] conj(n[b, s])
 *
 * over the N samples of the noise readouts. The mean is not removed: receiver noise has mean zero, and
 * a constant offset is disturbance that belongs to what is measured.
 */
import { reconError } from '../errors.js';
import type { Kernels } from '../kernels/index.js';
import { SampleGram } from '../sample-gram/index.js';

export interface NoiseCovariance {
  readonly nCoils: number;
  readonly nSamples: number;
  /** complex128 interleaved, [nCoils, nCoils], Hermitian */
  readonly matrix: Float64Array;
}

/** Gathers noise readouts. */
export class NoiseAccumulator {
  readonly #gram: SampleGram;

  /** @param kernels in whose memory the samples lie; they may lie anywhere without */
  constructor(nCoils: number, kernels?: Kernels) {
    this.#gram = new SampleGram(nCoils, kernels);
  }

  get nCoils(): number {
    return this.#gram.nCoils;
  }

  get nSamples(): number {
    return this.#gram.nSamples;
  }

  /**
   * @param samples one noise readout, complex64 interleaved, [nCoils, nSamples]
   */
  add(samples: Float32Array, nSamples: number): void {
    this.#gram.add(samples, nSamples, 0, nSamples);
  }

  /** @throws CodedError RECON_ERR_NOISE_NO_SAMPLES */
  covariance(): NoiseCovariance {
    const { nCoils, nSamples } = this;
    if (nSamples === 0) throw reconError('RECON_ERR_NOISE_NO_SAMPLES', 'no noise samples');
    return { nCoils, nSamples, matrix: this.#gram.matrix().map((value) => value / nSamples) };
  }
}
