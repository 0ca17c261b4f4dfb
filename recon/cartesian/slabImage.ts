/** A complete slab into its image, or the images of its slices: averages, missing lines, FFT and coil combination. */
import { affineLps, ImagingError, type ImageGeometry } from '../../imaging/index.js';
import { combineRss, combineSlice, planSlab, type SlabShape } from '../fft/index.js';
import { fillLines, type GrappaKernel, type HybridSlab, type SynthesisedLine } from '../grappa/index.js';
import type { Kernels } from '../kernels/index.js';
import { computeNoiseMap, lineStatistics, type NoiseMap, type NoiseSampling } from '../noise-map/index.js';
import type { PartialFourierMethod, SampledVolume } from '../partial-fourier/index.js';
import type { PostProcessing, ReconMethod } from '../types.js';
import type { Calibration, MapLines } from './calibrations.js';
import type { ImageStage } from './imageStage.js';
import { onCombinedRows, solvedNoiseMap, solveSlab, type Completion, type Lines } from './iterative.js';
import { slabCoilBytes, type CartesianPlan } from './plan.js';
import type { SharedColumns } from './sharedColumns.js';
import type { Readout } from './readout.js';
import { LineState, type Slab, type SlabLines } from './slab.js';
import { alignSlice, coilMapsOfSlice, transformPartitions } from './volume.js';

export function hybridSlab(plan: CartesianPlan, { pointer }: Pick<Slab, 'pointer'>): HybridSlab {
  return { pointer, coilBytes: slabCoilBytes(plan), nLines: plan.nLines };
}

/** Synthesises lines and enters them; without a kernel they stay zero. @param shared where other threads help */
export function synthesise(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, calibration: Calibration, lines: readonly SynthesisedLine[], shared?: SharedColumns,
): void {
  if (calibration.kernel === undefined || lines.length === 0) return;
  if (shared === undefined) fillLines(kernels, calibration.kernel, hybridSlab(plan, slab), lines);
  else shared.fill(calibration.kernel, hybridSlab(plan, slab), lines);
  for (const { line } of lines) slab.state[line] = LineState.synthesised;
}

/** Makes the lines that were synthesised in `slab` anew in another slab with the same measured lines. */
export function resynthesise(kernels: Kernels, plan: CartesianPlan, slab: Slab, calibration: Calibration, pointer: number): void {
  const lines = slab.synthesisedLines();
  if (calibration.kernel !== undefined && lines.length > 0) fillLines(kernels, calibration.kernel, hybridSlab(plan, { pointer }), lines);
}

