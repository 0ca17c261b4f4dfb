/**
 * Whether T1w and T2w belong together: what the network, asked for one of them from the other alone, and what the maps behind
 * both say of each, against what was measured. On images averaged over 2 x 2 pixels, over their means:
 *
 *   z = (measured - g predicted) / sqrt((g sigma)^2 + noise^2 + floor^2),   g = exp median ln(measured / predicted), times what is left of
 *                                                                           shading: exp of the mean of ln(measured / g predicted) over 25 x 25
 *
 * sigma is what the deviations of the maps make of the predicted signal, so that a place of which T1w tells nothing (fluid or
 * vessel) says nothing against the pair; g is free, as gains are. Averaged over 5 x 5 of these pixels z tells the place.
 *
 * Features of each slice, each 0 for a perfect pair:
 *   peak    the largest averaged |z|
 *   share   of the tissue with |z| above 3, per cent
 *   rms     of z, cut at 6
 *   of T1w as told by T2w, of T2w as told by T1w; peak and rms of `Fit`: of both as told by the maps from both
 *   lnGain       where the relative scale is known: how far the free gain is from it
 *   unlike       1 - correlation of the fine structure of measured and predicted, ln(image) less its mean over 7 x 7 pixels
 *   offset       how much larger that correlation is where one of both is moved by up to three pixels
 *   opposed the largest geometric mean of the two averaged z where their signs differ: what only one image has is too much in it and
 *           too little in the other; opposedFit: of the fits
 *   ring    the largest |mean step| / (its spread + 0.6) of z across the rim of a circle, in 12 directions, of four radii about every second row and
 *           column: what lies in one image only has an edge all around it; tissue that was predicted a little wrong has one here and there; ringFit: of the fits
 *   misregistrationPixels   what registration left
 *   doubt   softplus(ln sum of exp(logit) over the tissue - ln 30), of the network's own logits of that one image shows in a place what the other does
 *           not: as many places as speak for it, and how loud the loudest do
 *
 *   score = the larger of two sums, each a bias and weights times ln(1 + feature): of the doubt alone, and of all the rest
 *
 * The network learned to doubt from planted faults, and finds those better than both together do; what it was never shown the rest is there for,
 * whose limit hardly any sound slice reaches.
 *
 * with coefficients from slices with planted faults (calibration.ts; models/training/synthesis/gate.py is this file in Python).
 * Of many slices a few sound ones are beyond any limit: `gateLight` asks for two, and limits are such that whole sound series keep them.
 */
import { noiseRatio, ranked } from '../imaging/index.js';
import type { GateCalibration, GatePart } from './calibration.js';
import type { Predicted } from './contrasts.js';
import { lnStatedOverTrueOf } from './echoTime.js';
import type { TrafficLight } from './types.js';

export const gateFeatureNames = [
  'peakT1w', 'peakT2w', 'shareT1w', 'shareT2w', 'rmsT1w', 'rmsT2w', 'peakFit', 'rmsFit', 'lnGain', 'misregistrationPixels',
  'unlikeT1w', 'unlikeT2w', 'offsetT1w', 'offsetT2w', 'opposed', 'opposedFit', 'ring', 'ringFit', 'doubt',
] as const;
export type GateFeature = (typeof gateFeatureNames)[number];
export type GateFeatures = Readonly<Record<GateFeature, number>>;

/** Of the mean, and of the prediction: edges, partial volumes and flow, which no network is to explain. */
const floorOfMean = 0.04;
const floorOfPrediction = 0.06;
/** Of the mean: what either image must show where it counts as tissue. */
const tissueFrom = 0.15;
/** Below it logarithms are of noise. */
const leastOfRatio = 0.1;
const window = 5;
/** Part of a window that must be tissue. */
const tissuePart = 0.6;
const farZ = 3;
const cutZ = 6;
/** Of the mean over tissue: darker pixels count as this dark in the fine structure. */
const leastOfStructure = 0.02;
const fineWindow = 7;
/** As wide as shading varies. */
const broadWindow = 25;
/** What is more than this off, as ln of a ratio, is no shading. */
const mostOfShading = 1;
const farthestShift = 3;
/** Of circles, in pixels: 8 to 16 mm across in most exams. */
const ringRadii = [2.3, 3.3, 4.6, 6] as const;
const ringDirections = 12;
/** From the rim inwards and outwards. */
const ringHalfEdge = 1.2;
const leastStepSpread = 0.6;
/** What the largest circle reaches. */
const ringMargin = 8;
/** Part of the window about a circle's centre that must be tissue. */
const ringPart = 0.8;
/** Beyond it a logit says no more. */
const farthestLogit = 30;
/** Pixels that are undecided (logit 0) in slices where the feature begins to grow. */
const undecidedPixels = 30;
/** Pixels about each one whose probabilities are averaged before a place is doubted, and from which mean on. */
const doubtWindow = 3;
const doubtedFrom = 0.5;
/** Of so many slices one more may be beyond a limit. */
const slicesPerOutlier = 8;

