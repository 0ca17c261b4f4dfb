/**
 * The noise map of an MR image where only its magnitudes are at hand: an estimate, to be marked as one.
 *
 *   s(x) = the noise that the quiet blocks about x agree on
 *
 * 1. Diagonal Haar details d of the image, which anatomy hardly enters; of the blocks of a region those whose neighbours
 *    differ least. median |d| / median |N(0, 1)| is the noise (Donoho 1994, doi 10.1093/biomet/81.3.425).
 * 2. Magnitudes of Gaussian noise spread less where there is little signal: by xi^(1/2), which follows from the mean over
 *    the noise there,
 *
 *      xi(theta) = 2 + theta^2 - rho^2,   rho(theta) = (pi / 2)^(1/2) L_1/2(-theta^2 / 2),
 *
 *    with the signal theta and the mean rho in units of the noise. Each detail is divided by it, and again with the noise
 *    that comes out (Koay CG, Basser PJ. J Magn Reson 2006;179:317-322. doi:10.1016/j.jmr.2006.01.016).
 * 3. An interpolated or filtered image has its noise up to a part c of the highest frequency only, and Haar details of one
 *    and of two levels see different shares of it along each axis:
 *
 *      g1(c) = 1 - sin(pi c) / (pi c),   g2(c) = 1/(pi c) integral_0^(pi c) (1 + cos w)(1 - cos 2w) dw.
 *
 *    The ratio of both levels over the image gives c, and the noise is the first level's over g1(c).
 * 4. Logarithms of the regions are smoothed (coarseMaps.ts): the noise of parallel imaging varies as slowly as its coils.
 *
 * The confidence falls with what is not known: few quiet blocks, a c far below 1.
 */
import { gaussianSmoothed, interpolated } from './coarseMaps.js';

export interface EstimatedNoise {
  /** Standard deviation of the Gaussian noise behind the magnitudes, [rows, columns]. */
  readonly noise: Float32Array<ArrayBuffer>;
  /** From 0, not to be used, to 1. */
  readonly confidence: number;
  /** What a denoised image may be blended with at most: an estimate is not to decide what is seen. */
  readonly mostStrengthPercent: number;
  /** Part of the highest frequency that the noise reaches to: 1 for images as they were sampled. */
  readonly noiseBandwidth: number;
}

/** median |N(0, 1)| */
const medianOfNormal = 0.6744897501960817;
/** Regions are so many blocks of 2 x 2 pixels wide, half as many apart. */
const regionBlocks = 16;
/** Part of a region's blocks that is asked: the quietest. */
const quietPart = 0.4;
const fewestQuietBlocks = 24;
/** Noise varies over this many regions' distances. */
const smoothing = 1.5;
const nRounds = 4;
/** Strength where the estimate is as good as it gets, per cent: chosen. */
const mostStrengthPercent = 60;
/** Below it the image was made much larger than it was measured, and the estimate is a guess. */
const leastBandwidth = 0.3;

/**
 * @param magnitude [rows, columns], not negative
 * @returns undefined where there is too little of an image to tell
 */
