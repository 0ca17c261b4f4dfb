/**
 * The local point-spread function of a reconstruction: what the image becomes where a point is added to the
 * object,
 *
 *   psf(r) = exp(-i phi) [ I(s + a exp(i phi) E delta(r0)) - I(s) ] / a
 *
 * with the measured k-space s, the centre of the image r0, the image's phase there phi, the encoding E (coil
 * maps at r0, the lines and samples that were acquired) and an amplitude a, that of the image's brightest
 * pixel. The lines with the point go the way of the measured ones: synthesis with the same kernel, coil
 * combination with the same maps, partial Fourier. For a linear reconstruction this is the point-spread
 * function whatever a and s are; for one that is not it is what a detail of that brightness would suffer.
 *
 * A point that everything is sampled for stays a point: 1 at r0, 0 elsewhere.
 *
 * Fessler JA, Rogers WL. Spatial resolution properties of penalized-likelihood image reconstruction:
 * space-invariant tomographs. IEEE Trans Image Process 1996;5:1346-1358. doi:10.1109/83.535846
 */
import type { Kernels } from '../kernels/index.js';
import type { SampledExtent } from '../partial-fourier/index.js';
import type { CartesianPlan } from './plan.js';
import { LineState, type Slab } from './slab.js';

export interface PointSpreadInput {
  readonly nCoils: number;
  /** complex64 [nCoils, mapRows, nColumns] */
  readonly mapsPointer: number;
  /** What every readout has sampled along the columns. */
  readonly sampledColumns: SampledExtent;
  /** complex64 interleaved [nRows, nColumns]: the image that was made of the slab. */
  readonly image: Float32Array;
  /** The image of a slab with the same lines at another place, which may be changed: complex64 interleaved [nRows, nColumns]. */
  readonly imageOf: (pointer: number) => Float32Array;
}

/** @returns complex64 interleaved [nRows, nColumns]; real and 1 at the centre where everything was sampled */
export function pointSpread(kernels: Kernels, plan: CartesianPlan, slab: Slab, input: PointSpreadInput): Float32Array {
  const { nCoils, image, imageOf } = input;
  const { nLines, nColumns } = plan;
  const centre = 2 * (Math.floor(plan.nRows / 2) * nColumns + Math.floor(nColumns / 2));
  const phase = Math.atan2(image[centre + 1]!, image[centre]!);
  const amplitude = largestMagnitude(image);
  if (amplitude === 0) return new Float32Array(image.length);
  const [pointRe, pointIm] = [amplitude * Math.cos(phase), amplitude * Math.sin(phase)];

  const nBytes = nCoils * nLines * nColumns * 8;
  const withPoint = kernels.arena.withScratch(nBytes, (pointer) => {
    new Uint8Array(kernels.memory.buffer).copyWithin(pointer, slab.pointer, slab.pointer + nBytes);
    addPoint(kernels, plan, slab, pointer, input, pointRe, pointIm);
    return imageOf(pointer);
  });
  const spread = new Float32Array(image.length);
  const [turnRe, turnIm] = [Math.cos(phase) / amplitude, -Math.sin(phase) / amplitude];
  for (let p = 0; p < image.length; p += 2) {
    const re = withPoint[p]! - image[p]!;
    const im = withPoint[p + 1]! - image[p + 1]!;
    spread[p] = re * turnRe - im * turnIm;
    spread[p + 1] = re * turnIm + im * turnRe;
  }
  return spread;
}

function largestMagnitude(image: Float32Array): number {
  let largest = 0;
  for (let p = 0; p < image.length; p += 2) largest = Math.max(largest, Math.hypot(image[p]!, image[p + 1]!));
  return largest;
}

/** Adds the point's signal to every measured line of a hybrid slab: constant along the lines, the point at their middle. */
function addPoint(
  { arena }: Kernels, plan: CartesianPlan, slab: Slab, pointer: number,
  { nCoils, mapsPointer, sampledColumns }: PointSpreadInput, pointRe: number, pointIm: number,
): void {
  const { nLines, nColumns, mapRows, paddedRows } = plan;
  const profile = bandLimitedPoint(sampledColumns);
  for (let coil = 0; coil < nCoils; coil++) {
    const [mapRe, mapIm] = arena.f32(
      mapsPointer + 8 * ((coil * mapRows + Math.floor(mapRows / 2)) * nColumns + Math.floor(nColumns / 2)), 2,
    ) as unknown as [number, number];
    const re = (mapRe * pointRe - mapIm * pointIm) / Math.sqrt(paddedRows);
    const im = (mapRe * pointIm + mapIm * pointRe) / Math.sqrt(paddedRows);
    for (let row = 0; row < nLines; row++) {
      if (slab.state[row] !== LineState.measured && slab.state[row] !== LineState.calibration) continue;
      const line = arena.f32(pointer + 8 * (coil * nLines + row) * nColumns, 2 * nColumns);
      for (let column = 0; column < nColumns; column++) {
        const [x, y] = [profile[2 * column]!, profile[2 * column + 1]!];
        line[2 * column] = line[2 * column]! + re * x - im * y;
        line[2 * column + 1] = line[2 * column + 1]! + re * y + im * x;
      }
    }
  }
}

/** 1/n sum over the sampled k of exp(2 pi i (k - c)(x - c) / n), complex [n]: a point as its samples tell it. */
function bandLimitedPoint({ n, from, end }: SampledExtent): Float64Array {
  const centre = Math.floor(n / 2);
  const profile = new Float64Array(2 * n);
  for (let x = 0; x < n; x++) {
    for (let k = from; k < end; k++) {
      const angle = (2 * Math.PI * (((k - centre) * (x - centre)) % n)) / n;
      profile[2 * x] = profile[2 * x]! + Math.cos(angle) / n;
      profile[2 * x + 1] = profile[2 * x + 1]! + Math.sin(angle) / n;
    }
  }
  return profile;
}
