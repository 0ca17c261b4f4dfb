/**
 * The noise map of a CT image where only the image is at hand: an estimate, to be marked as one.
 *
 *   s(x) = the noise that most small windows of soft tissue about x agree on
 *
 * Noise of filtered backprojection has hardly any low frequencies, so that the standard deviation within a window of a
 * few pixels has nearly all of it; anatomy adds to some windows, and takes from none. Steps:
 *
 *   1. standard deviations in windows of 2.2 mm whose mean is that of soft tissue;
 *   2. a level a region of 40 mm: the middle of the shortest interval of their logarithms that holds 30 % of them, the
 *      mode of what noise alone gives whatever its correlation (after the half-sample mode of Robertson &
 *      Cryer, J Am Stat Assoc 1974;69:1012-1016);
 *   3. levels smoothed over the image, with those above their surroundings (texture, strands of fat) counting a tenth;
 *      that is also what bone and air get, where nothing is measured.
 *
 * Noise from the histogram of local standard deviations in patient images: Christianson 2015, doi 10.2214/AJR.14.13613.
 */
import { gaussianSmoothed, interpolated } from './coarseMaps.js';

const windowMm = 2.2;
const fewestWindowPixels = 3;
/** From one window to the next, and from one region to the next. */
const windowStepMm = 2;
const regionStep = 4;
/** What a window of that size misses of the noise, of soft to sharp kernels 0 to 12 %: of simulated scans. */
const windowGain = 1.06;
/** Mean of a window of soft tissue, HU. */
const softTissueHu = [-250, 250] as const;
const regionMm = 40;
/** Regions with a smaller part of soft tissue have no level. */
const leastTissuePart = 0.1;
const agreeingPart = 0.3;
const smoothingMm = 16;
const aboveSurroundings = 1.03;
const weightAbove = 0.1;
const nRounds = 4;

/**
 * @param hounsfield float32 [rows, columns], HU
 * @returns float32 [rows, columns], HU; undefined where there is too little soft tissue to tell
 */
export function estimateCtNoise(hounsfield: Float32Array, rows: number, columns: number, pixelMm: number): Float32Array | undefined {
  const windows = windowsOf(hounsfield, rows, columns, pixelMm);
  const reach = Math.max(2, Math.round(regionMm / (2 * windows.stride * pixelMm)));
  const levels = regionLevels(windows, reach);
  if (levels === undefined) return undefined;

  const { logs, weights } = levels;
  const grid = [levels.rows, levels.columns] as const;
  const stride = regionStep * windows.stride;
  const sigma = smoothingMm / (stride * pixelMm);
  let smooth = gaussianSmoothed(logs, weights, ...grid, sigma);
  for (let round = 0; round < nRounds; round++) {
    const now = weights.map((weight, p) => (logs[p]! > smooth[p]! + Math.log(aboveSurroundings) ? weightAbove * weight : weight));
    smooth = gaussianSmoothed(logs, now, ...grid, sigma);
  }
  const offset = (windows.size - 1) / 2;
  return interpolated(smooth, ...grid, rows, columns, stride, offset, (value) => windowGain * Math.exp(value));
}

interface Windows {
  readonly rows: number;
  readonly columns: number;
  /** Pixels along an edge. */
  readonly size: number;
  /** Pixels from one to the next. */
  readonly stride: number;
  /** Logarithms of standard deviations in HU; NaN where a window is not of soft tissue. */
  readonly logs: Float64Array;
}

function windowsOf(image: Float32Array, nRows: number, nColumns: number, pixelMm: number): Windows {
  const size = Math.max(fewestWindowPixels, 2 * Math.round(windowMm / pixelMm / 2) + 1);
  const stride = Math.max(1, Math.round(windowStepMm / pixelMm));
  const count = (length: number) => Math.max(0, Math.floor((length - size) / stride) + 1);
  const [rows, columns] = [count(nRows), count(nColumns)];
  const logs = new Float64Array(rows * columns);
  const n = size * size;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const first = (row * nColumns + column) * stride;
      let [sum, squares] = [0, 0];
      for (let r = 0; r < size; r++) {
        for (let at = first + r * nColumns, end = at + size; at < end; at++) {
          sum += image[at]!;
          squares += image[at]! ** 2;
        }
      }
      const mean = sum / n;
      const variance = (squares - n * mean * mean) / (n - 1);
      const isTissue = mean > softTissueHu[0] && mean < softTissueHu[1] && variance > 0;
      logs[row * columns + column] = isTissue ? Math.log(variance) / 2 : NaN;
    }
  }
  return { rows, columns, size, stride, logs };
}

/** Levels about every `regionStep`-th window, of those up to `reach` away; of weight 0 where little is soft tissue. */
function regionLevels(windows: Windows, reach: number) {
  const step = regionStep;
  const [rows, columns] = [Math.ceil(windows.rows / step), Math.ceil(windows.columns / step)];
  const logs = new Float64Array(rows * columns);
  const weights = new Float64Array(rows * columns);
  const found = new Float64Array((2 * reach + 1) ** 2);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const [firstRow, endRow] = [Math.max(0, row * step - reach), Math.min(windows.rows, row * step + reach + 1)];
      const [firstColumn, endColumn] = [Math.max(0, column * step - reach), Math.min(windows.columns, column * step + reach + 1)];
      let nFound = 0;
      for (let r = firstRow; r < endRow; r++) {
        for (let c = firstColumn; c < endColumn; c++) {
          const value = windows.logs[r * windows.columns + c]!;
          if (!Number.isNaN(value)) found[nFound++] = value;
        }
      }
      if (nFound < leastTissuePart * (endRow - firstRow) * (endColumn - firstColumn)) continue;
      logs[row * columns + column] = agreedOn(found.subarray(0, nFound));
      weights[row * columns + column] = nFound;
    }
  }
  return weights.some((weight) => weight > 0) ? { rows, columns, logs, weights } : undefined;
}

/** Mean of the shortest interval with `agreeingPart` of the values. */
function agreedOn(values: Float64Array): number {
  values.sort();
  const n = Math.max(1, Math.round(agreeingPart * values.length));
  let first = 0;
  for (let at = 1; at + n <= values.length; at++) {
    if (values[at + n - 1]! - values[at]! < values[first + n - 1]! - values[first]!) first = at;
  }
  let sum = 0;
  for (let at = first; at < first + n; at++) sum += values[at]!;
  return sum / n;
}
