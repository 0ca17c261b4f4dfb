/**
 * The acquisition variants by which servers for scanners are judged: the Cartesian integration cases of
 * Gadgetron by their names (its echo-planar ones are in echoPlanar.test.ts).
 */
import type { GridScanOptions } from './gridScan.js';

export const base: Partial<GridScanOptions> = { matrix: [48, 64, 1], nCoils: 8, calibrationLines: 24 };
const fov75: Partial<GridScanOptions> = { matrix: [64, 48, 1] };
const strongEcho = { echo: 0.7 };
const weakEcho = { echo: 0.9 };
const spat = { calibration: 'separate', calibrationLines: 64 } as const;
const volume: Partial<GridScanOptions> = { matrix: [12, 26, 14], readoutOversampling: 1, calibrationLines: 18, calibrationPartitions: 12 };
const tpat = (acceleration: number) => ({ acceleration, calibration: 'repetitions', nRepetitions: acceleration + 1 }) as const;

/** Name, options, bound of the error without noise. */
export const cases: [string, Partial<GridScanOptions>, number][] = [
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
