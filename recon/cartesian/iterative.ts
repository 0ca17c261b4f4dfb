/**
 * A slab that is reconstructed as a whole, iteratively: by CG-SENSE or with wavelets. The image is solved for on as
 * many rows as k-space has lines, over the encoded field of view. Then it goes the way of other k-space to the rows on
 * which coils are combined: transformed, zero-filled, transformed back. Lines outside the limits stay zero on that way;
 * partial Fourier methods complete them.
 */
import { solveCompressedSensing } from '../compressed-sensing/index.js';
import { coilImages, fftColumns, planFft, planSlab } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import type { NoiseMap } from '../noise-map/index.js';
import { senseNoise, solveSense, type SenseModel, type SenseOptions } from '../sense/index.js';
import type { CartesianPlan } from './plan.js';
import type { Slab } from './slab.js';

/** The lines of a slab, and where they lie. */
export type Lines = Pick<Slab, 'pointer' | 'available' | 'count' | 'lines'>;

/** Bytes that an iterative reconstruction takes beside the slab and its maps, or a little more. */
export function iterativeScratchBytes({ iterative, nLines, nColumns, combinedRows }: CartesianPlan, nCoils: number): number {
  if (iterative === undefined) return 0;
  const imageBytes = 8 * Math.max(nLines, combinedRows) * (nColumns + 4);
  const columnBytes = 4 * 32 * (nCoils + 4) * nLines;
  return iterative === 'l1' ? (nCoils + 14) * imageBytes + columnBytes : 2 * imageBytes + columnBytes;
}

/** @param maps address of complex64 [nCoils, nLines, nColumns] */
export function senseModelOf({ nLines, nColumns }: CartesianPlan, slab: Lines, nCoils: number, maps: number): SenseModel {
  const weights = Float32Array.from(slab.available, (available, row) => (available === 1 ? slab.count[row]! : 0));
  return { maps, nCoils, nRows: nLines, nColumns, weights };
}

function senseOptions({ parameters }: CartesianPlan): SenseOptions {
  return { damping: parameters.senseRegularization, nIterations: parameters.senseIterations };
}

/**
 * @param mapsPointer complex64 [nCoils, nLines, nColumns]
 * @param noiseDeviation standard deviation of the real part of a sample
 * @param image complex64 [combinedRows, nColumns]
 */
export function solveSlab(
  kernels: Kernels, plan: CartesianPlan, slab: Lines, nCoils: number, mapsPointer: number, noiseDeviation: number, image: number,
): void {
  const { nLines, nColumns, combinedRows, paddedRows, parameters } = plan;
  const { arena } = kernels;
  const model = senseModelOf(plan, slab, nCoils, mapsPointer);
  arena.withScratch(8 * nLines * nColumns, (solved) => {
    if (plan.iterative === 'l1') {
      solveCompressedSensing(kernels, model, slab.pointer, solved, {
        lambda: parameters.l1Regularization * noiseDeviation, nIterations: parameters.l1Iterations,
      });
    } else {
      solveSense(kernels, model, slab.pointer, solved, senseOptions(plan));
    }
    fftColumns(kernels, planFft(kernels, nLines), solved, nColumns, 'forward');
    const lines = arena.f32(solved, 2 * nLines * nColumns);
    lines.fill(0, 0, 2 * slab.lines.first * nColumns).fill(0, 2 * (slab.lines.last + 1) * nColumns);
    const shape = { nCoils: 1, nLines, nColumns, centreLine: Math.floor(nLines / 2), paddedRows, nRows: combinedRows };
    coilImages(kernels, planSlab(kernels, shape), solved, image);
  });
}

/**
 * Noise and g-factor of a CG-SENSE image on the rows that coils are combined on.
 * @param linePowers what the noise power of each line is multiplied by on its way into the image
 */
export function senseNoiseMap(
  kernels: Kernels, plan: CartesianPlan, slab: Lines, nCoils: number, mapsPointer: number, linePowers: ArrayLike<number>,
): Pick<NoiseMap, 'noise' | 'gFactor'> {
  const { nLines, paddedRows } = plan;
  const model = senseModelOf(plan, slab, nCoils, mapsPointer);
  const solved = senseNoise(kernels, model, senseOptions(plan), linePowers);
  let power = 0;
  for (let row = slab.lines.first; row <= slab.lines.last; row++) power += linePowers[row]!;
  const nReadouts = model.weights.reduce((sum, weight) => sum + weight, 0);
  const reference = Math.sqrt(power / paddedRows) * Math.sqrt((slab.lines.last - slab.lines.first + 1) / nReadouts);
  const noise = onCombinedRows(plan, solved, 1).map((value) => Math.sqrt(nLines / paddedRows) * value);
  return { noise, gFactor: noise.map((value) => value / reference) };
}

/** The nearest of nLines rows for each of combinedRows, both over the encoded field of view. */
export function onCombinedRows({ nLines, nColumns, combinedRows, paddedRows }: CartesianPlan, values: Float32Array, valuesEach: number): Float32Array {
  const width = nColumns * valuesEach;
  const out = new Float32Array(combinedRows * width);
  for (let row = 0; row < combinedRows; row++) {
    const wanted = Math.floor(nLines / 2) + Math.round(((row - Math.floor(combinedRows / 2)) * nLines) / paddedRows);
    const nearest = Math.min(nLines - 1, Math.max(0, wanted));
    out.set(values.subarray(nearest * width, (nearest + 1) * width), row * width);
  }
  return out;
}
