/**
 * What a series leaves of the signal-to-noise ratio, for the same signal and without the g-factor:
 *
 *   SNR ~ dx dy dz sqrt(lines * averages * T_readout),     dy = encoded field of view / N,  T_readout = echo fraction / bandwidth
 *
 * with the lines that are acquired and the N lines of full k-space. Zero-filling changes nothing. Only ratios of
 * two series mean anything; R-fold acceleration divides by sqrt(R) here, and by g in the image.
 *
 * Source: Macovski 1996, Noise in MRI, doi 10.1002/mrm.1910360327 (voxel volume and acquisition time); Pruessmann
 * et al. 1999, doi 10.1002/(SICI)1522-2594(199911)42:5<952::AID-MRM16>3.0.CO;2-S (R and g).
 */
import { acquiredLines } from './encoding.js';
import type { Series } from './schema.js';

type Measured = Pick<Series, 'geometry' | 'sequence' | 'acceleration' | 'partialFourier' | 'echoFraction' | 'averages'>;

/** mm³ √ms. @throws PROTOCOL_ERR_LINES */
export function snrWeight(series: Measured): number {
  const { fovMm, matrix, slices } = series.geometry;
  const { lines, nLines, encodedFovMm } = acquiredLines(series);
  const voxelMm3 = (fovMm.readout / matrix.readout) * (encodedFovMm[1] / nLines) * slices.thicknessMm;
  const readoutMs = (1000 * series.echoFraction) / series.sequence.bandwidthHzPerPixel;
  return voxelMm3 * Math.sqrt(lines.length * series.averages * readoutMs);
}
