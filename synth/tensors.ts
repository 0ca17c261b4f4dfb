/**
 * What the network reads and gives, as tensors: images without shading over their means, the exam as 18 numbers and the wanted images as 8;
 * maps with their deviations, images, and what speaks against the pair (models/synthesis-maps/manifest.json). Rows and columns are filled up
 * by reflection to multiples of 16.
 */
import type { FastSpinEchoSequence } from '../imaging/index.js';
import type { Tensor } from '../models/index.js';
import type { TissueMaps } from './contrasts.js';
import { synthesisError } from './errors.js';
import { nTargetNumbers } from './meanImage.js';
import type { RunModel } from './types.js';

const multipleOf = 16;
export const nChannels = 4;
const nMaps = 4;
const nSpreads = 8;
const nDoubts = 2;
const nContrasts = 2;
export const nExamNumbers = 18;
/** In the order of the channels. */
type Channel = Float32Array | undefined;

/** Images on one grid; absent ones are zero for the network. */
export interface NetworkImages {
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** Over their means, [slice, row, column]. */
  readonly t1w: Channel;
  readonly t2w: Channel;
  /** 0 to 1. */
  readonly fatFraction: Channel;
  /** Over its mean. */
  readonly fatSuppressed: Channel;
}

export interface ExamNumbers {
  readonly t1w: FastSpinEchoSequence;
  readonly t2w: FastSpinEchoSequence;
  readonly fieldStrengthT: 1.5 | 3;
  readonly pixelMm: number;
  /** Mean of T2w over that of T1w, in one unit; absent where that is unknown. */
  readonly t2wOverT1w?: number;
  readonly hasFatFraction: boolean;
  readonly fatSuppressed?: FastSpinEchoSequence;
  /** Mean of the fat-suppressed image over that of T2w, in one unit. */
  readonly fatSuppressedOverT2w?: number;
}

/** The maps that a network gave, and how sure it is of them. */
export interface PredictedMaps extends TissueMaps {
  /** Of ln PD, ln T1, ln T2 and logit FF: the deviation of its own, then the share of a common one (contrasts.ts). */
  readonly spread: readonly Float32Array[];
  /** Averaged over 2 x 2 pixels, as `halved` does: the logit of that one image shows here what the other does not, and ln of T2w's stated echo time over the true one. */
  readonly doubt: readonly [Float32Array, Float32Array];
  /** Magnitudes of STIR and of T2 with fat saturation, per equilibrium magnetisation (meanImage.ts); 0 where one image was left out. */
  readonly contrasts: readonly [Float32Array, Float32Array];
}

const trainMs = ({ echoTrainLength, echoSpacingMs }: FastSpinEchoSequence) => echoTrainLength * echoSpacingMs;

/** @param has which of the two images the network gets: the cross-prediction leaves one out, and with it what ties both together */
export function examVector(exam: ExamNumbers, has: { readonly t1w: boolean; readonly t2w: boolean }): Float32Array {
  const { t1w, t2w, fatSuppressed } = exam;
  const isScaleKnown = exam.t2wOverT1w !== undefined && has.t1w && has.t2w;
  const isThirdScaleKnown = exam.fatSuppressedOverT2w !== undefined && fatSuppressed !== undefined && has.t2w;
  return Float32Array.of(
    Math.log(t1w.trMs / 600), Math.log(t1w.teMs / 10), Math.log(trainMs(t1w) / 30),
    Math.log(t2w.trMs / 3500), Math.log(t2w.teMs / 100), Math.log(trainMs(t2w) / 170),
    exam.fieldStrengthT < 2 ? 0 : 1,
    isScaleKnown ? 1 : 0, isScaleKnown ? Math.log(exam.t2wOverT1w) : 0,
    exam.hasFatFraction ? 1 : 0,
    fatSuppressed === undefined ? 0 : 1, fatSuppressed === undefined ? 0 : Math.log(fatSuppressed.teMs / 80),
    isThirdScaleKnown ? 1 : 0, isThirdScaleKnown ? Math.log(exam.fatSuppressedOverT2w) : 0,
    Math.log(exam.pixelMm / 0.85),
    (180 - (t1w.refocusingAngleDeg ?? 180)) / 50,
    has.t1w ? 1 : 0, has.t2w ? 1 : 0,
  );
}

/**
 * What the network says of slices `first` to `first + n`, in one run.
 * @param target numbers of the images that are wanted of it (meanImage.ts)
 * @throws CodedError (as a rejection) SYNTH_ERR_NETWORK; of the model host
 */
