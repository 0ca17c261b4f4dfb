/**
 * Where an image is to be judged: outside the body there is nothing but noise, and it would count
 * as error.
 */
import { ImagingError } from './errors.js';
import type { RealArray } from './metrics.js';

/** Pixels below this part of the largest are background, unless something else is said. */
export const backgroundThreshold = 0.05;

/**
 * 1 where |pixel| is above `fraction` of the largest |pixel|, else 0; same length as the image.
 * @throws IMG_ERR_EMPTY_MASK where nothing is left (an image of zeros)
 */
export function thresholdMask(image: RealArray, fraction: number): Uint8Array {
  let largest = 0;
  for (let pixel = 0; pixel < image.length; pixel++) largest = Math.max(largest, Math.abs(image[pixel]!));
  const mask = Uint8Array.from(image, (value) => (Math.abs(value) > fraction * largest ? 1 : 0));
  if (!mask.includes(1)) throw new ImagingError('IMG_ERR_EMPTY_MASK', `nothing above ${fraction} of ${largest}`);
  return mask;
}

/** Largest minus smallest value: the data range of SSIM and PSNR where none is laid down. */
export function valueRange(image: RealArray): number {
  let smallest = Infinity;
  let largest = -Infinity;
  for (let pixel = 0; pixel < image.length; pixel++) {
    smallest = Math.min(smallest, image[pixel]!);
    largest = Math.max(largest, image[pixel]!);
  }
  return largest - smallest;
}
