/**
 * One readout of all coils into hybrid space (k-space along the lines, image along the columns):
 *
 *   h[c, x] (+)= crop_x( F^-1 pad( sum_d W[c, d] s[d, .] ) )
 *
 * pad puts sample `centerSample` at index floor(n/2) of a line of n = `paddedLength`, zeros where
 * nothing was sampled (asymmetric echo), and drops what falls outside; crop keeps the central
 * `nColumns`, which removes readout oversampling. A reversed readout is turned round first. W whitens the
 * coils, and makes fewer, virtual ones of them where it has fewer rows than columns.
 */
import type { Kernels } from '../kernels/index.js';
import { reconError } from '../errors.js';
import { planFft, type FftPlan } from './plan.js';

export interface ReadoutShape {
  readonly nCoils: number;
  readonly nSamples: number;
  /** The sample at zero frequency, counted in the order of acquisition; may lie outside the readout. */
  readonly centerSample: number;
  readonly paddedLength: number;
  readonly nColumns: number;
}

export interface ReadoutPlan extends ReadoutShape {
  readonly fft: FftPlan;
  /** Lines that come out: rows of W, nCoils where there is none. */
  readonly nOutputs: number;
  /** Address of the packed W, 0 for none. */
  readonly mixing: number;
  /** Address of scratch, one slot for every four coils and a spare one. */
  readonly slots: number;
  readonly pointers: readonly number[];
}

const LANES = 4;

/**
 * @param mixing W, complex64 interleaved [nOutputs, nCoils], row by row; zeros at the ends of rows save time
 * @throws RECON_ERR_FFT_SHAPE when the shape is not one of positive integers with nColumns <= paddedLength
 */
export function planReadout(
  kernels: Kernels,
  shape: ReadoutShape,
  mixing?: Float32Array,
): ReadoutPlan {
  const { nCoils, nSamples, centerSample, paddedLength, nColumns } = shape;
  const nOutputs = mixing === undefined ? nCoils : mixing.length / (2 * nCoils);
  const sizes = [nCoils, nSamples, nColumns, nOutputs];
  if (
    !sizes.every((size) => Number.isInteger(size) && size > 0) ||
    !Number.isInteger(centerSample) ||
    nColumns > paddedLength ||
    nOutputs > nCoils
  ) {
    throw reconError(
      'RECON_ERR_FFT_SHAPE',
      `${nCoils} coils of ${nSamples} samples about sample ${centerSample}, ${nColumns} of ${paddedLength} ` +
        `columns, mixed into ${nOutputs}`,
    );
  }
  const fft = planFft(kernels, paddedLength);
  const slots = kernels.arena.allocate((Math.ceil(nCoils / LANES) + 1) * fft.slotBytes);
  const packed = mixing === undefined ? [] : packMixing(kernels, mixing, nOutputs, nCoils);
  return {
    nCoils,
    nSamples,
    centerSample,
    paddedLength,
    nColumns,
    fft,
    nOutputs,
    mixing: packed[0] ?? 0,
    slots,
    pointers: [slots, ...packed],
  };
}

/** Gives back what `planReadout` took, except the FFT plan. */
export function releaseReadout({ arena }: Kernels, plan: ReadoutPlan): void {
  for (const pointer of plan.pointers) arena.release(pointer);
}

/**
 * For every four rows of W: the number of columns up to the last one that is not zero, the address of
 * the weights; the weights are, column by column, four real and four imaginary parts.
 */
function packMixing(
  { arena }: Kernels,
  mixing: Float32Array,
  nOutputs: number,
  nCoils: number,
): [table: number, weights: number] {
  const nGroups = Math.ceil(nOutputs / LANES);
  const groupLength = 2 * LANES * nCoils;
  const table = arena.allocate(nGroups * 8);
  const weights = arena.allocate(nGroups * groupLength * 4);
  const words = arena.i32(table, 2 * nGroups).fill(0);
  const packed = arena.f32(weights, nGroups * groupLength).fill(0);
  for (let row = 0; row < nOutputs; row++) {
    const group = Math.floor(row / LANES);
    words[2 * group + 1] = weights + group * groupLength * 4;
    for (let column = 0; column < nCoils; column++) {
      const re = mixing[2 * (row * nCoils + column)]!;
      const im = mixing[2 * (row * nCoils + column) + 1]!;
      if (re !== 0 || im !== 0) words[2 * group] = Math.max(words[2 * group]!, column + 1);
      const to = group * groupLength + 2 * LANES * column + (row % LANES);
      packed[to] = re;
      packed[to + LANES] = im;
    }
  }
  return [table, weights];
}

export interface ReadoutOptions {
  /** The readout was acquired backwards (ACQ_IS_REVERSE). */
  readonly reverse?: boolean;
  /** Add to what is there (averages) instead of replacing it. */
  readonly accumulate?: boolean;
}

/**
 * @param samples address of complex64 [nCoils, nSamples] in the order of acquisition; no alignment asked
 * @param destination address of complex64 [nColumns] of the first coil; the next coils follow, each
 *   `destinationCoilStrideBytes` further
 */
export function transformReadout(
  { wasm }: Kernels,
  plan: ReadoutPlan,
  samples: number,
  destination: number,
  destinationCoilStrideBytes: number,
  { reverse = false, accumulate = false }: ReadoutOptions = {},
): void {
  wasm.transformReadout(
    plan.fft.pointer, samples, plan.nCoils, plan.nSamples, plan.centerSample, reverse ? -1 : 1,
    destination, destinationCoilStrideBytes, plan.nColumns, plan.fft.scale, plan.mixing, plan.nOutputs,
    accumulate ? 1 : 0, plan.slots, plan.fft.slotBytes,
  );
}
