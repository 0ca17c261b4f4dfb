/** Delivered images as numbers, and how far they are from each other. */
import { parseMeta } from 'ismrmrd';
import type { MrdImage } from 'ismrmrd';
import { fitScale, nRmse, scaled } from '../../imaging/index.js';

/** |pixels| in the unit that the sender means; [nChannels, z, y, x] */
export function magnitudes({ header, attributes, data }: MrdImage): Float64Array {
  const slope = attributes === '' ? 1 : Number(parseMeta(attributes).get('RescaleSlope')?.[0] ?? 1);
  const isComplex = header.dataType === 'complex64' || header.dataType === 'complex128';
  return isComplex
    ? Float64Array.from({ length: data.length / 2 }, (_, i) => slope * Math.hypot(data[2 * i]!, data[2 * i + 1]!))
    : Float64Array.from(data, (value) => slope * Math.abs(value));
}

/** nRMSE after one scale fit. */
export function distance(image: ArrayLike<number>, reference: ArrayLike<number>): number {
  return nRmse(scaled(image, fitScale(image, reference)), reference);
}