export interface PairImages {
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** Without shading, over their means, averaged over 2 x 2 pixels. */
  readonly t1w: Float32Array;
  readonly t2w: Float32Array;
  /** Standard deviations of their noise; estimated where absent. */
  readonly t1wNoise?: Float32Array;
  readonly t2wNoise?: Float32Array;
}

export interface PairPredictions {
  /** From T2w alone, and from T1w alone. */
  readonly t1w: Predicted;
  readonly t2w: Predicted;
  /** From both. */
  readonly t1wFit: Predicted;
  readonly t2wFit: Predicted;
  /** T1w as the maps from T1w alone have it. */
  readonly t1wItself: Float32Array;
  /** From both: the logit of that one image shows here what the other does not. */
  readonly doubt: Float32Array;
  /** From both: what each place says of ln(stated / true echo time) of T2w. */
  readonly lnStatedOverTrue: Float32Array;
}

/** What is told of a pair beside its images. */
export interface PairNumbers {
  /** Mean of T2w over that of T1w, in one unit; absent where unknown. */
  readonly t2wOverT1w: number | undefined;
  readonly misregistrationPixels: number;
}

export interface PairEvidence {
  readonly slices: readonly GateFeatures[];
  /** Of both directions the averaged z that is larger in magnitude; 0 outside of tissue. */
  readonly z: Float32Array;
  /** 1 where the network holds it likely that one image shows what the other does not. */
  readonly isDoubted: Uint8Array;
  /** The logit of that; very low outside of tissue. */
  readonly doubt: Float32Array;
  /** Of each slice, of T2w's echo time (echoTime.ts). */
  readonly lnStatedOverTrue: readonly number[];
}

export function pairEvidence(images: PairImages, predicted: PairPredictions, numbers: PairNumbers): PairEvidence {
  const nPixels = images.rows * images.columns;
  const z = new Float32Array(images.slices * nPixels);
  const isDoubted = new Uint8Array(z.length);
  const lnStatedOverTrue: number[] = [];
  const slices = Array.from({ length: images.slices }, (_, slice): GateFeatures => {
    const part = (image: Float32Array) => image.subarray(slice * nPixels, (slice + 1) * nPixels);
    const parts = ({ signal, deviation }: Predicted): Predicted => ({ signal: part(signal), deviation: part(deviation) });
    const { t1wNoise, t2wNoise } = images;
    const found = sliceEvidence(
      {
        slices: 1, rows: images.rows, columns: images.columns, t1w: part(images.t1w), t2w: part(images.t2w),
        ...(t1wNoise && { t1wNoise: part(t1wNoise) }), ...(t2wNoise && { t2wNoise: part(t2wNoise) }),
      },
      {
        t1w: parts(predicted.t1w), t2w: parts(predicted.t2w), t1wFit: parts(predicted.t1wFit), t2wFit: parts(predicted.t2wFit),
        t1wItself: part(predicted.t1wItself), doubt: part(predicted.doubt), lnStatedOverTrue: part(predicted.lnStatedOverTrue),
      },
      numbers,
    );
    z.set(found.z, slice * nPixels);
    isDoubted.set(found.isDoubted, slice * nPixels);
    lnStatedOverTrue.push(found.lnStatedOverTrue);
    return found.features;
  });
  const tissue = tissueOfPair(images);
  return { slices, z, isDoubted, lnStatedOverTrue, doubt: predicted.doubt.map((logit, pixel) => (tissue[pixel] === 1 ? logit : -farthestLogit)) };
}

