import { describe, expect, it } from 'vitest';
import {
  areaMm2,
  coilKspace,
  ellipse,
  fitSensitivities,
  loopSensitivity,
  polygon,
  rasterise,
  sensitivitiesAt,
  sensitivityMaps,
  spineExtentMm,
  torsoArray,
  type CoilSensitivities,
  type Point,
  type Sampling,
  type WeightedShape,
} from '../../simulator/index.js';

const fovMm: Point = [300, 240];
const options = {
  periodMm: [600, 480] as Point,
  bodyMm: [200, 230] as Point,
  offMidlineMm: 3,
  nHarmonics: 3,
};
const loops = torsoArray(5, options.bodyMm);
const coils = fitSensitivities(loops, options);

describe('loops', () => {
  it('have the axial field of a circular loop in closed form, R² / (2 (R² + d²)^1.5) · 4π / µ0', () => {
    const loop = { name: 'a', centreMm: [100, 0, 0] as const, radiusMm: 50 };
    for (const u of [-50, 0, 40, 90]) {
      const distance = 100 - u;
      const closed = (2 * Math.PI * 50 ** 2) / (50 ** 2 + distance ** 2) ** 1.5;
      const [re, im] = loopSensitivity(loop, [u, 0, 0]);
      // The sum over segments leaves out the factor dl = 2π R / n; radius 50 is in there once.
      expect((Math.abs(re) * 2 * Math.PI * 50) / 48 / closed).toBeCloseTo(1, 10);
      expect(im).toBeCloseTo(0, 12);
    }
  });

  it('are as many as asked for, with names of their own', () => {
    for (const n of [1, 2, 5, 16, 31]) {
      expect(new Set(torsoArray(n, spineExtentMm).map(({ name }) => name)).size).toBe(n);
    }
  });
});

describe('sensitivities', () => {
  const points = Array.from({ length: 200 }, (_, i): Point => [
    (((i * 0.618) % 1) - 0.5) * options.bodyMm[0],
    (((i * 0.414) % 1) - 0.5) * options.bodyMm[1],
  ]);

  it('follow the loops to a few per cent, between the points of the fit too', () => {
    const values = sensitivitiesAt(coils, points);
    loops.forEach((loop, coil) => {
      const fitted = points.map((_, p) => Math.hypot(values[2 * (coil * 200 + p)]!, values[2 * (coil * 200 + p) + 1]!));
      const wanted = points.map(([u, v]) => Math.hypot(...loopSensitivity(loop, [u, v, 3])));
      const scale =
        fitted.reduce((sum, f, p) => sum + f * wanted[p]!, 0) / wanted.reduce((sum, w) => sum + w * w, 0);
      const error = fitted.reduce((sum, f, p) => sum + (f - scale * wanted[p]!) ** 2, 0);
      const energy = fitted.reduce((sum, f) => sum + f * f, 0);
      expect(Math.sqrt(error / energy)).toBeLessThan(0.03);
    });
  });

  it('can tell pixels apart that R = 2 folds onto each other: g-factor below 1.3', () => {
    const array = fitSensitivities(torsoArray(16, spineExtentMm), {
      ...options,
      periodMm: [600, 600],
      bodyMm: spineExtentMm,
    });
    for (const u of [-60, 0, 40, 90]) {
      for (const v of [-140, -100, -60, -20]) {
        // SENSE of two pixels: g = 1 / sqrt(1 - |ρ|²) with ρ the correlation of their coil vectors.
        const s = sensitivitiesAt(array, [[u, v], [u, v + 150]]);
        let [re, im, a, b] = [0, 0, 0, 0];
        for (let index = 0; index < s.length; index += 4) {
          const [aRe, aIm, bRe, bIm] = [s[index]!, s[index + 1]!, s[index + 2]!, s[index + 3]!];
          re += aRe * bRe + aIm * bIm;
          im += aRe * bIm - aIm * bRe;
          a += aRe ** 2 + aIm ** 2;
          b += bRe ** 2 + bIm ** 2;
        }
        const g = 1 / Math.sqrt(1 - (re ** 2 + im ** 2) / (a * b));
        expect(g).toBeGreaterThanOrEqual(1);
        expect(g).toBeLessThan(1.3);
      }
    }
  });

  it('have a root sum of squares of mean 1 over the body', () => {
    const values = sensitivitiesAt(coils, points);
    const mean =
      points.reduce((sum, _, p) => {
        let squares = 0;
        for (let coil = 0; coil < 5; coil++) {
          squares += values[2 * (coil * 200 + p)]! ** 2 + values[2 * (coil * 200 + p) + 1]! ** 2;
        }
        return sum + Math.sqrt(squares);
      }, 0) / 200;
    expect(mean).toBeGreaterThan(0.9);
    expect(mean).toBeLessThan(1.1);
  });

  it('as maps: the centre is pixel floor(N/2)', () => {
    const maps = sensitivityMaps(coils, [6, 5], fovMm);
    const centre = sensitivitiesAt(coils, [[0, 0]]);
    for (let coil = 0; coil < 5; coil++) expect(maps[2 * (coil * 30 + 2 * 6 + 3)]).toBeCloseTo(centre[2 * coil]!, 12);
  });
});

