/**
 * Coil maps by Walsh, Inati and ESPIRiT of 24 calibration lines, one thread, 320 x 320, 16 coils: medians in ms, and the error of
 * the images that are combined and solved for with them, against the noise-free truth.
 *
 *   npx tsx bench/coilMaps.ts --phantom DIRECTORY
 *
 * DIRECTORY as bench/grappa.ts has it. Errors are nRMSE where the truth is above 5 % of its maximum, after one least-squares scale.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { fitScale, nRmse, scaled, thresholdMask } from '../imaging/index.js';
import {
  Arena, bindKernels, combineSlice, createSessionMemory, defaultReconParameters, estimateCoilMaps, estimateEspiritMaps, fftLines, planFft, planSlab,
  solveSense, type CoilMapCalibration,
} from '../recon/index.js';
import { medianMs, printTable } from './report.js';

const { values: options } = parseArgs({ options: { phantom: { type: 'string' } } });
if (options.phantom === undefined) throw new Error('--phantom is missing');
const { phantom } = options;
const n = 320;
const nCoils = 16;
const nCalibrationLines = 24;
const first = (n - nCalibrationLines) / 2;

function readCfl(name: string): Float32Array {
  const bytes = readFileSync(join(phantom, `${name}.cfl`));
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.length / 4);
}

const limitBytes = 2 ** 29;
const memory = createSessionMemory(limitBytes);
const arena = new Arena(memory, { startByte: 0, limitBytes });
const kernels = bindKernels(memory, arena);
const truth = readCfl('clean1').filter((_, i) => i % 2 === 0);
const mask = thresholdMask(truth, 0.05);
const slab = arena.allocate(8 * nCoils * n * n);
arena.f32(slab, 2 * nCoils * n * n).set(readCfl('full1'));
fftLines(kernels, planFft(kernels, n), slab, nCoils * n, 'inverse');
const calibration = arena.allocate(8 * nCoils * nCalibrationLines * n);
for (let coil = 0; coil < nCoils; coil++) {
  const lines = arena.f32(slab + 8 * (coil * n + first) * n, 2 * nCalibrationLines * n);
  arena.f32(calibration + 8 * coil * nCalibrationLines * n, lines.length).set(lines);
}
const image = arena.allocate(8 * n * n);
const slabPlan = planSlab(kernels, { nCoils, nLines: n, nColumns: n, centreLine: n / 2, paddedRows: n, nRows: n });

function error(): string {
  const pixels = arena.f32(image, 2 * n * n);
  const magnitude = Float64Array.from({ length: n * n }, (_, i) => Math.hypot(pixels[2 * i]!, pixels[2 * i + 1]!));
  return nRmse(scaled(magnitude, fitScale(magnitude, truth, mask)), truth, mask).toFixed(4);
}

const lines: CoilMapCalibration = {
  calibration, nCoils, nCalibrationLines, nColumns: n, firstLine: -nCalibrationLines / 2, paddedRows: n, nRows: n,
};
const estimators: readonly (readonly [string, () => number])[] = [
  ['Walsh', () => estimateCoilMaps(kernels, lines, 'walsh')],
  ['Inati', () => estimateCoilMaps(kernels, lines, 'inati')],
  ['ESPIRiT', () => estimateEspiritMaps(kernels, lines)],
];
const { senseRegularization: damping, senseIterations: nIterations } = defaultReconParameters;
const rows = estimators.map(([name, estimate]) => {
  const ms = medianMs(() => arena.release(estimate()));
  const maps = estimate();
  combineSlice(kernels, slabPlan, slab, maps, image);
  const full = error();
  const solved = [2, 3, 4].map((R) => {
    const weights = Float32Array.from({ length: n }, (_, line) =>
      (line - n / 2) % R === 0 || (line >= first && line < first + nCalibrationLines) ? 1 : 0,
    );
    solveSense(kernels, { maps, nCoils, nRows: n, nColumns: n, weights }, slab, image, { damping, nIterations });
    return error();
  });
  arena.release(maps);
  return [name, ms.toFixed(1), full, ...solved];
});
printTable('coil maps, 320 x 320, 16 coils, 24 lines: nRMSE', ['', 'ms', 'combined, R = 1', 'CG-SENSE, R = 2', 'R = 3', 'R = 4'], rows);
