/**
 * Whether a denoised image is to be trusted, from its residual: what was taken out must look like the noise that was there.
 *
 *   r = (x - D(x)) / noise map
 *
 * - noise: what the image itself tells of its noise, over the map (imaging/noiseCheck.ts);
 * - spread: the standard deviation of r. More than 1: signal was taken, or the map is too small. Much less: noise was left;
 * - image: the correlation of r, along the phase of the image, with the size of the image: a scale that moved;
 * - edges: the same with what a blur would take from the image, e = |D| - (|D| smoothed): edges that were blurred (above 0)
 *   or drawn sharper (below 0);
 * - structure: sums of r in windows of several shapes, each over the square root of its pixels. White noise keeps them below
 *
 *     t = sqrt(2 ln(nWindows / p))
 *
 *   with the probability 1 - p (the magnitude of a complex Gaussian sum is Rayleigh distributed; nWindows: as many as are
 *   independent). A detail that the denoiser took away or made up stands above.
 *
 * A denoiser that is good keeps some noise where there is anatomy: what healthy images give was measured, see `trustLimits`.
 */

import { noiseRatio, type Components } from '../../imaging/index.js';
import { WindowSums } from './windowSums.js';
import type { QualityLight } from './types.js';

export interface TrustInput {
  readonly rows: number;
  readonly columns: number;
  /** What the denoiser was given, [rows, columns, components]. */
  readonly noisy: Float32Array;
  /** What it gave, at full strength. */
  readonly denoised: Float32Array;
  /** Standard deviation of each component, [rows, columns]; pixels where it is not above 0 are left out. */
  readonly noise: Float32Array;
  /** 2 for complex images, 1 for real ones. */
  readonly components: Components;
  /** Noise found in `noisy` / noise map, where it is known already. */
  readonly noiseRatio?: number | undefined;
}

export interface TrustStatistics {
  readonly noiseRatio: number;
  readonly residualStd: number;
  readonly imageCorrelation: number;
  readonly edgeCorrelation: number;
  readonly largestStructure: number;
  /** What white noise would keep it below. */
  readonly structureLimit: number;
  /** Pixel at the centre of that structure. */
  readonly structureAt: readonly [row: number, column: number];
}

/** Beyond the first value amber, beyond the second red. */
type Limit = readonly [amber: number, red: number];

export interface TrustLimits {
  readonly leastNoiseRatio: Limit;
  readonly mostNoiseRatio: Limit;
  readonly leastResidualStd: Limit;
  readonly mostResidualStd: Limit;
  /** Of its magnitude. */
  readonly imageCorrelation: Limit;
  readonly leastEdgeCorrelation: Limit;
  readonly mostEdgeCorrelation: Limit;
  /** Over what white noise would keep it below. */
  readonly structure: Limit;
}

/**
 * Measured: three sets of weights of the mr-denoiser on 14 images that they were not trained on (simulated lumbar and cervical
 * spines, real T2w slices, brains) through this reconstruction with 8 coils, R = 1 to 3, SNR 3 to 100, partial Fourier of three
 * quarters and SENSE among them, 170 images in all. Healthy, they gave a noise ratio of 0.87 (partial Fourier, whose noise has
 * little of the finest details) to 1.15 (1.23 of a real slice at SNR 100, whose own noise adds), a residual of 0.62 (SNR 100)
 * to 0.995, correlations of -0.08 to 0.09 with the image and 0.05 to 0.30 with its edges, a largest structure of 0.5 to 0.9 of
 * the limit: all green. Beside them, at SNR 5 to 30: the noise map halved or doubled: ratio 2.0 or 0.51; half of the noise left:
 * residual 0.42 to 0.50; discs of 2 to 5 pixels radius and 2 to 5 times the noise planted: structure 1.2 to 2.8 of the limit: none
 * green. A scale of 0.95 or a blur over 3 x 3 pixels is told at SNR 30, not at SNR 5, where it is less than the noise.
 */
export const trustLimits: TrustLimits = {
  leastNoiseRatio: [0.8, 0.7],
  mostNoiseRatio: [1.25, 1.5],
  leastResidualStd: [0.6, 0.5],
  mostResidualStd: [1.04, 1.2],
  imageCorrelation: [0.15, 0.3],
  leastEdgeCorrelation: [-0.05, -0.2],
  mostEdgeCorrelation: [0.35, 0.5],
  structure: [1, 1.4],
};

