/**
 * Parallel imaging, one thread, 320 x 320, 16 coils, 24 calibration lines kept in the image, R = 2, 3, 4:
 * medians of each step in ms; with a phantom, the error of the image against the noise-free truth and
 * the noise map against pseudo-replicas (kernels and maps frozen, real and imaginary part used).
 *
 *   npx tsx bench/grappa.ts [--phantom DIRECTORY] [--replicas 200]
 *
 * DIRECTORY holds two BART files: full1.cfl, fully sampled k-space [coil, line, readout], and
 * clean1.cfl, the noise-free root-sum-of-squares. Errors are nRMSE and SSIM where the truth is above 5 %
 * of its maximum, after one least-squares scale.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fitScale, nRmse, scaled, ssim, thresholdMask } from '../imaging/index.js';
import {
  Arena,
  bindKernels,
  calibrateGrappa,
  combineRss,
  combineSlice,
  computeNoiseMap,
  createSessionMemory,
  defaultReconParameters,
  estimateCoilMaps,
  fftLines,
  fillLines,
  planFft,
  planSlab,
  planSynthesis,
  releaseGrappaKernel,
  type GrappaKernel,
} from '../recon/index.js';
import { Random } from '../simulator/index.js';
import { medianMs } from './report.js';

const { values: options } = parseArgs({
  options: { phantom: { type: 'string' }, replicas: { type: 'string', default: '0' } },
});
const n = 320;
const nCoils = 16;
const nCalibrationLines = 24;
const firstCalibrationLine = (n - nCalibrationLines) / 2;
const sliceFloats = 2 * nCoils * n * n;

const limitBytes = 2 ** 29;
const memory = createSessionMemory(limitBytes);
const arena = new Arena(memory, { startByte: 0, limitBytes });
const kernels = bindKernels(memory, arena);
const random = new Random(7);

function readCfl(name: string): Float32Array {
  const bytes = readFileSync(join(options.phantom!, `${name}.cfl`));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const kspace = options.phantom === undefined
  ? Float32Array.from({ length: sliceFloats }, () => random.normal())
  : readCfl('full1');
/** The truth's real parts; the file is complex. */
const truth = options.phantom === undefined ? undefined : readCfl('clean1').filter((_, i) => i % 2 === 0);

const slabPointer = arena.allocate(4 * sliceFloats);
arena.f32(slabPointer, sliceFloats).set(kspace);
fftLines(kernels, planFft(kernels, n), slabPointer, nCoils * n, 'inverse');
const hybrid = arena.f32(slabPointer, sliceFloats).slice();
const slab = { pointer: slabPointer, coilBytes: 8 * n * n, nLines: n };
const slabPlan = planSlab(kernels, { nCoils, nLines: n, nColumns: n, centreLine: n / 2, paddedRows: n, nRows: n });
const imagePointer = arena.allocate(8 * n * n);

const calibration = arena.allocate(8 * nCoils * nCalibrationLines * n);
const calibrationFloats = 2 * nCalibrationLines * n;
for (let coil = 0; coil < nCoils; coil++) {
  const from = 2 * (coil * n + firstCalibrationLine) * n;
  arena.f32(calibration + 4 * coil * calibrationFloats, calibrationFloats).set(hybrid.subarray(from, from + calibrationFloats));
}
const calibrationLines = { calibration, nCoils, nCalibrationLines, nColumns: n };

let maps = 0;
const mapsMs = medianMs(() => {
  if (maps !== 0) arena.release(maps);
  maps = estimateCoilMaps(kernels, { ...calibrationLines, firstLine: -nCalibrationLines / 2, paddedRows: n, nRows: n });
});
console.log(`coil maps ${mapsMs.toFixed(1)} ms`);

interface Sampling {
  readonly R: number;
  readonly averages: number[];
  readonly synthesised: ReturnType<typeof planSynthesis>[];
}

function sampling(R: number): Sampling {
  const onLattice = Array.from({ length: n }, (_, line) => (line - n / 2) % R === 0);
  const averages = onLattice.map((is, line) =>
    is || (line >= firstCalibrationLine && line < firstCalibrationLine + nCalibrationLines) ? 1 : 0,
  );
  const synthesised = averages.flatMap((count, line) =>
    count > 0 ? [] : [planSynthesis(line, onLattice, { latticeOffset: (n / 2) % R, acceleration: R, kernelPhase: 4 })],
  );
  return { R, averages, synthesised };
}

/** |image| of the slab through the coil maps. */
function magnitude(): Float64Array {
  combineSlice(kernels, slabPlan, slabPointer, maps, imagePointer);
  const image = arena.f32(imagePointer, 2 * n * n);
  return Float64Array.from({ length: n * n }, (_, i) => Math.hypot(image[2 * i]!, image[2 * i + 1]!));
}

