import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateCoilMaps, type CoilMapMethod } from '../../../recon/index.js';
import { Random } from '../../../simulator/index.js';
import { dftColumns, openSession, phantomScan, placeSlab, randomComplex, relativeError, someLines, usedBytes, type Complex, type Shape } from '../parallelImaging.js';

const shape: Shape = { nCoils: 9, nLines: 64, nColumns: 61 };
const phantom = phantomScan(shape);
const nPixels = shape.nLines * shape.nColumns;

/** Maps of the 20 lines about the centre, as many rows as the phantom's. */
function mapsOf(hybrid: Complex, method: CoilMapMethod): Float32Array {
  const kernels = openSession();
  const calibration = placeSlab(kernels, { ...shape, nLines: 20 }, someLines(hybrid, shape, 22, 20));
  const pointer = estimateCoilMaps(kernels, {
    calibration: calibration.pointer, nCoils: shape.nCoils, nCalibrationLines: 20, firstLine: -10,
    nColumns: shape.nColumns, paddedRows: shape.nLines, nRows: shape.nLines,
  }, method);
  return kernels.arena.f32(pointer, 2 * shape.nCoils * nPixels).slice();
}

/** Coils mixed: out[a] = sum_b matrix[a, b] data[b]; complex [nCoils, n]. */
function mixCoils(matrix: Complex, data: ArrayLike<number>): Complex {
  const { nCoils } = shape;
  const n = data.length / 2 / nCoils;
  const out = new Float64Array(data.length);
  for (let a = 0; a < nCoils; a++) {
    for (let b = 0; b < nCoils; b++) {
      const re = matrix[2 * (a * nCoils + b)]!;
      const im = matrix[2 * (a * nCoils + b) + 1]!;
      for (let i = 0; i < n; i++) {
        const to = 2 * (a * n + i);
        const from = 2 * (b * n + i);
        out[to]! += re * data[from]! - im * data[from + 1]!;
        out[to + 1]! += re * data[from + 1]! + im * data[from]!;
      }
    }
  }
  return out;
}

/** Unitary: the discrete Fourier transform of the coils. */
const unitary = Float64Array.from({ length: 2 * shape.nCoils ** 2 }, (_, i) => {
  const [a, b] = [Math.floor(i / 2 / shape.nCoils), Math.floor(i / 2) % shape.nCoils];
  const angle = (2 * Math.PI * a * b) / shape.nCoils;
  return (i % 2 === 0 ? Math.cos(angle) : Math.sin(angle)) / Math.sqrt(shape.nCoils);
});

/** sum_c conj(a[c, p]) b[c, q] of two [nCoils, nPixels]; q = p unless given */
function inner(a: ArrayLike<number>, b: ArrayLike<number>, pixel: number, other = pixel): [number, number] {
  let re = 0;
  let im = 0;
  for (let coil = 0; coil < shape.nCoils; coil++) {
    const i = 2 * (coil * nPixels + pixel);
    const j = 2 * (coil * nPixels + other);
    re += a[i]! * b[j]! + a[i + 1]! * b[j + 1]!;
    im += a[i]! * b[j + 1]! - a[i + 1]! * b[j]!;
  }
  return [re, im];
}

const inside = Array.from({ length: nPixels }, (_, pixel) => pixel).filter((pixel) => phantom.mask[pixel]);

