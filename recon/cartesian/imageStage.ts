/**
 * What happens to an image between coil combination and delivery: the part of k-space that was left out
 * by design is completed, and the rows of phase oversampling go.
 *
 * The method is chosen with the first image of the scan and kept: one series does not mix methods.
 */
import type { Kernels } from '../kernels/index.js';
import { reconNotice, type ReconNoticeCode } from '../notices.js';
import {
  choosePartialFourier, completeKspace, fullExtent, isPartial, kspaceWeights, meanSquareWeights, transformVolume,
  type PartialFourierChoice, type PartialFourierMethod, type SampledExtent, type SampledVolume,
} from '../partial-fourier/index.js';
import type { ReconNotice } from '../types.js';
import { sampledRows, type CartesianPlan } from './plan.js';
import { LineState, type Slab } from './slab.js';

/** Echoes wander by a sample or two; an image's k-space peaks where its coils' phases say. */
const largestCentreShift = 2;

export class ImageStage {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #notice: (notice: ReconNotice) => void;
  #choice: PartialFourierChoice | undefined;
  /** The line of most energy, from the centre; undefined until the first image. */
  #lineShift: number | undefined;

  constructor(plan: CartesianPlan, kernels: Kernels, notice: (notice: ReconNotice) => void) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#notice = notice;
  }

  /** Compares the k-space centre of the first image with the header's. */
  checkCentre(slab: Slab, nCoils: number): void {
    if (this.#lineShift !== undefined) return;
    const { nLines, nColumns } = this.#plan;
    const energies = new Float64Array(nLines);
    for (let coil = 0; coil < nCoils; coil++) {
      for (let row = 0; row < nLines; row++) {
        if (slab.state[row] === LineState.empty) continue;
        const line = this.#kernels.arena.f32(slab.pointer + (coil * nLines + row) * nColumns * 8, 2 * nColumns);
        let energy = 0;
        for (let k = 0; k < line.length; k++) energy += line[k]! * line[k]!;
        energies[row] = energies[row]! + energy;
      }
    }
    this.#lineShift = indexOfLargest(energies) - Math.floor(nLines / 2);
    if (Math.abs(this.#lineShift) > largestCentreShift) {
      this.#say(
        'RECON_WARN_KSPACE_CENTRE',
        `The header has the k-space centre in line ${this.#plan.centreLine}; line ${this.#plan.centreLine + this.#lineShift} has the most energy.`,
      );
    }
  }

  /** What was sampled of the k-space of a combined image. */
  volumeOf(columns: SampledExtent): SampledVolume {
    const { combinedRows, paddedRows } = this.#plan;
    const rows = combinedRows === paddedRows ? sampledRows(this.#plan, paddedRows) : fullExtent(combinedRows);
    return [fullExtent(1), rows, columns];
  }

  /**
   * Completes the k-space of a combined image in place.
   * @param pointer complex64 [combinedRows, nColumns]
   */
  complete(pointer: number, volume: SampledVolume): PartialFourierMethod | 'none' {
    if (!volume.some(isPartial)) return 'none';
    transformVolume(this.#kernels, volume, pointer, 'forward');
    this.#choice ??= this.#choose(pointer, volume);
    completeKspace(this.#kernels, this.#choice.method, volume, pointer);
    return this.#choice.method;
  }

  /** Root-sum-of-squares has no phase: what was left out stays zero, and that is said where it was to be otherwise. */
  leaveZero(volume: SampledVolume): PartialFourierMethod | 'none' {
    if (!volume.some(isPartial)) return 'none';
    const { partialFourier } = this.#plan.parameters;
    if (this.#choice === undefined && partialFourier !== 'zeroFill') {
      this.#say('RECON_WARN_PARTIAL_FOURIER', 'Coils were combined by root-sum-of-squares: the part of k-space that was not sampled stays zero.');
    }
    this.#choice ??= { method: 'zeroFill', because: 'root-sum-of-squares images have no phase' };
    return 'zeroFill';
  }

  /** What becomes of the noise power of each line of a slab on its way into the image, [nLines]. */
  linePowers(volume: SampledVolume, method: PartialFourierMethod | 'none'): Float64Array {
    const { nLines } = this.#plan;
    const [, rows, columns] = volume;
    const powers = meanSquareWeights(kspaceWeights(volume, method === 'homodyne' || method === 'pocs'), columns.n);
    if (rows.n !== this.#plan.paddedRows) return new Float64Array(nLines).fill(powers[Math.floor(rows.n / 2)]!);
    const shift = Math.floor(rows.n / 2) - Math.floor(nLines / 2);
    return Float64Array.from({ length: nLines }, (_, line) => powers[line + shift] ?? 0);
  }

  #choose(pointer: number, volume: SampledVolume): PartialFourierChoice {
    const { partialFourier } = this.#plan.parameters;
    const choice = partialFourier === 'auto' ? this.#chooseByData(pointer, volume) : { method: partialFourier, because: 'it was asked for' };
    const [, rows, columns] = volume;
    const part = ({ from, end, n }: SampledExtent) => `${(100 * (end - from) / n).toFixed(0)} %`;
    this.#say(
      'RECON_INFO_PARTIAL_FOURIER',
      `Sampled: ${part(rows)} along the phase encoding, ${part(columns)} along the readout; completed by ${choice.method}: ${choice.because}.`,
    );
    return choice;
  }

  #chooseByData(pointer: number, volume: SampledVolume): PartialFourierChoice {
    const [, , columns] = volume;
    const columnShift = this.#columnShift(pointer, volume);
    if (Math.abs(columnShift) > largestCentreShift) {
      this.#say(
        'RECON_WARN_KSPACE_CENTRE',
        `The readouts have the most energy ${Math.abs(columnShift)} samples of ${columns.n} ${columnShift < 0 ? 'before' : 'after'} center_sample.`,
      );
    }
    if (Math.max(Math.abs(columnShift), Math.abs(this.#lineShift ?? 0)) > largestCentreShift) {
      return { method: 'zeroFill', because: 'the k-space centre is uncertain' };
    }
    return choosePartialFourier(this.#kernels, volume, pointer);
  }

  /** The column of most energy, from the centre. */
  #columnShift(pointer: number, [, rows, columns]: SampledVolume): number {
    const kspace = this.#kernels.arena.f32(pointer, 2 * rows.n * columns.n);
    const energies = new Float64Array(columns.n);
    for (let i = 0; i < rows.n * columns.n; i++) {
      energies[i % columns.n] = energies[i % columns.n]! + kspace[2 * i]! ** 2 + kspace[2 * i + 1]! ** 2;
    }
    return indexOfLargest(energies) - Math.floor(columns.n / 2);
  }

  #say(code: ReconNoticeCode, message: string): void {
    this.#notice(reconNotice(code, message));
  }
}

function indexOfLargest(values: Float64Array): number {
  return values.reduce((best, value, at) => (value > values[best]! ? at : best), 0);
}
