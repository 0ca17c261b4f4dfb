/** A real brain, eight coils, 12 % of its k-space in a Poisson-disc pattern; skipped where the data are not at hand. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  estimateEspiritMaps, fftLines, planFft, SenseOperator, solveCompressedSensing, solveSense, type SenseModel,
} from '../../../recon/index.js';
import { freshKernels, place } from '../fft/reference.js';

const file = new URL('../../../../shared/data/kspace/sigpy-brain-8ch-poisson/cartesian_ksp.npy', import.meta.url);
const nCoils = 8;
const nRows = 230;
const nColumns = 180;
const nPixels = nRows * nColumns;

function readKspace(): Float32Array {
  const bytes = readFileSync(file);
  const start = 10 + bytes.readUInt16LE(8);
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset + start, bytes.byteOffset + bytes.length));
}

/** 1 where any coil has a sample. */
function sampled(kspace: Float32Array): Float32Array {
  return Float32Array.from({ length: nPixels }, (_, p) => {
    for (let coil = 0; coil < nCoils; coil++) if (kspace[2 * (coil * nPixels + p)] !== 0) return 1;
    return 0;
  });
}

describe.skipIf(!existsSync(file))('a real brain', () => {
  it('has samples that were left out foretold by SENSE, and better by wavelets', () => {
    const kernels = freshKernels(2 ** 28);
    const kspace = readKspace();
    const measured = sampled(kspace);
    const [middleRow, middleColumn] = [nRows / 2, nColumns / 2];
    const isCentral = (p: number) => Math.abs(Math.floor(p / nColumns) - middleRow) <= 12 && Math.abs((p % nColumns) - middleColumn) <= 12;
    // Every tenth sample outside the calibration square, within the radius where there is more than noise.
    let count = 0;
    const leftOut = measured.map((is, p) => {
      const radius = Math.hypot((Math.floor(p / nColumns) - middleRow) / middleRow, ((p % nColumns) - middleColumn) / middleColumn);
      return is === 1 && !isCentral(p) && radius < 0.4 && count++ % 10 === 0 ? 1 : 0;
    });
    const weights = measured.map((is, p) => is - leftOut[p]!);

    const firstRow = nRows / 2 - 12;
    const lines = new Float32Array(2 * nCoils * 24 * nColumns);
    for (let coil = 0; coil < nCoils; coil++) {
      const from = 2 * (coil * nRows + firstRow) * nColumns;
      lines.set(kspace.subarray(from, from + 2 * 24 * nColumns), 2 * coil * 24 * nColumns);
    }
    const calibration = place(kernels, lines);
    fftLines(kernels, planFft(kernels, nColumns), calibration, nCoils * 24, 'inverse');
    const maps = estimateEspiritMaps(kernels, { calibration, nCoils, nCalibrationLines: 24, nColumns, firstLine: -12, paddedRows: nRows, nRows });

    const data = place(kernels, kspace);
    const image = kernels.arena.allocate(8 * nPixels);
    const predicted = kernels.arena.allocate(8 * nCoils * nPixels);
    const model: SenseModel = { maps, nCoils, nRows, nColumns, weights };
    const check = new SenseOperator(kernels, { ...model, weights: leftOut });
    const error = (): number => {
      check.forward(image, predicted);
      const found = kernels.arena.f32(predicted, 2 * nCoils * nPixels);
      let [difference, energy] = [0, 0];
      for (let i = 0; i < found.length; i++) {
        if (leftOut[Math.floor(i / 2) % nPixels] === 0) continue;
        difference += (found[i]! - kspace[i]!) ** 2;
        energy += kspace[i]! ** 2;
      }
      return Math.sqrt(difference / energy);
    };
    solveSense(kernels, model, data, image, { damping: 0.01, nIterations: 10 });
    const sense = error();
    solveCompressedSensing(kernels, model, data, image, { lambda: 0.012, nIterations: 30 });
    const wavelets = error();
    expect(sense).toBeLessThan(0.3);
    expect(wavelets).toBeLessThan(0.95 * sense);
  });
});