describe.each(['walsh', 'inati'] as const)('coil maps by %s', (method) => {
  const maps = mapsOf(phantom.hybrid, method);

  it('point along the true sensitivities inside the object', () => {
    for (const pixel of inside) {
      const [norm] = inner(phantom.sensitivities, phantom.sensitivities, pixel);
      expect(Math.hypot(...inner(maps, phantom.sensitivities, pixel)) / Math.sqrt(norm)).toBeGreaterThan(0.995);
    }
  });

  it('combine fully sampled coils to their root-sum-of-squares', () => {
    const images = dftColumns(phantom.hybrid, shape, 'inverse');
    const combined = inside.map((pixel) => Math.hypot(...inner(maps, images, pixel)));
    const rss = inside.map((pixel) => Math.sqrt(inner(images, images, pixel)[0]));
    expect(relativeError(combined, rss)).toBeLessThan(2e-3);
  });

  it('leave the phase of the image without jumps', () => {
    for (const pixel of inside) {
      for (const neighbour of [pixel + 1, pixel + shape.nColumns]) {
        if (!phantom.mask[neighbour]) continue;
        const [re, im] = inner(maps, maps, pixel, neighbour);
        expect(Math.abs(Math.atan2(im, re))).toBeLessThan(0.2);
      }
    }
  });

  it('are fixed by a unit or a phase common to all coils', () => {
    const turned = phantom.hybrid.map((_, i, all) => (i % 2 === 0 ? -all[i + 1]! : all[i - 1]!) * 2 ** -30);
    expect(relativeError(mapsOf(turned, method), maps)).toBeLessThan(1e-4);
  });

  it('follow a unitary mixing of the coils', () => {
    const mixed = mapsOf(mixCoils(unitary, phantom.hybrid), method);
    const expected = mixCoils(unitary, maps);
    for (const pixel of inside) expect(Math.hypot(...inner(mixed, expected, pixel))).toBeGreaterThan(0.9999);
  });

  it('have norm 1 in every pixel, at any size, and give all other memory back', () => {
    fc.assert(
      fc.property(
        fc.record({
          nCoils: fc.integer({ min: 1, max: 17 }),
          nColumns: fc.integer({ min: 1, max: 43 }),
          nCalibrationLines: fc.integer({ min: 1, max: 40 }),
          nRows: fc.integer({ min: 1, max: 41 }),
          padding: fc.integer({ min: 0, max: 9 }),
          seed: fc.nat(),
        }),
        ({ nCoils, nColumns, nCalibrationLines, nRows, padding, seed }) => {
          const kernels = openSession();
          const data = randomComplex(new Random(seed), nCoils * nCalibrationLines * nColumns);
          const slab = placeSlab(kernels, { nCoils, nLines: nCalibrationLines, nColumns }, data);
          const pointer = estimateCoilMaps(kernels, {
            calibration: slab.pointer, nCoils, nCalibrationLines, firstLine: -Math.floor(nCalibrationLines / 2),
            nColumns, paddedRows: nRows + padding, nRows,
          }, method);
          const result = kernels.arena.f32(pointer, 2 * nCoils * nRows * nColumns).slice();
          for (let pixel = 0; pixel < nRows * nColumns; pixel++) {
            let norm = 0;
            for (let coil = 0; coil < nCoils; coil++) {
              const at = 2 * (coil * nRows * nColumns + pixel);
              norm += result[at]! ** 2 + result[at + 1]! ** 2;
            }
            expect(norm).toBeCloseTo(1, 4);
          }
          kernels.arena.release(pointer);
          kernels.arena.release(slab.pointer);
          expect(usedBytes(kernels)).toBe(0);
        },
      ),
      { numRuns: 40 },
    );
  });

  it.each([0, NaN])('refuse calibration lines of %s', (value) => {
    const kernels = openSession();
    const slab = placeSlab(kernels, { nCoils: 2, nLines: 8, nColumns: 8 }, new Float64Array(256).fill(value));
    expect(() =>
      estimateCoilMaps(kernels, {
        calibration: slab.pointer, nCoils: 2, nCalibrationLines: 8, firstLine: -4, nColumns: 8, paddedRows: 8, nRows: 8,
      }, method),
    ).toThrowError(expect.objectContaining({ code: 'RECON_ERR_COIL_MAPS_NO_SIGNAL' }));
    kernels.arena.release(slab.pointer);
    expect(usedBytes(kernels)).toBe(0);
  });
});