/** Rows and columns of the windows. */
const windows: readonly (readonly [rows: number, columns: number])[] = [[3, 3], [6, 6], [12, 12], [3, 15], [15, 3]];
/** Window that an image is smoothed with to find its edges. */
const edgeWindow = 5;
const mostDetail = 10;
/** Windows share pixels with their neighbours: so many independent ones for each that does not overlap. */
const independent = 4;
const falseAlarm = 1e-3;
/** Where the image is this many times its noise it counts as object. */
const objectFrom = 3;

export interface Trust extends TrustStatistics {
  readonly light: QualityLight;
  /** Empty where the light is green. */
  readonly reasons: readonly string[];
}

export function trustOf(input: TrustInput, limits: TrustLimits = trustLimits): Trust {
  const statistics = trustStatistics(input);
  return { ...statistics, ...judge(statistics, limits) };
}

/**
 * Compressed sensing takes the finest details out of the noise where nothing else is: the image then tells too little noise,
 * and less is left to take out. Measured with the mr-denoiser on a textured phantom, 16 coils, R = 2 to 4, SNR 10 and 30: a residual of 0.55 to
 * 0.66, and an error that falls by 11 to 48 %.
 */
const colouredLimits: TrustLimits = { ...trustLimits, leastNoiseRatio: [0, 0], leastResidualStd: [0.45, 0.35] };
const colouredReason = 'the noise of a compressed-sensing image is not white: the image cannot tell whether its noise map holds';

/** The same where the noise is not white. What cannot be checked is never green. */
export function trustOfColoured(input: TrustInput): Trust {
  const trust = trustOf(input, colouredLimits);
  return { ...trust, light: trust.light === 'green' ? 'amber' : trust.light, reasons: [...trust.reasons, colouredReason] };
}

export function trustStatistics({ rows, columns, noisy, denoised, noise, components, noiseRatio: known }: TrustInput): TrustStatistics {
  const nPixels = rows * columns;
  const real = new Float32Array(nPixels);
  const imaginary = components === 2 ? new Float32Array(nPixels) : undefined;
  const size = new Float32Array(nPixels);
  const along = new Float32Array(nPixels);
  let energy = 0;
  let count = 0;
  for (let p = 0; p < nPixels; p++) {
    const deviation = noise[p]!;
    if (!(deviation > 0)) continue;
    count += components;
    if (imaginary === undefined) {
      const r = (noisy[p]! - denoised[p]!) / deviation;
      real[p] = r;
      along[p] = r;
      size[p] = denoised[p]! / deviation;
      energy += r * r;
    } else {
      const [x, y] = [denoised[2 * p]!, denoised[2 * p + 1]!];
      const re = (noisy[2 * p]! - x) / deviation;
      const im = (noisy[2 * p + 1]! - y) / deviation;
      const magnitude = Math.sqrt(x * x + y * y);
      real[p] = re;
      imaginary[p] = im;
      along[p] = magnitude > 0 ? (re * x + im * y) / magnitude : 0;
      size[p] = magnitude / deviation;
      energy += re * re + im * im;
    }
  }
  const edges = detailOf(size, rows, columns);
  const { largest, at } = largestWindow(new WindowSums(real, rows, columns), imaginary && new WindowSums(imaginary, rows, columns));
  return {
    noiseRatio: known ?? noiseRatio(noisy, noise, rows, columns, components),
    residualStd: Math.sqrt(energy / Math.max(1, count)),
    ...objectCorrelations(along, size, edges),
    largestStructure: largest,
    structureLimit: structureLimit(rows, columns),
    structureAt: at,
  };
}

/** The image less what a blur leaves of it, cut to a few times the noise: strong edges are not to speak for all. */
function detailOf(size: Float32Array, rows: number, columns: number): Float32Array {
  const sums = new WindowSums(size, rows, columns);
  const half = edgeWindow >> 1;
  const detail = new Float32Array(size.length);
  for (let row = half; row < rows - half; row++) {
    for (let column = half; column < columns - half; column++) {
      const p = row * columns + column;
      const own = size[p]! - sums.sum(row - half, column - half, edgeWindow, edgeWindow) / (edgeWindow * edgeWindow);
      detail[p] = own > mostDetail ? mostDetail : own < -mostDetail ? -mostDetail : own;
    }
  }
  return detail;
}

