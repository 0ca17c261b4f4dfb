/** A complete slab into its slice image: averages, missing lines, column FFT and coil combination. */
import { affineLps, ImagingError, type ImageGeometry } from '../../imaging/index.js';
import { combineRss, combineSlice, planSlab } from '../fft/index.js';
import { fillLines, type HybridSlab, type SynthesisedLine } from '../grappa/index.js';
import type { Kernels } from '../kernels/index.js';
import { computeNoiseMap, type NoiseMap } from '../noise-map/index.js';
import type { PartialFourierMethod, SampledVolume } from '../partial-fourier/index.js';
import type { ReconMethod } from '../types.js';
import type { Calibration } from './calibrations.js';
import type { ImageStage } from './imageStage.js';
import { onCombinedRows, senseNoiseMap, solveSlab, type Lines } from './iterative.js';
import type { CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';
import { LineState, type Slab } from './slab.js';

export function hybridSlab(plan: CartesianPlan, { pointer }: Pick<Slab, 'pointer'>): HybridSlab {
  return { pointer, coilBytes: plan.nLines * plan.nColumns * 8, nLines: plan.nLines };
}

/** Synthesises lines and enters them; without a kernel they stay zero. */
export function synthesise(kernels: Kernels, plan: CartesianPlan, slab: Slab, calibration: Calibration, lines: readonly SynthesisedLine[]): void {
  if (calibration.kernel === undefined || lines.length === 0) return;
  fillLines(kernels, calibration.kernel, hybridSlab(plan, slab), lines);
  for (const { line } of lines) slab.state[line] = LineState.synthesised;
}

/** Makes the lines that were synthesised in `slab` anew in another slab with the same measured lines. */
export function resynthesise(kernels: Kernels, plan: CartesianPlan, slab: Slab, calibration: Calibration, pointer: number): void {
  const lines = slab.synthesisedLines();
  if (calibration.kernel !== undefined && lines.length > 0) fillLines(kernels, calibration.kernel, hybridSlab(plan, { pointer }), lines);
}

/** Multiplies each line by f(number of averages that it sums). */
export function scaleLines(kernels: Kernels, plan: CartesianPlan, slab: Slab, nCoils: number, factor: (count: number) => number): void {
  for (let row = 0; row < plan.nLines; row++) {
    const count = slab.count[row]!;
    if (count < 2) continue;
    const scale = factor(count);
    for (let coil = 0; coil < nCoils; coil++) {
      const line = kernels.arena.f32(slab.pointer + (coil * plan.nLines + row) * plan.nColumns * 8, 2 * plan.nColumns);
      for (let k = 0; k < line.length; k++) line[k] = line[k]! * scale;
    }
  }
}

/** The method that an image may claim, given what its slab holds. */
export function methodOf({ iterative }: CartesianPlan, slab: Slab, isAliased: boolean): ReconMethod {
  if (isAliased) return 'zeroFilled';
  if (iterative !== undefined) return iterative;
  if (slab.nMissingLines > 0) return 'zeroFilled';
  return slab.state.includes(LineState.synthesised) ? 'grappa' : 'full';
}

/** What the image of a slab is made with. */
export interface ImageMaking {
  readonly nCoils: number;
  /** complex64 [nCoils, mapRows, nColumns], 0 for root-sum-of-squares */
  readonly mapsPointer: number;
  /** The noise has a standard deviation of 1. */
  readonly isWhitened: boolean;
  /** What was sampled of the combined image's k-space. */
  readonly volume: SampledVolume;
  readonly stage: ImageStage;
}

/** @returns complex64 interleaved [nRows, nColumns], a copy that is the caller's, and how its k-space was completed */
export function combinedImage(
  kernels: Kernels, plan: CartesianPlan, slab: Lines, { nCoils, mapsPointer, isWhitened, volume, stage }: ImageMaking,
): { data: Float32Array<ArrayBuffer>; partialFourier: PartialFourierMethod | 'none' } {
  const { nLines, nColumns, combinedRows, paddedRows } = plan;
  const columns = planSlab(kernels, { nCoils, nLines, nColumns, centreLine: Math.floor(nLines / 2), paddedRows, nRows: combinedRows });
  const nPixels = combinedRows * nColumns;
  return kernels.arena.withScratch(nPixels * 8, (pointer) => {
    if (mapsPointer !== 0) {
      if (plan.iterative === undefined) combineSlice(kernels, columns, slab.pointer, mapsPointer, pointer);
      else solveSlab(kernels, plan, slab, nCoils, mapsPointer, isWhitened, pointer);
      const partialFourier = stage.complete(pointer, volume);
      return { data: new Float32Array(keptRows(plan, kernels.arena.f32(pointer, 2 * nPixels), 2)), partialFourier };
    }
    combineRss(kernels, columns, slab.pointer, pointer);
    const magnitude = keptRows(plan, kernels.arena.f32(pointer, nPixels), 1);
    const data = new Float32Array(2 * magnitude.length);
    for (let p = 0; p < magnitude.length; p++) data[2 * p] = magnitude[p]!;
    return { data, partialFourier: stage.leaveZero(volume) };
  });
}

/** The central nRows of combinedRows. */
function keptRows({ combinedRows, nRows, nColumns }: CartesianPlan, values: Float32Array, valuesEach: number): Float32Array {
  const from = Math.floor(combinedRows / 2) - Math.floor(nRows / 2);
  return values.subarray(from * nColumns * valuesEach, (from + nRows) * nColumns * valuesEach);
}

/** The map of one coil, complex64 interleaved [nRows, nColumns]. */
export function coilMap({ arena }: Kernels, plan: CartesianPlan, { mapsPointer }: ImageMaking, coil: number): Float32Array {
  const nPixels = plan.mapRows * plan.nColumns;
  const map = arena.f32(mapsPointer + 8 * coil * nPixels, 2 * nPixels);
  return keptRows(plan, plan.iterative === undefined ? map : onCombinedRows(plan, map, 2), 2).slice();
}

/** Noise and g-factor of the image that `combinedImage` made of this slab with these maps. */
export function noiseOf(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, calibration: Calibration, { nCoils, mapsPointer, volume, stage }: ImageMaking,
  partialFourier: PartialFourierMethod | 'none',
): Pick<NoiseMap, 'noise' | 'gFactor'> {
  const linePowers = stage.linePowers(volume, partialFourier);
  const synthesised = slab.synthesisedLines();
  const { noise, gFactor } = plan.iterative !== undefined
    ? senseNoiseMap(kernels, plan, slab, nCoils, mapsPointer, linePowers)
    : computeNoiseMap(kernels, {
        maps: mapsPointer,
        nRows: plan.combinedRows,
        nColumns: plan.nColumns,
        paddedRows: plan.paddedRows,
        averages: Array.from(slab.available, (available, row) => (available === 1 ? slab.count[row]! : 0)),
        linePowers,
        synthesised,
        kernel: synthesised.length > 0 ? calibration.kernel : undefined,
      });
  return { noise: keptRows(plan, noise, 1).slice(), gFactor: keptRows(plan, gFactor, 1).slice() };
}

/** The place of a slice, from its first readout; undefined where directions or extents make no affine. */
export function geometryOf(plan: CartesianPlan, readout: Readout): ImageGeometry | undefined {
  const geometry: ImageGeometry = {
    centreMm: readout.position,
    rowDirection: readout.readDir,
    columnDirection: readout.phaseDir,
    sliceDirection: readout.sliceDir,
    fovMm: plan.fovMm,
    matrixSize: [plan.nColumns, plan.nRows, 1],
  };
  try {
    affineLps(geometry);
    return geometry;
  } catch (error) {
    if (error instanceof ImagingError) return undefined;
    throw error;
  }
}