export function estimateNoise(magnitude: Float32Array, rows: number, columns: number): EstimatedNoise | undefined {
  const fine = blocksOf(magnitude, rows, columns);
  const bandwidth = bandwidthOf(fine, blocksOf(fine.means, fine.rows, fine.columns));
  if (bandwidth === undefined) return undefined;
  const gain = firstLevelGain(bandwidth);

  const step = regionBlocks / 2;
  const gridRows = Math.max(1, Math.ceil((fine.rows - regionBlocks) / step) + 1);
  const gridColumns = Math.max(1, Math.ceil((fine.columns - regionBlocks) / step) + 1);
  const logs = new Float64Array(gridRows * gridColumns);
  const weights = new Float64Array(gridRows * gridColumns);
  for (let r = 0; r < gridRows; r++) {
    for (let c = 0; c < gridColumns; c++) {
      const chosen = quietBlocks(fine, r * step, c * step, regionBlocks);
      if (chosen.length < fewestQuietBlocks) continue;
      const deviation = riceDeviation(fine, chosen, gain);
      if (!(deviation > 0)) continue;
      logs[r * gridColumns + c] = Math.log(deviation);
      weights[r * gridColumns + c] = chosen.length;
    }
  }
  const nKnown = weights.reduce((n, weight) => n + (weight > 0 ? 1 : 0), 0);
  if (nKnown === 0) return undefined;
  const smooth = gaussianSmoothed(logs, weights, gridRows, gridColumns, smoothing);
  const noise = interpolated(smooth, gridRows, gridColumns, rows, columns, 2 * step, regionBlocks - 0.5, Math.exp);
  const confidence = (nKnown / weights.length) * Math.min(1, Math.max(0, (bandwidth - leastBandwidth) / (0.9 - leastBandwidth)));
  return { noise, confidence, mostStrengthPercent: mostStrengthPercent * confidence, noiseBandwidth: bandwidth };
}

interface Blocks {
  readonly rows: number;
  readonly columns: number;
  readonly means: Float32Array;
  /** |d| of each block. */
  readonly details: Float32Array;
  /** How much the blocks beside differ; infinite at the border and where there is nothing but zeros. */
  readonly activity: Float32Array;
}

function blocksOf(image: Float32Array, rows: number, columns: number): Blocks {
  const [blockRows, blockColumns] = [rows >> 1, columns >> 1];
  const means = new Float32Array(blockRows * blockColumns);
  const details = new Float32Array(blockRows * blockColumns);
  const activity = new Float32Array(blockRows * blockColumns).fill(Infinity);
  const isWhole = new Uint8Array(blockRows * blockColumns);
  for (let row = 0; row < blockRows; row++) {
    for (let column = 0; column < blockColumns; column++) {
      const at = 2 * row * columns + 2 * column;
      const [a, b, c, d] = [image[at]!, image[at + 1]!, image[at + columns]!, image[at + columns + 1]!];
      const block = row * blockColumns + column;
      means[block] = (a + b + c + d) / 4;
      details[block] = Math.abs(a - b - c + d) / 2;
      isWhole[block] = a > 0 && b > 0 && c > 0 && d > 0 ? 1 : 0;
    }
  }
  for (let row = 1; row < blockRows - 1; row++) {
    for (let column = 1; column < blockColumns - 1; column++) {
      const block = row * blockColumns + column;
      if (isWhole[block] === 0) continue;
      activity[block] = Math.abs(means[block + 1]! - means[block - 1]!) + Math.abs(means[block + blockColumns]! - means[block - blockColumns]!);
    }
  }
  return { rows: blockRows, columns: blockColumns, means, details, activity };
}

/** Indices of the blocks of a region whose neighbours differ least. */
function quietBlocks({ rows, columns, activity }: Blocks, row: number, column: number, size: number): number[] {
  const all: number[] = [];
  for (let r = row; r < Math.min(rows, row + size); r++) {
    for (let c = column; c < Math.min(columns, column + size); c++) if (activity[r * columns + c]! < Infinity) all.push(r * columns + c);
  }
  all.sort((a, b) => activity[a]! - activity[b]!);
  return all.slice(0, Math.round(quietPart * all.length));
}

/** Standard deviation of the Gaussian noise behind the magnitudes of some blocks. */
function riceDeviation({ rows, columns, means, details }: Blocks, chosen: readonly number[], gain: number): number {
  // A block of four pixels says little of its level; nine do.
  const levels = chosen.map((block) => localMean(means, rows, columns, block));
  const raw = chosen.map((block) => details[block]! / gain);
  let deviation = medianOf(raw) / medianOfNormal;
  for (let round = 0; round < nRounds && deviation > 0; round++) {
    const now = deviation;
    deviation = medianOf(raw.map((detail, i) => detail / riceSpread(levels[i]! / now))) / medianOfNormal;
  }
  return deviation;
}

