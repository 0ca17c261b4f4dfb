/**
 * Whether T2w's echo time is the one that its header states, by all slices of a series together: T1w alone tells which tissue a pixel
 * is of, and an echo time that is longer than stated darkens tissues of short T2 against those of long T2.
 *
 *   y2 = ln(T2w / T2w as T1w alone tells it),   y1 = ln(T1w / T1w as its own maps have it),   x = -d ln(expected T2w) / d TE
 *
 * on images averaged over 2 x 2 pixels, each less its median over the slice. Steps:
 *
 * 1. Pixels belong to the class of tissue whose centre is next, by ln PD, ln T1, ln T2 and fat fraction that T1w alone tells (k-means over
 *    persons, echo_time.py). A slice tells of a class the medians of y2, y1 and x, a series the means of these over its slices.
 * 2. Generalised least squares over all classes k, with the means m and the covariance C of what classes tell of sound persons:
 *
 *      y2_k = m2_k + gain2 - error x_k + e2_k,   y1_k = m1_k + gain1 + e1_k,   e ~ C
 *
 *    y1 is there for what a person's tissue and shading have in common in both images.
 * 3. The standard deviation of the error times sqrt(0.1 + r' C^-1 r / degrees of freedom): persons whose tissues are far from the average
 *    in other ways are so in this one. Its scale is such that deviations of persons beyond the fit have a root mean square of 1.
 *
 * What limits it are persons: T2 of a tissue differs between them by as much as 10 ms or more change. Only sagittal series were
 * looked at. models/training/synthesis/echo_time.py is this file in Python.
 */
import { ranked } from '../imaging/index.js';
import type { EchoTimeCalibration } from './calibration.js';
import type { TissueMaps } from './contrasts.js';
import { solvePositive } from './cholesky.js';

/** How far apart ln PD, ln T1, ln T2 and fat fraction count as equally far. */
const scale = [0.15, 0.3, 0.25, 0.15] as const;
/** Of the means: what is darker is of noise; of the equilibrium magnetisation: what is expected to be darker. */
const t1wFrom = 0.05;
const t2wFrom = 0.08;
const expectedFrom = 0.01;
const fewestPixels = 50;
const fewestSlices = 3;
const fewestClasses = 6;
const leastMisfit = 0.1;
/** Later than the echo by so much the slope is taken. */
export const laterMs = 1;

/** One slice, averaged over 2 x 2 pixels. */
export interface EchoTimeImages {
  /** Without shading, over their means. */
  readonly t1w: Float32Array;
  readonly t2w: Float32Array;
  /** 1 where there is tissue. */
  readonly tissue: Uint8Array;
  /** As the maps from T1w alone have them; `t2wLater`: with an echo `laterMs` later. */
  readonly expected: { readonly t1w: Float32Array; readonly t2w: Float32Array; readonly t2wLater: Float32Array };
  readonly maps: TissueMaps;
}

/** Of each class, NaN where a slice has too little of it. */
export interface ToldOfClasses {
  readonly ofT2w: Float64Array;
  readonly ofT1w: Float64Array;
  readonly slope: Float64Array;
}

export interface EchoTimeError {
  /** By which the echo time is longer than stated. */
  readonly errorMs: number;
  readonly deviationMs: number;
}

export function toldOfClasses({ t1w, t2w, tissue, expected, maps }: EchoTimeImages, centres: EchoTimeCalibration['centres']): ToldOfClasses {
  const pixels = new Int32Array(tissue.length);
  let n = 0;
  for (let pixel = 0; pixel < tissue.length; pixel++) {
    const isTold = tissue[pixel] === 1 && t1w[pixel]! > t1wFrom && t2w[pixel]! > t2wFrom && expected.t1w[pixel]! > expectedFrom && expected.t2w[pixel]! > expectedFrom;
    if (isTold) pixels[n++] = pixel;
  }
  const told = () => new Float64Array(centres.length).fill(NaN);
  const [ofT2w, ofT1w, slope] = [told(), told(), told()];
  if (n < fewestPixels) return { ofT2w, ofT1w, slope };
  const classes = classesOf(maps, pixels.subarray(0, n), centres);
  const counts = new Int32Array(centres.length);
  for (let k = 0; k < n; k++) counts[classes[k]!]!++;
  const lnRatio = (image: Float32Array, of: Float32Array) => Float64Array.from(pixels.subarray(0, n), (pixel) => Math.log(image[pixel]! / of[pixel]!));
  for (const [into, values, isRelative] of [
    [ofT2w, lnRatio(t2w, expected.t2w), true], [ofT1w, lnRatio(t1w, expected.t1w), true], [slope, lnRatio(expected.t2w, expected.t2wLater), false],
  ] as const) {
    const members = Array.from(counts, (count) => new Float64Array(count));
    const filled = new Int32Array(centres.length);
    for (let k = 0; k < n; k++) members[classes[k]!]![filled[classes[k]!]!++] = values[k]!;
    const whole = isRelative ? ranked(values, n >> 1) : 0;
    for (const [k, its] of members.entries()) if (its.length >= fewestPixels) into[k] = (ranked(its, its.length >> 1) - whole) / (isRelative ? 1 : laterMs);
  }
  return { ofT2w, ofT1w, slope };
}

