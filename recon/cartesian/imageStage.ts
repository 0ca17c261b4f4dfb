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
import { sampledRows, sampledSlices, slabCoilBytes, type CartesianPlan } from './plan.js';
import { LineState, type Slab } from './slab.js';

/** Echoes wander by a sample or two; an image's k-space peaks where its coils' phases say. */
const largestCentreShift = 2;

export class ImageStage {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #notice: (notice: ReconNotice) => void;
  #choice: PartialFourierChoice | undefined;
  /** How far the line or partition of most energy is from the centre; undefined until the first image. */
  #centreShift: number | undefined;

  constructor(plan: CartesianPlan, kernels: Kernels, notice: (notice: ReconNotice) => void) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#notice = notice;
  }

  /** Compares the k-space centre of the first image with the header's. */
  checkCentre(slab: Slab, nCoils: number): void {
    if (this.#centreShift !== undefined) return;
    const { nLines, nColumns, nPartitions, centreLine, centrePartition } = this.#plan;
    const byLine = new Float64Array(nLines);
    const byPartition = new Float64Array(nPartitions);
    for (let coil = 0; coil < nCoils; coil++) {
      for (let row = 0; row < nLines * nPartitions; row++) {
        if (slab.state[row] === LineState.empty) continue;
        const line = this.#kernels.arena.f32(slab.pointer + coil * slabCoilBytes(this.#plan) + row * nColumns * 8, 2 * nColumns);
        let energy = 0;
        for (let k = 0; k < line.length; k++) energy += line[k]! * line[k]!;
        byLine[row % nLines] = byLine[row % nLines]! + energy;
        const partition = Math.floor(row / nLines);
        byPartition[partition] = byPartition[partition]! + energy;
      }
    }
    const shifts = [
      { name: 'line', shift: indexOfLargest(byLine) - Math.floor(nLines / 2), centre: centreLine },
      { name: 'partition', shift: indexOfLargest(byPartition) - Math.floor(nPartitions / 2), centre: centrePartition },
    ];
    this.#centreShift = Math.max(...shifts.map(({ shift }) => Math.abs(shift)));
    for (const { name, shift, centre } of shifts) {
      if (Math.abs(shift) <= largestCentreShift) continue;
      this.#say(
        'RECON_WARN_KSPACE_CENTRE',
        `The header has the k-space centre in ${name} ${centre}; ${name} ${centre + shift} has the most energy.`,
      );
    }
  }

  /** What was sampled of the k-space of a combined image. */
  volumeOf(columns: SampledExtent): SampledVolume {
    const { combinedRows, paddedRows, combinedSlices, paddedSlices } = this.#plan;
    const rows = combinedRows === paddedRows ? sampledRows(this.#plan) : fullExtent(combinedRows);
    const slices = combinedSlices === paddedSlices ? sampledSlices(this.#plan) : fullExtent(combinedSlices);
    return [slices, rows, columns];
  }

  /**
   * Completes the k-space of a combined image or volume in place.
   * @param pointer complex64 [combinedSlices, combinedRows, nColumns]
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

  /** What becomes of the noise power of each row of a slab on its way into the image. */
  linePowers(volume: SampledVolume, method: PartialFourierMethod | 'none'): Float64Array {
    const { nLines, nPartitions, paddedRows, paddedSlices } = this.#plan;
    const [slices, rows, columns] = volume;
    const powers = meanSquareWeights(kspaceWeights(volume, method === 'homodyne' || method === 'pocs'), columns.n);
    // Where an axis was cropped before, its samples all have the weight of the centre.
    const indexOf = (at: number, n: number, extent: SampledExtent, padded: number) =>
      Math.floor(extent.n / 2) + (extent.n === padded ? at - Math.floor(n / 2) : 0);
    return Float64Array.from({ length: nPartitions * nLines }, (_, row) => {
      const slice = indexOf(Math.floor(row / nLines), nPartitions, slices, paddedSlices);
      const imageRow = indexOf(row % nLines, nLines, rows, paddedRows);
      return slice < 0 || slice >= slices.n || imageRow < 0 || imageRow >= rows.n ? 0 : powers[slice * rows.n + imageRow]!;
    });
  }

  #choose(pointer: number, volume: SampledVolume): PartialFourierChoice {
    const { partialFourier } = this.#plan.parameters;
    const choice = partialFourier === 'auto' ? this.#chooseByData(pointer, volume) : { method: partialFourier, because: 'it was asked for' };
    const [slices, rows, columns] = volume;
    const part = ({ from, end, n }: SampledExtent) => `${(100 * (end - from) / n).toFixed(0)} %`;
    this.#say(
      'RECON_INFO_PARTIAL_FOURIER',
      `Sampled: ${part(rows)} along the phase encoding, ${slices.n > 1 ? `${part(slices)} along the partitions, ` : ''}${part(columns)} along the readout; completed by ${choice.method}: ${choice.because}.`,
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
    if (Math.max(Math.abs(columnShift), this.#centreShift ?? 0) > largestCentreShift) {
      return { method: 'zeroFill', because: 'the k-space centre is uncertain' };
    }
    return choosePartialFourier(this.#kernels, volume, pointer);
  }

  /** The column of most energy, from the centre. */
  #columnShift(pointer: number, [slices, rows, columns]: SampledVolume): number {
    const n = slices.n * rows.n * columns.n;
    const kspace = this.#kernels.arena.f32(pointer, 2 * n);
    const energies = new Float64Array(columns.n);
    for (let i = 0; i < n; i++) {
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
