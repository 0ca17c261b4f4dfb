/**
 * A slab that is reconstructed as a whole, iteratively: by CG-SENSE or with wavelets. The image is solved for on as
 * many rows as k-space has lines, over the encoded field of view. Then it goes the way of other k-space to the rows on
 * which coils are combined: transformed, zero-filled, transformed back. Lines outside the limits stay zero on that way;
 * partial Fourier methods complete them.
 */
import { compressedSensingNoise, solveCompressedSensing, type CompressedSensingOptions } from '../compressed-sensing/index.js';
import { coilImages, fftColumns, fftLines, planFft, planSlab } from '../fft/index.js';
import type { Kernels } from '../kernels/index.js';
import type { NoiseMap } from '../noise-map/index.js';
import type { SampledExtent } from '../partial-fourier/index.js';
import { senseNoise, solveSense, type ReplicaSteps, type SenseModel, type SenseOptions } from '../sense/index.js';
import type { CartesianPlan } from './plan.js';
import type { Slab } from './slab.js';

/** The lines of a slab, and where they lie. */
export type Lines = Pick<Slab, 'pointer' | 'available' | 'count' | 'lines'>;

/** Bytes that an iterative reconstruction takes beside the slab and its maps, or a little more. */
export function iterativeScratchBytes({ iterative, nLines, nColumns, combinedRows }: CartesianPlan, nCoils: number, nMapSets = 1): number {
  if (iterative === undefined) return 0;
  const imageBytes = nMapSets * 8 * Math.max(nLines, combinedRows) * (nColumns + 4);
  const columnBytes = nMapSets * 4 * 32 * (nCoils + 4) * nLines;
  return iterative === 'l1' ? (nCoils + 14) * imageBytes + columnBytes : 2 * imageBytes + columnBytes;
}

/** The same for the noise map of its image. */
export function iterativeNoiseBytes(plan: CartesianPlan, nCoils: number, nMapSets: number): number {
  if (plan.iterative === undefined) return 0;
  return iterativeScratchBytes(plan, nCoils, nMapSets) + (nCoils + 4 * nMapSets) * 8 * plan.nLines * plan.nColumns;
}

/** @param maps address of complex64 [nSets, nCoils, nLines, nColumns] */
export function senseModelOf({ nLines, nColumns }: CartesianPlan, slab: Lines, nCoils: number, maps: number, nSets = 1): SenseModel {
  const weights = Float32Array.from(slab.available, (available, row) => (available === 1 ? slab.count[row]! : 0));
  return { maps, nSets, nCoils, nRows: nLines, nColumns, weights };
}

function senseOptions({ parameters }: CartesianPlan): SenseOptions {
  return { damping: parameters.senseRegularization, nIterations: parameters.senseIterations };
}

function compressedSensingOptions({ parameters }: CartesianPlan, noiseDeviation: number): CompressedSensingOptions {
  return { lambda: parameters.l1Regularization * noiseDeviation, nIterations: parameters.l1Iterations };
}

/** What a slab is solved with. */
export interface Solving {
  readonly nCoils: number;
  /** complex64 [nMapSets, nCoils, nLines, nColumns] */
  readonly mapsPointer: number;
  readonly nMapSets: number;
  /** Standard deviation of the real part of a sample. */
  readonly noiseDeviation: number;
}

/**
 * With two sets of coil maps the image is the root of the sum of squares of both, as a sum of coils would have it, with
 * the phase of the first, which is that of a virtual coil.
 * @param image address of complex64 [combinedRows, nColumns]
 */
export function solveSlab(kernels: Kernels, plan: CartesianPlan, slab: Lines, solving: Solving, image: number): void {
  const { nLines, nColumns, combinedRows, paddedRows } = plan;
  const { nMapSets } = solving;
  const { arena } = kernels;
  const nPixels = nLines * nColumns;
  const nCombined = combinedRows * nColumns;
  const shape = { nCoils: 1, nLines, nColumns, centreLine: Math.floor(nLines / 2), paddedRows, nRows: combinedRows };
  arena.withScratch(8 * nMapSets * (nPixels + nCombined), (solved) => {
    const images = solved + 8 * nMapSets * nPixels;
    solveSets(kernels, plan, slab, solving, solved);
    for (let set = 0; set < nMapSets; set++) {
      const own = solved + 8 * set * nPixels;
      fftColumns(kernels, planFft(kernels, nLines), own, nColumns, 'forward');
      const lines = arena.f32(own, 2 * nPixels);
      lines.fill(0, 0, 2 * slab.lines.first * nColumns).fill(0, 2 * (slab.lines.last + 1) * nColumns);
      coilImages(kernels, planSlab(kernels, shape), own, images + 8 * set * nCombined);
    }
    const out = arena.f32(image, 2 * nCombined);
    out.set(arena.f32(images, 2 * nCombined));
    if (nMapSets > 1) addInSquares(out, arena.f32(images + 8 * nCombined, 2 * nCombined));
  });
}

/** @param solved address of complex64 [nMapSets, nLines, nColumns] */
function solveSets(
  kernels: Kernels, plan: CartesianPlan, slab: Lines, { nCoils, mapsPointer, nMapSets, noiseDeviation }: Solving, solved: number,
): void {
  const model = senseModelOf(plan, slab, nCoils, mapsPointer, nMapSets);
  if (plan.iterative === 'l1') solveCompressedSensing(kernels, model, slab.pointer, solved, compressedSensingOptions(plan, noiseDeviation));
  else solveSense(kernels, model, slab.pointer, solved, senseOptions(plan));
}