export async function predictMaps(images: NetworkImages, exam: Float32Array, target: Float32Array, run: RunModel, first: number, n: number): Promise<PredictedMaps> {
  const { rows, columns } = images;
  const [paddedRows, paddedColumns] = [filledUp(rows), filledUp(columns)];
  const padded = paddedRows * paddedColumns;
  const data = new Float32Array(n * nChannels * padded);
  const [fromRow, fromColumn] = [reflection(rows, paddedRows), reflection(columns, paddedColumns)];
  for (const [channel, image] of [images.t1w, images.t2w, images.fatFraction, images.fatSuppressed].entries()) {
    if (image === undefined) continue;
    for (let k = 0; k < n; k++) {
      for (let row = 0; row < paddedRows; row++) {
        const from = ((first + k) * rows + fromRow[row]!) * columns;
        const to = (k * nChannels + channel) * padded + row * paddedColumns;
        data.set(image.subarray(from, from + columns), to);
        for (let column = columns; column < paddedColumns; column++) data[to + column] = image[from + fromColumn[column]!]!;
      }
    }
  }
  const ofEach = (numbers: Float32Array, length: number): Tensor => {
    const repeated = new Float32Array(n * length);
    for (let k = 0; k < n; k++) repeated.set(numbers, k * length);
    return { dims: [n, length], data: repeated };
  };
  const { maps, spread, doubt, contrasts } = await run({
    images: { dims: [n, nChannels, paddedRows, paddedColumns], data }, exam: ofEach(exam, nExamNumbers), target: ofEach(target, nTargetNumbers),
  });
  const whole: Grid = { n, rows, columns, paddedRows, paddedColumns };
  const half: Grid = { n, rows: rows >> 1, columns: columns >> 1, paddedRows: paddedRows >> 1, paddedColumns: paddedColumns >> 1 };
  const [lnPd, lnT1Ms, lnT2Ms, logitFat] = planesOf(maps, nMaps, whole) as [Float32Array, Float32Array, Float32Array, Float32Array];
  // In their places: what a run gave is nobody else's.
  const [protonDensity, fatFraction] = [lnPd, logitFat];
  for (let voxel = 0; voxel < lnPd.length; voxel++) {
    protonDensity[voxel] = Math.exp(lnPd[voxel]!);
    fatFraction[voxel] = 1 / (1 + Math.exp(-logitFat[voxel]!));
  }
  return {
    protonDensity, lnT1Ms, lnT2Ms, fatFraction, spread: planesOf(spread, nSpreads, whole),
    doubt: planesOf(doubt, nDoubts, half) as [Float32Array, Float32Array], contrasts: planesOf(contrasts, nContrasts, whole) as [Float32Array, Float32Array],
  };
}

/** Slices as they are wanted, in the upper left corner of what the network gives. */
interface Grid {
  readonly n: number;
  readonly rows: number;
  readonly columns: number;
  readonly paddedRows: number;
  readonly paddedColumns: number;
}

function planesOf(tensor: Tensor | undefined, nPlanes: number, { n, rows, columns, paddedRows, paddedColumns }: Grid): Float32Array[] {
  const padded = paddedRows * paddedColumns;
  if (tensor?.data.length !== n * nPlanes * padded) throw synthesisError('SYNTH_ERR_NETWORK', `${tensor?.dims.join(' x ') ?? 'nothing'} for ${nPlanes} maps`);
  const isWhole = n === 1 && padded === rows * columns;
  return Array.from({ length: nPlanes }, (_, plane) => {
    if (isWhole) return tensor.data.subarray(plane * padded, (plane + 1) * padded);
    const image = new Float32Array(n * rows * columns);
    for (let k = 0; k < n; k++) {
      for (let row = 0; row < rows; row++) {
        const from = (k * nPlanes + plane) * padded + row * paddedColumns;
        image.set(tensor.data.subarray(from, from + columns), (k * rows + row) * columns);
      }
    }
    return image;
  });
}

/** Means of 2 x 2 pixels; an odd last row or column is left out. */
export function halved(image: Float32Array, slices: number, rows: number, columns: number): Float32Array {
  const [halfRows, halfColumns] = [rows >> 1, columns >> 1];
  const half = new Float32Array(slices * halfRows * halfColumns);
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 0; row < halfRows; row++) {
      const above = (slice * rows + 2 * row) * columns;
      const to = (slice * halfRows + row) * halfColumns;
      for (let column = 0; column < halfColumns; column++) {
        const at = above + 2 * column;
        half[to + column] = (image[at]! + image[at + 1]! + image[at + columns]! + image[at + columns + 1]!) / 4;
      }
    }
  }
  return half;
}

/** The way back of `halved`: every pixel repeated over 2 x 2. */
export function doubled<Image extends Float32Array | Uint8Array>(half: Image, slices: number, rows: number, columns: number): Image {
  const [halfRows, halfColumns] = [rows >> 1, columns >> 1];
  const image = new (half.constructor as new (length: number) => Image)(slices * rows * columns);
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row++) {
      const from = (slice * halfRows + Math.min(halfRows - 1, row >> 1)) * halfColumns;
      const to = (slice * rows + row) * columns;
      for (let column = 0; column < columns; column++) image[to + column] = half[from + Math.min(halfColumns - 1, column >> 1)]!;
    }
  }
  return image;
}

function filledUp(size: number): number {
  return Math.ceil(size / multipleOf) * multipleOf;
}

/** From which index each one of a filled-up axis is taken: 0 1 2 3 becomes 0 1 2 3 2 1. */
function reflection(size: number, padded: number): Int32Array {
  return Int32Array.from({ length: padded }, (_, index) => (index < size ? index : Math.max(0, 2 * size - 2 - index)));
}
