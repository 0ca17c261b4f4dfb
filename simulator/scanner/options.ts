/** What can be set on the simulated scanner, and what holds where nothing is set. */
import type { Vector3 } from '../../imaging/index.js';
import { checkWholeNumbers } from '../checks.js';
import { simulatorError } from '../errors.js';
import type { Point } from '../phantom/shapes.js';

/** A train of readouts to and fro: every other one backwards, with an error of phase between the two. */
export interface EpiOptions {
  /** By which the readouts that run backwards are turned against the others. */
  readonly phaseErrorRad: number;
  /** By which the echo of the backward readouts is off the centre of k-space, in samples; a linear phase in the image. */
  readonly delaySamples: number;
  /** Readouts without phase encoding, to and fro, before each train. */
  readonly phaseCorrectionReadouts: number;
}

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
  /** Field of view beyond the image along the phase encoding, over the image's. */
  readonly phaseOversampling: number;
  /** Lines over rows; below 1 the image is zero-filled along the phase encoding. */
  readonly phaseResolution: number;
  /** Share of k-space that is acquired along the phase encoding, above a half; the rest is left out on one side. */
  readonly partialFourier: number;
  readonly partialFourierSide: 'start' | 'end';
  /** Pixels of the reconstructed image over those of the matrix. */
  readonly interpolation: 1 | 2;
  /** R along the phase encoding; line y is acquired where (y - floor(lines / 2)) is a multiple of R. */
  readonly acceleration: number;
  /** Interleaved: each average or repetition has its lattice shifted by a line, so that R of them fill k-space. */
  readonly calibration: 'embedded' | 'separate' | 'interleaved' | 'none';
  readonly interleavingDimension: 'average' | 'repetition';
  /** Without effect where calibration is none or interleaved, or R is 1. */
  readonly calibrationLines: number;
  /** When the lines of a separate calibration come: before their slice, before all slices, or among the imaging lines. */
  readonly referenceScan: 'beforeSlice' | 'beforeScan' | 'amongLines';
  /** Echo time of a separate calibration scan; undefined: that of the first contrast. */
  readonly referenceEchoTimeMs: number | undefined;
  /**
   * The imaging lines of each slice in the order of acquisition, for any sampling; the k-space centre
   * is line floor(lines / 2). A slice beyond the list begins it anew. Undefined: the lattice of R.
   */
  readonly lines: readonly (readonly number[])[] | undefined;
  /** 3D: above 1 a single slab of so many partitions, each a slice thickness thick. */
  readonly nPartitions: number;
  readonly partitionAcceleration: number;
  readonly partitionOversampling: number;
  readonly partitionPartialFourier: number;
  readonly calibrationPartitions: number;
  readonly nAverages: number;
  readonly nRepetitions: number;
  readonly nSets: number;
  /** One contrast an echo time. The phantom's intensities are those at 100 ms: I(TE) = I^(TE / 100 ms). */
  readonly echoTimesMs: readonly number[];
  readonly sliceOrder: 'ascending' | 'interleaved';
  /** True: line by line through all slices, as a TSE does. False: slice after slice. */
  readonly interleaveSlices: boolean;
  /** Every other readout is acquired backwards. */
  readonly reverseOddLines: boolean;
  readonly epi: EpiOptions | undefined;
  /** Readouts before each slice whose signal is not yet steady: one and a half times the central line. */
  readonly dummyReadouts: number;
  /** Readouts of the central line before each average of a slice. */
  readonly navigatorReadouts: number;
  /** Central lines that are acquired with the array (set 0) and with the body coil's two channels (set 1). */
  readonly surfaceCoilLines: number;
  /** Channels that receive noise only. */
  readonly brokenCoils: readonly number[];
  /** Siemens' counters: the centre line in idx.user[5], the centre partition in idx.user[6]. */
  readonly centreInUserCounters: boolean;
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
  phaseOversampling: 0,
  phaseResolution: 1,
  partialFourier: 1,
  partialFourierSide: 'start',
  interpolation: 1,
  acceleration: 1,
  calibration: 'embedded',
  interleavingDimension: 'average',
  calibrationLines: 24,
  referenceScan: 'beforeSlice',
  referenceEchoTimeMs: undefined,
  lines: undefined,
  nPartitions: 1,
  partitionAcceleration: 1,
  partitionOversampling: 0,
  partitionPartialFourier: 1,
  calibrationPartitions: 24,
  nAverages: 1,
  nRepetitions: 1,
  nSets: 1,
  echoTimesMs: [100],
  sliceOrder: 'ascending',
  interleaveSlices: false,
  reverseOddLines: false,
  epi: undefined,
  dummyReadouts: 0,
  navigatorReadouts: 0,
  surfaceCoilLines: 0,
  brokenCoils: [],
  centreInUserCounters: false,
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
  checkWholeNumbers([
    ['matrix columns', options.matrix[0], 2, 2048],
    ['matrix rows', options.matrix[1], 2, 2048],
    ['nSlices', options.nSlices, 1, 1024],
    ['nCoils', options.nCoils, 1, 256],
    ['readoutOversampling', options.readoutOversampling, 1, 2],
    ['acceleration', options.acceleration, 1, options.matrix[1]],
    ['calibrationLines', options.calibrationLines, 0, options.matrix[1]],
    ['nPartitions', options.nPartitions, 1, 512],
    ['partitionAcceleration', options.partitionAcceleration, 1, options.nPartitions],
    ['calibrationPartitions', options.calibrationPartitions, 1, 512],
    ['interpolation', options.interpolation, 1, 2],
    ['nAverages', options.nAverages, 1, 1024],
    ['nRepetitions', options.nRepetitions, 1, 1024],
    ['nSets', options.nSets, 1, 1024],
    ['dummyReadouts', options.dummyReadouts, 0, 1024],
    ['navigatorReadouts', options.navigatorReadouts, 0, 1024],
    ['surfaceCoilLines', options.surfaceCoilLines, 0, options.matrix[1]],
    ['phaseCorrectionReadouts', options.epi?.phaseCorrectionReadouts ?? 0, 0, 1024],
    ...options.brokenCoils.map((coil) => ['brokenCoils', coil, 0, options.nCoils - 1] as const),
    ['missingSamples', options.missingSamples, 0, options.matrix[0] - 1],
    ['noiseScanSamples', options.noiseScanSamples, 0, 2 ** 24],
    ['seed', options.seed, 0, 2 ** 32 - 1],
  ]);
  const shares: readonly [name: string, value: number, smallest: number, largest: number][] = [
    ['phaseOversampling', options.phaseOversampling, 0, 2],
    ['phaseResolution', options.phaseResolution, 0.25, 2],
    ['partialFourier', options.partialFourier, 0.5, 1],
    ['partitionOversampling', options.partitionOversampling, 0, 2],
    ['partitionPartialFourier', options.partitionPartialFourier, 0.5, 1],
  ];
  for (const [name, value, smallest, largest] of shares) {
    if (!(value >= smallest && value <= largest)) {
      throw simulatorError('SIM_ERR_OPTION', `${name} = ${value}; values from ${smallest} to ${largest} are allowed`);
    }
  }
  if (options.nPartitions > 1 && options.nSlices > 1) {
    throw simulatorError('SIM_ERR_OPTION', `nSlices = ${options.nSlices} with ${options.nPartitions} partitions; a 3D scan is one slab`);
  }
  if (options.echoTimesMs.length === 0 || options.lines?.length === 0) {
    throw simulatorError('SIM_ERR_OPTION', 'echoTimesMs or lines is an empty list');
  }
  const positive: readonly (readonly [name: string, value: number])[] = [
    ['fovMm along the readout', options.fovMm[0]],
    ['fovMm along the phase encoding', options.fovMm[1]],
    ['sliceThicknessMm', options.sliceThicknessMm],
    ...options.echoTimesMs.map((value) => ['echoTimesMs', value] as const),
    ['referenceEchoTimeMs', options.referenceEchoTimeMs ?? 1],
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