function quality(image: ArrayLike<number>): string {
  if (truth === undefined) return '';
  const mask = thresholdMask(truth, 0.05);
  const fitted = scaled(image, fitScale(image, truth, mask));
  const dataRange = truth.reduce((largest, value) => Math.max(largest, value), 0);
  const similarity = ssim(fitted, truth, { rows: n, columns: n, dataRange, mask });
  return `${nRmse(fitted, truth, mask).toFixed(4)} / ${similarity.toFixed(4)}`;
}

/** Median and spread of measured over predicted standard deviation, in the mask. */
function replicaRatio({ averages, synthesised }: Sampling, kernel: GrappaKernel, noise: Float32Array, nReplicas: number): string {
  const energy = new Float64Array(n * n);
  const floats = arena.f32(slabPointer, sliceFloats);
  for (let replica = 0; replica < nReplicas; replica++) {
    for (let line = 0; line < nCoils * n; line++) {
      if (averages[line % n] === 0) continue;
      for (let i = 2 * line * n; i < 2 * (line + 1) * n; i++) floats[i] = random.normal();
    }
    fillLines(kernels, kernel, slab, synthesised);
    combineSlice(kernels, slabPlan, slabPointer, maps, imagePointer);
    const image = arena.f32(imagePointer, 2 * n * n);
    for (let i = 0; i < n * n; i++) energy[i] = energy[i]! + image[2 * i]! ** 2 + image[2 * i + 1]! ** 2;
  }
  const mask = truth === undefined ? new Uint8Array(n * n).fill(1) : thresholdMask(truth, 0.05);
  const ratios = [...energy].map((sum, i) => Math.sqrt(sum / (2 * nReplicas)) / noise[i]!).filter((_, i) => mask[i]).sort((a, b) => a - b);
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const spread = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / ratios.length);
  const expected = 1 / (2 * Math.sqrt(nReplicas));
  return `median ${ratios[ratios.length >> 1]!.toFixed(4)}, spread ${(spread / expected).toFixed(3)} x expected`;
}

if (truth !== undefined) {
  arena.f32(slabPointer, sliceFloats).set(hybrid);
  console.log(`fully sampled: nRMSE / SSIM, maps ${quality(magnitude())}`);
}
const nReplicas = Number(options.replicas);
for (const R of [2, 3, 4]) {
  const scan = sampling(R);
  const { averages, synthesised } = scan;
  let kernel: GrappaKernel | undefined;
  const calibrateMs = medianMs(() => {
    if (kernel !== undefined) releaseGrappaKernel(kernels, kernel);
    kernel = calibrateGrappa(kernels, {
      ...calibrationLines, acceleration: R, kernelReadout: 5, kernelPhase: 4, regularization: defaultReconParameters.grappaRegularization,
    });
  });
  if (kernel === undefined) throw new Error('calibration did not run');
  const used: GrappaKernel = kernel;

  arena.f32(slabPointer, sliceFloats).set(hybrid);
  const fillMs = medianMs(() => fillLines(kernels, used, slab, synthesised));
  const singlyMs = medianMs(() => synthesised.forEach((line) => fillLines(kernels, used, slab, [line])));
  const combineMs = medianMs(() => combineSlice(kernels, slabPlan, slabPointer, maps, imagePointer));
  const input = { maps, nRows: n, nColumns: n, paddedRows: n, averages, linePowers: new Float64Array(n).fill(1), synthesised, kernel };
  const noiseMs = medianMs(() => computeNoiseMap(kernels, input));
  console.log(
    `R = ${R}: calibrate ${calibrateMs.toFixed(1)}, fill ${fillMs.toFixed(1)} (line by line ${singlyMs.toFixed(1)}), ` +
      `combine ${combineMs.toFixed(1)}, noise map ${noiseMs.toFixed(1)} ms`,
  );
  if (truth !== undefined) {
    const image = magnitude();
    combineRss(kernels, slabPlan, slabPointer, imagePointer);
    console.log(`       nRMSE / SSIM: maps ${quality(image)}, RSS ${quality(arena.f32(imagePointer, n * n))}`);
  }
  if (nReplicas > 0) {
    const { noise, gFactor, netAcceleration } = computeNoiseMap(kernels, input);
    const sorted = gFactor.slice().sort();
    console.log(
      `       ${nReplicas} replicas: ${replicaRatio(scan, used, noise, nReplicas)}; ` +
        `net R ${netAcceleration.toFixed(2)}, g median ${sorted[sorted.length >> 1]!.toFixed(2)}, largest ${sorted[sorted.length - 1]!.toFixed(2)}`,
    );
  }
  releaseGrappaKernel(kernels, used);
}
