/**
 * What the noise path is worth on the simulator's spine, 320 x 320, 16 correlated coils:
 * - the whitened noise of 10,000 samples: variance of the real channels, covariance against the identity
 *   (its Frobenius norm within 1.2 sqrt(nC / N) of it, which is what chance leaves);
 * - the error of the accelerated image against the noise-free scan through the same whitening, in the
 *   mask above 5 per cent of the maximum after one scale fit, beside that of the fully sampled scan.
 *
 *   npx tsx bench/snr.ts
 */
import { pathToFileURL } from 'node:url';
import { serializeHeader, parseHeader } from 'ismrmrd';
import { fitScale, nRmse, ssim } from '../imaging/index.js';
import {
  Arena, bindKernels, CartesianReconstruction, createSessionMemory, defaultReconParameters, NoiseAccumulator, planCartesian,
  runCalibration, whitener, type ReconImage,
} from '../recon/index.js';
import { NoiseSource, arrayCovariance, Random, referenceImage, SimulatedScan, type ScanOptions } from '../simulator/index.js';
import { printTable } from './report.js';

const nCoils = 16;
const nSamples = 10_000;

/** Whitens fresh noise with the whitener of another 10,000 samples of the same noise. */
function benchWhitening(): void {
  const covariance = arrayCovariance(nCoils, 0.3);
  const scan = (seed: number) => {
    const samples = new Float32Array(2 * nCoils * nSamples);
    new NoiseSource(covariance, nCoils, new Random(seed)).addTo(samples, 3);
    return samples;
  };
  const rows = [];
  for (const [name, measured, whitened] of [['the samples themselves', 1, 1], ['fresh samples', 1, 2]] as const) {
    const accumulator = new NoiseAccumulator(nCoils);
    accumulator.add(scan(measured), nSamples);
    const { matrix } = whitener(accumulator.covariance(), {
      acquisitionDwellTimeUs: 1, noiseDwellTimeUs: 1, relativeReceiverNoiseBandwidth: 1,
    });
    const noise = scan(whitened);
    const white = new Float32Array(noise.length);
    for (let a = 0; a < nCoils; a++) {
      for (let b = 0; b <= a; b++) {
        const [re, im] = [matrix[2 * (a * nCoils + b)]!, matrix[2 * (a * nCoils + b) + 1]!];
        for (let s = 0; s < nSamples; s++) {
          const [x, y] = [noise[2 * (b * nSamples + s)]!, noise[2 * (b * nSamples + s) + 1]!];
          white[2 * (a * nSamples + s)]! += re * x - im * y;
          white[2 * (a * nSamples + s) + 1]! += re * y + im * x;
        }
      }
    }
    const check = new NoiseAccumulator(nCoils);
    check.add(white, nSamples);
    const result = check.covariance().matrix;
    const variances = Array.from({ length: nCoils }, (_, c) => result[2 * (c * nCoils + c)]! / 2);
    let error = 0;
    for (let a = 0; a < nCoils; a++) {
      for (let b = 0; b < nCoils; b++) {
        const at = 2 * (a * nCoils + b);
        error += (result[at]! / 2 - (a === b ? 1 : 0)) ** 2 + (result[at + 1]! / 2) ** 2;
      }
    }
    const relative = Math.sqrt(error / nCoils);
    rows.push([
      name, Math.min(...variances).toFixed(4), Math.max(...variances).toFixed(4), relative.toFixed(4),
      (relative / Math.sqrt(nCoils / nSamples)).toFixed(2),
    ]);
  }
  printTable(
    `whitened noise, ${nCoils} channels, ${nSamples} samples`,
    ['whitened', 'least variance', 'largest', 'covariance error', 'x sqrt(nC / N)'],
    rows,
  );
}

function reconstruct(scan: SimulatedScan): Float32Array {
  const limitBytes = 2 ** 29;
  const memory = createSessionMemory(limitBytes);
  const arena = new Arena(memory, { startByte: 64, limitBytes });
  const images: ReconImage[] = [];
  const header = parseHeader(serializeHeader(scan.header));
  const reconstruction = new CartesianReconstruction(
    planCartesian(header, defaultReconParameters).plan,
    bindKernels(memory, arena),
    { image: (image) => images.push(image), notice: () => undefined },
    (job, done) => done(runCalibration(memory, job)),
  );
  const samples = arena.allocate(8 * nCoils * scan.nSamples);
  for (const message of scan.messages()) {
    if (message.kind !== 'acquisition') continue;
    arena.f32(samples, message.acquisition.data.length).set(message.acquisition.data);
    reconstruction.push(message.acquisition.header, samples);
  }
  const image = images[0]!;
  return Float32Array.from({ length: image.rows * image.columns }, (_, p) => Math.hypot(image.data[2 * p]!, image.data[2 * p + 1]!));
}

/** The noise that leaves the mean root-sum-of-squares in the body 30 times the magnitude's noise, sqrt(2) sigma. */
function noiseStdOfSnr30(): number {
  const scan = new SimulatedScan({ nCoils, noiseStd: 0 });
  const clean = referenceImage(scan.kspace(0), nCoils, scan.sampling);
  const largest = clean.reduce((most, value) => Math.max(most, value), 0);
  const body = clean.filter((value) => value > 0.05 * largest);
  return body.reduce((sum, value) => sum + value, 0) / body.length / 30 / Math.SQRT2;
}

function benchError(): void {
  const rows = [];
  const noiseStd = noiseStdOfSnr30();
  for (const acceleration of [1, 2, 3, 4]) {
    const options: Partial<ScanOptions> = { acceleration, nCoils, noiseStd };
    const scan = new SimulatedScan(options);
    const reference = referenceImage(scan.kspace(0), nCoils, scan.sampling, scan.noiseCovariance);
    const image = reconstruct(scan);
    const largest = reference.reduce((most, value) => Math.max(most, value), 0);
    const mask = Uint8Array.from(reference, (value) => (value > 0.05 * largest ? 1 : 0));
    const scale = fitScale(image, reference, mask);
    const fitted = image.map((value) => value * scale);
    const shape = { rows: 320, columns: 320 };
    rows.push([
      acceleration, scale.toFixed(4), nRmse(fitted, reference, mask).toFixed(4),
      ssim(fitted, reference, { ...shape, dataRange: largest }).toFixed(4),
    ]);
  }
  printTable('against the noise-free scan through the same whitening', ['R', 'scale', 'nRMSE', 'SSIM'], rows);
}

export function benchSnr(): void {
  benchWhitening();
  benchError();
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) benchSnr();
