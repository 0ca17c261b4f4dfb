/**
 * ESPIRiT maps, CG-SENSE and compressed sensing, one thread, 320 x 320, 16 coils, 24 calibration lines kept in the image:
 * medians in ms and the error against the noise-free truth, as measured and after whitening with the noise of the
 * outermost lines. Where `bart` (BART, the Berkeley toolbox) is installed, its ecalib and pics, on as many threads as there
 * are cores, on the same files in the same run: wall time less that of starting it, and the ratio.
 *
 *   npx tsx bench/iterative.ts --phantom DIRECTORY
 *
 * DIRECTORY holds BART files: full1.cfl, fully sampled k-space [coil, line, readout]; clean1.cfl, the noise-free
 * root-sum-of-squares; us1_R2, us1_R3 and us1_R4, undersampled. Errors are nRMSE where the truth is above 5 % of its
 * maximum, after one least-squares scale.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { fitScale, nRmse, scaled, thresholdMask } from '../imaging/index.js';
import {
  Arena, bindKernels, createSessionMemory, defaultReconParameters, estimateEspiritMaps, fftLines, NoiseAccumulator, planFft,
  solveCompressedSensing, solveSense, whitener, type SenseModel,
} from '../recon/index.js';
import { median, medianMs, printTable } from './report.js';

const { values: options } = parseArgs({ options: { phantom: { type: 'string' } } });
if (options.phantom === undefined) {
  console.log('no --phantom: nothing to measure');
  process.exit(0);
}
const phantom = resolve(options.phantom);
const n = 320;
const nCoils = 16;
const nCalibrationLines = 24;
const firstCalibrationLine = (n - nCalibrationLines) / 2;
const nPixels = n * n;
const sliceFloats = 2 * nCoils * nPixels;

function readCfl(path: string): Float32Array {
  const bytes = readFileSync(`${path}.cfl`);
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const limitBytes = 2 ** 29;
const memory = createSessionMemory(limitBytes);
const arena = new Arena(memory, { startByte: 0, limitBytes });
const kernels = bindKernels(memory, arena);
const truth = readCfl(join(phantom, 'clean1')).filter((_, i) => i % 2 === 0);
const mask = thresholdMask(truth, 0.05);
const slab = arena.allocate(4 * sliceFloats);
const image = arena.allocate(8 * nPixels);

/** @param shading what the truth is multiplied by in each pixel */
function errorOf(pixels: ArrayLike<number>, shading?: Float64Array): string {
  const magnitude = Float64Array.from({ length: nPixels }, (_, i) => Math.hypot(pixels[2 * i]!, pixels[2 * i + 1]!) / (shading?.[i] ?? 1));
  return nRmse(scaled(magnitude, fitScale(magnitude, truth, mask)), truth, mask).toFixed(4);
}

/** out[a] = sum_b matrix[a, b] data[b] of [nCoils, nSamples] */
function mixCoils(matrix: Float32Array, data: Float32Array): Float32Array {
  const out = new Float32Array(data.length);
  const width = data.length / nCoils;
  for (let a = 0; a < nCoils; a++) {
    for (let b = 0; b <= a; b++) {
      const [re, im] = [matrix[2 * (a * nCoils + b)]!, matrix[2 * (a * nCoils + b) + 1]!];
      for (let i = 0; i < width; i += 2) {
        const [x, y] = [data[b * width + i]!, data[b * width + i + 1]!];
        out[a * width + i] = out[a * width + i]! + re * x - im * y;
        out[a * width + i + 1] = out[a * width + i + 1]! + re * y + im * x;
      }
    }
  }
  return out;
}

const measured = readCfl(join(phantom, 'full1'));
const outerLines = new NoiseAccumulator(nCoils);
for (let line = 0; line < 12; line++) {
  for (const at of [line, n - 1 - line]) {
    const readout = new Float32Array(2 * nCoils * n);
    for (let coil = 0; coil < nCoils; coil++) readout.set(measured.subarray(2 * (coil * n + at) * n, 2 * (coil * n + at + 1) * n), 2 * coil * n);
    outerLines.add(readout, n);
  }
}
const covariance = outerLines.covariance();
const { matrix: whitening } = whitener(covariance, { acquisitionDwellTimeUs: 1, noiseDwellTimeUs: 1, relativeReceiverNoiseBandwidth: 1 });
const meanVariance = Array.from({ length: nCoils }, (_, c) => covariance.matrix[2 * c * (nCoils + 1)]! / 2).reduce((a, b) => a + b) / nCoils;

interface Row {
  readonly what: string;
  readonly R: number;
  readonly ms: number;
  readonly error: string;
}

