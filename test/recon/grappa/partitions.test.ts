import { describe, expect, it } from 'vitest';
import { calibrateGrappa, fillLines, planSynthesis } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { openSession, placeSlab, randomComplex, relativeError, type Complex } from '../parallelImaging.js';

const nCoils = 3;
const nColumns = 9;

interface Shape {
  readonly nLines: number;
  readonly nPartitions: number;
}

interface Steps {
  readonly acceleration: number;
  readonly kernelPhase: number;
  readonly sliceAcceleration: number;
  readonly kernelSlice: number;
}

/** [coil, partition, line, column] with lines and partitions exchanged. */
function exchanged(data: Complex, { nLines, nPartitions }: Shape): Complex {
  const out = new Float64Array(data.length);
  for (let coil = 0; coil < nCoils; coil++) {
    for (let p = 0; p < nPartitions; p++) {
      for (let l = 0; l < nLines; l++) {
        const from = 2 * ((coil * nPartitions + p) * nLines + l) * nColumns;
        out.set(data.subarray(from, from + 2 * nColumns), 2 * ((coil * nLines + l) * nPartitions + p) * nColumns);
      }
    }
  }
  return out;
}

/** Calibrates on all of the data and makes every line that is not on the lattice of 0. */
function synthesised(data: Complex, { nLines, nPartitions }: Shape, steps: Steps): Complex {
  const kernels = openSession();
  const slab = placeSlab(kernels, { nCoils, nLines: nLines * nPartitions, nColumns }, data);
  const kernel = calibrateGrappa(kernels, {
    calibration: slab.pointer, nCoils, nCalibrationLines: nLines, nCalibrationPartitions: nPartitions, nColumns, ...steps,
    kernelReadout: 3, regularization: 1e-3,
  });
  const measured = Array.from({ length: nLines * nPartitions }, (_, row) =>
    (row % nLines) % steps.acceleration === 0 && Math.floor(row / nLines) % steps.sliceAcceleration === 0,
  );
  const targets = measured.flatMap((is, row) => (is ? [] : [planSynthesis(row, measured, { ...steps, latticeOffset: 0 }, nLines)]));
  fillLines(kernels, kernel, { ...slab, nLines }, targets);
  return Float64Array.from(kernels.arena.f32(slab.pointer, data.length));
}

describe('GRAPPA with partitions', () => {
  it('of one line each is GRAPPA of lines', () => {
    const data = randomComplex(new Random(1), nCoils * 11 * nColumns);
    const asPartitions = synthesised(data, { nLines: 1, nPartitions: 11 }, { acceleration: 1, kernelPhase: 1, sliceAcceleration: 2, kernelSlice: 4 });
    const asLines = synthesised(data, { nLines: 11, nPartitions: 1 }, { acceleration: 2, kernelPhase: 4, sliceAcceleration: 1, kernelSlice: 1 });
    expect(relativeError(asPartitions, asLines)).toBeLessThan(1e-6);
  });

  it.each([
    [{ acceleration: 2, kernelPhase: 4, sliceAcceleration: 2, kernelSlice: 2 }],
    [{ acceleration: 3, kernelPhase: 2, sliceAcceleration: 2, kernelSlice: 4 }],
    [{ acceleration: 1, kernelPhase: 1, sliceAcceleration: 3, kernelSlice: 2 }],
  ])('does not care which of its axes is which: %o', (steps) => {
    const shape = { nLines: 12, nPartitions: 10 };
    const data = randomComplex(new Random(2), nCoils * 120 * nColumns);
    const swapped = {
      acceleration: steps.sliceAcceleration, kernelPhase: steps.kernelSlice, sliceAcceleration: steps.acceleration, kernelSlice: steps.kernelPhase,
    };
    const there = exchanged(synthesised(data, shape, steps), shape);
    const here = synthesised(exchanged(data, shape), { nLines: 10, nPartitions: 12 }, swapped);
    expect(relativeError(here, there)).toBeLessThan(1e-4);
  });

  it('recovers what lies in the span of its neighbours', () => {
    // Three coils see one plane wave each of three: every sample is a fixed combination of its neighbours.
    const random = new Random(7);
    const waves = Array.from({ length: 3 }, () => [random.uniform(), random.uniform(), random.uniform()] as const);
    const mixing = randomComplex(random, nCoils * 3);
    const shape = { nLines: 14, nPartitions: 13 };
    const data = new Float64Array(2 * nCoils * 14 * 13 * nColumns);
    for (let coil = 0; coil < nCoils; coil++) {
      for (let p = 0; p < 13; p++) {
        for (let l = 0; l < 14; l++) {
          waves.forEach(([y, z, x], wave) => {
            // A plane wave of k-space is one column of hybrid space.
            const column = Math.floor(x * nColumns);
            const angle = 2 * Math.PI * (y * l + z * p);
            const at = 2 * (((coil * 13 + p) * 14 + l) * nColumns + column);
            const [re, im] = [mixing[2 * (coil * 3 + wave)]!, mixing[2 * (coil * 3 + wave) + 1]!];
            data[at] = data[at]! + re * Math.cos(angle) - im * Math.sin(angle);
            data[at + 1] = data[at + 1]! + re * Math.sin(angle) + im * Math.cos(angle);
          });
        }
      }
    }
    const kernels = openSession();
    const slab = placeSlab(kernels, { nCoils, nLines: 14 * 13, nColumns }, data);
    const steps = { acceleration: 2, kernelPhase: 4, sliceAcceleration: 2, kernelSlice: 4 };
    const kernel = calibrateGrappa(kernels, {
      calibration: slab.pointer, nCoils, nCalibrationLines: 14, nCalibrationPartitions: 13, nColumns, ...steps, kernelReadout: 3, regularization: 1e-5,
    });
    const all = new Array<boolean>(14 * 13).fill(true);
    const inner = Array.from({ length: 14 * 13 }, (_, row) => row).filter((row) => {
      const [line, partition] = [row % 14, Math.floor(row / 14)];
      return line >= 4 && line < 9 && partition >= 4 && partition < 9 && (line % 2 === 1 || partition % 2 === 1);
    });
    const targets = inner.map((row) => planSynthesis(row, all.map((_, r) => (r % 14) % 2 === 0 && Math.floor(r / 14) % 2 === 0), { ...steps, latticeOffset: 0 }, 14));
    fillLines(kernels, kernel, { ...slab, nLines: 14 }, targets);
    expect(relativeError(kernels.arena.f32(slab.pointer, data.length), data)).toBeLessThan(2e-3);
    expect(shape.nLines * shape.nPartitions).toBe(all.length);
  });
});
