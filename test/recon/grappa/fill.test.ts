import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { calibrateGrappa, fillLines, planSynthesis, type SynthesisedLine } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { openSession, placeSlab, randomComplex, relativeError, type Shape } from '../parallelImaging.js';

const scans = fc.record({
  nCoils: fc.integer({ min: 1, max: 17 }),
  nColumns: fc.integer({ min: 5, max: 13 }),
  acceleration: fc.integer({ min: 2, max: 4 }),
  kernelPhase: fc.constantFrom(2, 4),
  seed: fc.nat(),
});

/** A session with a kernel of random calibration lines, and the plan of a slab of 20 lines. */
function accelerated({ nCoils, nColumns, acceleration, kernelPhase, seed }: (typeof scans extends fc.Arbitrary<infer T> ? T : never)) {
  const kernels = openSession();
  const random = new Random(seed);
  const nCalibrationLines = 14;
  const calibration = placeSlab(kernels, { nCoils, nLines: nCalibrationLines, nColumns }, randomComplex(random, nCoils * nCalibrationLines * nColumns));
  const kernel = calibrateGrappa(kernels, {
    calibration: calibration.pointer, nCoils, nCalibrationLines, nColumns, acceleration, kernelReadout: 3, kernelPhase, regularization: 1e-2,
  });
  const shape: Shape = { nCoils, nLines: 20, nColumns };
  const latticeOffset = seed % acceleration;
  const measured = Array.from({ length: 20 }, (_, line) => line % acceleration === latticeOffset);
  const targets = measured.flatMap((is, line) => (is ? [] : [planSynthesis(line, measured, { latticeOffset, acceleration, kernelPhase })]));
  return { kernels, kernel, shape, measured, targets, random };
}

describe('GRAPPA synthesis', () => {
  it('is linear, reads measured sources only and writes nothing but its targets', () => {
    fc.assert(
      fc.property(scans, (scan) => {
        const { kernels, kernel, shape, measured, targets, random } = accelerated(scan);
        const n = shape.nCoils * shape.nLines * shape.nColumns;
        // What was not measured is NaN: it must not be read.
        const sample = () => randomComplex(random, n).map((value, i) => (measured[Math.floor(i / 2 / shape.nColumns) % 20] ? value : NaN));
        const [a, b] = [sample(), sample()];
        const filled = [a, b, a.map((value, i) => 2 * value - 3 * b[i]!)].map((data) => {
          const slab = placeSlab(kernels, shape, data);
          fillLines(kernels, kernel, slab, targets);
          return kernels.arena.f32(slab.pointer, 2 * n).slice();
        });
        expect(relativeError(filled[2]!, filled[0]!.map((value, i) => 2 * value - 3 * filled[1]![i]!))).toBeLessThan(1e-5);
        filled[0]!.forEach((value, i) => {
          if (measured[Math.floor(i / 2 / shape.nColumns) % 20]) expect(value).toBe(Math.fround(a[i]!));
        });
      }),
      { numRuns: 30 },
    );
  });

  it('gives the same one by one, at once, and with a stride between coils', () => {
    fc.assert(
      fc.property(scans, (scan) => {
        const { kernels, kernel, shape, targets, random } = accelerated(scan);
        const { nCoils, nLines, nColumns } = shape;
        const data = randomComplex(random, nCoils * nLines * nColumns);
        const fill = (groups: readonly (readonly SynthesisedLine[])[]) => {
          const slab = placeSlab(kernels, shape, data);
          for (const group of groups) fillLines(kernels, kernel, slab, group);
          return kernels.arena.f32(slab.pointer, data.length).slice();
        };
        const atOnce = fill([targets]);
        expect(fill(targets.map((target) => [target]))).toEqual(atOnce);

        const coilBytes = 8 * nLines * nColumns + 24;
        const pointer = kernels.arena.allocate(nCoils * coilBytes);
        const spread = kernels.arena.f32(pointer, (nCoils * coilBytes) / 4).fill(-7);
        const coilFloats = 2 * nLines * nColumns;
        for (let coil = 0; coil < nCoils; coil++) spread.set(data.subarray(coil * coilFloats, (coil + 1) * coilFloats), (coil * coilBytes) / 4);
        fillLines(kernels, kernel, { pointer, coilBytes, nLines }, targets);
        for (let coil = 0; coil < nCoils; coil++) {
          const at = (coil * coilBytes) / 4;
          expect(spread.subarray(at, at + coilFloats)).toEqual(atOnce.subarray(coil * coilFloats, (coil + 1) * coilFloats));
          expect([...spread.subarray(at + coilFloats, at + coilBytes / 4)]).toEqual([-7, -7, -7, -7, -7, -7]);
        }
      }),
      { numRuns: 20 },
    );
  });

  it('counts a source that was not measured as zero', () => {
    fc.assert(
      fc.property(scans, (scan) => {
        const { kernels, kernel, shape, targets, random } = accelerated(scan);
        const data = randomComplex(random, shape.nCoils * shape.nLines * shape.nColumns);
        const target = targets.find(({ sources }) => sources === 2 ** scan.kernelPhase - 1)!;
        const fill = (sources: number) => {
          const slab = placeSlab(kernels, shape, data);
          fillLines(kernels, kernel, slab, [{ ...target, sources }]);
          return kernels.arena.f32(slab.pointer, data.length).slice();
        };
        // The taps' parts add up; none of them leaves zeros.
        const none = fill(0);
        const whole = fill(target.sources);
        const parts = Array.from({ length: scan.kernelPhase }, (_, tap) => fill(1 << tap));
        const lineOf = (i: number) => Math.floor(i / 2 / shape.nColumns) % shape.nLines;
        whole.forEach((value, i) => {
          if (lineOf(i) !== target.line) return;
          expect(none[i]).toBe(0);
          expect(Math.abs(parts.reduce((sum, part) => sum + part[i]!, 0) - value)).toBeLessThan(1e-4);
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe('the plan of a line', () => {
  it('finds the lattice line before it and the measured sources about it', () => {
    const measured = [1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    const lattice = { latticeOffset: 0, acceleration: 3, kernelPhase: 4 };
    expect(planSynthesis(4, measured, lattice)).toEqual({ line: 4, offset: 1, sources: 0b0111 });
    expect(planSynthesis(5, measured, lattice)).toEqual({ line: 5, offset: 2, sources: 0b0111 });
    expect(planSynthesis(1, measured, lattice)).toEqual({ line: 1, offset: 1, sources: 0b1110 });
    expect(planSynthesis(10, measured, lattice)).toEqual({ line: 10, offset: 1, sources: 0b0101 });
    // Before the first lattice line.
    expect(planSynthesis(0, [0, 0, 1, 0, 0, 1], { ...lattice, latticeOffset: 2 })).toEqual({ line: 0, offset: 1, sources: 0b1100 });
  });
});
