/**
 * The acquisition variants by which servers for scanners are judged: the Cartesian integration cases of
 * Gadgetron by their names (its echo-planar ones are in echoPlanar.test.ts), made here with a known truth, played
 * readout by readout. Each is held to the
 * truth without noise, and with noise, where the object is, to 1.15 times the error of a regularised SENSE with the true
 * sensitivities on the same lines; and a fiducial has to lie where it is.
 */
import { describe, expect, it } from 'vitest';
import { fitScale, nRmse } from '../../../imaging/index.js';
import type { ReconImage } from '../../../recon/index.js';
import { fiducial, GridScan, magnitudeOf, reconstructGrid, type GridScanOptions } from './gridScan.js';
import { senseReference } from './senseReference.js';

const base: Partial<GridScanOptions> = { matrix: [48, 64, 1], nCoils: 8, calibrationLines: 24 };
const fov75: Partial<GridScanOptions> = { matrix: [64, 48, 1] };
const strongEcho = { echo: 0.7 };
const weakEcho = { echo: 0.9 };
const spat = { calibration: 'separate', calibrationLines: 64 } as const;
const volume: Partial<GridScanOptions> = { matrix: [12, 26, 14], readoutOversampling: 1, calibrationLines: 18, calibrationPartitions: 12 };
const tpat = (acceleration: number) => ({ acceleration, calibration: 'repetitions', nRepetitions: acceleration + 1 }) as const;

/** Name, options, bound of the error without noise. */
const cases: [string, Partial<GridScanOptions>, number][] = [
  ['simple_gre', {}, 0.02],
  ['simple_gre_3d', { ...volume }, 0.02],
  ['grappa_simple', { acceleration: 2 }, 0.02],
  ['generic_grappa_T2W', { acceleration: 2, phaseResolution: 0.75, phaseOversampling: 1.25, nAverages: 2 }, 0.02],
  ['generic_grappa_tse', { acceleration: 2, nSlices: 3, interleaveSlices: true, nAverages: 2 }, 0.02],
  ['multi-echo', { acceleration: 2, nContrasts: 2 }, 0.02],
  ['reversed readouts', { acceleration: 2, reverseOddLines: true, ...weakEcho }, 0.05],
  ['generic_grappa2x1_3d', { ...volume, acceleration: 2 }, 0.02],
  ['generic_grappa2x2_3d', { ...volume, acceleration: 2, sliceAcceleration: 2 }, 0.05],
  ['snr_R1_PEFOV100_PERes100', {}, 0.02],
  ['snr_R1_PEFOV100_PERes120', { phaseResolution: 1.2 }, 0.02],
  ['snr_R1_PEFOV75_PERes75', { ...fov75, phaseResolution: 0.75 }, 0.02],
  ['snr_R1_PEFOV75_PERes75_PF6_8', { ...fov75, phaseResolution: 0.75, partialFourier: 6 / 8 }, 0.05],
  ['snr_R1_PEFOV75_PERes75_PF6_8_AsymStrong', { ...fov75, phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R1_PEFOV75_PERes75_PF6_8_AsymStrong_InterpON', { matrix: [112, 96, 1], interpolation: 2, phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R1_PF5_8', { partialFourier: 5 / 8 }, 0.05],
  ['snr_R1_PF7_8_AsymWeak', { partialFourier: 7 / 8, ...weakEcho }, 0.05],
  ['snr_R2_ipat_PEFOV75_PERes75_PEOverSampling120', { ...fov75, acceleration: 2, phaseResolution: 0.75, phaseOversampling: 1.2 }, 0.02],
  ['snr_R2_ipat_PEFOV75_PERes75_PF6_8_AsymStrong', { ...fov75, acceleration: 2, calibrationLines: 16, phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R2_spat_PEFOV100_PERes100', { acceleration: 2, ...spat }, 0.02],
  ['snr_R2_spat_PEFOV100_PERes120', { acceleration: 2, ...spat, phaseResolution: 1.2 }, 0.02],
  ['snr_R2_spat_PEFOV75_PERes75', { ...fov75, acceleration: 2, ...spat, phaseResolution: 0.75 }, 0.02],
  ['snr_R2_spat_PEFOV75_PERes75_PF6_8', { ...fov75, acceleration: 2, ...spat, phaseResolution: 0.75, partialFourier: 6 / 8 }, 0.05],
  ['snr_R2_spat_PEFOV75_PERes75_PF6_8_AsymStrong', { ...fov75, acceleration: 2, ...spat, phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R2_spat_PEFOV75_PERes75_PF6_8_AsymStrong_InterpON', { matrix: [112, 96, 1], interpolation: 2, acceleration: 2, ...spat, phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R2_tpat_PEFOV100_PERes100', tpat(2), 0.02],
  ['snr_R2_tpat_PEFOV75_PERes75', { ...fov75, ...tpat(2), phaseResolution: 0.75 }, 0.02],
  ['snr_R2_tpat_PEFOV75_PERes75_PF6_8', { ...fov75, ...tpat(2), phaseResolution: 0.75, partialFourier: 6 / 8 }, 0.05],
  ['snr_R2_tpat_PEFOV75_PERes75_PF6_8_AsymStrong', { ...fov75, ...tpat(2), phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R3_spat_PEFOV100_PERes75_PF6_8_AsymStrong', { acceleration: 3, ...spat, phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['snr_R3_tpat_PEFOV100_PERes120', { ...tpat(3), phaseResolution: 1.2 }, 0.02],
  ['snr_R3_tpat_PEFOV100_PERes75_PF6_8_AsymStrong', { ...tpat(3), phaseResolution: 0.75, partialFourier: 6 / 8, ...strongEcho }, 0.05],
  ['R4 ipat', { acceleration: 4, calibrationLines: 32, nCoils: 12 }, 0.05],
];

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
