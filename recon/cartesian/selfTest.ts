/**
 * A scan with a known answer, reconstructed before the first patient's: it finds a machine on which
 * the kernels compute nonsense, and it has the machine code compiled when the first scan comes.
 *
 * Two Gaussians g(r) seen by coils 1 + exp(2 pi i u_c r) / 2 have the k-space G(k) + G(k - u_c) / 2;
 * accelerated twofold and fully sampled they have to give the same image, its peak at the first one. And where a denoiser
 * takes a tenth out of an image, three quarters of that are gone at 75 %. A little noise is in all, because images without any are not denoised.
 */
import { flagsOf } from 'ismrmrd';
import type { DenoiseRunner } from '../denoise/index.js';
import { reconError } from '../errors.js';
import { Arena, bindKernels, createSessionMemory } from '../kernels/index.js';
import { repeatableNoise } from '../repeatableNoise.js';
import { defaultReconParameters, type ReconImage } from '../types.js';
import { runCalibration } from './calibration.js';
import type { CartesianPlan } from './plan.js';
import type { Readout } from './readout.js';
import { CartesianReconstruction } from './reconstruction.js';

const matrix = 128;
const nSamples = 2 * matrix;
const nCoils = 8;
const nCalibrationLines = 24;
const memoryBytes = 128 * 2 ** 20;
/** Half the width of its even distribution; the peak is a thousandfold. */
const noiseHalfWidth = 0.001;
const blobs = [
  { x: -0.125, y: 0.25, width: 0.06, amplitude: 1 },
  { x: 0.2, y: -0.15, width: 0.08, amplitude: 0.5 },
];

/** @throws CodedError RECON_ERR_SELF_TEST */
export function selfTest(): void {
  const full = reconstruct(1).image;
  const { image: accelerated, denoised } = reconstruct(2, strengthPercent);
  let difference = 0;
  let power = 0;
  let peak = 0;
  let change = 0;
  for (let p = 0; p < full.length; p++) {
    difference += (accelerated[p]! - full[p]!) ** 2;
    power += full[p]! ** 2;
    change += (denoised[p]! - (1 - (takenOut * strengthPercent) / 100) * accelerated[p]!) ** 2;
    if (full[p]! > full[peak]!) peak = p;
  }
  const error = Math.sqrt(difference / power);
  const expectedPeak = (matrix / 2 + blobs[0]!.y * matrix) * matrix + matrix / 2 + blobs[0]!.x * matrix;
  if (!(Math.sqrt(change / power) < 1e-4)) throw reconError('RECON_ERR_SELF_TEST', `an error of ${Math.sqrt(change / power)} in a denoised image`);
  if (!(error < 0.02) || peak !== expectedPeak) {
    throw reconError('RECON_ERR_SELF_TEST', `an error of ${error} and a peak at pixel ${peak}, not ${expectedPeak}`);
  }
}

const takenOut = 0.1;
const strengthPercent = 75;
const takesATenthOut: DenoiseRunner = ({ images }, done) => done({ images: images.map(({ data }) => data.map((value) => (1 - takenOut) * value)), model: { id: 'tenth', version: '', sha256: '' }, ms: 0 });

/** Magnitudes. */
function reconstruct(acceleration: number, denoise = 0): { image: Float32Array; denoised: Float32Array } {
  const memory = createSessionMemory(memoryBytes);
  const arena = new Arena(memory, { startByte: 64, limitBytes: memoryBytes });
  const images: ReconImage[] = [];
  const plan = planOf(acceleration, denoise);
  const reconstruction = new CartesianReconstruction(
    plan,
    bindKernels(memory, arena),
    { image: (image) => images.push(image), notice: () => undefined },
    (job, done) => done(runCalibration(memory, job)),
    undefined,
    takesATenthOut,
  );
  const noise = repeatableNoise();
  const samples = arena.allocate(8 * nCoils * nSamples);
  for (let line = 0; line < matrix; line++) {
    const isRegular = line % acceleration === 0;
    const calibrates = acceleration > 1 && Math.abs(line + 0.5 - matrix / 2) < nCalibrationLines / 2;
    if (!isRegular && !calibrates) continue;
    fillSamples(arena.f32(samples, 2 * nCoils * nSamples), line, noise);
    const flag = isRegular ? 'parallelCalibrationAndImaging' : 'parallelCalibration';
    reconstruction.push(readoutOf(line, calibrates ? flagsOf(flag) : 0n), samples);
  }
  const magnitudeOf = (wanted: ReconImage['kind']) => {
    const data = images.find(({ kind }) => kind === wanted)?.data;
    if (data === undefined) throw reconError('RECON_ERR_SELF_TEST', `no ${wanted}`);
    return Float32Array.from({ length: matrix * matrix }, (_, p) => Math.hypot(data[2 * p]!, data[2 * p + 1]!));
  };
  return { image: magnitudeOf('image'), denoised: denoise > 0 ? magnitudeOf('denoised') : new Float32Array() };
}

