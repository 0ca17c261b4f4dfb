/**
 * How far an image x lies from a reference y: real images, any number type, [rows, columns].
 *
 *   scale    s = Σ x y / Σ x²                                   (least squares of |s x - y|)
 *   nRMSE      = sqrt(Σ (x - y)² / Σ y²)
 *   PSNR       = 10 log10(range² / mean((x - y)²))               dB
 *   SSIM(p)    = (2 µx µy + C1)(2 σxy + C2) / ((µx² + µy² + C1)(σx² + σy² + C2))
 *
 * SSIM: Wang 2004, doi 10.1109/TIP.2003.819861, with a uniform window of 7x7, sample (N - 1)
 * variances and K1 = 0.01, K2 = 0.03, which are the defaults of scikit-image's
 * structural_similarity: the mean goes over the pixels whose whole window lies inside the image.
 *
 * None of them fits a scale by itself: call fitScale first where the units differ, and say so.
 */
import { ImagingError } from './errors.js';

export type RealArray = ArrayLike<number>;

/** True or not zero where a pixel counts, [rows, columns] like the images. */
export type Mask = ArrayLike<number | boolean>;

export interface SsimOptions {
  readonly rows: number;
  readonly columns: number;
  /** Distance between the smallest and the largest possible value, in the reference's units. */
  readonly dataRange: number;
  /** Window edge in pixels, odd; 7 unless given. */
  readonly windowSize?: number;
  /** The mean goes over the pixels of the mask whose whole window lies inside the image. */
  readonly mask?: Mask;
}

/**
 * The factor s that brings `image` closest to `reference` (least squares); 0 for an image that is
 * zero everywhere.
 * @throws IMG_ERR_SHAPE, IMG_ERR_EMPTY_MASK
 */
export function fitScale(image: RealArray, reference: RealArray, mask?: Mask): number {
  let cross = 0;
  let energy = 0;
  forEachPixel(image, reference, mask, (x, y) => {
    cross += x * y;
    energy += x * x;
  });
  return energy === 0 ? 0 : cross / energy;
}

/** `image` times `factor`, as float64. */
export function scaled(image: RealArray, factor: number): Float64Array {
  return Float64Array.from(image, (value) => value * factor);
}

/**
 * Root of the summed squared error over the root of the reference's energy; 0 means equal.
 * @throws IMG_ERR_SHAPE, IMG_ERR_EMPTY_MASK, IMG_ERR_ZERO_REFERENCE
 */
export function nRmse(image: RealArray, reference: RealArray, mask?: Mask): number {
  let error = 0;
  let energy = 0;
  forEachPixel(image, reference, mask, (x, y) => {
    error += (x - y) ** 2;
    energy += y * y;
  });
  if (energy === 0) throw new ImagingError('IMG_ERR_ZERO_REFERENCE', 'a reference without energy');
  return Math.sqrt(error / energy);
}

/**
 * Peak signal-to-noise ratio in dB; Infinity for equal images.
 * @throws IMG_ERR_SHAPE, IMG_ERR_EMPTY_MASK, IMG_ERR_DATA_RANGE
 */
export function psnr(image: RealArray, reference: RealArray, dataRange: number, mask?: Mask): number {
  checkDataRange(dataRange);
  let error = 0;
  let count = 0;
  forEachPixel(image, reference, mask, (x, y) => {
    error += (x - y) ** 2;
    count += 1;
  });
  return 10 * Math.log10((dataRange * dataRange * count) / error);
}

/**
 * Mean structural similarity; 1 means equal.
 * @throws IMG_ERR_SHAPE, IMG_ERR_WINDOW, IMG_ERR_DATA_RANGE, IMG_ERR_EMPTY_MASK
 */
export function ssim(image: RealArray, reference: RealArray, options: SsimOptions): number {
  const { rows, columns, mask } = options;
  const map = ssimMap(image, reference, options);
  const margin = ((options.windowSize ?? defaultWindowSize) - 1) / 2;
  let sum = 0;
  let count = 0;
  for (let row = margin; row < rows - margin; row++) {
    for (let column = margin; column < columns - margin; column++) {
      const pixel = row * columns + column;
      if (mask !== undefined && !mask[pixel]) continue;
      sum += map[pixel]!;
      count += 1;
    }
  }
  if (count === 0) throw new ImagingError('IMG_ERR_EMPTY_MASK', 'a mask without a pixel whose window fits');
  return sum / count;
}