export function gateScore(features: GateFeatures, { doubt, evidence }: GateCalibration): number {
  const scoreOf = ({ bias, weights }: GatePart) => Object.entries(weights).reduce((score, [name, weight]) => score + weight * Math.log1p(features[name as GateFeature]), bias);
  return Math.max(scoreOf(doubt), scoreOf(evidence));
}

/**
 * Red or amber where more slices than one in eight are beyond the limit; amber, too, where a single one is beyond that of red: a limit that
 * two of a hundred sound slices exceed would else be exceeded in every fourth exam.
 * @param scores of the slices
 */
export function gateLight(scores: readonly number[], { amber, red }: GateCalibration): TrafficLight {
  const falling = [...scores].sort((a, b) => b - a);
  const score = falling[Math.min(falling.length - 1, Math.floor(falling.length / slicesPerOutlier))]!;
  return score >= red ? 'red' : score >= amber || falling[0]! >= red ? 'amber' : 'green';
}

/** Of one slice: 1 where there is tissue, and how much of it the windows about each pixel have. */
interface Tissue {
  readonly rows: number;
  readonly columns: number;
  readonly is: Float32Array;
  readonly inWindow: Float32Array;
  readonly inFineWindow: Float32Array;
  /** Room for sums, [rows + 1, columns + 1]: one table for all windows of the slice. */
  readonly table: Float64Array;
}

/** 1 where either image shows tissue: nothing else of what is predicted is looked at. */
export function tissueOfPair({ t1w, t2w }: Pick<PairImages, 't1w' | 't2w'>): Uint8Array {
  const is = new Uint8Array(t1w.length);
  for (let pixel = 0; pixel < is.length; pixel++) is[pixel] = Math.max(t1w[pixel]!, t2w[pixel]!) > tissueFrom ? 1 : 0;
  return is;
}

function tissueOfSlice({ t1w, t2w, rows, columns }: PairImages): Tissue {
  const is = Float32Array.from(tissueOfPair({ t1w, t2w }));
  const size = { rows, columns, table: new Float64Array((rows + 1) * (columns + 1)) };
  return { ...size, is, inWindow: boxSums(is, size, window), inFineWindow: boxSums(is, size, fineWindow) };
}

interface SliceEvidence {
  readonly features: GateFeatures;
  readonly z: Float32Array;
  readonly isDoubted: Uint8Array;
  readonly lnStatedOverTrue: number;
}

function sliceEvidence(images: PairImages, predicted: PairPredictions, { t2wOverT1w, misregistrationPixels }: PairNumbers): SliceEvidence {
  const tissue = tissueOfSlice(images);
  const noise1 = images.t1wNoise ?? estimatedNoise(images.t1w, tissue);
  const noise2 = images.t2wNoise ?? estimatedNoise(images.t2w, tissue);
  const t1w = compare(images.t1w, predicted.t1w, noise1, tissue);
  const t2w = compare(images.t2w, predicted.t2w, noise2, tissue);
  const fits = [compare(images.t1w, predicted.t1wFit, noise1, tissue), compare(images.t2w, predicted.t2wFit, noise2, tissue)] as const;
  const ownGain = gainOf(images.t1w, predicted.t1wItself, tissue.is);
  const alike1 = compareStructure(images.t1w, predicted.t1w.signal, tissue);
  const alike2 = compareStructure(images.t2w, predicted.t2w.signal, tissue);
  const features: GateFeatures = {
    peakT1w: t1w.peak, peakT2w: t2w.peak, shareT1w: t1w.sharePercent, shareT2w: t2w.sharePercent, rmsT1w: t1w.rms, rmsT2w: t2w.rms,
    peakFit: Math.max(fits[0].peak, fits[1].peak), rmsFit: Math.max(fits[0].rms, fits[1].rms),
    lnGain: t2wOverT1w === undefined ? 0 : Math.abs(Math.log((t2w.gain * t2wOverT1w) / ownGain)),
    unlikeT1w: alike1.unlike, unlikeT2w: alike2.unlike, offsetT1w: alike1.offset, offsetT2w: alike2.offset,
    opposed: opposed(t1w.averaged, t2w.averaged), opposedFit: opposed(fits[0].averaged, fits[1].averaged),
    ring: Math.max(t1w.ring, t2w.ring), ringFit: Math.max(fits[0].ring, fits[1].ring),
    doubt: doubtOf(predicted.doubt, tissue.is),
    misregistrationPixels,
  };
  const z = t2w.averaged;
  for (let pixel = 0; pixel < z.length; pixel++) if (Math.abs(t1w.averaged[pixel]!) > Math.abs(z[pixel]!)) z[pixel] = t1w.averaged[pixel]!;
  return { features, z, isDoubted: doubtedPlaces(predicted.doubt, tissue), lnStatedOverTrue: lnStatedOverTrueOf(predicted.lnStatedOverTrue, tissue.is) };
}

