/**
 * The phase of an image at low resolution, from the part of k-space that was sampled on both sides of
 * its centre:
 *
 *   p = L / |L|,   L = F^-1( h F ),
 *
 * with a Hann window h as wide as the shorter side of an axis that was sampled in part, and as half of
 * the axis where it was sampled in full.
 */
import { fftColumns, fftLines, planFft, type FftDirection } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import { isPartial, shorterSide, type SampledExtent, type SampledVolume } from './extent.js';

/** Transforms complex64 [nSlices, nRows, nColumns] in place along every axis. */
export function transformVolume(kernels: Kernels, volume: SampledVolume, pointer: number, direction: FftDirection): void {
  const [{ n: nSlices }, { n: nRows }, { n: nColumns }] = volume;
  if (nColumns > 1) fftLines(kernels, planFft(kernels, nColumns), pointer, nSlices * nRows, direction);
  if (nRows > 1) {
    const plan = planFft(kernels, nRows);
    for (let slice = 0; slice < nSlices; slice++) fftColumns(kernels, plan, pointer + 8 * slice * nRows * nColumns, nColumns, direction);
  }
  if (nSlices > 1) fftColumns(kernels, planFft(kernels, nSlices), pointer, nRows * nColumns, direction);
}

/**
 * The low-resolution image L, complex64 [nSlices, nRows, nColumns].
 * @param kspace address of F
 * @param target where L goes
 * @param share of the window's full width
 */
export function lowResolutionImage(kernels: Kernels, volume: SampledVolume, kspace: number, target: number, share = 1): void {
  const [slices, rows, columns] = volume.map((extent) => hann(extent, share)) as [Float64Array, Float64Array, Float64Array];
  const n = slices.length * rows.length * columns.length;
  const source = kernels.arena.f32(kspace, 2 * n);
  const low = kernels.arena.f32(target, 2 * n);
  let at = 0;
  for (const s of slices) {
    for (const r of rows) {
      const line = s * r;
      for (let k = 0; k < columns.length; k++, at += 2) {
        const weight = line * columns[k]!;
        low[at] = weight * source[at]!;
        low[at + 1] = weight * source[at + 1]!;
      }
    }
  }
  transformVolume(kernels, volume, target, 'inverse');
}

/** Divides complex64 numbers by their magnitude; 0 becomes 1. */
export function toUnitPhase(values: Float32Array): void {
  for (let at = 0; at < values.length; at += 2) {
    const magnitude = Math.hypot(values[at]!, values[at + 1]!);
    values[at] = magnitude > 0 ? values[at]! / magnitude : 1;
    values[at + 1] = magnitude > 0 ? values[at + 1]! / magnitude : 0;
  }
}

function hann(extent: SampledExtent, share: number): Float64Array {
  const { n } = extent;
  if (n === 1) return Float64Array.of(1);
  const halfWidth = share * (isPartial(extent) ? shorterSide(extent) : n / 4) + 1;
  const centre = Math.floor(n / 2);
  return Float64Array.from({ length: n }, (_, i) => {
    const k = Math.abs(i - centre);
    return k < halfWidth ? 0.5 * (1 + Math.cos((Math.PI * k) / halfWidth)) : 0;
  });
}
