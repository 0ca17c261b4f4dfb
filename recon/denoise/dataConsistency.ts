/**
 * The measured lines put back into a denoised image. What a denoiser D made of x is the prior, the data have the last word
 * as far as their noise allows:
 *
 *   x' = argmin |E u - W^(1/2) d|^2 + weight |(u - D(x)) / noise|^2
 *
 * with the encoding E and the data of recon/sense and the noise map of x: `weight` is the variance of the noise of x over
 * that of the error of D(x). With z = (u - D(x)) / noise this is
 *
 *   (N E^H E N + weight) z = N E^H (W^(1/2) d - E D(x)),   x' = D(x) + N z,   N = diag(noise),
 *
 * whose matrix has a diagonal of about 1 + weight everywhere, so that a few conjugate-gradient steps from zero do. Data that
 * agree with D(x) leave it as it is. Repeated, with the denoiser in between, it is plug-and-play:
 *
 *   x_(k+1) = consistent(D(x_k)).
 *
 * Venkatakrishnan SV, Bouman CA, Wohlberg B. Plug-and-play priors for model based reconstruction. IEEE GlobalSIP
 * 2013:945-948. doi:10.1109/GlobalSIP.2013.6737048
 * Aggarwal HK, Mani MP, Jacob M. MoDL: model-based deep learning architecture for inverse problems. IEEE Trans Med Imaging
 * 2019;38:394-405. doi:10.1109/TMI.2018.2865356
 */
import type { Kernels } from '../kernels/index.js';
import { normalEquations, samplesLines, solveNormal, type NormalEquations, type SenseModel } from '../sense/index.js';

export interface ConsistencyOptions {
  /** Variance of the noise over that of the denoised image's error. */
  readonly weight: number;
  readonly nIterations: number;
}

/** Bytes that it takes to make the equations of a model, or a little more. */
export function consistencyBytes({ nCoils, nRows, nColumns }: SenseModel): number {
  return 8 * nRows * ((2 * nCoils + 6) * (nColumns + 4) + 8 * (nCoils + 4));
}

/** What does not depend on the denoised image: made while the denoiser works. To be released. */
export class ConsistencyEquations {
  readonly #kernels: Kernels;
  readonly #noise: Float32Array;
  readonly #n: number;
  /** N E^H W^(1/2) d, then room for two images. */
  readonly #rightSide: number;
  readonly #equations: NormalEquations;
  readonly #spans: number[] = [];

  /**
   * @param data address of the measured samples as `solveSense` takes them; maps and data may change afterwards
   * @param noise standard deviation of the real part of the image that is denoised, in units of that of a sample,
   *   [nRows, nColumns]; where it is 0 the denoised image stays
   * @throws CodedError RECON_ERR_MEMORY_LIMIT
   */
  constructor(kernels: Kernels, model: SenseModel, data: number, noise: Float32Array) {
    const { arena, wasm } = kernels;
    const { nRows, nColumns, nCoils } = model;
    const n = nRows * nColumns;
    this.#kernels = kernels;
    this.#noise = noise;
    this.#n = n;
    try {
      this.#rightSide = this.#allocate(3 * 8 * n);
      const maps = this.#allocate(8 * n * nCoils);
      // E N: the maps times the noise.
      arena.f32(this.#rightSide, n).set(noise);
      arena.u8(maps, 8 * n * nCoils).set(arena.u8(model.maps, 8 * n * nCoils));
      for (let coil = 0; coil < nCoils; coil++) wasm.weighVector(maps + 8 * n * coil, this.#rightSide, n);
      this.#equations = normalEquations(kernels, { ...model, maps });
      this.#equations.rightSide(data, this.#rightSide);
      // Column by column the equations have mixtures of the maps of their own.
      if (samplesLines(model)) arena.release(this.#spans.pop()!);
    } catch (error) {
      this.#giveSpansBack();
      throw error;
    }
  }

  /**
   * @param denoised complex64 [nRows, nColumns]
   * @returns complex64 [nRows, nColumns]
   * @throws CodedError RECON_ERR_MEMORY_LIMIT
   */
  solve(denoised: Float32Array, { weight, nIterations }: ConsistencyOptions): Float32Array<ArrayBuffer> {
    const { arena, wasm } = this.#kernels;
    const n = this.#n;
    const noise = this.#noise;
    const prior = this.#rightSide + 8 * n;
    const solved = prior + 8 * n;
    // D(x) = N (D(x) / noise)
    const scaled = arena.f32(prior, 2 * n);
    for (let p = 0; p < n; p++) {
      const deviation = noise[p]!;
      scaled[2 * p] = deviation > 0 ? denoised[2 * p]! / deviation : 0;
      scaled[2 * p + 1] = deviation > 0 ? denoised[2 * p + 1]! / deviation : 0;
    }
    this.#equations.normal(prior, solved);
    wasm.addScaled(1, this.#rightSide, -1, solved, n);
    arena.u8(prior, 8 * n).set(arena.u8(solved, 8 * n));
    solveNormal(this.#kernels, this.#equations, prior, solved, { damping: weight, nIterations });
    const correction = arena.f32(solved, 2 * n);
    const consistent = new Float32Array(2 * n);
    for (let p = 0; p < n; p++) {
      consistent[2 * p] = denoised[2 * p]! + noise[p]! * correction[2 * p]!;
      consistent[2 * p + 1] = denoised[2 * p + 1]! + noise[p]! * correction[2 * p + 1]!;
    }
    return consistent;
  }

  release(): void {
    this.#equations.release();
    this.#giveSpansBack();
  }

  #allocate(nBytes: number): number {
    const pointer = this.#kernels.arena.allocate(nBytes);
    this.#spans.push(pointer);
    return pointer;
  }

  #giveSpansBack(): void {
    for (const pointer of this.#spans.splice(0)) this.#kernels.arena.release(pointer);
  }
}
