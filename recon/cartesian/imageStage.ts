/**
 * What happens to an image between coil combination and delivery: the part of k-space that was left out
 * by design is completed, and Gibbs ringing and filters have their turn where they are asked for.
 *
 * The method is chosen with the first image of the scan and kept: one series does not mix methods.
 */
import { filterWindow } from '../filter/index.js';
import { removeGibbsRinging } from '../gibbs/index.js';
import type { Kernels } from '../kernels/index.js';
import { reconNotice, type ReconNoticeCode } from '../notices.js';
import {
  choosePartialFourier, completeKspace, fullExtent, isPartial, kspaceWeights, meanSquareWeights, sides, transformVolume,
  type PartialFourierChoice, type PartialFourierMethod, type SampledExtent, type SampledVolume,
} from '../partial-fourier/index.js';
import type { PostProcessing, ReconNotice } from '../types.js';
import { sampledRows, sampledSlices, slabCoilBytes, type CartesianPlan } from './plan.js';
import type { Slab } from './slab.js';

/** Of the image columns, every so many tell which line has the most energy. */
const columnsApart = 8;
/** Echoes wander by a sample or two; an image's k-space peaks where its coils' phases say. */
const largestCentreShift = 2;

export class ImageStage {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #notice: (notice: ReconNotice) => void;
  #choice: PartialFourierChoice | undefined;
  #saidNotFiltered = false;
  /** How far the line or partition of most energy is from the centre; undefined until the first image. */
  #centreShift: number | undefined;

