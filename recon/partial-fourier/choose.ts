/**
 * Which method an image gets, by trying it where the answer is known. Conjugate symmetry holds as far as
 * the phase is smooth at the resolution of the shorter side, k1. So of the symmetric part of k-space,
 * |k| <= k1, the outer half of the shorter side is hidden and predicted by homodyne detection:
 *
 *   misfit = ( sum |F - F_predicted|^2 - 2 noise ) / ( sum |F|^2 - noise )   over the hidden samples
 *
 * is 0 where the prediction is perfect and 1 where zeros are as good. The noise is taken from the
 * outermost sampled k-space, whose signal is next to nothing.
 */
import type { Kernels } from '../kernels/index.js';
import { isPartial, shorterSide, sides, type SampledExtent, type SampledVolume } from './extent.js';
import { homodyne } from './homodyne.js';
import { transformVolume } from './phase.js';

export type PartialFourierMethod = 'zeroFill' | 'homodyne' | 'pocs';

export interface PartialFourierChoice {
  readonly method: PartialFourierMethod;
  readonly because: string;
}

/** Below it the real part holds the image. */
const smoothBelow = 0.1;
/** Above it what conjugate symmetry makes up is hardly better than zeros. */
const roughAbove = 0.28;
/** Fewer samples than these on the shorter side do not give the phase. */
const fewestSamplesForPhase = 8;
/** Part of the longer side that the noise is taken from. */
const outerShare = 0.1;

/** @param kspace address of complex64 [nSlices, nRows, nColumns] */
export function choosePartialFourier(kernels: Kernels, volume: SampledVolume, kspace: number): PartialFourierChoice {
  const partial = volume.filter(isPartial);
  const shortest = Math.min(...partial.map(shorterSide));
  if (shortest < fewestSamplesForPhase) {
    return { method: 'zeroFill', because: `${shortest} samples on the shorter side of the centre do not give the phase` };
  }
  const misfit = Math.max(
    ...volume.map((extent, axis) => (isPartial(extent) ? conjugateMisfit(kernels, volume, axis, kspace) : 0)),
  );
  if (Number.isNaN(misfit)) return { method: 'zeroFill', because: 'the shorter side holds no signal above the noise' };
  const share = `conjugate symmetry misses ${(100 * misfit).toFixed(0)} % of the energy of a part of k-space that was measured`;
  if (misfit > roughAbove) return { method: 'zeroFill', because: share };
  if (misfit > smoothBelow) return { method: 'pocs', because: share };
  if (partial.length > 1) return { method: 'pocs', because: `${share}, and k-space was sampled in part along ${partial.length} axes` };
  return { method: 'homodyne', because: share };
}

/**
 * The misfit along one axis, which was sampled in part.
 * @returns NaN where the hidden samples hold no signal
 */
export function conjugateMisfit(kernels: Kernels, volume: SampledVolume, axis: number, kspace: number): number {
  const { arena } = kernels;
  const n = volume.reduce((product, extent) => product * extent.n, 1);
  const { hidden, trial } = hideHalf(volume[axis]!);
  const trialVolume = volume.map((extent, at) => (at === axis ? trial : extent)) as [SampledExtent, SampledExtent, SampledExtent];
  return arena.withScratch(8 * n, (pointer) => {
    const measured = arena.f32(kspace, 2 * n);
    const predicted = arena.f32(pointer, 2 * n).fill(0);
    forPlanes(volume, axis, trial, (from, end) => predicted.set(measured.subarray(from, end), from));
    homodyne(kernels, trialVolume, pointer);
    transformVolume(kernels, volume, pointer, 'forward');
    let difference = 0;
    let energy = 0;
    let count = 0;
    forPlanes(volume, axis, hidden, (from, end) => {
      for (let i = from; i < end; i++) {
        difference += (measured[i]! - predicted[i]!) ** 2;
        energy += measured[i]! ** 2;
        if (measured[i] !== 0) count += 0.5;
      }
    });
    const noise = outerPower(measured, volume, axis) * count;
    if (!(energy > 2 * noise)) return NaN;
    return Math.max(0, difference - 2 * noise) / (energy - noise);
  });
}

/** The outer half of the shorter side, and what is left of the symmetric part without it. */
function hideHalf(extent: SampledExtent): { hidden: SampledExtent; trial: SampledExtent } {
  const { n } = extent;
  const { before, after } = sides(extent);
  const centre = Math.floor(n / 2);
  const reach = shorterSide(extent);
  const kept = Math.floor(reach / 2);
  return before < after
    ? { hidden: { n, from: centre - reach, end: centre - kept }, trial: { n, from: centre - kept, end: centre + reach + 1 } }
    : { hidden: { n, from: centre + kept + 1, end: centre + reach + 1 }, trial: { n, from: centre - reach, end: centre + kept + 1 } };
}

/** Runs of floats of the samples that an axis' extent holds. */
function forPlanes(volume: SampledVolume, axis: number, { from, end }: SampledExtent, use: (from: number, end: number) => void): void {
  const inner = 2 * volume.slice(axis + 1).reduce((product, extent) => product * extent.n, 1);
  const outer = volume.slice(0, axis).reduce((product, extent) => product * extent.n, 1);
  const step = volume[axis]!.n * inner;
  for (let i = 0; i < outer; i++) use(i * step + from * inner, i * step + end * inner);
}

/** Mean |F|^2 of the outermost sampled k-space along an axis. */
function outerPower(kspace: Float32Array, volume: SampledVolume, axis: number): number {
  const { n, from, end } = volume[axis]!;
  const { before, after } = sides(volume[axis]!);
  const width = Math.max(1, Math.round(outerShare * Math.max(before, after)));
  let sum = 0;
  let count = 0;
  forPlanes(volume, axis, after > before ? { n, from: end - width, end } : { n, from, end: from + width }, (first, last) => {
    for (let i = first; i < last; i++) {
      sum += kspace[i]! ** 2;
      if (kspace[i] !== 0) count += 0.5;
    }
  });
  return count > 0 ? sum / count : 0;
}
