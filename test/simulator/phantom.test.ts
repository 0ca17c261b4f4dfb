import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  areaMm2,
  band,
  contains,
  ellipse,
  flatten,
  polygon,
  rasterise,
  roundedBox,
  spineExtentMm,
  spinePhantom,
  transformAt,
  transformOnLattice,
  type Point,
  type Shape,
  type WeightedShape,
} from '../../simulator/index.js';

/** ∫ exp(-i 2π k·r) over the shape by brute force: midpoints of a fine grid, cells at the edge by parts. */
function byRaster(image: Float32Array, [ku, kv]: Point, fovMm: number, n: number): [number, number] {
  const step = fovMm / n;
  let [re, im] = [0, 0];
  for (let row = 0; row < n; row++) {
    for (let column = 0; column < n; column++) {
      const value = image[row * n + column]!;
      if (value === 0) continue;
      const angle = -2 * Math.PI * (ku * (column - n / 2) + kv * (row - n / 2)) * step;
      re += value * Math.cos(angle);
      im += value * Math.sin(angle);
    }
  }
  return [re * step * step, im * step * step];
}

const one = (shape: Shape): WeightedShape[] => [{ shape, weight: 1 }];
const oblique = ellipse([7, -12], [21, 9], 0.6);
const box = roundedBox([-9, 5], [14, 22], { angleRad: -0.4 });
const lShape = polygon([[0, 0], [30, 0], [30, 8], [9, 8], [9, 25], [0, 25]]);
const shapes: [string, Shape][] = [['ellipse', oblique], ['rounded box', box], ['concave polygon', lShape]];

describe('transform of a shape', () => {
  it.each(shapes)('of an %s is its integral', (_, shape) => {
    const raster = rasterise(one(shape), [300, 300], [100, 100], 8);
    for (const k of [[0.004, 0.011], [-0.02, 0.015], [0.03, 0], [0, -0.025]] as const) {
      const exact = transformAt(one(shape), k);
      const integral = byRaster(raster, k, 100, 300);
      const difference = Math.hypot(exact[0] - integral[0], exact[1] - integral[1]);
      expect(difference).toBeLessThan(5e-4 * areaMm2(shape));
    }
  });

  it.each(shapes)('of an %s is its area at zero, and continuous there', (_, shape) => {
    expect(transformAt(one(shape), [0, 0])).toEqual([areaMm2(shape), 0]);
    const near = transformAt(one(shape), [1e-7, -1e-7]);
    expect(near[0]).toBeCloseTo(areaMm2(shape), 4);
    expect(near[1]).toBeCloseTo(0, 1);
  });

  it('does not depend on the direction of the outline', () => {
    const other = polygon([...lShape.cornersMm].reverse());
    const [a, b] = [transformAt(one(lShape), [0.01, 0.02]), transformAt(one(other), [0.01, 0.02])];
    expect(a[0]).toBeCloseTo(b[0], 9);
    expect(a[1]).toBeCloseTo(b[1], 9);
  });

  it('of a rectangle is a product of sincs', () => {
    const rectangle = polygon([[-10, -5], [10, -5], [10, 5], [-10, 5]]);
    const sinc = (x: number) => Math.sin(Math.PI * x) / (Math.PI * x);
    const [re, im] = transformAt(one(rectangle), [0.013, -0.037]);
    expect(re).toBeCloseTo(200 * sinc(20 * 0.013) * sinc(10 * 0.037), 9);
    expect(im).toBeCloseTo(0, 9);
  });

  it('of a polygon tends to that of the ellipse that it approaches', () => {
    const fine = roundedBox([3, 4], [20, 12], { exponent: 2, nCorners: 4000 });
    const exact = ellipse([3, 4], [20, 12]);
    for (const k of [[0.01, 0.01], [0.1, -0.07]] as const) {
      const [a, b] = [transformAt(one(fine), k), transformAt(one(exact), k)];
      expect(Math.hypot(a[0] - b[0], a[1] - b[1])).toBeLessThan(1e-5 * areaMm2(exact));
    }
  });

  // Closer to zero the sum over edges loses digits; no lattice has such steps.
  const k = fc
    .tuple(fc.double({ min: -0.5, max: 0.5, noNaN: true }), fc.double({ min: -0.5, max: 0.5, noNaN: true }))
    .filter((at) => Math.hypot(...at) > 1e-5);

  it('obeys the shift theorem', () => {
    const moved: [Shape, Shape][] = [
      [oblique, { ...oblique, centreMm: [oblique.centreMm[0] + 5, oblique.centreMm[1] - 3] }],
      [lShape, polygon(lShape.cornersMm.map(([u, v]): Point => [u + 5, v - 3]))],
    ];
    fc.assert(
      fc.property(k, fc.constantFrom(...moved), (at, [shape, shifted]) => {
        const [re, im] = transformAt(one(shape), at);
        const angle = -2 * Math.PI * (5 * at[0] - 3 * at[1]);
        const got = transformAt(one(shifted), at);
        expect(got[0]).toBeCloseTo(re * Math.cos(angle) - im * Math.sin(angle), 7);
        expect(got[1]).toBeCloseTo(re * Math.sin(angle) + im * Math.cos(angle), 7);
      }),
    );
  });

  it('is linear in the shapes, and conjugate symmetric', () => {
    fc.assert(
      fc.property(k, fc.double({ min: -3, max: 3, noNaN: true }), (at, weight) => {
        const sum = transformAt([{ shape: oblique, weight }, { shape: lShape, weight: 2 }], at);
        const [a, b] = [transformAt(one(oblique), at), transformAt(one(lShape), at)];
        expect(sum[0]).toBeCloseTo(weight * a[0] + 2 * b[0], 8);
        expect(sum[1]).toBeCloseTo(weight * a[1] + 2 * b[1], 8);
        const opposite = transformAt([{ shape: oblique, weight }, { shape: lShape, weight: 2 }], [-at[0], -at[1]]);
        expect(opposite[0]).toBeCloseTo(sum[0], 8);
        expect(opposite[1]).toBeCloseTo(-sum[1], 8);
      }),
    );
  });

  it('is the same on a lattice as point by point', () => {
    const phantom = [{ shape: oblique, weight: 1 }, { shape: box, weight: -0.5 }, { shape: lShape, weight: 0.3 }];
    const lattice = transformOnLattice(phantom, { stepU: 0.003, stepV: 0.005, halfU: 6, halfV: 4 });
    for (let j = -4; j <= 4; j++) {
      for (let i = -6; i <= 6; i++) {
        const [re, im] = transformAt(phantom, [i * 0.003, j * 0.005]);
        const at = 2 * ((j + 4) * 13 + i + 6);
        expect(lattice[at]).toBeCloseTo(re, 8);
        expect(lattice[at + 1]).toBeCloseTo(im, 8);
      }
    }
  });
});

