import { describe, expect, it } from 'vitest';
import {
  Arena, bindKernels, calibrateGrappa, coilMapBytes, createSessionMemory, espiritBytes, estimateCoilMaps, estimateEspiritMaps, estimateEspiritSets, grappaBytes,
  type Kernels,
} from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';

const limitBytes = 2 ** 28;

/** Calibration lines of noise, and an arena of so many bytes after them. */
function blockOf(nFloats: number, nBytes: number): { kernels: Kernels; calibration: number } {
  const memory = createSessionMemory(limitBytes);
  const calibration = new Arena(memory, { startByte: 64, limitBytes }).allocate(4 * nFloats);
  const random = new Random(7);
  new Float32Array(memory.buffer, calibration, nFloats).forEach((_, i, values) => (values[i] = random.normal()));
  const startByte = calibration + 64 * Math.ceil(nFloats / 16);
  return { kernels: bindKernels(memory, new Arena(memory, { startByte, endByte: startByte + nBytes, limitBytes })), calibration };
}

const shapes = [
  { nCoils: 1, nCalibrationLines: 16, nColumns: 32 },
  { nCoils: 7, nCalibrationLines: 24, nColumns: 61 },
  { nCoils: 16, nCalibrationLines: 24, nColumns: 320 },
  { nCoils: 12, nCalibrationLines: 48, nColumns: 130 },
];

describe('the bytes that a calibration is given', () => {
  it.each(shapes.flatMap((shape) => [2, 3, 4].map((acceleration) => ({ ...shape, acceleration }))))(
    'are what GRAPPA takes: $nCoils coils, $nCalibrationLines lines, $nColumns columns, R = $acceleration',
    (lattice) => {
      const shape = { ...lattice, kernelReadout: 5, kernelPhase: 4 };
      const nBytes = grappaBytes(shape);
      const { kernels, calibration } = blockOf(2 * shape.nCoils * shape.nCalibrationLines * shape.nColumns, nBytes);
      calibrateGrappa(kernels, { ...shape, calibration, regularization: 1e-3 });
      expect(kernels.arena.peakBytes).toBeGreaterThan(0.9 * nBytes - 2048);
    },
  );

  it('are what GRAPPA takes with partitions', () => {
    const shape = { nCoils: 6, nCalibrationLines: 16, nCalibrationPartitions: 12, nColumns: 48, acceleration: 2, sliceAcceleration: 2, kernelReadout: 3, kernelPhase: 4, kernelSlice: 2 };
    const nBytes = grappaBytes(shape);
    const { kernels, calibration } = blockOf(2 * 6 * 16 * 12 * 48, nBytes);
    calibrateGrappa(kernels, { ...shape, calibration, regularization: 1e-3 });
    expect(kernels.arena.peakBytes).toBeGreaterThan(0.9 * nBytes);
  });

  it.each(shapes.flatMap((shape) => (['walsh', 'inati'] as const).map((method) => ({ ...shape, method }))))(
    'are what coil maps by $method take: $nCoils coils, $nCalibrationLines lines, $nColumns columns',
    ({ method, ...lines }) => {
      const shape = { ...lines, firstLine: -lines.nCalibrationLines / 2, paddedRows: 2 * lines.nColumns, nRows: lines.nColumns };
      const nBytes = coilMapBytes(shape);
      const { kernels, calibration } = blockOf(2 * shape.nCoils * shape.nCalibrationLines * shape.nColumns, nBytes);
      estimateCoilMaps(kernels, { ...shape, calibration }, method);
      // Tables of transforms are reckoned with generously.
      expect(kernels.arena.peakBytes).toBeGreaterThan(0.45 * nBytes);
    },
  );

  it.each(shapes)('are enough for ESPIRiT, with one set and with two: $nCoils coils, $nCalibrationLines lines, $nColumns columns', (lines) => {
    const shape = { ...lines, firstLine: -lines.nCalibrationLines / 2, paddedRows: lines.nColumns, nRows: lines.nColumns };
    const nFloats = 2 * shape.nCoils * shape.nCalibrationLines * shape.nColumns;
    const one = blockOf(nFloats, espiritBytes(shape, 1));
    estimateEspiritMaps(one.kernels, { ...shape, calibration: one.calibration });
    for (const sets of ['auto', 2] as const) {
      const two = blockOf(nFloats, espiritBytes(shape, sets));
      estimateEspiritSets(two.kernels, { ...shape, calibration: two.calibration }, sets);
    }
  });
});