/** @param where 1 where it counts */
export function doubtOf(logits: Float32Array, where: ArrayLike<number>): number {
  let sum = 0;
  for (let pixel = 0; pixel < logits.length; pixel++) {
    if (where[pixel] === 1) sum += Math.exp(Math.max(-farthestLogit, Math.min(farthestLogit, logits[pixel]!)));
  }
  // ln(1 + exp(ln(sum) - ln(30))).
  return Math.log1p(sum / undecidedPixels);
}

function doubtedPlaces(logits: Float32Array, tissue: Tissue): Uint8Array {
  // Means of neighbours that are all unlikely are, too.
  if (logits.every((logit) => logit <= 0)) return new Uint8Array(logits.length);
  const likely = boxSums(logits.map((logit) => 1 / (1 + Math.exp(-logit))), tissue, doubtWindow);
  return Uint8Array.from(likely, (sum, pixel) => (tissue.is[pixel] === 1 && sum > doubtedFrom * doubtWindow * doubtWindow ? 1 : 0));
}

interface Comparison {
  readonly gain: number;
  readonly averaged: Float32Array;
  readonly peak: number;
  readonly sharePercent: number;
  readonly rms: number;
  readonly ring: number;
}

function compare(measured: Float32Array, { signal, deviation }: Predicted, noise: Float32Array, tissue: Tissue): Comparison {
  const gain = gainOf(measured, signal, tissue.is);
  const local = localGain(measured, signal, gain, tissue);
  const z = new Float32Array(measured.length);
  let [n, nFar, energy] = [0, 0, 0];
  for (let pixel = 0; pixel < z.length; pixel++) {
    if (tissue.is[pixel] === 0) continue;
    const expected = gain * local[pixel]! * signal[pixel]!;
    const variance = (gain * local[pixel]! * deviation[pixel]!) ** 2 + noise[pixel]! ** 2 + floorOfMean ** 2 + (floorOfPrediction * expected) ** 2;
    const value = (measured[pixel]! - expected) / Math.sqrt(variance);
    z[pixel] = value;
    n++;
    if (Math.abs(value) > farZ) nFar++;
    energy += Math.min(cutZ * cutZ, value * value);
  }
  const averaged = averagedWithin(z, tissue);
  let peak = 0;
  for (let pixel = 0; pixel < z.length; pixel++) peak = Math.max(peak, Math.abs(averaged[pixel]!));
  return { gain, averaged, peak, sharePercent: (100 * nFar) / Math.max(1, n), rms: Math.sqrt(energy / Math.max(1, n)), ring: largestRing(z, tissue) };
}

/** Offsets of pixels within and beyond the rim, of one direction after the other. */
function ringOffsets(radius: number, columns: number): Int32Array {
  const offsets = new Int32Array(2 * ringDirections);
  for (let k = 0; k < offsets.length; k++) {
    const turn = (2 * Math.PI * ((k >> 1) + 0.25)) / ringDirections;
    const distance = radius + (k % 2 === 0 ? -ringHalfEdge : ringHalfEdge);
    offsets[k] = Math.floor(distance * Math.sin(turn) + 0.5) * columns + Math.floor(distance * Math.cos(turn) + 0.5);
  }
  return offsets;
}

/** How sharply and how evenly z steps across the rim of the circle that stands out most. */
function largestRing(z: Float32Array, { is, inWindow, rows, columns }: Tissue): number {
  let largest = 0;
  for (const radius of ringRadii) {
    const offsets = ringOffsets(radius, columns);
    for (let row = ringMargin; row < rows - ringMargin; row += 2) {
      for (let column = ringMargin; column < columns - ringMargin; column += 2) {
        const at = row * columns + column;
        if (is[at] === 0 || inWindow[at]! < ringPart * window * window) continue;
        let [sum, squares] = [0, 0];
        for (let k = 0; k < offsets.length; k += 2) {
          const step = z[at + offsets[k]!]! - z[at + offsets[k + 1]!]!;
          sum += step;
          squares += step * step;
        }
        const mean = sum / ringDirections;
        largest = Math.max(largest, Math.abs(mean) / (Math.sqrt(Math.max(0, squares / ringDirections - mean * mean)) + leastStepSpread));
      }
    }
  }
  return largest;
}