/** @returns undefined where too few slices tell of too few classes */
export function echoTimeError(slices: readonly ToldOfClasses[], { centres, means, covariance, offsetMs, deviation }: EchoTimeCalibration): EchoTimeError | undefined {
  const nClasses = centres.length;
  const told = centres.map((_, k) => slices.filter(({ ofT2w }) => !Number.isNaN(ofT2w[k]!)));
  const classes = [...told.keys()].filter((k) => told[k]!.length >= fewestSlices);
  if (classes.length < fewestClasses) return undefined;
  const mean = (of: keyof ToldOfClasses, k: number) => told[k]!.reduce((sum, slice) => sum + slice[of][k]!, 0) / told[k]!.length;
  const [nTold, n] = [classes.length, 2 * classes.length];
  const places = [...classes, ...classes.map((k) => nClasses + k)];
  const values = Float64Array.from([...classes.map((k) => mean('ofT2w', k)), ...classes.map((k) => mean('ofT1w', k))], (value, row) => value - means[places[row]!]!);
  // Of gain2, error and gain1.
  const columns = [
    Float64Array.from(values, (_, row) => (row < nTold ? 1 : 0)),
    Float64Array.from(values, (_, row) => (row < nTold ? -mean('slope', classes[row]!) : 0)),
    Float64Array.from(values, (_, row) => (row < nTold ? 0 : 1)),
  ];
  const matrix = new Float64Array(n * n);
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      const [a, b] = [places[row]!, places[column]!];
      matrix[row * n + column] = covariance[Math.max(a, b)]![Math.min(a, b)]!;
    }
  }
  const weighted = columns.map((column) => solvePositive(matrix, column));
  const normal = Float64Array.from(columns.flatMap((column) => weighted.map((other) => dot(column, other))));
  const found = solvePositive(normal, Float64Array.from(weighted, (column) => dot(column, values)));
  const variance = solvePositive(normal, Float64Array.of(0, 1, 0))[1]!;
  const left = values.map((value, row) => value - columns.reduce((sum, column, k) => sum + column[row]! * found[k]!, 0));
  const misfit = dot(left, solvePositive(matrix, left)) / (n - columns.length);
  return { errorMs: found[1]! - offsetMs, deviationMs: deviation * Math.sqrt(variance * (leastMisfit + misfit)) };
}

function classesOf({ protonDensity, lnT1Ms, lnT2Ms, fatFraction }: TissueMaps, pixels: Int32Array, centres: EchoTimeCalibration['centres']): Uint8Array {
  const flat = Float64Array.from(centres.flat());
  const classes = new Uint8Array(pixels.length);
  for (let k = 0; k < pixels.length; k++) {
    const pixel = pixels[k]!;
    const [pd, t1, t2, fat] = [Math.log(protonDensity[pixel]!) / scale[0], lnT1Ms[pixel]! / scale[1], lnT2Ms[pixel]! / scale[2], fatFraction[pixel]! / scale[3]];
    let [best, least] = [0, Infinity];
    for (let centre = 0; centre < flat.length; centre += 4) {
      const [a, b, c, d] = [pd - flat[centre]!, t1 - flat[centre + 1]!, t2 - flat[centre + 2]!, fat - flat[centre + 3]!];
      const distance = a * a + b * b + c * c + d * d;
      if (distance < least) [best, least] = [centre, distance];
    }
    classes[k] = best / 4;
  }
  return classes;
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, k) => sum + value * b[k]!, 0);