/** Multiplies each line by f(number of averages that it sums). */
export function scaleLines(kernels: Kernels, plan: CartesianPlan, slab: Slab, nCoils: number, factor: (count: number) => number): void {
  for (let row = 0; row < slab.count.length; row++) {
    const count = slab.count[row]!;
    if (count < 2) continue;
    const scale = factor(count);
    for (let coil = 0; coil < nCoils; coil++) {
      const line = kernels.arena.f32(slab.pointer + coil * slabCoilBytes(plan) + row * plan.nColumns * 8, 2 * plan.nColumns);
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

/** What the images of a slab are made with. */
export interface ImageMaking {
  readonly nCoils: number;
  /** Undefined for root-sum-of-squares. */
  readonly maps: CoilMaps | undefined;
  /** Standard deviation of the real part of a sample: 1 after whitening, else estimated. */
  readonly noiseDeviation: number;
  /** What was sampled of the combined images' k-space. */
  readonly volume: SampledVolume;
  readonly stage: ImageStage;
  /** Where other threads help. */
  readonly shared?: SharedColumns | undefined;
}

/** The slabs whose coils are combined. */
export function combinedShape(plan: CartesianPlan, nCoils: number): SlabShape {
  const { nLines, nColumns, paddedRows, combinedRows } = plan;
  return { nCoils, nLines, nColumns, centreLine: Math.floor(nLines / 2), paddedRows, nRows: combinedRows, coilStrideBytes: slabCoilBytes(plan) };
}

/** Coil maps of a 2D image, complex64 [nSets, nCoils, mapRows, nColumns], or the lines that those of each slice are made of. */
export type CoilMaps = { readonly pointer: number; readonly nSets: number } | { readonly lines: MapLines };

/** complex64 interleaved [nRows, nColumns] a slice, copies that are the caller's, and how their k-space was completed. */
export interface CompletedImages {
  readonly slices: Float32Array<ArrayBuffer>[];
  readonly partialFourier: PartialFourierMethod | 'none';
  readonly postProcessing: PostProcessing[];
}

/**
 * The images of a slab, whose partitions become slices on the way: a 3D slab serves once.
 * @param onCombined is shown what coil maps combined, complex64 [combinedSlices, combinedRows, nColumns], before it is completed
 */
export function combinedImages(
  kernels: Kernels, plan: CartesianPlan, slab: Lines, { nCoils, maps, noiseDeviation, volume, stage, shared }: ImageMaking,
  onCombined?: (combined: Float32Array) => void,
): CompletedImages {
  const { nLines, nColumns, combinedRows, combinedSlices } = plan;
  const columns = planSlab(kernels, combinedShape(plan, nCoils));
  if (plan.nPartitions > 1) transformPartitions(kernels, plan, slab.pointer, nCoils);
  const nPixels = combinedRows * nColumns;
  return kernels.arena.withScratch(combinedSlices * nPixels * 8, (pointer) => {
    const planeOf = (slice: number) => slab.pointer + slice * nLines * nColumns * 8;
    if (maps !== undefined) {
      const nMapSets = 'pointer' in maps ? maps.nSets : 1;
      forSlices(kernels, plan, nCoils, maps, (slice, mapsPointer, mapsBefore) => {
        const image = pointer + slice * nPixels * 8;
        if (plan.iterative !== undefined) solveSlab(kernels, plan, slab, { nCoils, mapsPointer, nMapSets, noiseDeviation }, image);
        else if (shared !== undefined) shared.combine(planeOf(slice), mapsPointer, image);
        else combineSlice(kernels, columns, planeOf(slice), mapsPointer, image);
        const valuesOf = (at: number, n: number) => kernels.arena.f32(at, 2 * n * nPixels);
        if (mapsBefore !== undefined) alignSlice(valuesOf(mapsBefore, nCoils), valuesOf(mapsPointer, nCoils), valuesOf(image, 1));
      });
      onCombined?.(kernels.arena.f32(pointer, 2 * combinedSlices * nPixels));
      return complete(kernels, plan, pointer, { volume, stage });
    }
    const slices = keptSlices(plan).map((slice) => {
      combineRss(kernels, columns, planeOf(slice), pointer);
      const magnitude = keptRows(plan, kernels.arena.f32(pointer, nPixels), 1);
      const data = new Float32Array(2 * magnitude.length);
      for (let p = 0; p < magnitude.length; p++) data[2 * p] = magnitude[p]!;
      return data;
    });
    const partialFourier = stage.leaveZero(volume);
    return { slices, partialFourier, postProcessing: stage.postProcessing(volume, partialFourier, false) };
  });
}

/** Completes images that coil maps combined, as `combinedImages` does. @param combined complex64 [combinedRows, nColumns] a slice */
export function completedImages(
  kernels: Kernels, plan: CartesianPlan, combined: readonly Float32Array[], making: Pick<ImageMaking, 'volume' | 'stage'>,
): CompletedImages {
  const nFloats = 2 * plan.combinedRows * plan.nColumns;
  return kernels.arena.withScratch(4 * combined.length * nFloats, (pointer) => {
    combined.forEach((image, slice) => kernels.arena.f32(pointer + 4 * slice * nFloats, nFloats).set(image));
    return complete(kernels, plan, pointer, making);
  });
}

/** @param pointer complex64 [combinedSlices, combinedRows, nColumns] */
function complete(
  kernels: Kernels, plan: CartesianPlan, pointer: number, { volume, stage }: Pick<ImageMaking, 'volume' | 'stage'>,
): CompletedImages {
  const nFloats = 2 * plan.combinedRows * plan.nColumns;
  const partialFourier = stage.complete(pointer, volume);
  const postProcessing = stage.postProcessing(volume, partialFourier, true);
  stage.postProcess(pointer, volume, postProcessing);
  const slices = keptSlices(plan).map((slice) => {
    const kept = keptRows(plan, kernels.arena.f32(pointer + 4 * slice * nFloats, nFloats), 2);
    return new Float32Array(kept);
  });
  return { slices, partialFourier, postProcessing };
}

/** Calls with each combined slice, its maps and those of the slice before. */
function forSlices(
  kernels: Kernels, plan: CartesianPlan, nCoils: number, maps: CoilMaps,
  use: (slice: number, mapsPointer: number, mapsBefore: number | undefined) => void,
): void {
  if (!('lines' in maps)) {
    use(0, maps.pointer, undefined);
    return;
  }
  const { arena } = kernels;
  let before: number | undefined;
  try {
    for (let slice = 0; slice < plan.combinedSlices; slice++) {
      const pointer = coilMapsOfSlice(kernels, plan, maps.lines, nCoils, slice - Math.floor(plan.combinedSlices / 2));
      use(slice, pointer, before);
      if (before !== undefined) arena.release(before);
      before = pointer;
    }
  } finally {
    if (before !== undefined) arena.release(before);
  }
}

/** The central nRows of combinedRows. */
export function keptRows({ combinedRows, nRows, nColumns }: CartesianPlan, values: Float32Array, valuesEach: number): Float32Array {
  const from = Math.floor(combinedRows / 2) - Math.floor(nRows / 2);
  return values.subarray(from * nColumns * valuesEach, (from + nRows) * nColumns * valuesEach);
}

/** The maps of a slice by coil, complex64 interleaved [nRows, nColumns]. */
export function coilMapsBySlice(kernels: Kernels, plan: CartesianPlan, { nCoils, maps }: ImageMaking): Float32Array[][] {
  const nPixels = plan.mapRows * plan.nColumns;
  const kept = keptSlices(plan);
  const bySlice: Float32Array[][] = [];
  if (maps === undefined) return bySlice;
  forSlices(kernels, plan, nCoils, maps, (slice, pointer) => {
    if (!kept.includes(slice)) return;
    const ofCoil = (coil: number) => {
      const map = kernels.arena.f32(pointer + 8 * coil * nPixels, 2 * nPixels);
      return plan.iterative === undefined ? map : onCombinedRows(plan, map, 2);
    };
    bySlice.push(Array.from({ length: nCoils }, (_, coil) => keptRows(plan, ofCoil(coil), 2).slice()));
  });
  return bySlice;
}

/** The central nSlices of combinedSlices. */
export function keptSlices({ combinedSlices, nSlices }: CartesianPlan): number[] {
  const from = Math.floor(combinedSlices / 2) - Math.floor(nSlices / 2);
  return Array.from({ length: nSlices }, (_, slice) => from + slice);
}

/** Noise and g-factor of the images that `combinedImages` made of this slab with these maps, by slice. */
export function noiseOf(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, kernel: GrappaKernel | undefined, making: ImageMaking,
  partialFourier: PartialFourierMethod | 'none',
): Pick<NoiseMap, 'noise' | 'gFactor'>[] {
  const completion = completionOf(plan, making, partialFourier);
  return noiseOfCombined(kernels, plan, slab, kernel, making, completion, keptSlices(plan), slab.contents).map(({ noise, gFactor }) => ({
    noise: keptRows(plan, noise, 1).slice(), gFactor: keptRows(plan, gFactor, 1).slice(),
  }));
}

/** What becomes of a slab's rows in images that are completed so. */
export function completionOf(plan: CartesianPlan, { stage, volume }: ImageMaking, method: PartialFourierMethod | 'none'): Completion {
  const weights = plan.iterative === undefined ? undefined : stage.lineWeights(volume, method);
  return { powers: stage.linePowers(volume, method), weights };
}

/** The same in images as coil maps combined them: what zero-filling along the readout leaves of the noise. */
export function noCompletion({ nPartitions, nLines }: CartesianPlan, [, , columns]: SampledVolume): Completion {
  return { powers: new Float64Array(nPartitions * nLines).fill((columns.end - columns.from) / columns.n) };
}

/** A map that nobody looks at is computed for every fourth block of columns. */
const blocksApart = 4;

/**
 * Noise of the images as coil maps combined them, before they are completed: [combinedRows, nColumns], of every combined slice.
 * @param contents what the images are made of, or will be; what is in the slab tells, where they are solved for
 */
export function noiseBeforeCompletion(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, kernel: GrappaKernel | undefined, making: ImageMaking, contents: SlabLines,
): Float32Array[] {
  const { combinedSlices } = plan;
  const slices = Array.from({ length: combinedSlices }, (_, slice) => slice);
  return noiseOfCombined(kernels, plan, slab, kernel, making, noCompletion(plan, making.volume), slices, contents, blocksApart).map(({ noise }) => noise);
}

/**
 * @param slices which of the combined ones
 * @returns [combinedRows, nColumns]
 */
function noiseOfCombined(
  kernels: Kernels, plan: CartesianPlan, slab: Slab, kernel: GrappaKernel | undefined, { nCoils, maps, noiseDeviation, volume }: ImageMaking,
  completion: Completion, slices: readonly number[], { averages, synthesised }: SlabLines, apart = 1,
): Pick<NoiseMap, 'noise' | 'gFactor'>[] {
  if (maps === undefined) return [];
  const { combinedSlices, combinedRows, nColumns, nLines, paddedRows, paddedSlices } = plan;
  if (plan.iterative !== undefined && 'pointer' in maps) {
    return [solvedNoiseMap(kernels, plan, slab, { nCoils, mapsPointer: maps.pointer, nMapSets: maps.nSets, noiseDeviation }, completion, volume[2])];
  }
  const sampling: NoiseSampling = {
    paddedRows,
    paddedSlices,
    nLines,
    averages,
    linePowers: completion.powers,
    synthesised,
    kernel: synthesised.length > 0 ? kernel : undefined,
  };
  const statistics = lineStatistics(sampling);
  const noises: Pick<NoiseMap, 'noise' | 'gFactor'>[] = [];
  forSlices(kernels, plan, nCoils, maps, (at, mapsPointer) => {
    if (!slices.includes(at)) return;
    const slice = at - Math.floor(combinedSlices / 2);
    const { noise, gFactor } = computeNoiseMap(
      kernels, { ...sampling, maps: mapsPointer, nRows: combinedRows, nColumns, slice, blocksApart: apart }, statistics,
    );
    noises.push({ noise: noise.map((value) => noiseDeviation * value), gFactor });
  });
  return noises;
}

/** The place of a slice, from its slab's first readout; undefined where directions or extents make no affine. */
export function geometryOf(plan: CartesianPlan, readout: Readout, slice = 0): ImageGeometry | undefined {
  const fromCentreMm = (slice - Math.floor(plan.nSlices / 2)) * plan.fovMm[2];
  const [x, y, z] = readout.position;
  const [dx, dy, dz] = readout.sliceDir;
  const geometry: ImageGeometry = {
    centreMm: plan.nSlices === 1 ? readout.position : [x + fromCentreMm * dx, y + fromCentreMm * dy, z + fromCentreMm * dz],
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