describe('shapes', () => {
  it.each(shapes)('%s: the area is that of its pixels', (_, shape) => {
    const image = rasterise(one(shape), [250, 250], [100, 100], 4);
    expect(image.reduce((sum, value) => sum + value, 0) * 0.16).toBeCloseTo(areaMm2(shape), 0);
  });

  it('a band is as wide as it is told to be, along u', () => {
    const shape = band([{ pointMm: [0, 0], widthMm: 4 }, { pointMm: [10, 20], widthMm: 4 }]);
    expect(areaMm2(shape)).toBeCloseTo(80, 9);
    expect(contains(shape, [5 + 1.9, 10])).toBe(true);
    expect(contains(shape, [5 + 2.1, 10])).toBe(false);
  });

  it.each([
    ['no size', () => ellipse([0, 0], [3, 0])],
    ['two corners', () => polygon([[0, 0], [1, 1]])],
  ])('%s is refused', (_, make) => expect(make).toThrow('SIM_ERR_SHAPE'));

  it('flatten gives every region its intensity over its parent', () => {
    const inner = { shape: ellipse([0, 0], [1, 1]), intensity: 0.3 };
    const terms = flatten([{ shape: ellipse([0, 0], [2, 2]), intensity: 0.8, children: [inner] }]);
    expect(terms.map(({ weight }) => weight)).toEqual([0.8, 0.3 - 0.8]);
  });
});

describe('the spine', () => {
  it.each([0, 4.4])('%s mm beside the midline: tissues are nested, never overlapping', (offset) => {
    // Overlap adds up to an intensity that no tissue has.
    const tissues = [0, 0.04, 0.05, 0.12, 0.2, 0.25, 0.27, 0.3, 0.33, 0.4, 0.42, 0.45, 0.5, 0.55, 0.6, 0.62, 0.65, 0.72, 0.85, 0.95, 1];
    const image = rasterise(spinePhantom(offset), [400, 400], [300, 300], 1);
    const unknown = new Set<string>();
    image.forEach((value, pixel) => {
      if (!tissues.some((tissue) => Math.abs(tissue - value) < 1e-5)) {
        unknown.add(`${value.toFixed(3)} at u ${0.75 * ((pixel % 400) - 200)}, v ${0.75 * (Math.floor(pixel / 400) - 200)}`);
      }
    });
    expect([...unknown].slice(0, 10)).toEqual([]);
  });

  it('lies in its extent', () => {
    const image = rasterise(spinePhantom(), [300, 300], [300, 300], 1);
    const outside = [...image.keys()].filter((pixel) => {
      const [u, v] = [Math.abs((pixel % 300) - 150), Math.abs(Math.floor(pixel / 300) - 150)];
      return Math.abs(image[pixel]!) > 1e-6 && (u > spineExtentMm[0] / 2 || v > spineExtentMm[1] / 2);
    });
    expect(outside).toEqual([]);
  });
});
