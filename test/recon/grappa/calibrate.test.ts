import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  calibrateGrappa,
  fillLines,
  planSynthesis,
  releaseGrappaKernel,
  sourceLine,
  type GrappaCalibration,
} from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { dft, openSession, phantomScan, placeSlab, randomComplex, relativeError, someLines, usedBytes, type Complex } from '../parallelImaging.js';

type Problem = Omit<GrappaCalibration, 'calibration'>;

/** Every line of every coil to k-space along the readout, or back. */
function alongReadout(data: Complex, nColumns: number, direction: 'forward' | 'inverse'): Complex {
  const out = data.slice();
  for (let at = 0; at < out.length / 2; at += nColumns) dft(out, at, nColumns, 1, direction);
  return out;
}

/** Sources of one position: every tap of every coil, k-space periodic along the readout; complex. */
function sourcesAt(kspace: Complex, lineOfTap: number[], kx: number, nLines: number, p: Problem): Complex {
  const { nCoils, nColumns, kernelReadout, kernelPhase } = p;
  const sources = new Float64Array(2 * nCoils * kernelReadout * kernelPhase);
  let i = 0;
  for (let tap = 0; tap < kernelPhase; tap++) {
    for (let d = 0; d < kernelReadout; d++) {
      const column = (kx + d - (kernelReadout - 1) / 2 + nColumns) % nColumns;
      for (let coil = 0; coil < nCoils; coil++, i += 2) {
        const at = 2 * ((coil * nLines + lineOfTap[tap]!) * nColumns + column);
        sources[i] = kspace[at]!;
        sources[i + 1] = kspace[at + 1]!;
      }
    }
  }
  return sources;
}

/** The least-squares weights by their definition, in float64: complex [n, (R - 1) nCoils]. */
function oracleWeights(kspace: Complex, p: Problem): Complex {
  const { nCoils, nCalibrationLines, nColumns, acceleration: R, kernelReadout, kernelPhase } = p;
  const n = nCoils * kernelReadout * kernelPhase;
  const nTargets = (R - 1) * nCoils;
  const width = n + nTargets;
  const system = new Float64Array(2 * n * width);
  for (let first = 0; first + (kernelPhase - 1) * R < nCalibrationLines; first++) {
    const lines = Array.from({ length: kernelPhase }, (_, tap) => first + tap * R);
    for (let kx = 0; kx < nColumns; kx++) {
      const a = sourcesAt(kspace, lines, kx, nCalibrationLines, p);
      const row = new Float64Array(2 * width);
      row.set(a);
      for (let target = 0; target < nTargets; target++) {
        const line = lines[kernelPhase / 2 - 1]! + 1 + Math.floor(target / nCoils);
        const at = 2 * (((target % nCoils) * nCalibrationLines + line) * nColumns + kx);
        row[2 * (n + target)] = kspace[at]!;
        row[2 * (n + target) + 1] = kspace[at + 1]!;
      }
      for (let i = 0; i < n; i++) {
        for (let j = 0; j < width; j++) {
          const to = 2 * (i * width + j);
          system[to] = system[to]! + a[2 * i]! * row[2 * j]! + a[2 * i + 1]! * row[2 * j + 1]!;
          system[to + 1] = system[to + 1]! + a[2 * i]! * row[2 * j + 1]! - a[2 * i + 1]! * row[2 * j]!;
        }
      }
    }
  }
  let trace = 0;
  for (let i = 0; i < n; i++) trace += system[2 * (i * width + i)]!;
  for (let i = 0; i < n; i++) system[2 * (i * width + i)]! += (p.regularization * trace) / n;
  return gaussJordan(system, n, width);
}

