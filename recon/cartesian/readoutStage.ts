/** Readouts into hybrid space, one plan for each shape of readout that the scan has. */
import { hasFlag } from 'ismrmrd';
import { reconError } from '../errors.js';
import { planReadout, transformReadout, type ReadoutPlan } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import type { Whitener } from '../noise/index.js';
import type { SampledExtent } from '../partial-fourier/index.js';
import type { CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';

function isImaging({ flags }: Readout): boolean {
  return !hasFlag(flags, 'parallelCalibration') || hasFlag(flags, 'parallelCalibrationAndImaging');
}

/** Stands for the slices that have no matrix of their own. */
const everySlice = -1;

export class ReadoutStage {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #shapes = new Map<number, ReadoutPlan>();
  /** Matrix that whitens and compresses the channels, by slice; one for all where nothing is compressed. */
  readonly #mixings = new Map<number, Float32Array>();
  #whitening: Float32Array | undefined;
  #nCoils = 0;
  /** The fewest samples before and after the echo so far: what asymmetric echoes leave. */
  #fewestBefore = Infinity;
  #fewestAfter = Infinity;

  constructor(plan: CartesianPlan, kernels: Kernels) {
    this.#plan = plan;
    this.#kernels = kernels;
  }

  get started(): boolean {
    return this.#nCoils > 0;
  }

  get whitens(): boolean {
    return this.#whitening !== undefined;
  }

  /** What whitens the channels, complex64 [nOutputs, nChannels]. */
  get whitening(): Float32Array | undefined {
    return this.#whitening;
  }

  /** The part of k-space along the columns of the image that every imaging readout has sampled. */
  get sampledColumns(): SampledExtent {
    const { paddedColumns, nColumns } = this.#plan;
    const centre = Math.floor(nColumns / 2);
    // Cropping the image makes its k-space coarser, not smaller.
    const before = Math.floor((this.#fewestBefore * nColumns) / paddedColumns);
    const after = Math.floor((this.#fewestAfter * nColumns) / paddedColumns);
    return { n: nColumns, from: Math.max(0, centre - before), end: Math.min(nColumns, centre + after + 1) };
  }

  /** With the first imaging readout the noise scan is over. */
  start(nCoils: number, whitener: Whitener | undefined): void {
    this.#nCoils = nCoils;
    this.#whitening = whitener?.matrix;
    if (whitener !== undefined) this.#mixings.set(everySlice, whitener.matrix);
  }

  /** From now on the channels of a slice are mixed so: complex64 [nVirtualCoils, nCoils]. */
  mix(slice: number, matrix: Float32Array): void {
    this.#mixings.set(slice, matrix);
  }

  /**
   * Whitens, compresses and transforms the samples at `samplesPointer` into one hybrid line a coil at `target`.
   * @throws CodedError RECON_ERR_NOT_FINITE for NaN and infinite samples
   */
  transform(readout: Readout, samplesPointer: number, target: number, coilBytes: number, accumulate: boolean): void {
    const { arena } = this.#kernels;
    const { nSamples, discardPre, discardPost } = readout;
    if (discardPre + discardPost > 0) this.#discard(readout, samplesPointer);
    const centerSample = readout.centerSample === 0 ? Math.floor(nSamples / 2) : readout.centerSample;
    const reverse = hasFlag(readout.flags, 'reverse');
    if (isImaging(readout)) this.#noteExtent(centerSample - discardPre, nSamples - discardPost - 1 - centerSample, reverse);
    const shape = this.#shape(nSamples, centerSample, readout.idx.slice);
    transformReadout(this.#kernels, shape, samplesPointer, target, coilBytes, { reverse, accumulate });
    // A sample that is not finite makes the whole line so: one pixel a coil tells.
    const memory = arena.f32(0, (target + (shape.nOutputs - 1) * coilBytes) / 4 + 2);
    for (let coil = 0; coil < shape.nOutputs; coil++) {
      const at = (target + coil * coilBytes) / 4;
      if (!Number.isFinite(memory[at]! + memory[at + 1]!)) {
        throw reconError(
          'RECON_ERR_NOT_FINITE',
          `NaN or infinite samples in line ${readout.idx.kspaceEncodeStep1} of slice ${readout.idx.slice}, ${this.#placeOf(coil, shape)}`,
        );
      }
    }
  }

  #noteExtent(first: number, last: number, reverse: boolean): void {
    this.#fewestBefore = Math.max(0, Math.min(this.#fewestBefore, reverse ? last : first));
    this.#fewestAfter = Math.max(0, Math.min(this.#fewestAfter, reverse ? first : last));
  }

  /** Mixing spreads a broken sample to the outputs after it. */
  #placeOf(output: number, { nOutputs, nCoils }: ReadoutPlan): string {
    return nOutputs < nCoils ? 'one of the coils' : `${this.#plan.coilNames[output] ?? `coil ${output}`} or one before it`;
  }

  #shape(nSamples: number, centerSample: number, slice: number): ReadoutPlan {
    const ofSlice = this.#mixings.has(slice) ? slice : everySlice;
    const key = ((ofSlice + 1) * 65536 + nSamples) * 65536 + centerSample;
    let shape = this.#shapes.get(key);
    if (shape === undefined) {
      const { paddedColumns, nColumns } = this.#plan;
      shape = planReadout(
        this.#kernels,
        { nCoils: this.#nCoils, nSamples, centerSample, paddedLength: paddedColumns, nColumns },
        this.#mixings.get(ofSlice),
      );
      this.#shapes.set(key, shape);
    }
    return shape;
  }

  /** Samples that the sequence says to discard become zeros. */
  #discard({ nSamples, nChannels, discardPre, discardPost }: Readout, samplesPointer: number): void {
    const samples = this.#kernels.arena.f32(samplesPointer, 2 * nChannels * nSamples);
    for (let coil = 0; coil < nChannels; coil++) {
      const start = 2 * coil * nSamples;
      samples.fill(0, start, start + 2 * Math.min(discardPre, nSamples));
      samples.fill(0, start + 2 * Math.max(0, nSamples - discardPost), start + 2 * nSamples);
    }
  }
}
