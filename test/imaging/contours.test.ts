import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { closedContours, ringArea, simplified } from '../../imaging/index.js';

const [rows, columns] = [40, 50];
const field = (value: (column: number, row: number) => number, high = rows, wide = columns) =>
  Float64Array.from({ length: high * wide }, (_, pixel) => value(pixel % wide, Math.floor(pixel / wide)));

/** Whether a point lies within an odd number of rings. */
function isWithin(rings: readonly number[][], x: number, y: number): boolean {
  let isOdd = false;
  for (const ring of rings) {
    for (let at = 0; at < ring.length; at += 2) {
      const [x0, y0, x1, y1] = [ring[at]!, ring[at + 1]!, ring[(at + 2) % ring.length]!, ring[(at + 3) % ring.length]!];
      if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) isOdd = !isOdd;
    }
  }
  return isOdd;
}

describe('contours', () => {
  it('of a disc lie on its circle, clockwise, and those of a hole the other way', () => {
    const [x, y] = [23.3, 18.7];
    const [disc] = closedContours(field((column, row) => 10 - Math.hypot(column - x, row - y)), rows, columns, 0);
    for (let at = 0; at < disc!.length; at += 2) expect(Math.hypot(disc![at]! - x, disc![at + 1]! - y)).toBeCloseTo(10, 1);
    expect(ringArea(disc!) / (100 * Math.PI)).toBeCloseTo(1, 2);
    const ring = closedContours(field((column, row) => 3 - Math.abs(Math.hypot(column - x, row - y) - 10)), rows, columns, 0);
    expect(ring.map((one) => Math.round(Math.sqrt(Math.abs(ringArea(one)) / Math.PI)) * Math.sign(ringArea(one))).sort((a, b) => a - b)).toEqual([-7, 13]);
  });

  it('hold exactly the pixels that reach the level, whatever the field, at its borders too', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 7 }), fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })), (high, wide, stream) => {
        const values = Float64Array.from({ length: high * wide }, () => stream.next().value as number);
        const rings = closedContours(values, high, wide, 0.5);
        for (let row = 0; row < high; row++) {
          for (let column = 0; column < wide; column++) {
            const value = values[row * wide + column]!;
            // The contour of a pixel just at the level passes through it.
            if (Math.abs(value - 0.5) > 1e-6) expect(isWithin(rings, column + 1e-9, row + 1e-9)).toBe(value > 0.5);
          }
        }
        for (const ring of rings) expect(ring.length).toBeGreaterThanOrEqual(6);
      }),
    );
  });

  it('without what nobody would miss are no further away than the tolerance', () => {
    const [ring] = closedContours(field((column, row) => 12 - Math.hypot(column - 24, 1.4 * (row - 20))), rows, columns, 0);
    const short = simplified(ring!, 0.2);
    expect(short.length).toBeLessThan(ring!.length / 3);
    for (let at = 0; at < ring!.length; at += 2) {
      let nearest = Infinity;
      for (let from = 0; from < short.length; from += 2) {
        const [x0, y0, x1, y1] = [short[from]!, short[from + 1]!, short[(from + 2) % short.length]!, short[(from + 3) % short.length]!];
        const share = Math.min(1, Math.max(0, ((ring![at]! - x0) * (x1 - x0) + (ring![at + 1]! - y0) * (y1 - y0)) / ((x1 - x0) ** 2 + (y1 - y0) ** 2)));
        nearest = Math.min(nearest, Math.hypot(ring![at]! - x0 - share * (x1 - x0), ring![at + 1]! - y0 - share * (y1 - y0)));
      }
      expect(nearest).toBeLessThanOrEqual(0.2 + 1e-9);
    }
    expect(ringArea(simplified(ring!, 0))).toBeCloseTo(ringArea(ring!), 9);
  });

  it('need as many values as pixels', () => {
    expect(() => closedContours(new Float32Array(5), 2, 3, 0)).toThrow('IMG_ERR_SHAPE');
  });
});
