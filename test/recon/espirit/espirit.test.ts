import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { estimateEspiritMaps, fftLines, planFft } from '../../../recon/index.js';
import { Random, referenceImage, sensitivityMaps, SimulatedScan } from '../../../simulator/index.js';
import { dftColumns, openSession, phantomScan, placeSlab, randomComplex, relativeError, someLines, usedBytes, type Complex, type Shape } from '../parallelImaging.js';

const shape: Shape = { nCoils: 9, nLines: 64, nColumns: 61 };
const phantom = phantomScan(shape);
const nPixels = shape.nLines * shape.nColumns;

function mapsOf(hybrid: Complex, crop?: number): Float32Array {
  const kernels = openSession();
  const calibration = placeSlab(kernels, { ...shape, nLines: 24 }, someLines(hybrid, shape, 20, 24));
  const pointer = estimateEspiritMaps(kernels, {
    calibration: calibration.pointer, nCoils: shape.nCoils, nCalibrationLines: 24, firstLine: -12,
    nColumns: shape.nColumns, paddedRows: shape.nLines, nRows: shape.nLines,
  }, crop);
  return kernels.arena.f32(pointer, 2 * shape.nCoils * nPixels).slice();
}

/** sum_c conj(a[c, p]) b[c, q] of two [nCoils, nPixels] */
function inner(a: ArrayLike<number>, b: ArrayLike<number>, pixel: number, other = pixel): [number, number] {
  let [re, im] = [0, 0];
  for (let coil = 0; coil < shape.nCoils; coil++) {
    const i = 2 * (coil * nPixels + pixel);
    const j = 2 * (coil * nPixels + other);
    re += a[i]! * b[j]! + a[i + 1]! * b[j + 1]!;
    im += a[i]! * b[j + 1]! - a[i + 1]! * b[j]!;
  }
  return [re, im];
}

const inside = Array.from({ length: nPixels }, (_, pixel) => pixel).filter((pixel) => phantom.mask[pixel]);
const noisy = ((random) => phantom.hybrid.map((value) => value + 0.02 * random.normal()))(new Random(21));