/** Pearson's of `along` with the image and with its edges, over the pixels of the object; 0 where one of both does not vary. */
function objectCorrelations(
  along: Float32Array, size: Float32Array, edges: Float32Array,
): Pick<TrustStatistics, 'imageCorrelation' | 'edgeCorrelation'> {
  let [n, sumA, sumS, sumE, sumAa, sumSs, sumEe, sumAs, sumAe] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
  for (let p = 0; p < along.length; p++) {
    const s = size[p]!;
    if (s <= objectFrom && s >= -objectFrom) continue;
    const a = along[p]!;
    const e = edges[p]!;
    n++;
    sumA += a;
    sumS += s;
    sumE += e;
    sumAa += a * a;
    sumSs += s * s;
    sumEe += e * e;
    sumAs += a * s;
    sumAe += a * e;
  }
  const pearson = (sumB: number, sumBb: number, sumAb: number) => {
    const spread = Math.sqrt((n * sumAa - sumA * sumA) * (n * sumBb - sumB * sumB));
    return spread > 0 ? (n * sumAb - sumA * sumB) / spread : 0;
  };
  return { imageCorrelation: pearson(sumS, sumSs, sumAs), edgeCorrelation: pearson(sumE, sumEe, sumAe) };
}

function largestWindow(real: WindowSums, imaginary: WindowSums | undefined): { largest: number; at: [number, number] } {
  let largest = 0;
  let at: [number, number] = [0, 0];
  for (const [height, width] of windows) {
    const best = real.largest(imaginary, height, width);
    const value = Math.sqrt(best.energy / (height * width));
    if (value <= largest) continue;
    largest = value;
    at = [best.row + (height >> 1), best.column + (width >> 1)];
  }
  return { largest, at };
}

/** What white noise keeps the largest structure below, with the probability 1 - `falseAlarm`. */
export function structureLimit(rows: number, columns: number): number {
  const nWindows = windows.reduce((sum, [height, width]) => sum + (independent * rows * columns) / (height * width), 0);
  return Math.sqrt(2 * Math.log(nWindows / falseAlarm));
}

const names = {
  noise: 'the noise in the image',
  residual: 'what was taken out',
};

export function judge(statistics: TrustStatistics, limits: TrustLimits = trustLimits): { light: QualityLight; reasons: string[] } {
  const { noiseRatio: ratio, residualStd, imageCorrelation, edgeCorrelation, largestStructure, structureAt } = statistics;
  const structure = largestStructure / statistics.structureLimit;
  const reasons: string[] = [];
  let worst = 0;
  const check = (value: number, limit: Limit, isBeyond: (value: number, limit: number) => boolean, reason: string) => {
    const level = isBeyond(value, limit[1]) ? 2 : isBeyond(value, limit[0]) ? 1 : 0;
    if (level > 0) reasons.push(reason);
    worst = Math.max(worst, level);
  };
  const above = (value: number, limit: number) => value > limit;
  const below = (value: number, limit: number) => value < limit;
  const far = (value: number, limit: number) => Math.abs(value) > limit;
  check(ratio, limits.mostNoiseRatio, above, `${names.noise} is ${ratio.toFixed(2)} times what the noise map says`);
  check(ratio, limits.leastNoiseRatio, below, `${names.noise} is only ${ratio.toFixed(2)} times what the noise map says`);
  check(residualStd, limits.mostResidualStd, above, `${names.residual} is ${residualStd.toFixed(2)} times the noise: more than noise`);
  check(residualStd, limits.leastResidualStd, below, `${names.residual} is only ${residualStd.toFixed(2)} times the noise: noise was left`);
  check(imageCorrelation, limits.imageCorrelation, far, `${names.residual} goes with the brightness of the image (correlation ${imageCorrelation.toFixed(2)})`);
  check(edgeCorrelation, limits.mostEdgeCorrelation, above, `edges were blurred: ${names.residual} goes with them (correlation ${edgeCorrelation.toFixed(2)})`);
  check(edgeCorrelation, limits.leastEdgeCorrelation, below, `edges were drawn sharper: ${names.residual} goes against them (correlation ${edgeCorrelation.toFixed(2)})`);
  check(
    structure, limits.structure, above,
    `${names.residual} has a structure of ${largestStructure.toFixed(1)} standard deviations at row ${structureAt[0]}, column ${structureAt[1]}`,
  );
  return { light: worst === 0 ? 'green' : worst === 1 ? 'amber' : 'red', reasons };
}
