import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Vector3 } from '../../../imaging/index.js';
import {
  cuboid, difference, ellipseOutline, ellipsoid, halfSpace, intersection, intoFrame, moved, offset, outOfFrame, placed, prism,
  roughened, smoothNoise, smoothUnion, tube, union, type Frame, type Solid,
} from '../../../simulator/index.js';

const tilted: Frame = {
  originMm: [4, -7, 2],
  x: [Math.cos(0.4), Math.sin(0.4), 0],
  y: [-Math.sin(0.4) * Math.cos(0.3), Math.cos(0.4) * Math.cos(0.3), Math.sin(0.3)],
  z: [Math.sin(0.4) * Math.sin(0.3), -Math.cos(0.4) * Math.sin(0.3), Math.cos(0.3)],
};
const vessel = tube(
  [
    { centreMm: [0, 0, -30], acrossMm: 6, alongMm: 4 },
    { centreMm: [2, 5, 0], acrossMm: 8, alongMm: 5 },
    { centreMm: [0, 3, 28], acrossMm: 5, alongMm: 5 },
  ],
);
const body = prism(ellipseOutline(22, 16), (x) => -12 + 0.002 * x * x, () => 13, { base: -12, top: 13 }, 2);
const solids: Record<string, Solid> = {
  ellipsoid: ellipsoid([20, 9, 14]),
  flatEllipsoid: ellipsoid([20, 3, 14]),
  cuboid: cuboid([12, 20, 7], 3),
  vessel,
  body,
  union: union(ellipsoid([10, 10, 10]), moved([12, 0, 0], cuboid([8, 4, 4]))),
  smoothUnion: smoothUnion(5, ellipsoid([10, 10, 10]), moved([12, 0, 0], cuboid([8, 4, 4]))),
  intersection: intersection(ellipsoid([20, 12, 12]), halfSpace([3, 0, 0], [1, 0, 0])),
  difference: difference(ellipsoid([20, 12, 12]), moved([15, 0, 0], ellipsoid([8, 8, 8]))),
  offset: offset(cuboid([10, 10, 10]), 2),
  placed: placed(tilted, body),
  roughened: roughened(ellipsoid([20, 15, 15]), 0.5, 8, 3),
};

const coordinate = fc.double({ min: -45, max: 45, noNaN: true });
const point: fc.Arbitrary<Vector3> = fc.tuple(coordinate, coordinate, coordinate);

describe.each(Object.entries(solids))('%s', (_name, solid) => {
  it('has all that is inside within its bounds', () => {
    fc.assert(
      fc.property(point, ([x, y, z]) => {
        const { min, max } = solid.bounds;
        const outside = [x, y, z].some((value, axis) => value < min[axis]! || value > max[axis]!);
        if (outside) expect(solid.distanceMm(x, y, z)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500, seed: 1 },
    );
  });

  it('promises no ball that meets the surface, with the caution of painting', () => {
    fc.assert(
      fc.property(point, point, ([x, y, z], way) => {
        const d = solid.distanceMm(x, y, z);
        const length = Math.hypot(...way);
        if (length < 1e-3) return;
        const step = Math.abs(d) / 1.3 / length;
        const there = solid.distanceMm(x + step * way[0], y + step * way[1], z + step * way[2]);
        // The other end of the step may touch the surface but not lie beyond it.
        expect(Math.sign(d) * there).toBeGreaterThanOrEqual(-1e-9);
      }),
      { numRuns: 2000, seed: 2 },
    );
  });

  it('rises by 1 mm a mm across its surface', () => {
    // Find the surface along rays by bisection, then look at the slope.
    const slopes: number[] = [];
    for (let ray = 0; ray < 60; ray++) {
      const angle = 2.399963 * ray;
      const height = 1 - (2 * ray + 1) / 60;
      const direction = [Math.cos(angle) * Math.sqrt(1 - height ** 2), Math.sin(angle) * Math.sqrt(1 - height ** 2), height] as const;
      const at = (t: number) => solid.distanceMm(t * direction[0], t * direction[1], t * direction[2]);
      let [inside, outside] = [0, 80];
      if (at(inside) >= 0) continue;
      for (let step = 0; step < 60; step++) {
        const middle = (inside + outside) / 2;
        if (at(middle) < 0) inside = middle;
        else outside = middle;
      }
      const p = direction.map((value) => value * inside) as unknown as Vector3;
      const h = 1e-4;
      const gradient = [0, 1, 2].map((axis) => {
        const [up, down] = [1, -1].map((sign) => solid.distanceMm(p[0] + (axis === 0 ? sign * h : 0), p[1] + (axis === 1 ? sign * h : 0), p[2] + (axis === 2 ? sign * h : 0)));
        return (up! - down!) / (2 * h);
      });
      slopes.push(Math.hypot(...gradient));
    }
    if (slopes.length === 0) return;
    for (const slope of slopes) {
      expect(slope).toBeGreaterThan(0.7);
      expect(slope).toBeLessThan(1.3);
    }
  });
});

describe('frames', () => {
  it('lead there and back', () => {
    const p: Vector3 = [3, -2, 11];
    intoFrame(tilted, outOfFrame(tilted, p)).forEach((value, axis) => expect(value).toBeCloseTo(p[axis]!, 12));
  });

  it('place a body as it is', () => {
    const [x, y, z] = outOfFrame(tilted, [5, 6, 7]);
    expect(solids.placed!.distanceMm(x, y, z)).toBeCloseTo(body.distanceMm(5, 6, 7), 10);
  });
});

describe('smoothNoise', () => {
  const values = Array.from({ length: 40_000 }, (_, index) => smoothNoise(index * 0.37, index * 0.11, index * 0.053, 9));

  it('has mean 0 and standard deviation 1, about', () => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(0.1);
    expect(Math.sqrt(variance)).toBeGreaterThan(0.9);
    expect(Math.sqrt(variance)).toBeLessThan(1.1);
  });

  it('is smooth, repeats for its seed and differs for others', () => {
    expect(Math.abs(smoothNoise(1.5, 2.5, 3.5, 4) - smoothNoise(1.501, 2.5, 3.5, 4))).toBeLessThan(0.02);
    expect(smoothNoise(-1.5, 2.5, 3.5, 4)).toBe(smoothNoise(-1.5, 2.5, 3.5, 4));
    expect(smoothNoise(1.5, 2.5, 3.5, 4)).not.toBe(smoothNoise(1.5, 2.5, 3.5, 5));
  });
});

describe('a tube that goes one way', () => {
  it.each([1, -1])('(%i) is as near as the nearest of its segments, each a tube of its own', (sign) => {
    const points = Array.from({ length: 12 }, (_, i) => ({
      centreMm: [30 * Math.sin(i), 25 * Math.cos(1.7 * i), sign * (25 * i + 3 * Math.sin(2 * i))] as Vector3, acrossMm: 4, alongMm: 4,
    }));
    const whole = tube(points);
    const segments = points.slice(1).map((point, i) => tube([points[i]!, point]));
    fc.assert(
      fc.property(fc.integer({ min: -150, max: 150 }), fc.integer({ min: -150, max: 150 }), fc.integer({ min: -300, max: 300 }), (x, y, z) => {
        const nearest = Math.min(...segments.map((segment) => segment.distanceMm(x, y, z)));
        expect(whole.distanceMm(x, y, z)).toBeCloseTo(nearest, 9);
      }),
      { numRuns: 2000 },
    );
  });
});