function localMean(means: Float32Array, rows: number, columns: number, block: number): number {
  const [row, column] = [Math.floor(block / columns), block % columns];
  let sum = 0;
  let count = 0;
  for (let r = Math.max(0, row - 1); r <= Math.min(rows - 1, row + 1); r++) {
    for (let c = Math.max(0, column - 1); c <= Math.min(columns - 1, column + 1); c++) {
      sum += means[r * columns + c]!;
      count++;
    }
  }
  return sum / count;
}

function medianOf(values: readonly number[]): number {
  return Float64Array.from(values).sort()[values.length >> 1] ?? 0;
}

/** g1: along each axis a share of the noise's power, along both of its standard deviation. */
function firstLevelGain(c: number): number {
  return 1 - Math.sin(Math.PI * c) / (Math.PI * c);
}

function secondLevelGain(c: number): number {
  const w = Math.PI * c;
  return (w + Math.sin(w) - Math.sin(2 * w) / 2 - (Math.sin(w) + Math.sin(3 * w) / 3) / 2) / w;
}

/** c, from the details of the first level over those of the second, of the quietest blocks of either; undefined without any. */
function bandwidthOf(fine: Blocks, coarse: Blocks): number | undefined {
  const level = (blocks: Blocks) => {
    const quiet = quietBlocks(blocks, 0, 0, Math.max(blocks.rows, blocks.columns));
    return quiet.length < fewestQuietBlocks ? NaN : medianOf(quiet.slice(0, Math.max(fewestQuietBlocks, quiet.length >> 2)).map((block) => blocks.details[block]!));
  };
  // Means of four pixels have half the weight of an orthonormal average.
  const ratio = level(fine) / (2 * level(coarse));
  if (!(ratio > 0) || !Number.isFinite(ratio)) return undefined;
  let c = 1;
  while (c > leastBandwidth && firstLevelGain(c) / secondLevelGain(c) > ratio * 1.05) c -= 0.01;
  // Between white and almost so the ratio does not tell.
  return c > 0.9 ? 1 : c;
}

/** rho and xi^(1/2) at signals of 0, 0.05, ... in units of the noise. */
const riceTable = Array.from({ length: 161 }, (_, i) => {
  const theta = i / 20;
  const rho = riceMean(theta);
  return { rho, spread: Math.sqrt(2 + theta * theta - rho * rho) };
});

/** Standard deviation of magnitudes whose mean is `rho` times the noise, over the noise. */
function riceSpread(rho: number): number {
  if (rho <= riceTable[0]!.rho) return riceTable[0]!.spread;
  const above = riceTable.findIndex((entry) => entry.rho >= rho);
  if (above < 0) return 1;
  const [low, high] = [riceTable[above - 1]!, riceTable[above]!];
  return low.spread + ((rho - low.rho) / (high.rho - low.rho)) * (high.spread - low.spread);
}

/** Mean of |theta + n| with complex Gaussian noise n of standard deviation 1 in each part. */
function riceMean(theta: number): number {
  const y = (theta * theta) / 4;
  // L_1/2(-2y) = (1 + 2y) e^-y I0(y) + 2y e^-y I1(y)
  return Math.sqrt(Math.PI / 2) * ((1 + 2 * y) * scaledBessel(0, y) + 2 * y * scaledBessel(1, y));
}

/** exp(-y) I_n(y), n = 0 or 1, by the integral (1/pi) int_0^pi exp(y (cos t - 1)) cos(n t) dt; the midpoint rule converges fast. */
function scaledBessel(n: 0 | 1, y: number): number {
  const nPoints = 64;
  let sum = 0;
  for (let i = 0; i < nPoints; i++) {
    const t = (Math.PI * (i + 0.5)) / nPoints;
    sum += Math.exp(y * (Math.cos(t) - 1)) * Math.cos(n * t);
  }
  return sum / nPoints;
}