function fillSamples(samples: Float32Array, line: number, noise: () => number): void {
  for (let coil = 0; coil < nCoils; coil++) {
    const angle = (2 * Math.PI * coil) / nCoils;
    for (let s = 0; s < nSamples; s++) {
      // Cycles a field of view; twofold oversampling halves the step along the readout.
      const kx = (s - nSamples / 2) / 2;
      const ky = line - matrix / 2;
      const [re, im] = gaussians(kx, ky);
      const [waveRe, waveIm] = gaussians(kx - 0.5 * Math.cos(angle), ky - 0.5 * Math.sin(angle));
      const at = 2 * (coil * nSamples + s);
      samples[at] = re + 0.5 * waveRe + noiseHalfWidth * noise();
      samples[at + 1] = im + 0.5 * waveIm + noiseHalfWidth * noise();
    }
  }
}

function gaussians(kx: number, ky: number): [number, number] {
  let re = 0;
  let im = 0;
  for (const { x, y, width, amplitude } of blobs) {
    const size = 1000 * amplitude * width * width * Math.exp(-2 * Math.PI ** 2 * width * width * (kx * kx + ky * ky));
    const phase = -2 * Math.PI * (kx * x + ky * y);
    re += size * Math.cos(phase);
    im += size * Math.sin(phase);
  }
  return [re, im];
}

function planOf(acceleration: number, denoise: number): CartesianPlan {
  return {
    parameters: { ...defaultReconParameters, noiseMap: true, denoise },
    nCoilsAnnounced: nCoils,
    coilNames: [],
    relativeReceiverNoiseBandwidth: undefined,
    paddedColumns: nSamples,
    nColumns: matrix,
    nLines: matrix,
    paddedRows: matrix,
    nRows: matrix,
    combinedRows: matrix,
    mapRows: matrix,
    centreLine: matrix / 2,
    readoutsNameCentre: false,
    firstLine: 0,
    lastLine: matrix - 1,
    acceleration,
    iterative: undefined,
    calibration: acceleration > 1 ? 'embedded' : 'none',
    nAverages: 1,
    announcesAverages: true,
    referenceCentreLines: [],
    nPartitions: 1,
    paddedSlices: 1,
    nSlices: 1,
    combinedSlices: 1,
    centrePartition: 0,
    firstPartition: 0,
    lastPartition: 0,
    sliceAcceleration: 1,
    nImagesPerSlice: 1,
    isEchoPlanar: false,
    fovMm: [256, 256, 4],
  };
}

function readoutOf(line: number, flags: bigint): Readout {
  return {
    flags, measurementUid: 0, acquisitionTimeStamp: 0, physiologyTimeStamp: [0, 0, 0],
    nSamples, nChannels: nCoils, discardPre: 0, discardPost: 0, centerSample: nSamples / 2, encodingSpaceRef: 0,
    sampleTimeUs: 5, position: [0, 0, 0], readDir: [1, 0, 0], phaseDir: [0, 1, 0], sliceDir: [0, 0, 1],
    patientTablePosition: [0, 0, 0],
    idx: {
      kspaceEncodeStep1: line, kspaceEncodeStep2: 0, average: 0, slice: 0, contrast: 0, phase: 0, repetition: 0,
      set: 0, segment: 0, user: [0, 0, 0, 0, 0, 0, 0, 0],
    },
  };
}