/** |first| becomes (|first|^2 + |second|^2)^(1/2). */
function addInSquares(first: Float32Array, second: Float32Array): void {
  for (let i = 0; i < first.length; i += 2) {
    const [re, im] = [first[i]!, first[i + 1]!];
    const own = Math.hypot(re, im);
    const sum = Math.hypot(own, second[i]!, second[i + 1]!);
    first[i] = own > 0 ? (re * sum) / own : sum;
    first[i + 1] = own > 0 ? (im * sum) / own : 0;
  }
}

/** What becomes of the rows of a slab on their way into the completed image. */
export interface Completion {
  /** What the noise power of each is multiplied by. */
  readonly powers: Float64Array;
  /** What their samples are multiplied by, float32 [nLines, nColumns]; 1 where not given. */
  readonly weights?: Float32Array | undefined;
}

/**
 * Noise and g-factor of an image that was solved for, on the rows that coils are combined on.
 * @param sampledColumns of the readouts
 */
export function solvedNoiseMap(
  kernels: Kernels, plan: CartesianPlan, slab: Lines, solving: Solving, { powers, weights }: Completion, sampledColumns: SampledExtent,
): Pick<NoiseMap, 'noise' | 'gFactor'> {
  const { nLines, nColumns, paddedRows } = plan;
  const { nCoils, mapsPointer, nMapSets, noiseDeviation } = solving;
  const { first, last } = slab.lines;
  const nPixels = nLines * nColumns;
  const model = senseModelOf(plan, slab, nCoils, mapsPointer, nMapSets);
  const isSampled = (column: number) => sampledColumns.n !== nColumns || (column >= sampledColumns.from && column < sampledColumns.end);
  const sampled = Float32Array.from({ length: nColumns }, (_, column) => (isSampled(column) ? 1 : 0));
  // The solution's lines beyond the limits are no part of the image.
  const factors = Float32Array.from({ length: nPixels }, (_, i) => {
    const row = Math.floor(i / nColumns);
    return row < first || row > last ? 0 : (weights?.[i] ?? 1);
  });
  const weighsAll = factors.every((factor) => factor === 1);
  const weighSet = (image: number) => {
    if (weighsAll) return;
    const fft = planFft(kernels, nLines);
    fftColumns(kernels, fft, image, nColumns, 'forward');
    weighLines(kernels, nColumns, image, nLines, factors);
    fftColumns(kernels, fft, image, nColumns, 'inverse');
  };
  const shares = nMapSets > 1 ? sharesOfSets(kernels, plan, slab, solving) : undefined;
  const steps: ReplicaSteps = {
    onSamples: (data) => weighLines(kernels, nColumns, data, nCoils * nLines, sampled),
    onImage: (images) => {
      for (let set = 0; set < nMapSets; set++) weighSet(images + 8 * set * nPixels);
      if (shares !== undefined) combineSets(kernels.arena.f32(images, 2 * nMapSets * nPixels), shares);
    },
  };
  const solved = plan.iterative === 'l1'
    ? compressedSensingNoise(kernels, model, slab.pointer, compressedSensingOptions(plan, noiseDeviation), noiseDeviation, steps)
    : senseNoise(kernels, model, senseOptions(plan), noiseDeviation, steps);
  let power = 0;
  for (let row = first; row <= last; row++) power += powers[row]!;
  const nReadouts = model.weights.reduce((sum, weight) => sum + weight, 0);
  const reference = noiseDeviation * Math.sqrt(power / paddedRows) * Math.sqrt((last - first + 1) / nReadouts);
  const noise = onCombinedRows(plan, solved, 1).map((value) => Math.sqrt(nLines / paddedRows) * value);
  return { noise, gFactor: noise.map((value) => value / reference) };
}

/** u_s / |u| of the images u_s of a slab: what a little more of one of them adds to the root of the sum of their squares. */
function sharesOfSets(kernels: Kernels, plan: CartesianPlan, slab: Lines, solving: Solving): Float32Array {
  const nPixels = plan.nLines * plan.nColumns;
  return kernels.arena.withScratch(8 * solving.nMapSets * nPixels, (solved) => {
    solveSets(kernels, plan, slab, solving, solved);
    const images = kernels.arena.f32(solved, 2 * solving.nMapSets * nPixels);
    return images.map((value, i) => {
      let energy = 0;
      for (let at = 2 * ((i >> 1) % nPixels); at < images.length; at += 2 * nPixels) energy += images[at]! ** 2 + images[at + 1]! ** 2;
      return energy > 0 ? value / Math.sqrt(energy) : 0;
    });
  });
}

/** The first of complex64 [nMapSets, nPixels] becomes sum_s conj(share_s) x_s. */
function combineSets(images: Float32Array, shares: Float32Array): void {
  const nFloats = images.length / 2;
  for (let i = 0; i < nFloats; i += 2) {
    let [re, im] = [0, 0];
    for (let at = i; at < images.length; at += nFloats) {
      re += shares[at]! * images[at]! + shares[at + 1]! * images[at + 1]!;
      im += shares[at]! * images[at + 1]! - shares[at + 1]! * images[at]!;
    }
    images[i] = re;
    images[i + 1] = im;
  }
}

/**
 * Multiplies the samples of hybrid lines, in place.
 * @param lines address of complex64 [count, nColumns]
 * @param factors [nColumns], or [count, nColumns]
 */
function weighLines(kernels: Kernels, nColumns: number, lines: number, count: number, factors: Float32Array): void {
  if (factors.every((factor) => factor === 1)) return;
  const fft = planFft(kernels, nColumns);
  fftLines(kernels, fft, lines, count, 'forward');
  const samples = kernels.arena.f32(lines, 2 * count * nColumns);
  for (let i = 0; i < samples.length; i++) samples[i] = factors[(i >> 1) % factors.length]! * samples[i]!;
  fftLines(kernels, fft, lines, count, 'inverse');
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