/** Measures everything on k-space whose noise has this standard deviation. */
function measure(kspace: Float32Array, name: string, deviation: number, shadingOf?: (maps: number) => Float64Array): Row[] {
  arena.f32(slab, sliceFloats).set(kspace);
  fftLines(kernels, planFft(kernels, n), slab, nCoils * n, 'inverse');
  const calibration = arena.allocate(8 * nCoils * nCalibrationLines * n);
  for (let coil = 0; coil < nCoils; coil++) {
    const from = slab + 8 * (coil * n + firstCalibrationLine) * n;
    arena.f32(calibration + 8 * coil * nCalibrationLines * n, 2 * nCalibrationLines * n).set(arena.f32(from, 2 * nCalibrationLines * n));
  }
  let maps = 0;
  const mapsMs = medianMs(() => {
    if (maps !== 0) arena.release(maps);
    maps = estimateEspiritMaps(kernels, {
      calibration, nCoils, nCalibrationLines, nColumns: n, firstLine: -nCalibrationLines / 2, paddedRows: n, nRows: n,
    });
  });
  const shading = shadingOf?.(maps);
  const rows: Row[] = [{ what: `ESPIRiT maps, ${name}`, R: 1, ms: mapsMs, error: '' }];
  for (const R of [2, 3, 4]) {
    const weights = Float32Array.from({ length: n }, (_, line) =>
      (line - n / 2) % R === 0 || (line >= firstCalibrationLine && line < firstCalibrationLine + nCalibrationLines) ? 1 : 0,
    );
    const model: SenseModel = { maps, nCoils, nRows: n, nColumns: n, weights };
    const { senseRegularization, senseIterations, l1Regularization, l1Iterations } = defaultReconParameters;
    const senseMs = medianMs(() => solveSense(kernels, model, slab, image, { damping: senseRegularization, nIterations: senseIterations }));
    rows.push({ what: `CG-SENSE, ${senseIterations} iterations, ${name}`, R, ms: senseMs, error: errorOf(arena.f32(image, 2 * nPixels), shading) });
    const l1Ms = medianMs(() =>
      solveCompressedSensing(kernels, model, slab, image, { lambda: l1Regularization * deviation, nIterations: l1Iterations }),
    );
    rows.push({ what: `l1 wavelets, ${l1Iterations} iterations, ${name}`, R, ms: l1Ms, error: errorOf(arena.f32(image, 2 * nPixels), shading) });
  }
  arena.release(maps);
  arena.release(calibration);
  return rows;
}

/** Whitened, the image is |rho| |W S|: what it has more than |rho| |S| by, from the maps S' = W S / |W S|, 1 / |W^-1 S'|. */
function whitenedShading(maps: number): Float64Array {
  const energy = new Float64Array(nPixels);
  const s = arena.f32(maps, sliceFloats);
  const solved = new Float64Array(2 * nCoils);
  for (let pixel = 0; pixel < nPixels; pixel++) {
    // Forward substitution with the lower triangular W.
    for (let a = 0; a < nCoils; a++) {
      let [re, im] = [s[2 * (a * nPixels + pixel)]!, s[2 * (a * nPixels + pixel) + 1]!];
      for (let b = 0; b < a; b++) {
        const [wRe, wIm] = [whitening[2 * (a * nCoils + b)]!, whitening[2 * (a * nCoils + b) + 1]!];
        re -= wRe * solved[2 * b]! - wIm * solved[2 * b + 1]!;
        im -= wRe * solved[2 * b + 1]! + wIm * solved[2 * b]!;
      }
      const pivot = whitening[2 * a * (nCoils + 1)]!;
      solved[2 * a] = re / pivot;
      solved[2 * a + 1] = im / pivot;
      energy[pixel] = energy[pixel]! + solved[2 * a]! ** 2 + solved[2 * a + 1]! ** 2;
    }
  }
  return energy.map((value) => (value > 0 ? 1 / Math.sqrt(value) : 1));
}

const rows = [
  ...measure(measured, 'as measured', Math.sqrt(meanVariance)),
  ...measure(mixCoils(whitening, measured), 'whitened', 1, whitenedShading),
];

function benchBart(): Map<string, { ms: number; error: string }> {
  const results = new Map<string, { ms: number; error: string }>();
  if (spawnSync('bart', ['version']).status !== 0) return results;
  const folder = mkdtempSync(join(tmpdir(), 'conus-bart-'));
  const wallMs = (args: readonly string[]): number =>
    median(Array.from({ length: 5 }, () => {
      const start = performance.now();
      const { status, stderr } = spawnSync('bart', args);
      if (status !== 0) throw new Error(`bart ${args.join(' ')}: ${String(stderr)}`);
      return performance.now() - start;
    }));
  try {
    const startMs = wallMs(['version']);
    const [maps, out] = [join(folder, 'maps'), join(folder, 'out')];
    for (const R of [2, 3, 4]) {
      const data = join(phantom, `us1_R${R}`);
      const ms = wallMs(['ecalib', '-m1', `-r${nCalibrationLines}`, data, maps]) - startMs;
      if (R === 2) results.set('ESPIRiT 1', { ms, error: '' });
      for (const [what, args] of [['CG-SENSE', ['-l2', '-r0.003', '-i20']], ['l1', ['-R', 'W:3:0:0.001', '-i30']]] as const) {
        const picsMs = wallMs(['pics', ...args, data, maps, out]) - startMs;
        results.set(`${what} ${R}`, { ms: picsMs, error: errorOf(readCfl(out)) });
      }
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
  return results;
}

const bart = benchBart();
printTable(
  'iterative reconstruction, one thread',
  ['', 'R', 'ms', 'nRMSE', 'BART ms', 'BART nRMSE', 'BART / ours'],
  rows.map(({ what, R, ms, error }) => {
    const theirs = bart.get(`${/^[^ ,]+/.exec(what)![0]} ${R}`);
    return [what, R, ms.toFixed(1), error, theirs?.ms.toFixed(0) ?? '', theirs?.error ?? '', theirs === undefined ? '' : (theirs.ms / ms).toFixed(1)];
  }),
);