describe('ESPIRiT', () => {
  it.each([['noise-free', phantom.hybrid, 0.9999], ['noisy', noisy, 0.999]] as const)('points along the true sensitivities inside the object, %s', (_, hybrid, least) => {
    const maps = mapsOf(hybrid);
    for (const pixel of inside) {
      const [norm] = inner(phantom.sensitivities, phantom.sensitivities, pixel);
      expect(Math.hypot(...inner(maps, phantom.sensitivities, pixel)) / Math.sqrt(norm)).toBeGreaterThan(least);
    }
  });

  it('is zero far outside the object, of norm 1 inside, and everywhere without a crop', () => {
    const maps = mapsOf(noisy);
    const energies = Array.from({ length: nPixels }, (_, pixel) => inner(maps, maps, pixel)[0]);
    for (const pixel of inside) expect(energies[pixel]).toBeCloseTo(1, 4);
    const corner = energies.filter((_, pixel) => Math.floor(pixel / shape.nColumns) < 3 && pixel % shape.nColumns < 3);
    expect(corner).toEqual(new Array(9).fill(0));
    const uncropped = mapsOf(noisy, 0);
    for (let pixel = 0; pixel < nPixels; pixel++) expect(inner(uncropped, uncropped, pixel)[0]).toBeCloseTo(1, 4);
  });

  it('combines fully sampled coils to their root-sum-of-squares', () => {
    const maps = mapsOf(phantom.hybrid);
    const images = dftColumns(phantom.hybrid, shape, 'inverse');
    const combined = inside.map((pixel) => Math.hypot(...inner(maps, images, pixel)));
    const rss = inside.map((pixel) => Math.sqrt(inner(images, images, pixel)[0]));
    expect(relativeError(combined, rss)).toBeLessThan(1e-3);
  });

  it('leaves the phase of the image without jumps, and takes any unit or common phase', () => {
    const maps = mapsOf(phantom.hybrid);
    for (const pixel of inside) {
      for (const neighbour of [pixel + 1, pixel + shape.nColumns]) {
        if (!phantom.mask[neighbour]) continue;
        const [re, im] = inner(maps, maps, pixel, neighbour);
        expect(Math.abs(Math.atan2(im, re))).toBeLessThan(0.2);
      }
    }
    const turned = phantom.hybrid.map((_, i, all) => (i % 2 === 0 ? -all[i + 1]! : all[i - 1]!) * 2 ** -30);
    const again = mapsOf(turned);
    for (const pixel of inside) expect(inner(again, maps, pixel)[0]).toBeCloseTo(1, 3);
  });

  it('finds the sensitivities of the simulated scanner in the body, through noise', () => {
    const matrix = [96, 96] as const;
    const nCoils = 12;
    const scan = new SimulatedScan({ matrix, nCoils, readoutOversampling: 1 });
    const truth = sensitivityMaps(scan.sensitivities(0), matrix, scan.options.fovMm);
    const random = new Random(2);
    const kspace = scan.kspace(0);
    const body = referenceImage(kspace, nCoils, scan.sampling);
    const brightest = body.reduce((most, value) => Math.max(most, value), 0);
    const kernels = openSession();
    const slab = placeSlab(kernels, { nCoils, nLines: 96, nColumns: 96 }, kspace.map((value) => value + 0.01 * brightest * random.normal()));
    fftLines(kernels, planFft(kernels, 96), slab.pointer, nCoils * 96, 'inverse');
    const lines = someLines(Float64Array.from(kernels.arena.f32(slab.pointer, 2 * nCoils * 96 * 96)), { nCoils, nLines: 96, nColumns: 96 }, 36, 24);
    const calibration = placeSlab(kernels, { nCoils, nLines: 24, nColumns: 96 }, lines);
    const pointer = estimateEspiritMaps(kernels, {
      calibration: calibration.pointer, nCoils, nCalibrationLines: 24, firstLine: -12, nColumns: 96, paddedRows: 96, nRows: 96,
    });
    const maps = kernels.arena.f32(pointer, 2 * nCoils * 96 * 96);
    const cosines: number[] = [];
    for (let pixel = 0; pixel < 96 * 96; pixel++) {
      if (body[pixel]! < 0.1 * brightest) continue;
      let [re, im, energy] = [0, 0, 0];
      for (let coil = 0; coil < nCoils; coil++) {
        const at = 2 * (coil * 96 * 96 + pixel);
        re += maps[at]! * truth[at]! + maps[at + 1]! * truth[at + 1]!;
        im += maps[at]! * truth[at + 1]! - maps[at + 1]! * truth[at]!;
        energy += truth[at]! ** 2 + truth[at + 1]! ** 2;
      }
      cosines.push(Math.hypot(re, im) / Math.sqrt(energy));
    }
    cosines.sort((a, b) => a - b);
    expect(cosines.length).toBeGreaterThan(1000);
    expect(cosines[Math.floor(cosines.length / 100)]).toBeGreaterThan(0.99);
    expect(cosines[Math.floor(cosines.length / 2)]).toBeGreaterThan(0.999);
  });

  it('has norm 1 or 0 in every pixel, at any size, and gives all other memory back', () => {
    fc.assert(
      fc.property(
        fc.record({
          nCoils: fc.integer({ min: 1, max: 7 }),
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
          const pointer = estimateEspiritMaps(kernels, {
            calibration: slab.pointer, nCoils, nCalibrationLines, firstLine: -Math.floor(nCalibrationLines / 2),
            nColumns, paddedRows: nRows + padding, nRows,
          });
          const result = kernels.arena.f32(pointer, 2 * nCoils * nRows * nColumns).slice();
          for (let pixel = 0; pixel < nRows * nColumns; pixel++) {
            let norm = 0;
            for (let coil = 0; coil < nCoils; coil++) {
              const at = 2 * (coil * nRows * nColumns + pixel);
              norm += result[at]! ** 2 + result[at + 1]! ** 2;
            }
            if (norm !== 0) expect(norm).toBeCloseTo(1, 4);
          }
          kernels.arena.release(pointer);
          kernels.arena.release(slab.pointer);
          expect(usedBytes(kernels)).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });

  it.each([0, NaN])('refuses calibration lines of %s', (value) => {
    const kernels = openSession();
    const slab = placeSlab(kernels, { nCoils: 2, nLines: 8, nColumns: 8 }, new Float64Array(256).fill(value));
    expect(() =>
      estimateEspiritMaps(kernels, {
        calibration: slab.pointer, nCoils: 2, nCalibrationLines: 8, firstLine: -4, nColumns: 8, paddedRows: 8, nRows: 8,
      }),
    ).toThrowError(expect.objectContaining({ code: 'RECON_ERR_COIL_MAPS_NO_SIGNAL' }));
    kernels.arena.release(slab.pointer);
    expect(usedBytes(kernels)).toBe(0);
  });
});