describe('k-space of the coils', () => {
  const sampling: Sampling = { matrix: [24, 20], fovMm, readoutOversampling: 2 };
  const shapes: WeightedShape[] = [
    { shape: ellipse([12, -30], [70, 40], 0.5), weight: 1 },
    { shape: polygon([[-60, 20], [40, 30], [20, 90], [-50, 80]]), weight: -0.4 },
  ];
  const kspace = coilKspace(shapes, coils, sampling);
  /** Sample [line, sample] of a coil. */
  const at = (data: Float32Array, coil: number, line: number, sample: number) => {
    const index = 2 * ((coil * 20 + line) * 48 + sample);
    return [data[index]!, data[index + 1]!] as const;
  };

  it('is the integral of object times sensitivity, by brute force on a fine raster', () => {
    const n = 480;
    const raster = rasterise(shapes, [n, n], fovMm, 4);
    const maps = sensitivityMaps(coils, [n, n], fovMm);
    const [du, dv] = [fovMm[0] / n, fovMm[1] / n];
    const scale = (24 * 20) / (fovMm[0] * fovMm[1] * Math.sqrt(48 * 20));
    const zero = Math.max(...kspace.map(Math.abs));
    for (const [coil, line, sample] of [[0, 10, 24], [3, 10, 24], [1, 12, 27], [2, 7, 20], [4, 3, 40]] as const) {
      const [ku, kv] = [(sample - 24) / (2 * fovMm[0]), (line - 10) / fovMm[1]];
      let [re, im] = [0, 0];
      for (let pixel = 0; pixel < n * n; pixel++) {
        if (raster[pixel] === 0) continue;
        const u = ((pixel % n) - n / 2) * du;
        const v = (Math.floor(pixel / n) - n / 2) * dv;
        const angle = -2 * Math.PI * (ku * u + kv * v);
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        const [sRe, sIm] = [maps[2 * (coil * n * n + pixel)]!, maps[2 * (coil * n * n + pixel) + 1]!];
        re += raster[pixel]! * (sRe * cos - sIm * sin);
        im += raster[pixel]! * (sRe * sin + sIm * cos);
      }
      const [gotRe, gotIm] = at(kspace, coil, line, sample);
      const error = Math.hypot(gotRe - re * du * dv * scale, gotIm - im * du * dv * scale);
      expect(error / zero).toBeLessThan(2e-4);
      if (line === 10 && sample === 24) expect(error / Math.hypot(gotRe, gotIm)).toBeLessThan(1e-3);
    }
  });

  it('at zero is the area for a coil of sensitivity 1, in units of an orthonormal transform', () => {
    const flat: CoilSensitivities = {
      nCoils: 1,
      names: ['flat'],
      nHarmonics: 0,
      periodMm: options.periodMm,
      coefficients: Float64Array.of(1, 0),
    };
    const disc = ellipse([20, 10], [50, 50]);
    const data = coilKspace([{ shape: disc, weight: 1 }], flat, sampling);
    const pixelMm2 = (fovMm[0] * fovMm[1]) / (24 * 20);
    expect(at(data, 0, 10, 24)[0]).toBeCloseTo(areaMm2(disc) / pixelMm2 / Math.sqrt(48 * 20), 4);
  });

  it('is linear in the object', () => {
    const parts = shapes.map((shape) => coilKspace([shape], coils, sampling));
    for (let index = 0; index < kspace.length; index += 7) {
      expect(kspace[index]).toBeCloseTo(parts[0]![index]! + parts[1]![index]!, 4);
    }
  });

  it('without oversampling is every other sample of it, sqrt(2) as large', () => {
    const plain = coilKspace(shapes, coils, { ...sampling, readoutOversampling: 1 });
    for (const [line, sample] of [[0, 0], [10, 12], [13, 5], [19, 23]] as const) {
      const index = 2 * ((2 * 20 + line) * 24 + sample);
      expect(plain[index]).toBeCloseTo(Math.SQRT2 * at(kspace, 2, line, 2 * sample)[0], 4);
    }
  });
});
