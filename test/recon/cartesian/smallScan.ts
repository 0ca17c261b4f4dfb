/**
 * A scan small enough for many tests, its k-space exact: Gaussian blobs seen by coils whose
 * sensitivities are a few plane waves, so that every sample is a sum of shifted Gaussians.
 */
import { flagsOf, type AcquisitionFlagName, type MrdHeader } from 'ismrmrd';
import { parseHeader } from 'ismrmrd';
import type { Readout } from '../../../recon/index.js';

export const nColumns = 40;
export const nLines = 48;
export const nSamples = 2 * nColumns;
export const nCoils = 6;

interface Blob {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly amplitude: number;
}

const blobs: readonly Blob[] = [
  { x: 0, y: 0, width: 0.16, amplitude: 1 },
  { x: -0.18, y: 0.12, width: 0.05, amplitude: 0.8 },
  { x: 0.2, y: -0.22, width: 0.045, amplitude: -0.5 },
  { x: 0.1, y: 0.25, width: 0.06, amplitude: 0.7 },
];

/** Plane-wave amplitudes of one coil at the frequencies -1/2, 0, 1/2 per field of view along x and y. */
function planeWaves(coil: number): { re: number; im: number; kx: number; ky: number }[] {
  const angle = (2 * Math.PI * coil) / nCoils;
  const waves = [];
  for (const kx of [-0.5, 0, 0.5]) {
    for (const ky of [-0.5, 0, 0.5]) {
      const phase = -2 * Math.PI * (kx * 0.5 * Math.cos(angle) + ky * 0.5 * Math.sin(angle)) + 0.3 * coil;
      const weight = 1 / (1 + 3 * (kx * kx + ky * ky));
      waves.push({ re: weight * Math.cos(phase), im: weight * Math.sin(phase), kx, ky });
    }
  }
  return waves;
}

/** One k-space sample of one coil; kx, ky in cycles per field of view. */
function sampleAt(coil: number, kx: number, ky: number, scale: number): [number, number] {
  let re = 0;
  let im = 0;
  for (const wave of planeWaves(coil)) {
    for (const { x, y, width, amplitude } of blobs) {
      const u = kx - wave.kx;
      const v = ky - wave.ky;
      const size = scale * amplitude * width * width * Math.exp(-2 * Math.PI ** 2 * width * width * (u * u + v * v));
      const phase = -2 * Math.PI * (u * x + v * y);
      re += size * (wave.re * Math.cos(phase) - wave.im * Math.sin(phase));
      im += size * (wave.re * Math.sin(phase) + wave.im * Math.cos(phase));
    }
  }
  return [re, im];
}

const cache = new Map<number, Float32Array>();

/** One readout, complex64 [nCoils, nSamples], twofold oversampled; `line` counts from 0, centre nLines / 2. */
export function lineSamples(line: number): Float32Array {
  let samples = cache.get(line);
  if (samples === undefined) {
    samples = new Float32Array(2 * nCoils * nSamples);
    for (let coil = 0; coil < nCoils; coil++) {
      for (let s = 0; s < nSamples; s++) {
        // Half the step along the readout: the field of view is twice as wide.
        const [re, im] = sampleAt(coil, (s - nSamples / 2) / 2, line - nLines / 2, 2000);
        samples[2 * (coil * nSamples + s)] = re;
        samples[2 * (coil * nSamples + s) + 1] = im;
      }
    }
    cache.set(line, samples);
  }
  return samples;
}

export interface SmallHeaderOptions {
  readonly acceleration?: number;
  readonly calibrationMode?: string;
  readonly averages?: number;
  readonly slices?: number;
  readonly repetitions?: number;
  readonly lastLine?: number;
}

export function smallHeader(options: SmallHeaderOptions = {}): MrdHeader {
  const { acceleration = 1, calibrationMode = 'embedded', averages = 1, slices = 1, repetitions = 1, lastLine = nLines - 1 } = options;
  const limit = (name: string, maximum: number, center = 0) =>
    `<${name}><minimum>0</minimum><maximum>${maximum}</maximum><center>${center}</center></${name}>`;
  const space = (name: string, x: number, fovX: number) =>
    `<${name}><matrixSize><x>${x}</x><y>${nLines}</y><z>1</z></matrixSize><fieldOfView_mm><x>${fovX}</x><y>240</y><z>4</z></fieldOfView_mm></${name}>`;
  return parseHeader(
    `<ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD"><acquisitionSystemInformation><receiverChannels>${nCoils}</receiverChannels><relativeReceiverNoiseBandwidth>1</relativeReceiverNoiseBandwidth></acquisitionSystemInformation>` +
      `<experimentalConditions><H1resonanceFrequency_Hz>123000000</H1resonanceFrequency_Hz></experimentalConditions>` +
      `<encoding>${space('encodedSpace', nSamples, 400)}${space('reconSpace', nColumns, 200)}<encodingLimits>` +
      limit('kspace_encoding_step_1', lastLine, nLines / 2) + limit('average', averages - 1) + limit('slice', slices - 1) + limit('repetition', repetitions - 1) +
      `</encodingLimits><trajectory>cartesian</trajectory>` +
      `<parallelImaging><accelerationFactor><kspace_encoding_step_1>${acceleration}</kspace_encoding_step_1><kspace_encoding_step_2>1</kspace_encoding_step_2></accelerationFactor><calibrationMode>${calibrationMode}</calibrationMode></parallelImaging>` +
      `</encoding></ismrmrdHeader>`,
  );
}

export interface ReadoutOptions {
  readonly line?: number;
  readonly slice?: number;
  readonly average?: number;
  readonly repetition?: number;
  readonly flags?: readonly AcquisitionFlagName[];
  readonly nChannels?: number;
}

export function readoutOf({ line = 0, slice = 0, average = 0, repetition = 0, flags = [], nChannels = nCoils }: ReadoutOptions): Readout {
  return {
    flags: flagsOf(...flags),
    measurementUid: 1,
    acquisitionTimeStamp: 1000 + line,
    physiologyTimeStamp: [0, 0, 0],
    nSamples,
    nChannels,
    discardPre: 0,
    discardPost: 0,
    centerSample: nSamples / 2,
    encodingSpaceRef: 0,
    sampleTimeUs: 5,
    position: [1, 2, 3 + slice],
    readDir: [1, 0, 0],
    phaseDir: [0, 1, 0],
    sliceDir: [0, 0, 1],
    patientTablePosition: [0, 0, 0],
    idx: {
      kspaceEncodeStep1: line, kspaceEncodeStep2: 0, average, slice, contrast: 0, phase: 0, repetition, set: 0,
      segment: 0, user: [0, 0, 0, 0, 0, 0, 0, 0],
    },
  };
}

export interface SampledLine {
  readonly line: number;
  readonly flags: readonly AcquisitionFlagName[];
}

/** Lines of an accelerated scan in linear order, as scanners send them: calibration lines about the centre. */
export function acceleratedLines(acceleration: number, nCalibrationLines: number, offset = 0): SampledLine[] {
  const first = nLines / 2 - nCalibrationLines / 2;
  const lines: SampledLine[] = [];
  for (let line = 0; line < nLines; line++) {
    const regular = line % acceleration === offset;
    const calibrates = line >= first && line < first + nCalibrationLines;
    if (!regular && !calibrates) continue;
    lines.push({ line, flags: !calibrates ? [] : regular ? ['parallelCalibrationAndImaging'] : ['parallelCalibration'] });
  }
  return lines;
}
