/**
 * The SENSE operator for any Cartesian sampling,
 *
 *   (E u)[c, k] = w_k^(1/2) (F sum_s S_sc u_s)[k],   (E^H v)[s, r] = sum_c conj(S_sc[r]) (F^-1 w^(1/2) v_c)[r],
 *
 * coil by coil, with the orthonormal transform of recon/fft: along the lines only where whole lines are
 * sampled, else along both axes. This is the plain way; recon/sense/columns.ts is the fast one for lines.
 *
 * Pruessmann KP, Weiger M, Boernert P, Boesiger P. Advances in sensitivity encoding with arbitrary k-space
 * trajectories. Magn Reson Med 2001;46:638-651. doi:10.1002/mrm.1241
 */
import { fftColumns, fftLines, planFft, type FftDirection } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import { samplesLines, type NormalEquations, type SenseModel } from './types.js';

export class SenseOperator implements NormalEquations {
  readonly nSets: number;
  readonly nRows: number;
  readonly nColumns: number;
  readonly #kernels: Kernels;
  readonly #model: SenseModel;
  readonly #nPixels: number;
  /** w and w^(1/2) of every sample, then room for one coil. */
  readonly #weights: number;
  readonly #roots: number;
  readonly #coil: number;

  constructor(kernels: Kernels, model: SenseModel) {
    const { nRows, nColumns, weights } = model;
    this.#kernels = kernels;
    this.#model = model;
    this.nSets = model.nSets ?? 1;
    this.nRows = nRows;
    this.nColumns = nColumns;
    this.#nPixels = nRows * nColumns;
    const { arena } = kernels;
    this.#weights = arena.allocate(16 * this.#nPixels);
    this.#roots = this.#weights + 4 * this.#nPixels;
    this.#coil = this.#roots + 4 * this.#nPixels;
    const step = samplesLines(model) ? nColumns : 1;
    const all = arena.f32(this.#weights, 2 * this.#nPixels);
    for (let i = 0; i < this.#nPixels; i++) {
      const weight = weights[Math.floor(i / step)]!;
      all[i] = weight;
      all[this.#nPixels + i] = Math.sqrt(weight);
    }
  }

  /** @param data complex64 [nCoils, nRows, nColumns] */
  forward(image: number, data: number): void {
    const { wasm } = this.#kernels;
    for (let coil = 0; coil < this.#model.nCoils; coil++) {
      const samples = data + 8 * coil * this.#nPixels;
      this.#seeImage(coil, image, samples);
      this.#transform(samples, 'forward');
      wasm.weighVector(samples, this.#roots, this.#nPixels);
    }
  }

  /** @param data complex64 [nCoils, nRows, nColumns] */
  adjoint(data: number, image: number): void {
    this.#combine(data, this.#roots, image);
  }

  rightSide(data: number, image: number): void {
    this.#combine(data, this.#weights, image);
  }

  normal(image: number, out: number): void {
    this.#kernels.arena.u8(out, 8 * this.nSets * this.#nPixels).fill(0);
    for (let coil = 0; coil < this.#model.nCoils; coil++) {
      this.#seeImage(coil, image, this.#coil);
      this.#transform(this.#coil, 'forward');
      this.#addCoil(coil, this.#weights, out);
    }
  }

  release(): void {
    this.#kernels.arena.release(this.#weights);
  }

  #mapOf(coil: number, set: number): number {
    return this.#model.maps + 8 * (set * this.#model.nCoils + coil) * this.#nPixels;
  }

  /** What a coil sees: sum_s S_s u_s. */
  #seeImage(coil: number, image: number, out: number): void {
    const { arena, wasm } = this.#kernels;
    wasm.multiplyVectors(this.#mapOf(coil, 0), image, out, this.#nPixels);
    for (let set = 1; set < this.nSets; set++) {
      arena.withScratch(8 * this.#nPixels, (seen) => {
        wasm.multiplyVectors(this.#mapOf(coil, set), image + 8 * set * this.#nPixels, seen, this.#nPixels);
        wasm.addScaled(1, seen, 1, out, this.#nPixels);
      });
    }
  }

  #combine(data: number, weights: number, image: number): void {
    const { arena } = this.#kernels;
    arena.u8(image, 8 * this.nSets * this.#nPixels).fill(0);
    for (let coil = 0; coil < this.#model.nCoils; coil++) {
      const samples = arena.f32(data + 8 * coil * this.#nPixels, 2 * this.#nPixels);
      arena.f32(this.#coil, 2 * this.#nPixels).set(samples);
      this.#addCoil(coil, weights, image);
    }
  }

  /** Adds conj(S_c) F^-1 w of what lies in the room for one coil. */
  #addCoil(coil: number, weights: number, image: number): void {
    const { wasm } = this.#kernels;
    wasm.weighVector(this.#coil, weights, this.#nPixels);
    this.#transform(this.#coil, 'inverse');
    for (let set = 0; set < this.nSets; set++) {
      wasm.addConjugateProduct(this.#mapOf(coil, set), this.#coil, image + 8 * set * this.#nPixels, this.#nPixels);
    }
  }

  #transform(samples: number, direction: FftDirection): void {
    const { nRows, nColumns } = this;
    fftColumns(this.#kernels, planFft(this.#kernels, nRows), samples, nColumns, direction);
    if (!samplesLines(this.#model)) fftLines(this.#kernels, planFft(this.#kernels, nColumns), samples, nRows, direction);
  }
}