  constructor(plan: CartesianPlan, kernels: Kernels, notice: (notice: ReconNotice) => void) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#notice = notice;
  }

  /** Whether the k-space centre has to be known before the image is complete, or is only compared with the header's. */
  needsCentre(volume: SampledVolume): boolean {
    // The partitions of a volume become slices with its image.
    return this.#plan.nPartitions > 1 || volume.some(isPartial);
  }

  /** How an image will be completed; undefined where the first image has still to decide it. */
  methodFor(volume: SampledVolume): PartialFourierMethod | 'none' | undefined {
    return volume.some(isPartial) ? this.#choice?.method : 'none';
  }

  /** Compares the k-space centre of the first image with the header's. */
  checkCentre(slab: Pick<Slab, 'pointer'>, nCoils: number): void {
    if (this.#centreShift !== undefined) return;
    const { nLines, nColumns, nPartitions, centreLine, centrePartition } = this.#plan;
    const byLine = new Float64Array(nLines);
    const byPartition = new Float64Array(nPartitions);
    const { arena, wasm } = this.#kernels;
    const nRows = nLines * nPartitions;
    arena.withScratch(8 * nRows, (pointer) => {
      wasm.rowEnergies(slab.pointer, slabCoilBytes(this.#plan), nCoils, nRows, nColumns, columnsApart, pointer);
      arena.f64(pointer, nRows).forEach((energy, row) => {
        const partition = Math.floor(row / nLines);
        byLine[row % nLines]! += energy;
        byPartition[partition]! += energy;
      });
    });
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

  /** What is done to images after their k-space is complete. */
  postProcessing(volume: SampledVolume, method: PartialFourierMethod | 'none', hasPhase: boolean): PostProcessing[] {
    const { rawFilter, gibbsRemoval } = this.#plan.parameters;
    if (!hasPhase) {
      if (rawFilter !== 'none' || gibbsRemoval) this.#sayNotFiltered('root-sum-of-squares images are neither filtered nor rid of Gibbs ringing');
      return [];
    }
    // Where k-space ends before the matrix does, ringing is not one of neighbouring pixels.
    const isInterpolated = volume.some((extent) => extent.n > 1 && Math.max(sides(extent).before, sides(extent).after + 1) < 0.95 * (extent.n / 2));
    const removesGibbs = gibbsRemoval && !isInterpolated && method !== 'zeroFill';
    if (gibbsRemoval && !removesGibbs) this.#sayNotFiltered('Gibbs ringing stays: the images are interpolated or zero-filled');
    return [...(removesGibbs ? (['gibbsRemoval'] as const) : []), ...(rawFilter === 'none' ? [] : [rawFilter])];
  }

  /**
   * The steps of `postProcessing`, in place. Gibbs ringing goes first: it is that of the unfiltered edge.
   * @param pointer complex64 [combinedSlices, combinedRows, nColumns]
   */
  postProcess(pointer: number, volume: SampledVolume, steps: readonly PostProcessing[]): void {
    const [slices, rows, columns] = volume;
    if (steps.includes('gibbsRemoval')) {
      for (let slice = 0; slice < slices.n; slice++) {
        removeGibbsRinging(this.#kernels, pointer + 8 * slice * rows.n * columns.n, rows.n, columns.n);
      }
    }
    if (this.#plan.parameters.rawFilter === 'none') return;
    transformVolume(this.#kernels, volume, pointer, 'forward');
    const kspace = this.#kernels.arena.f32(pointer, 2 * slices.n * rows.n * columns.n);
    this.#filterWeights(volume).forEach((weight, i) => {
      kspace[2 * i] = kspace[2 * i]! * weight;
      kspace[2 * i + 1] = kspace[2 * i + 1]! * weight;
    });
    transformVolume(this.#kernels, volume, pointer, 'inverse');
  }

  /** [slices, rows, columns] */
  #filterWeights(volume: SampledVolume): Float32Array {
    const { rawFilter, rawFilterStrength } = this.#plan.parameters;
    const [slices, rows, columns] = volume.map((extent) => {
      const edge = Math.max(1, sides(extent).before, sides(extent).after);
      return filterWindow(extent.n === 1 ? 'none' : rawFilter, rawFilterStrength, extent.n, edge);
    }) as [Float64Array, Float64Array, Float64Array];
    const weights = new Float32Array(slices.length * rows.length * columns.length);
    let at = 0;
    for (const s of slices) for (const r of rows) for (const c of columns) weights[at++] = s * r * c;
    return weights;
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
    const [, rows, columns] = volume;
    const powers = meanSquareWeights(this.#completionWeights(volume, method), columns.n);
    return Float64Array.from(this.#placesOfRows(volume), (place) => (place === undefined ? 0 : powers[place.slice * rows.n + place.row]!));
  }

  /** What the samples of each row of a 2D slab are multiplied by on their way into the image: float32 [nLines, nColumns]. */
  lineWeights(volume: SampledVolume, method: PartialFourierMethod | 'none'): Float32Array {
    const [, , columns] = volume;
    const weights = this.#completionWeights(volume, method);
    const out = new Float32Array(this.#plan.nLines * columns.n);
    this.#placesOfRows(volume).forEach((place, row) => {
      if (place !== undefined) out.set(weights.subarray(place.row * columns.n, (place.row + 1) * columns.n), row * columns.n);
    });
    return out;
  }

  /** [slices, rows, columns] */
  #completionWeights(volume: SampledVolume, method: PartialFourierMethod | 'none'): Float32Array {
    const weights = kspaceWeights(volume, method === 'homodyne' || method === 'pocs');
    if (this.#plan.parameters.rawFilter !== 'none') this.#filterWeights(volume).forEach((weight, i) => (weights[i] = weights[i]! * weight));
    return weights;
  }

  /** Where each row of a slab lies in the k-space of the combined images; undefined for rows that are beyond it. */
  #placesOfRows([slices, rows]: SampledVolume): ({ readonly slice: number; readonly row: number } | undefined)[] {
    const { nLines, nPartitions, paddedRows, paddedSlices } = this.#plan;
    // Where an axis was cropped before, its samples all have the weight of the centre.
    const indexOf = (at: number, n: number, extent: SampledExtent, padded: number) =>
      Math.floor(extent.n / 2) + (extent.n === padded ? at - Math.floor(n / 2) : 0);
    return Array.from({ length: nPartitions * nLines }, (_, at) => {
      const slice = indexOf(Math.floor(at / nLines), nPartitions, slices, paddedSlices);
      const row = indexOf(at % nLines, nLines, rows, paddedRows);
      return slice < 0 || slice >= slices.n || row < 0 || row >= rows.n ? undefined : { slice, row };
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

  #sayNotFiltered(what: string): void {
    if (this.#saidNotFiltered) return;
    this.#saidNotFiltered = true;
    this.#say('RECON_WARN_NOT_FILTERED', `${what[0]!.toUpperCase()}${what.slice(1)}.`);
  }

  #say(code: ReconNoticeCode, message: string): void {
    this.#notice(reconNotice(code, message));
  }
}

function indexOfLargest(values: Float64Array): number {
  return values.reduce((best, value, at) => (value > values[best]! ? at : best), 0);
}
