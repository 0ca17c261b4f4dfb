import { describe, expect, it } from 'vitest';
import {
  calibrateGrappa,
  computeNoiseMap,
  estimateCoilMaps,
  fillLines,
  planSynthesis,
  type NoiseMapInput,
} from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { dft, openSession, phantomScan, placeSlab, randomComplex, someLines, type Complex } from '../parallelImaging.js';

const shape = { nCoils: 5, nLines: 24, nColumns: 22 };
const { nCoils, nLines, nColumns } = shape;
const phantom = phantomScan(shape);
const nCalibrationLines = 14;
const firstCalibrationLine = 5;

interface Scan {
  readonly acceleration: number;
  readonly keepCalibrationLines: boolean;
  readonly paddedRows: number;
  readonly nRows: number;
  /** Readouts averaged into a lattice line. */
  readonly averagesOf: (line: number) => number;
}

/** Calibrated, with everything frozen: what noise is then a linear function of. */
function prepare({ acceleration, keepCalibrationLines, paddedRows, nRows, averagesOf }: Scan) {
  const kernels = openSession();
  const calibration = placeSlab(kernels, { ...shape, nLines: nCalibrationLines }, someLines(phantom.hybrid, shape, firstCalibrationLine, nCalibrationLines));
  const lines = { calibration: calibration.pointer, nCoils, nCalibrationLines, nColumns };
  const maps = estimateCoilMaps(kernels, { ...lines, firstLine: firstCalibrationLine - nLines / 2, paddedRows, nRows });
  const kernel = calibrateGrappa(kernels, { ...lines, acceleration, kernelReadout: 5, kernelPhase: 4, regularization: 5e-4 });
  const onLattice = Array.from({ length: nLines }, (_, line) => line % acceleration === 1);
  const averages = onLattice.map((is, line) => {
    if (is) return averagesOf(line);
    return keepCalibrationLines && line >= firstCalibrationLine && line < firstCalibrationLine + nCalibrationLines ? 1 : 0;
  });
  const synthesised = averages.flatMap((count, line) =>
    count > 0 ? [] : [planSynthesis(line, onLattice, { latticeOffset: 1, acceleration, kernelPhase: 4 })],
  );
  const linePowers = new Float64Array(nLines).fill(1);
  const input: NoiseMapInput = { maps, nRows, nColumns, paddedRows, averages, linePowers, synthesised, kernel };
  const slab = placeSlab(kernels, shape, new Float32Array(2 * nCoils * nLines * nColumns));
  const sensitivities = kernels.arena.f32(maps, 2 * nCoils * nRows * nColumns);

  /** The image of measured lines: filled, zero-padded, transformed and combined by their definitions; complex [nRows, nColumns]. */
  const image = (data: ArrayLike<number>): Complex => {
    const floats = kernels.arena.f32(slab.pointer, 2 * nCoils * nLines * nColumns);
    floats.set(data);
    fillLines(kernels, kernel, slab, synthesised);
    const out = new Float64Array(2 * nRows * nColumns);
    const shift = Math.floor(paddedRows / 2) - Math.floor(nLines / 2);
    const crop = Math.floor(paddedRows / 2) - Math.floor(nRows / 2);
    for (let coil = 0; coil < nCoils; coil++) {
      for (let x = 0; x < nColumns; x++) {
        const column = new Float64Array(2 * paddedRows);
        for (let line = 0; line < nLines; line++) {
          const at = 2 * ((coil * nLines + line) * nColumns + x);
          column[2 * (line + shift)] = floats[at]!;
          column[2 * (line + shift) + 1] = floats[at + 1]!;
        }
        dft(column, 0, paddedRows, 1, 'inverse');
        for (let row = 0; row < nRows; row++) {
          const s = 2 * ((coil * nRows + row) * nColumns + x);
          const [re, im] = [column[2 * (row + crop)]!, column[2 * (row + crop) + 1]!];
          out[2 * (row * nColumns + x)]! += sensitivities[s]! * re + sensitivities[s + 1]! * im;
          out[2 * (row * nColumns + x) + 1]! += sensitivities[s]! * im - sensitivities[s + 1]! * re;
        }
      }
    }
    return out;
  };
  return { kernels, input, averages, image };
}

const once = () => 1;
const scans: [string, Scan][] = [
  ['R = 2', { acceleration: 2, keepCalibrationLines: false, paddedRows: 24, nRows: 24, averagesOf: once }],
  ['R = 3, calibration lines in the image', { acceleration: 3, keepCalibrationLines: true, paddedRows: 24, nRows: 24, averagesOf: once }],
  ['R = 4, zero-filled and cropped', { acceleration: 4, keepCalibrationLines: true, paddedRows: 31, nRows: 27, averagesOf: once }],
  ['R = 2, averages, an odd crop', { acceleration: 2, keepCalibrationLines: true, paddedRows: 24, nRows: 15, averagesOf: (line) => 1 + (line % 3) }],
];