/** What shading left: a smooth factor of measured over predicted, about their gain. */
function localGain(measured: Float32Array, predicted: Float32Array, gain: number, tissue: Tissue): Float32Array {
  const { is } = tissue;
  const told = new Float32Array(is.length);
  const logs = new Float32Array(is.length);
  for (let pixel = 0; pixel < is.length; pixel++) {
    if (is[pixel] === 0 || !(measured[pixel]! > 0 && predicted[pixel]! > 0)) continue;
    told[pixel] = 1;
    logs[pixel] = Math.max(-mostOfShading, Math.min(mostOfShading, Math.log(measured[pixel]! / (gain * predicted[pixel]!))));
  }
  const counts = boxSums(told, tissue, broadWindow);
  const local = boxSums(logs, tissue, broadWindow);
  for (let pixel = 0; pixel < is.length; pixel++) if (is[pixel] === 1) local[pixel] = Math.exp(local[pixel]! / Math.max(1, counts[pixel]!));
  return local;
}

function opposed(first: Float32Array, second: Float32Array): number {
  let largest = 0;
  for (let pixel = 0; pixel < first.length; pixel++) largest = Math.max(largest, -first[pixel]! * second[pixel]!);
  return Math.sqrt(largest);
}

/** Median of measured / predicted over tissue; 1 where there is none. */
function gainOf(measured: Float32Array, predicted: Float32Array, tissue: Float32Array): number {
  let [sum, nTissue] = [0, 0];
  for (let pixel = 0; pixel < measured.length; pixel++) {
    sum += Math.abs(predicted[pixel]!) * tissue[pixel]!;
    nTissue += tissue[pixel]!;
  }
  const meanPredicted = sum / Math.max(1, nTissue);
  const ratios = new Float64Array(nTissue);
  let n = 0;
  for (let pixel = 0; pixel < measured.length; pixel++) {
    const isTold = tissue[pixel] === 1 && measured[pixel]! > leastOfRatio && predicted[pixel]! > leastOfRatio * meanPredicted;
    if (isTold) ratios[n++] = measured[pixel]! / predicted[pixel]!;
  }
  return n === 0 ? 1 : ranked(ratios.subarray(0, n), n >> 1);
}

/** How alike the fine structures of a slice are where they lie, and how much more alike where one of both is moved. */
function compareStructure(measured: Float32Array, predicted: Float32Array, tissue: Tissue): { unlike: number; offset: number } {
  const m = farthestShift;
  const { rows, columns } = tissue;
  const [still, moving] = [fineStructure(measured, tissue), fineStructure(predicted, tissue)];
  const energyOf = rectangleEnergies(moving, rows, columns);
  const ofStill = rectangleEnergies(still, rows, columns)(m, rows - m, m, columns - m);
  let [unmoved, best] = [0, -Infinity];
  for (let down = -m; down <= m; down++) {
    productsAlongRows(still, moving, rows, columns, down).forEach((both, at) => {
      const right = at - m;
      const ofMoving = energyOf(m + down, rows - m + down, m + right, columns - m + right);
      const correlation = both / ((Math.sqrt(ofStill) + 1e-6) * (Math.sqrt(ofMoving) + 1e-6));
      if (down === 0 && right === 0) unmoved = correlation;
      best = Math.max(best, correlation);
    });
  }
  return { unlike: 1 - unmoved, offset: best - unmoved };
}

/** Sums of products within the margin with one image moved down, and by -3 to 3 pixels to the right: all seven of one way through the rows. */
function productsAlongRows(still: Float32Array, moving: Float32Array, rows: number, columns: number, down: number): readonly number[] {
  const m = farthestShift;
  let [a, b, c, d, e, f, g] = [0, 0, 0, 0, 0, 0, 0];
  for (let row = m; row < rows - m; row++) {
    const last = (row + 1) * columns - m;
    for (let pixel = row * columns + m, at = pixel + down * columns; pixel < last; pixel++, at++) {
      const value = still[pixel]!;
      a += value * moving[at - 3]!;
      b += value * moving[at - 2]!;
      c += value * moving[at - 1]!;
      d += value * moving[at]!;
      e += value * moving[at + 1]!;
      f += value * moving[at + 2]!;
      g += value * moving[at + 3]!;
    }
  }
  return [a, b, c, d, e, f, g];
}

