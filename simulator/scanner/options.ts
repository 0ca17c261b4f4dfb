/** What can be set on the simulated scanner, and what holds where nothing is set. */
import type { Vector3 } from '../../imaging/index.js';
import { simulatorError } from '../errors.js';
import type { Point } from '../phantom/shapes.js';

export interface ScanOptions {
  /** Config name sent as CONFIG_FILE. */
  readonly config: string;
  /** Sent as a TEXT message after the header, as FIRE clients do; none where undefined. */
  readonly parameters: Readonly<Record<string, unknown>> | undefined;
  /** [columns, rows]: readout, phase encoding */
  readonly matrix: Point;
  readonly fovMm: Point;
  readonly nSlices: number;
  readonly sliceThicknessMm: number;
  /** Between the centres of neighbouring slices. */
  readonly sliceSpacingMm: number;
  /** Centre of the stack, LPS. */
  readonly centreMm: Vector3;
  /** Orthonormal, LPS: read, phase, slice. All zero, as generators do, hides the geometry. */
  readonly readDirection: Vector3;
  readonly phaseDirection: Vector3;
  readonly sliceDirection: Vector3;
  readonly nCoils: number;
  readonly readoutOversampling: 1 | 2;
  /** R along the phase encoding; line y is acquired where (y - floor(rows / 2)) is a multiple of R. */
  readonly acceleration: number;
  readonly calibration: 'embedded' | 'separate' | 'none';
  /** Without effect where calibration is none or R is 1. */
  readonly calibrationLines: number;
  readonly nAverages: number;
  /** True: line by line through all slices, as a TSE does. False: slice after slice. */
  readonly interleaveSlices: boolean;
  /** Every other readout is acquired backwards. */
  readonly reverseOddLines: boolean;
  /** Samples that an asymmetric echo leaves out at the start of the forward readout. */
  readonly missingSamples: number;
  /**
   * Standard deviation of the real (and of the imaginary) part of a sample, mean over the channels.
   * The image of one coil after an orthonormal transform has the same; the phantom's fluid is 1 times
   * the coil's sensitivity. 0: no noise and no noise scan.
   */
  readonly noiseStd: number;
  /** Between neighbouring channels, 0 to below 1. */
  readonly noiseCorrelation: number;
  /** Samples of the noise scan, at least; 0: no noise scan. */
  readonly noiseScanSamples: number;
  readonly imagingDwellTimeUs: number;
  readonly noiseDwellTimeUs: number;
  readonly relativeReceiverNoiseBandwidth: number;
  /** 0 to 2^32 - 1; equal options with equal seeds give equal streams. */
  readonly seed: number;
}

/** Sagittal: columns run to posterior, rows to the feet. */
export const defaultScanOptions: ScanOptions = {
  config: 'default',
  parameters: undefined,
  matrix: [320, 320],
  fovMm: [300, 300],
  nSlices: 1,
  sliceThicknessMm: 4,
  sliceSpacingMm: 4.4,
  centreMm: [0, 0, 0],
  readDirection: [0, 1, 0],
  phaseDirection: [0, 0, -1],
  sliceDirection: [-1, 0, 0],
  nCoils: 16,
  readoutOversampling: 2,
  acceleration: 1,
  calibration: 'embedded',
  calibrationLines: 24,
  nAverages: 1,
  interleaveSlices: false,
  reverseOddLines: false,
  missingSamples: 0,
  noiseStd: 0.02,
  noiseCorrelation: 0.3,
  noiseScanSamples: 10_240,
  imagingDwellTimeUs: 7.8,
  noiseDwellTimeUs: 5,
  relativeReceiverNoiseBandwidth: 0.793,
  seed: 1,
};

/** @throws SIM_ERR_OPTION, naming the option */
export function checkScanOptions(options: ScanOptions): void {
  const wholeNumbers: readonly [name: string, value: number, smallest: number, largest: number][] = [
    ['matrix columns', options.matrix[0], 2, 2048],
    ['matrix rows', options.matrix[1], 2, 2048],
    ['nSlices', options.nSlices, 1, 1024],
    ['nCoils', options.nCoils, 1, 256],
    ['readoutOversampling', options.readoutOversampling, 1, 2],
    ['acceleration', options.acceleration, 1, options.matrix[1]],
    ['calibrationLines', options.calibrationLines, 0, options.matrix[1]],
    ['nAverages', options.nAverages, 1, 1024],
    ['missingSamples', options.missingSamples, 0, options.matrix[0] - 1],
    ['noiseScanSamples', options.noiseScanSamples, 0, 2 ** 24],
    ['seed', options.seed, 0, 2 ** 32 - 1],
  ];
  for (const [name, value, smallest, largest] of wholeNumbers) {
    if (!Number.isInteger(value) || value < smallest || value > largest) {
      throw simulatorError('SIM_ERR_OPTION', `${name} = ${value}; whole numbers from ${smallest} to ${largest} are allowed`);
    }
  }
  const positive: readonly [name: string, value: number][] = [
    ['fovMm along the readout', options.fovMm[0]],
    ['fovMm along the phase encoding', options.fovMm[1]],
    ['sliceThicknessMm', options.sliceThicknessMm],
    ['imagingDwellTimeUs', options.imagingDwellTimeUs],
    ['noiseDwellTimeUs', options.noiseDwellTimeUs],
    ['relativeReceiverNoiseBandwidth', options.relativeReceiverNoiseBandwidth],
  ];
  for (const [name, value] of positive) {
    if (!(value > 0 && Number.isFinite(value))) throw simulatorError('SIM_ERR_OPTION', `${name} = ${value}; it must be above 0`);
  }
  if (!(options.noiseStd >= 0 && Number.isFinite(options.noiseStd))) {
    throw simulatorError('SIM_ERR_OPTION', `noiseStd = ${options.noiseStd}; it must be 0 or above`);
  }
  if (!(options.noiseCorrelation >= 0 && options.noiseCorrelation < 1)) {
    throw simulatorError('SIM_ERR_OPTION', `noiseCorrelation = ${options.noiseCorrelation}; it must be from 0 to below 1`);
  }
}
