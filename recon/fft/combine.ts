/**
 * The column transform of a hybrid slab (k-space along the lines, image along the columns), fused with
 * what follows it, so that the slab is read once and stays as it is:
 *
 *   x[c, r, k] = crop_r( F^-1 pad( h[c, ., k] ) )
 *   combineSlice: image[r, k] = sum_c conj(map[c, r, k]) x[c, r, k]
 *   combineRss:   image[r, k] = sqrt( sum_c |x[c, r, k]|^2 )
 *   coilImages:   image[c, r, k] = x[c, r, k]
 *
 * pad puts line `centreLine` at index floor(n/2) of n = `paddedRows`; crop keeps the central `nRows`.
 * Matched combination and root-sum-of-squares: Roemer 1990, doi 10.1002/mrm.1910160203.
 */
import type { Kernels } from '../kernels/index.js';
import { reconError } from '../errors.js';
import { planFft, type FftPlan } from './plan.js';

export interface SlabShape {
  readonly nCoils: number;
  readonly nLines: number;
  readonly nColumns: number;
  /** The line at zero frequency. */
  readonly centreLine: number;
  readonly paddedRows: number;
  readonly nRows: number;
  /** Bytes from one line to the next; nColumns complex64 when not given. */
  readonly lineStrideBytes?: number;
  /** Bytes from one coil to the next; nLines lines when not given. */
  readonly coilStrideBytes?: number;
}

export interface SlabPlan extends Required<SlabShape> {
  readonly fft: FftPlan;
}

/** The columns from..end: what one thread does of a slab that several share. */
export interface ColumnRange {
  readonly from: number;
  readonly end: number;
}

/** @throws RECON_ERR_FFT_SHAPE when the shape is not one of positive integers with nRows <= paddedRows */
export function planSlab(kernels: Kernels, shape: SlabShape): SlabPlan {
  const { nCoils, nLines, nColumns, centreLine, paddedRows, nRows } = shape;
  const sizes = [nCoils, nLines, nColumns, nRows];
  if (
    !sizes.every((size) => Number.isInteger(size) && size > 0) ||
    !Number.isInteger(centreLine) ||
    nRows > paddedRows
  ) {
    throw reconError(
      'RECON_ERR_FFT_SHAPE',
      `${nCoils} coils of ${nLines} lines of ${nColumns} columns about line ${centreLine}, ` +
        `${nRows} of ${paddedRows} rows`,
    );
  }
  const lineStrideBytes = shape.lineStrideBytes ?? 8 * nColumns;
  const coilStrideBytes = shape.coilStrideBytes ?? nLines * lineStrideBytes;
  const fft = planFft(kernels, paddedRows);
  return { nCoils, nLines, nColumns, centreLine, paddedRows, nRows, lineStrideBytes, coilStrideBytes, fft };
}

/**
 * @param slab address of complex64 [nCoils, nLines, nColumns], in the strides of the plan
 * @param maps address of complex64 [nCoils, nRows, nColumns]
 * @param image address of complex64 [nRows, nColumns]; only `columns` are written
 */
export function combineSlice(
  { wasm }: Kernels,
  plan: SlabPlan,
  slab: number,
  maps: number,
  image: number,
  columns: ColumnRange = { from: 0, end: plan.nColumns },
): void {
  wasm.combineMaps(
    plan.fft.pointer, slab, plan.coilStrideBytes, plan.lineStrideBytes, plan.nCoils, plan.nLines,
    plan.centreLine, maps, image, plan.nRows, plan.nColumns, columns.from, columns.end,
    plan.fft.scale, plan.fft.slots, plan.fft.slotBytes,
  );
}

/** As `combineSlice`, without maps; image is float32 [nRows, nColumns]. */
export function combineRss(
  { wasm }: Kernels,
  plan: SlabPlan,
  slab: number,
  image: number,
  columns: ColumnRange = { from: 0, end: plan.nColumns },
): void {
  wasm.combineRss(
    plan.fft.pointer, slab, plan.coilStrideBytes, plan.lineStrideBytes, plan.nCoils, plan.nLines,
    plan.centreLine, image, plan.nRows, plan.nColumns, columns.from, columns.end,
    plan.fft.scale, plan.fft.slots, plan.fft.slotBytes,
  );
}

/** As `combineSlice`, every coil for itself; images are complex64 [nCoils, nRows, nColumns]. */
export function coilImages(
  { wasm }: Kernels,
  plan: SlabPlan,
  slab: number,
  images: number,
  columns: ColumnRange = { from: 0, end: plan.nColumns },
): void {
  wasm.coilImages(
    plan.fft.pointer, slab, plan.coilStrideBytes, plan.lineStrideBytes, plan.nCoils, plan.nLines,
    plan.centreLine, images, plan.nRows, plan.nColumns, columns.from, columns.end,
    plan.fft.scale, plan.fft.slots, plan.fft.slotBytes,
  );
}