/** Sums of squares over any rectangle, [first, end) of rows and columns, from one table of sums. */
function rectangleEnergies(image: Float32Array, rows: number, columns: number): (firstRow: number, endRow: number, firstColumn: number, endColumn: number) => number {
  const sums = new Float64Array((rows + 1) * (columns + 1));
  const squares = new Float32Array(image.length);
  for (let pixel = 0; pixel < image.length; pixel++) squares[pixel] = image[pixel]! * image[pixel]!;
  fillSums(squares, rows, columns, sums);
  const corner = (row: number, column: number) => sums[row * (columns + 1) + column]!;
  return (firstRow, endRow, firstColumn, endColumn) =>
    Math.max(0, corner(endRow, endColumn) - corner(firstRow, endColumn) - corner(endRow, firstColumn) + corner(firstRow, firstColumn));
}

function fineStructure(image: Float32Array, tissue: Tissue): Float32Array {
  const { is, inFineWindow } = tissue;
  let [sum, n] = [0, 0];
  for (let pixel = 0; pixel < image.length; pixel++) {
    if (is[pixel] === 0) continue;
    sum += image[pixel]!;
    n++;
  }
  const least = Math.max((leastOfStructure * sum) / Math.max(1, n), 1e-6);
  const logs = new Float32Array(image.length);
  for (let pixel = 0; pixel < image.length; pixel++) if (is[pixel] === 1) logs[pixel] = Math.log(Math.max(image[pixel]!, least));
  const sums = boxSums(logs, tissue, fineWindow);
  for (let pixel = 0; pixel < image.length; pixel++) if (is[pixel] === 1) logs[pixel]! -= sums[pixel]! / Math.max(1, inFineWindow[pixel]!);
  return logs;
}

/** One number for all of it, from what neighbouring pixels of its tissue differ by. */
function estimatedNoise(image: Float32Array, { is, rows, columns }: Tissue): Float32Array {
  const level = noiseRatio(image, is, rows, columns, 1);
  return new Float32Array(image.length).fill(Number.isFinite(level) ? level : 0);
}

/** Means over windows that are mostly tissue, 0 elsewhere. */
function averagedWithin(z: Float32Array, tissue: Tissue): Float32Array {
  const { is, inWindow } = tissue;
  const means = boxSums(z, tissue, window);
  for (let pixel = 0; pixel < means.length; pixel++) {
    means[pixel] = is[pixel] === 1 && inWindow[pixel]! >= tissuePart * window * window ? means[pixel]! / inWindow[pixel]! : 0;
  }
  return means;
}

/** Over the part of a square window about each pixel that lies in the image. */
function boxSums(image: Float32Array, { rows, columns, table }: Pick<Tissue, 'rows' | 'columns' | 'table'>, side: number): Float32Array {
  const half = side >> 1;
  const width = columns + 1;
  fillSums(image, rows, columns, table);
  const sums = new Float32Array(image.length);
  for (let row = 0; row < rows; row++) {
    const [top, bottom] = [Math.max(0, row - half) * width, Math.min(rows, row + half + 1) * width];
    for (let column = 0; column < columns; column++) {
      const left = Math.max(0, column - half);
      const right = Math.min(columns, column + half + 1);
      sums[row * columns + column] = table[bottom + right]! - table[top + right]! - table[bottom + left]! + table[top + left]!;
    }
  }
  return sums;
}

/** At [row, column] the sum over the rows and columns before it, [rows + 1, columns + 1]; the first row and column are 0 already. */
function fillSums(image: Float32Array, rows: number, columns: number, sums: Float64Array): void {
  const width = columns + 1;
  for (let row = 0; row < rows; row++) {
    let inRow = 0;
    for (let column = 0; column < columns; column++) {
      inRow += image[row * columns + column]!;
      sums[(row + 1) * width + column + 1] = sums[row * width + column + 1]! + inRow;
    }
  }
}