describe('the noise map', () => {
  it.each(scans)('is the norm of the image’s response to every measured sample: %s', (_, scan) => {
    const { kernels, input, averages, image } = prepare(scan);
    const { noise } = computeNoiseMap(kernels, input);
    // Columns are independent: one impulse in all of them at a time.
    const variance = new Float64Array(noise.length);
    averages.forEach((count, line) => {
      if (count === 0) return;
      for (let coil = 0; coil < nCoils; coil++) {
        const impulse = new Float64Array(2 * nCoils * nLines * nColumns);
        for (let x = 0; x < nColumns; x++) impulse[2 * ((coil * nLines + line) * nColumns + x)] = 1;
        const response = image(impulse);
        for (let pixel = 0; pixel < variance.length; pixel++) {
          variance[pixel]! += (response[2 * pixel]! ** 2 + response[2 * pixel + 1]! ** 2) / count;
        }
      }
    });
    noise.forEach((value, pixel) => expect(value / Math.sqrt(variance[pixel]!)).toBeCloseTo(1, 4));
  });

  it('agrees with a 200-fold pseudo-replica of real and imaginary part', () => {
    const nReplicas = 200;
    const { kernels, input, averages, image } = prepare(scans[1]![1]);
    const { noise } = computeNoiseMap(kernels, input);
    const random = new Random(11);
    const energy = new Float64Array(noise.length);
    for (let replica = 0; replica < nReplicas; replica++) {
      const samples = randomComplex(random, nCoils * nLines * nColumns).map((value, i) => (averages[Math.floor(i / 2 / nColumns) % nLines] ? value : 0));
      image(samples).forEach((value, i) => (energy[i >> 1]! += value * value));
    }
    const ratios = [...noise].map((value, pixel) => Math.sqrt(energy[pixel]! / (2 * nReplicas)) / value).sort((a, b) => a - b);
    const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
    const spread = Math.sqrt(ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / ratios.length);
    expect(Math.abs(ratios[ratios.length >> 1]! - 1)).toBeLessThan(0.01);
    expect(spread).toBeLessThan(1.2 / (2 * Math.sqrt(nReplicas)));
  });

  it('is 1 for full sampling, with or without a kernel, and so is the g-factor', () => {
    const { kernels, input } = prepare(scans[0]![1]);
    const full = { ...input, averages: new Array<number>(nLines).fill(1), synthesised: [] };
    for (const kernel of [input.kernel, undefined]) {
      const { noise, gFactor, netAcceleration } = computeNoiseMap(kernels, { ...full, kernel });
      expect(netAcceleration).toBe(1);
      noise.forEach((value) => expect(value).toBeCloseTo(1, 5));
      gFactor.forEach((value) => expect(value).toBeCloseTo(1, 5));
    }
  });

  it('falls with the root of the averages and leaves the g-factor alone', () => {
    const { kernels, input, averages } = prepare(scans[0]![1]);
    const once = computeNoiseMap(kernels, input);
    const four = computeNoiseMap(kernels, { ...input, averages: averages.map((count) => 4 * count) });
    expect(once.netAcceleration).toBe(2);
    four.noise.forEach((value, i) => expect(value).toBeCloseTo(once.noise[i]! / 2, 5));
    four.gFactor.forEach((value, i) => expect(value).toBeCloseTo(once.gFactor[i]!, 5));
  });

  it('gives noise / sqrt(R) as the g-factor without calibration lines in the image', () => {
    const { kernels, input } = prepare(scans[0]![1]);
    const { noise, gFactor } = computeNoiseMap(kernels, input);
    gFactor.forEach((value, i) => expect(value).toBeCloseTo(noise[i]! / Math.SQRT2, 5));
    // Unaliasing costs noise somewhere in the object.
    expect(Math.max(...[...gFactor].filter((_, pixel) => phantom.mask[pixel]))).toBeGreaterThan(1.01);
  });

  it('is the same where it is computed and near it where it is interpolated', () => {
    const { kernels, input } = prepare(scans[1]![1]);
    const { noise } = computeNoiseMap(kernels, input);
    const coarse = computeNoiseMap(kernels, { ...input, blocksApart: 2 }).noise;
    let difference = 0;
    noise.forEach((value, pixel) => {
      // Blocks 0, 2, 4 and the last one, 5.
      const block = Math.floor((pixel % nColumns) / 4);
      if (block % 2 === 0 || block === 5) expect(coarse[pixel]).toBe(value);
      else difference = Math.max(difference, Math.abs(coarse[pixel]! / value - 1));
    });
    expect(difference).toBeGreaterThan(0);
    expect(difference).toBeLessThan(0.2);
  });

  it('gives all memory back', () => {
    const { kernels, input } = prepare(scans[2]![1]);
    const before = kernels.arena.usedBytes;
    computeNoiseMap(kernels, input);
    expect(kernels.arena.usedBytes).toBe(before);
  });
});