/** Solves [A | B], complex [n, width], A positive definite; returns X. */
function gaussJordan(system: Complex, n: number, width: number): Complex {
  for (let k = 0; k < n; k++) {
    const pr = system[2 * (k * width + k)]!;
    const pi = system[2 * (k * width + k) + 1]!;
    const norm = pr * pr + pi * pi;
    for (let j = k; j < width; j++) {
      const at = 2 * (k * width + j);
      const re = system[at]!;
      const im = system[at + 1]!;
      system[at] = (re * pr + im * pi) / norm;
      system[at + 1] = (im * pr - re * pi) / norm;
    }
    for (let i = 0; i < n; i++) {
      if (i === k) continue;
      const fr = system[2 * (i * width + k)]!;
      const fi = system[2 * (i * width + k) + 1]!;
      for (let j = k; j < width; j++) {
        const at = 2 * (i * width + j);
        const from = 2 * (k * width + j);
        system[at] = system[at]! - fr * system[from]! + fi * system[from + 1]!;
        system[at + 1] = system[at + 1]! - fr * system[from + 1]! - fi * system[from]!;
      }
    }
  }
  const solution = new Float64Array(2 * n * (width - n));
  for (let i = 0; i < n; i++) solution.set(system.subarray(2 * (i * width + n), 2 * (i + 1) * width), 2 * i * (width - n));
  return solution;
}

const problems = fc
  .record({
    nCoils: fc.integer({ min: 1, max: 5 }),
    nColumns: fc.integer({ min: 5, max: 14 }),
    acceleration: fc.integer({ min: 2, max: 4 }),
    kernelReadout: fc.constantFrom(1, 3, 5),
    kernelPhase: fc.constantFrom(2, 4),
    spareLines: fc.integer({ min: 0, max: 6 }),
    seed: fc.nat(),
  })
  .map(({ spareLines, seed, ...rest }) => ({
    seed,
    problem: { ...rest, regularization: 5e-4, nCalibrationLines: (rest.kernelPhase - 1) * rest.acceleration + 1 + spareLines },
  }));

