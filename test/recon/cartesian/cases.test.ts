/**
 * The acquisition variants of the case table, made here with a known truth, played readout by readout. Each is held to the
 * truth without noise, and with noise, where the object is, to 1.15 times the error of a regularised SENSE with the true
 * sensitivities on the same lines; and a fiducial has to lie where it is.
 */
import { describe, expect, it } from 'vitest';
import { fitScale, nRmse } from '../../../imaging/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { base, cases } from './caseTable.js';
import { fiducial, GridScan, magnitudeOf, reconstructGrid } from './gridScan.js';
import { senseReference } from './senseReference.js';

/** The images of slice 0, or of the slab, contrast 0, repetition 0, in one piece. */
function firstImage(images: readonly ReconImage[], scan: GridScan): Float32Array {
  const own = images.filter(({ kind, counters }) => {
    const isOwnSlice = scan.options.matrix[2] > 1 || counters.slice === 0;
    return kind === 'image' && isOwnSlice && counters.contrast === 0 && counters.repetition === 0;
  });
  return Float32Array.from(own.flatMap((image) => [...magnitudeOf(image)]));
}

/** Centre of mass about the fiducial, of what stands out of its surroundings, in pixels of the middle slice. */
function fiducialCentre(image: Float32Array, scan: GridScan): [number, number] {
  const [nColumns, nRows, nSlices] = scan.options.matrix;
  const middle = Math.floor(nSlices / 2) * nRows * nColumns;
  const [column, row] = [nColumns / 2 + (fiducial[0] * nColumns) / 2, nRows / 2 + (fiducial[1] * nRows) / 2];
  const reach = [Math.ceil(0.07 * nColumns), Math.ceil(0.07 * nRows)] as const;
  const values: [number, number, number][] = [];
  for (let r = Math.round(row) - reach[1]; r <= Math.round(row) + reach[1]; r++) {
    for (let c = Math.round(column) - reach[0]; c <= Math.round(column) + reach[0]; c++) values.push([c, r, image[middle + r * nColumns + c]!]);
  }
  const floor = values.map(([, , value]) => value).sort((a, b) => a - b)[values.length >> 2]!;
  const weights = values.map(([, , value]) => Math.max(0, value - floor));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return [0, 1].map((axis) => values.reduce((sum, value, i) => sum + value[axis]! * weights[i]!, 0) / total) as [number, number];
}

describe('acquisition variants', () => {
  it.each(cases)('%s', (_, options, bound) => {
    const quiet = new GridScan({ ...base, ...options });
    const truth = quiet.truth();
    const image = firstImage(reconstructGrid(quiet).images, quiet);
    const error = nRmse(image, truth);
    const [c, r] = fiducialCentre(image, quiet);
    const [trueC, trueR] = fiducialCentre(truth, quiet);

    const noisy = quiet.withNoise(0.03);
    const largest = truth.reduce((most, value) => Math.max(most, value), 0);
    const object = Uint8Array.from(truth, (value) => (value > 0.05 * largest ? 1 : 0));
    const fitted = (values: Float32Array) => {
      const scale = fitScale(values, truth, object);
      return nRmse(values.map((value) => value * scale), truth, object);
    };
    const noisyError = fitted(firstImage(reconstructGrid(noisy).images, noisy));
    const allowed = 1.15 * fitted(senseReference(noisy));
    expect(error).toBeLessThan(bound);
    expect(Math.hypot(c - trueC, r - trueR)).toBeLessThan(0.1);
    expect(noisyError).toBeLessThan(allowed);
  });
});
