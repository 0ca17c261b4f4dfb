/**
 * The Gram matrix of readouts over their coils, summed in float64, readout by readout:
 *
 *   G[a, b] = sum_s x[a, s] conj(x[b, s])
 *
 * Of noise readouts it is N times their covariance; of central lines it holds the signal that coil compression keeps.
 */

import type { Kernels } from '../kernels/index.js';

/** The sum over the samples that were added. */
export class SampleGram {
  readonly nCoils: number;
  /** Lower triangle, complex128 interleaved, [nCoils, nCoils]. */
  readonly #sum: Float64Array;
  readonly #kernels: Kernels | undefined;
  #nSamples = 0;

  /** @param kernels in whose memory the samples lie; they may lie anywhere without */
  constructor(nCoils: number, kernels?: Kernels) {
    this.nCoils = nCoils;
    this.#kernels = kernels;
    this.#sum = new Float64Array(2 * nCoils * nCoils);
  }

  get nSamples(): number {
    return this.#nSamples;
  }

  /**
   * @param samples complex64 interleaved, [nCoils, nSamples]
   * @param from @param end the samples that count
   */
  add(samples: Float32Array, nSamples: number, from: number, end: number): void {
    if (this.#kernels === undefined) this.#addPlainly(samples, nSamples, from, end);
    else this.#addByKernel(this.#kernels, samples.byteOffset, nSamples, from, end);
    this.#nSamples += end - from;
  }

  #addByKernel({ arena, wasm }: Kernels, samplesPointer: number, nSamples: number, from: number, end: number): void {
    const { length } = this.#sum;
    arena.withScratch(8 * length, (pointer) => {
      arena.f64(pointer, length).set(this.#sum);
      wasm.addSampleGram(samplesPointer, this.nCoils, nSamples, from, end, pointer);
      this.#sum.set(arena.f64(pointer, length));
    });
  }

  #addPlainly(samples: Float32Array, nSamples: number, from: number, end: number): void {
    const { nCoils } = this;
    for (let a = 0; a < nCoils; a++) {
      for (let b = 0; b <= a; b++) {
        let re = 0;
        let im = 0;
        for (let s = from; s < end; s++) {
          const i = 2 * (a * nSamples + s);
          const j = 2 * (b * nSamples + s);
          re += samples[i]! * samples[j]! + samples[i + 1]! * samples[j + 1]!;
          im += samples[i + 1]! * samples[j]! - samples[i]! * samples[j + 1]!;
        }
        const at = 2 * (a * nCoils + b);
        this.#sum[at] = this.#sum[at]! + re;
        this.#sum[at + 1] = this.#sum[at + 1]! + im;
      }
    }
  }

  /** complex128 interleaved, [nCoils, nCoils], Hermitian */
  matrix(): Float64Array {
    const { nCoils } = this;
    const full = this.#sum.slice();
    for (let a = 0; a < nCoils; a++) {
      for (let b = 0; b < a; b++) {
        full[2 * (b * nCoils + a)] = full[2 * (a * nCoils + b)]!;
        full[2 * (b * nCoils + a) + 1] = -full[2 * (a * nCoils + b) + 1]!;
      }
    }
    return full;
  }
}