describe('GRAPPA calibration', () => {
  it('synthesises what least squares and convolution by their definitions give', () => {
    fc.assert(
      fc.property(problems, ({ seed, problem }) => {
        const { nCoils, nColumns, acceleration: R, kernelPhase, nCalibrationLines } = problem;
        const kernels = openSession();
        const shape = { nCoils, nLines: nCalibrationLines, nColumns };
        const hybrid = randomComplex(new Random(seed), nCoils * nCalibrationLines * nColumns);
        const slab = placeSlab(kernels, shape, hybrid);
        const kernel = calibrateGrappa(kernels, { ...problem, calibration: slab.pointer });

        const kspace = alongReadout(hybrid, nColumns, 'forward');
        const weights = oracleWeights(kspace, problem);
        const nTargets = (R - 1) * nCoils;
        for (let offset = 1; offset < R; offset++) {
          const line = (kernelPhase / 2 - 1) * R + offset;
          const target = { line, offset, sources: 2 ** kernelPhase - 1 };
          const lines = Array.from({ length: kernelPhase }, (_, tap) => sourceLine(target, tap, { acceleration: R, kernelPhase }));
          expect(lines).toEqual(lines.map((_, tap) => tap * R));
          const expected = new Float64Array(2 * nCoils * nColumns);
          for (let kx = 0; kx < nColumns; kx++) {
            const sources = sourcesAt(kspace, lines, kx, nCalibrationLines, problem);
            for (let coil = 0; coil < nCoils; coil++) {
              for (let s = 0; s < sources.length / 2; s++) {
                const w = 2 * (s * nTargets + (offset - 1) * nCoils + coil);
                const to = 2 * (coil * nColumns + kx);
                expected[to]! += weights[w]! * sources[2 * s]! - weights[w + 1]! * sources[2 * s + 1]!;
                expected[to + 1]! += weights[w]! * sources[2 * s + 1]! + weights[w + 1]! * sources[2 * s]!;
              }
            }
          }
          fillLines(kernels, kernel, slab, [target]);
          const filled = Float64Array.from(kernels.arena.f32(slab.pointer, hybrid.length));
          const synthesised = someLines(filled, shape, line, 1);
          expect(relativeError(synthesised, alongReadout(expected, nColumns, 'inverse'))).toBeLessThan(2e-5);
        }
      }),
      { numRuns: 40 },
    );
  });

  it.each([2, 3, 4])('recovers the k-space of smooth coils without noise at R = %i', (R) => {
    const shape = { nCoils: 12, nLines: 65, nColumns: 57 };
    const { hybrid } = phantomScan(shape);
    const kernels = openSession();
    const calibration = placeSlab(kernels, { ...shape, nLines: 25 }, someLines(hybrid, shape, 20, 25));
    const kernel = calibrateGrappa(kernels, {
      calibration: calibration.pointer,
      nCoils: 12,
      nCalibrationLines: 25,
      nColumns: 57,
      acceleration: R,
      kernelReadout: 5,
      kernelPhase: 4,
      regularization: 1e-5,
    });
    const measured = Array.from({ length: 65 }, (_, line) => line % R === 1);
    const slab = placeSlab(kernels, shape, hybrid.map((value, i) => (measured[Math.floor(i / 2 / 57) % 65] ? value : NaN)));
    const targets = measured.flatMap((is, line) =>
      is ? [] : [planSynthesis(line, measured, { latticeOffset: 1, acceleration: R, kernelPhase: 4 })],
    );
    fillLines(kernels, kernel, slab, targets);
    expect(relativeError(kernels.arena.f32(slab.pointer, hybrid.length), hybrid)).toBeLessThan([0.006, 0.006, 0.07][R - 2]!);
  });

  it.each([1, 16, 17])('does not depend on the unit of the samples, and gives all memory back (%i coils)', (nCoils) => {
    const shape = { nCoils, nLines: 9, nColumns: 11 };
    const problem = { nCoils, nCalibrationLines: 9, nColumns: 11, acceleration: 2, kernelReadout: 5, kernelPhase: 4, regularization: 1e-3 };
    const hybrid = randomComplex(new Random(nCoils), nCoils * 9 * 11);
    const kernels = openSession();
    const weights = [1, 2 ** -30].map((unit) => {
      const slab = placeSlab(kernels, shape, hybrid.map((value) => unit * value));
      const before = kernels.arena.usedBytes;
      const kernel = calibrateGrappa(kernels, { ...problem, calibration: slab.pointer });
      const values = kernels.arena.f32(kernel.pointer, kernel.nBytes / 4).slice();
      releaseGrappaKernel(kernels, kernel);
      expect(kernels.arena.usedBytes).toBe(before);
      kernels.arena.release(slab.pointer);
      return values;
    });
    expect(weights[1]).toEqual(weights[0]);
    expect(usedBytes(kernels)).toBe(0);
  });

  const good = { nCoils: 2, nCalibrationLines: 10, nColumns: 8, acceleration: 2, kernelReadout: 5, kernelPhase: 4, regularization: 5e-4 };
  it.each([
    ['too few lines', { acceleration: 4 }, 1, 'RECON_ERR_CALIBRATION_TOO_FEW_LINES'],
    ['an even number of readout taps', { kernelReadout: 4 }, 1, 'RECON_ERR_CALIBRATION_KERNEL'],
    ['an odd number of phase taps', { kernelPhase: 3 }, 1, 'RECON_ERR_CALIBRATION_KERNEL'],
    ['too many phase taps', { kernelPhase: 18 }, 1, 'RECON_ERR_CALIBRATION_KERNEL'],
    ['more taps than columns', { kernelReadout: 9 }, 1, 'RECON_ERR_CALIBRATION_KERNEL'],
    ['no acceleration', { acceleration: 1 }, 1, 'RECON_ERR_CALIBRATION_KERNEL'],
    ['no signal', {}, 0, 'RECON_ERR_CALIBRATION_SINGULAR'],
    ['samples that are not finite', {}, NaN, 'RECON_ERR_CALIBRATION_SINGULAR'],
    ['a negative regularization', { regularization: -10 }, 1, 'RECON_ERR_CALIBRATION_SINGULAR'],
  ])('refuses %s, and gives all memory back', (_, change, factor, code) => {
    const kernels = openSession();
    const hybrid = randomComplex(new Random(1), 2 * 10 * 8).map((value) => factor * value);
    const slab = placeSlab(kernels, { nCoils: 2, nLines: 10, nColumns: 8 }, hybrid);
    const before = kernels.arena.usedBytes;
    expect(() => calibrateGrappa(kernels, { ...good, ...change, calibration: slab.pointer })).toThrowError(
      expect.objectContaining({ code }),
    );
    expect(kernels.arena.usedBytes).toBe(before);
  });
});
