/** Pictures of the page: windows, places, and a cache that is bounded. */
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import type { SliceGeometry } from '../../console/api/types.js';
import { edgeLetters, nearestSlice, toMm, toPixel } from '../../console/pictures/geometry.js';
import { palettes, windowed } from '../../console/pictures/window.js';

vi.stubGlobal('sessionStorage', { getItem: () => null, setItem: () => undefined });
const { PictureCache } = await import('../../console/pictures/store.js');

const greyOf = (values: number[], centre: number, width: number) => {
  const rgba = new Uint8ClampedArray(4 * values.length);
  windowed(Float32Array.from(values), { centre, width }, palettes.grey, rgba);
  return values.map((_, i) => rgba[4 * i]!);
};

describe('a window', () => {
  it('is black at its lower end, white at its upper one, and grey in between', () => {
    expect(greyOf([-5, 0, 1, 2, 99], 1, 2)).toEqual([0, 0, 127, 255, 255]);
  });
  it('never gets darker from less to more', () => {
    fc.assert(fc.property(fc.array(fc.float({ noNaN: true, min: -1e4, max: 1e4 }), { minLength: 2, maxLength: 40 }), fc.float({ noNaN: true, min: -100, max: 100 }), fc.float({ noNaN: true, min: Math.fround(0.1), max: 1e3 }), (values, centre, width) => {
      const sorted = [...values].sort((a, b) => a - b);
      const greys = greyOf(sorted, centre, width);
      expect(greys).toEqual([...greys].sort((a, b) => a - b));
    }));
  });
  it('shows what is no number as black, and lets nothing through', () => {
    const rgba = new Uint8ClampedArray(4);
    windowed(Float32Array.of(NaN), { centre: 0, width: 1 }, palettes.grey, rgba);
    expect([...rgba]).toEqual([0, 0, 0, 255]);
  });
  it('has the same colours on every machine: red, green, blue, opaque', () => {
    const rgba = new Uint8ClampedArray(4);
    windowed(Float32Array.of(1), { centre: 0.5, width: 1 }, palettes.signed, rgba);
    expect([...rgba]).toEqual([255, 190, 100, 255]);
  });
});

const sagittal = (xMm: number): SliceGeometry => ({ originMm: [xMm, -100, 120], columnStepMm: [0, 0.7, 0], rowStepMm: [0, 0, -0.7], thicknessMm: 4 });
const axial: SliceGeometry = { originMm: [-80, -80, 0], columnStepMm: [0.5, 0, 0], rowStepMm: [0, 0.5, 0], thicknessMm: 4 };

describe('places', () => {
  it('go to millimetres and back', () => {
    fc.assert(fc.property(fc.double({ min: -50, max: 400, noNaN: true }), fc.double({ min: -50, max: 400, noNaN: true }), (column, row) => {
      const back = toPixel(sagittal(3), toMm(sagittal(3), column, row));
      expect(back.column).toBeCloseTo(column, 6);
      expect(back.row).toBeCloseTo(row, 6);
      expect(back.distanceMm).toBeCloseTo(0, 6);
    }));
  });
  it('find the slice that lies nearest, in a stack of either order', () => {
    const stack = [-8, -4, 0, 4, 8].map(sagittal);
    expect(nearestSlice(sagittal(3.5), stack)).toBe(3);
    expect(nearestSlice(sagittal(3.5), [...stack].reverse())).toBe(1);
  });
  it('find none where slices cross, or lie elsewhere', () => {
    expect(nearestSlice(axial, [sagittal(0)])).toBeUndefined();
    expect(nearestSlice(sagittal(40), [sagittal(0)])).toBeUndefined();
  });
  it('name the sides of the patient', () => {
    expect(edgeLetters(sagittal(0))).toEqual({ left: 'A', right: 'P', top: 'H', bottom: 'F' });
    expect(edgeLetters(axial)).toEqual({ left: 'R', right: 'L', top: 'A', bottom: 'P' });
  });
});

describe('the cache', () => {
  const picture = (number: number) => ({ examId: 'e', seriesId: 's', output: 'image', number, slice: number, rows: 10, columns: 10, window: { centre: 0, width: 1 }, values: new Float32Array(100) });
  it('never holds more than it may, and lets go what was not looked at for longest', () => {
    const cache = new PictureCache(3 * 400);
    for (const n of [1, 2, 3]) cache.put(picture(n));
    cache.get(picture(1));
    cache.put(picture(4));
    expect(cache.nBytes).toBe(1200);
    expect(cache.get(picture(2))).toBeUndefined();
    expect([1, 3, 4].map((n) => cache.get(picture(n))?.number)).toEqual([1, 3, 4]);
  });
  it('holds one picture once', () => {
    const cache = new PictureCache(1e6);
    for (let i = 0; i < 5; i++) cache.put(picture(1));
    expect(cache.size).toBe(1);
    expect(cache.nBytes).toBe(400);
  });
});