/**
 * Structural similarity at every pixel whose window lies inside the image, float64
 * [rows, columns]; NaN in the margin of half a window, where it is not defined.
 * @throws IMG_ERR_SHAPE, IMG_ERR_WINDOW, IMG_ERR_DATA_RANGE
 */
export function ssimMap(image: RealArray, reference: RealArray, options: SsimOptions): Float64Array {
  const { rows, columns, dataRange } = options;
  const windowSize = options.windowSize ?? defaultWindowSize;
  if (image.length !== rows * columns) {
    throw new ImagingError('IMG_ERR_SHAPE', `${image.length} pixels for ${rows} rows x ${columns} columns`);
  }
  checkSameLength(image, reference, options.mask);
  checkDataRange(dataRange);
  if (!Number.isInteger(windowSize) || windowSize < 3 || windowSize % 2 === 0 || windowSize > Math.min(rows, columns)) {
    throw new ImagingError('IMG_ERR_WINDOW', `a window of ${windowSize} on ${rows} x ${columns}`);
  }

  const nWindow = windowSize * windowSize;
  const sampleFactor = nWindow / (nWindow - 1);
  const c1 = (0.01 * dataRange) ** 2;
  const c2 = (0.03 * dataRange) ** 2;
  const mean = (value: (pixel: number) => number) => windowMeans(value, rows, columns, windowSize);
  const meanX = mean((p) => image[p]!);
  const meanY = mean((p) => reference[p]!);
  const meanXx = mean((p) => image[p]! ** 2);
  const meanYy = mean((p) => reference[p]! ** 2);
  const meanXy = mean((p) => image[p]! * reference[p]!);

  return meanX.map((mx, p) => {
    const my = meanY[p]!;
    const varianceX = sampleFactor * (meanXx[p]! - mx * mx);
    const varianceY = sampleFactor * (meanYy[p]! - my * my);
    const covariance = sampleFactor * (meanXy[p]! - mx * my);
    const luminance = (2 * mx * my + c1) / (mx * mx + my * my + c1);
    return luminance * ((2 * covariance + c2) / (varianceX + varianceY + c2));
  });
}

const defaultWindowSize = 7;

/** Mean over a square window about every pixel, NaN where the window leaves the image. */
function windowMeans(
  value: (pixel: number) => number,
  rows: number,
  columns: number,
  windowSize: number,
): Float64Array {
  const half = (windowSize - 1) / 2;
  const alongRows = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = half; column < columns - half; column++) {
      const pixel = row * columns + column;
      let sum = 0;
      for (let offset = -half; offset <= half; offset++) sum += value(pixel + offset);
      alongRows[pixel] = sum;
    }
  }
  const means = new Float64Array(rows * columns).fill(NaN);
  for (let row = half; row < rows - half; row++) {
    for (let column = half; column < columns - half; column++) {
      const pixel = row * columns + column;
      let sum = 0;
      for (let offset = -half; offset <= half; offset++) sum += alongRows[pixel + offset * columns]!;
      means[pixel] = sum / (windowSize * windowSize);
    }
  }
  return means;
}

/** Calls `visit` for every pixel of the mask. */
function forEachPixel(
  image: RealArray,
  reference: RealArray,
  mask: Mask | undefined,
  visit: (x: number, y: number) => void,
): void {
  checkSameLength(image, reference, mask);
  let visited = 0;
  for (let pixel = 0; pixel < image.length; pixel++) {
    if (mask !== undefined && !mask[pixel]) continue;
    visit(image[pixel]!, reference[pixel]!);
    visited += 1;
  }
  if (visited === 0) throw new ImagingError('IMG_ERR_EMPTY_MASK', `no pixel of ${image.length}`);
}

function checkSameLength(image: RealArray, reference: RealArray, mask: Mask | undefined): void {
  if (image.length !== reference.length || (mask !== undefined && mask.length !== image.length)) {
    const maskPixels = mask === undefined ? '' : ` and a mask of ${mask.length}`;
    throw new ImagingError('IMG_ERR_SHAPE', `${image.length} pixels against ${reference.length}${maskPixels}`);
  }
}

function checkDataRange(dataRange: number): void {
  if (!(dataRange > 0 && Number.isFinite(dataRange))) {
    throw new ImagingError('IMG_ERR_DATA_RANGE', `${dataRange}`);
  }
}
