/**
 * The correction where no reference scan tells it: homomorphic unsharp masking. Shading varies slowly over the body, anatomy
 * does so but little; so the smooth part of the logarithm of the image is taken for the shading,
 *
 *   ln |image| = ln |rho| + ln |S|,   field = -smooth(ln |image|) + mean
 *
 * of tissue only: pixels of the background would darken the rim of the body. What of the anatomy is as smooth is taken out
 * with it: such images are for reading, not for comparing signals across the body.
 *
 * Brinkmann BH, Manduca A, Robb RA. Optimized homomorphic unsharp masking for MR grayscale inhomogeneity correction.
 * IEEE Trans Med Imaging 1998;17:161-171. doi:10.1109/42.700729
 */
import { gridOf, smoothField, weightedMean, type FieldGrid } from './field.js';

/** Shorter waves are anatomy's: the trunk's parts are some centimetres wide. */
const shortestWaveMm = 150;
const spacingMm = 10;
/** Pixels below this part of the root mean square are background. */
const backgroundPart = 0.15;

/**
 * @param image complex64 interleaved [nRows, nColumns]
 * @param fieldMm its field of view, [along the columns, along the rows]: of nRows and of nColumns pixels
 */
export function estimateField(
  image: Float32Array, [nRows, nColumns]: readonly [number, number], fieldMm: readonly [number, number],
): { field: Float64Array; grid: FieldGrid } {
  const grid = gridOf(fieldMm, spacingMm);
  const { rows, columns } = grid;
  const nPixels = nRows * nColumns;
  let energy = 0;
  for (let i = 0; i < 2 * nPixels; i++) energy += image[i]! ** 2;
  const threshold = backgroundPart * Math.sqrt(energy / nPixels);
  const sums = new Float64Array(rows * columns);
  const nTissue = new Float64Array(rows * columns);
  const nAll = new Float64Array(rows * columns);
  // As gridOf's points lie: the middle ones in the middle.
  const pointOf = (i: number, n: number, nPoints: number) =>
    Math.min(nPoints - 1, Math.round(nPoints / 2 + ((i - Math.floor(n / 2)) * nPoints) / n));
  for (let r = 0; r < nRows; r++) {
    for (let c = 0; c < nColumns; c++) {
      const at = 2 * (r * nColumns + c);
      const point = pointOf(r, nRows, rows) * columns + pointOf(c, nColumns, columns);
      const magnitude = Math.hypot(image[at]!, image[at + 1]!);
      nAll[point] = nAll[point]! + 1;
      if (magnitude <= threshold) continue;
      nTissue[point] = nTissue[point]! + 1;
      sums[point] = sums[point]! + magnitude;
    }
  }
  const weights = nTissue.map((n, p) => n / Math.max(1, nAll[p]!));
  const logMeans = sums.map((sum, p) => (nTissue[p]! > 0 ? Math.log(sum / nTissue[p]!) : 0));
  const smooth = smoothField(logMeans, weights, grid, shortestWaveMm);
  const mean = weightedMean(smooth, weights);
  return { field: smooth.map((value) => mean - value), grid };
}
