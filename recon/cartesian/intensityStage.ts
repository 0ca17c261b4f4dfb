/** Evens the intensity of images out where that is asked for: by a reference scan of their slice, else by the image itself. */
import { hasFlag } from 'ismrmrd';
import { reconError } from '../errors.js';
import { estimateField, gainOf, ratioField, referenceExtent, ReferenceLines, type FieldGrid } from '../intensity/index.js';
import type { Kernels } from '../kernels/index.js';
import { reconNotice } from '../notices.js';
import type { PostProcessing, ReconNotice } from '../types.js';
import type { CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';

/** Reference lines are kept until the image of their slice is made, up to this many bytes in all. */
const mostReferenceBytes = 64 * 2 ** 20;

export interface IntensityGain {
  /** What image and noise are multiplied with, [nRows, nColumns]. */
  readonly gain: Float32Array;
  readonly step: Extract<PostProcessing, 'intensityScan' | 'intensityEstimate'>;
}

interface SliceField {
  readonly field: Float64Array;
  readonly grid: FieldGrid;
}

export class IntensityStage {
  readonly #plan: CartesianPlan;
  readonly #kernels: Kernels;
  readonly #notice: (notice: ReconNotice) => void;
  /** Of the encoded field of view, [along the phase encoding, along the readout]. */
  readonly #encodedMm: readonly [number, number];
  readonly #array = new Map<number, ReferenceLines>();
  readonly #body = new Map<number, ReferenceLines>();
  readonly #fields = new Map<number, SliceField | undefined>();
  #referenceBytes = 0;
  /** Of the first slice's field: one scale for all slices. */
  #mean: number | undefined;
  readonly #said = new Set<string>();

  constructor(plan: CartesianPlan, kernels: Kernels, notice: (notice: ReconNotice) => void) {
    this.#plan = plan;
    this.#kernels = kernels;
    this.#notice = notice;
    const { fovMm, nRows, nColumns, paddedRows, paddedColumns } = plan;
    this.#encodedMm = [(fovMm[1] * paddedRows) / nRows, (fovMm[0] * paddedColumns) / nColumns];
  }

  /**
   * Takes a line of the reference scan, array or body coil; false where it serves nobody.
   * @param line from the k-space centre
   * @param samples complex64 [nChannels, nSamples]
   * @throws CodedError RECON_ERR_NOT_FINITE
   */
  add(readout: Readout, line: number, samples: Float32Array): boolean {
    const { intensityCorrection } = this.#plan.parameters;
    const { slice, set } = readout.idx;
    const lines = [this.#array, this.#body][set];
    if (intensityCorrection === 'off' || intensityCorrection === 'estimate' || this.#plan.nPartitions > 1) return false;
    if (lines === undefined || this.#fields.has(slice)) return false;
    let ofSlice = lines.get(slice);
    if (ofSlice === undefined) {
      const extent = referenceExtent(this.#encodedMm);
      const nBytes = 8 * readout.nChannels * (2 * extent.halfRows + 1) * (2 * extent.halfColumns + 1);
      if (this.#referenceBytes + nBytes > mostReferenceBytes) return false;
      this.#referenceBytes += nBytes;
      lines.set(slice, (ofSlice = new ReferenceLines(readout.nChannels, extent)));
    }
    if (ofSlice.nChannels !== readout.nChannels) return false;
    if (!samples.every(Number.isFinite)) {
      throw reconError('RECON_ERR_NOT_FINITE', `NaN or infinite samples in a surface-coil reference line of slice ${slice}`);
    }
    const centreSample = readout.centerSample === 0 ? Math.floor(readout.nSamples / 2) : readout.centerSample;
    ofSlice.add(line, samples, centreSample, hasFlag(readout.flags, 'reverse'));
    return true;
  }

  /**
   * @param image complex64 interleaved [nRows, nColumns]
   * @param whitening what the array's channels were mixed with for the image, complex64 [nOutputs, nChannels]
   * @param nChannels of the imaging readouts
   */
  gainOf(slice: number, image: Float32Array, whitening: Float32Array | undefined, nChannels: number): IntensityGain | undefined {
    const { parameters, nRows, nColumns, paddedRows, paddedColumns, fovMm } = this.#plan;
    const { intensityCorrection } = parameters;
    if (intensityCorrection === 'off') return undefined;
    const size = [nRows, nColumns] as const;
    const scanned = intensityCorrection === 'estimate' ? undefined : this.#fieldOf(slice, whitening, nChannels);
    if (scanned !== undefined) {
      this.#say('RECON_INFO_INTENSITY', 'The intensity is evened out by the surface-coil reference scan: images are as the body coil would have them.');
      return { gain: gainOf(scanned.field, scanned.grid, size, [paddedRows, paddedColumns]), step: 'intensityScan' };
    }
    if (intensityCorrection === 'scan') {
      this.#say('RECON_WARN_INTENSITY', `Slice ${slice} came without a usable reference scan of array and body coil: its intensity is left as it is.`);
      return undefined;
    }
    this.#say('RECON_INFO_INTENSITY', 'The intensity is evened out by an estimate from the image itself.');
    const { field, grid } = estimateField(image, size, [fovMm[1], fovMm[0]]);
    return { gain: gainOf(field, grid, size, size), step: 'intensityEstimate' };
  }

  #fieldOf(slice: number, whitening: Float32Array | undefined, nChannels: number): SliceField | undefined {
    if (this.#fields.has(slice)) return this.#fields.get(slice);
    const [array, body] = [this.#array.get(slice), this.#body.get(slice)];
    this.#array.delete(slice);
    this.#body.delete(slice);
    const ratio = array === undefined || body === undefined || array.nChannels !== nChannels
      ? undefined
      : ratioField(this.#kernels, array, body, whitening, this.#encodedMm);
    this.#mean ??= ratio?.mean;
    const scaled = ratio && { grid: ratio.grid, field: ratio.field.map((value) => value - this.#mean!) };
    this.#fields.set(slice, scaled);
    return scaled;
  }

  #say(code: 'RECON_INFO_INTENSITY' | 'RECON_WARN_INTENSITY', message: string): void {
    if (this.#said.has(code)) return;
    this.#said.add(code);
    this.#notice(reconNotice(code, message));
  }
}
