import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { coilImages, combineRss, combineSlice, planSlab, type SlabShape } from '../../../recon/index.js';
import {
  centredDft,
  columnOf,
  distance,
  freshKernels,
  norm,
  place,
  randomComplex,
  relativeError,
  shifted,
} from './reference.js';

const kernels = freshKernels();
const { arena } = kernels;

/** [nCoils, nRows, nColumns] by the definition, from a slab [nCoils, nLines, nColumns]. */
function coilImagesByDefinition(slab: Float64Array, shape: SlabShape): Float64Array {
  const { nCoils, nLines, nColumns, centreLine, paddedRows, nRows } = shape;
  const images = new Float64Array(2 * nCoils * nRows * nColumns);
  for (let coil = 0; coil < nCoils; coil++) {
    const plane = slab.subarray(2 * coil * nLines * nColumns, 2 * (coil + 1) * nLines * nColumns);
    for (let column = 0; column < nColumns; column++) {
      const half = Math.floor(paddedRows / 2);
      const padded = shifted(columnOf(plane, column, nColumns), centreLine, half, paddedRows);
      const image = shifted(centredDft(padded, 'inverse'), half, Math.floor(nRows / 2), nRows);
      for (let row = 0; row < nRows; row++) {
        const to = 2 * ((coil * nRows + row) * nColumns + column);
        images.set(image.subarray(2 * row, 2 * row + 2), to);
      }
    }
  }
  return images;
}

function weightedSum(images: Float64Array, maps: Float64Array, nCoils: number): Float64Array {
  const out = new Float64Array(images.length / nCoils);
  for (let i = 0; i < images.length; i += 2) {
    const [re, im] = [images[i]!, images[i + 1]!];
    const [mapRe, mapIm] = [maps[i]!, maps[i + 1]!];
    out[i % out.length]! += mapRe * re + mapIm * im;
    out[(i % out.length) + 1]! += mapRe * im - mapIm * re;
  }
  return out;
}

function rootSumOfSquares(images: Float64Array, nCoils: number): Float64Array {
  const out = new Float64Array(images.length / 2 / nCoils);
  for (let i = 0; i < images.length / 2; i++) {
    out[i % out.length]! += images[2 * i]! ** 2 + images[2 * i + 1]! ** 2;
  }
  return out.map(Math.sqrt);
}

const anyShape: fc.Arbitrary<SlabShape> = fc
  .record({
    nCoils: fc.integer({ min: 1, max: 4 }),
    nLines: fc.integer({ min: 1, max: 40 }),
    nColumns: fc.integer({ min: 1, max: 75 }),
    paddedRows: fc.integer({ min: 1, max: 45 }),
  })
  .chain((size) =>
    fc
      .tuple(fc.integer({ min: 0, max: size.nLines - 1 }), fc.integer({ min: 1, max: size.paddedRows }))
      .map(([centreLine, nRows]) => ({ ...size, centreLine, nRows })),
  );

describe('the column transform and combination', () => {
  it('equals transform, crop and combination one after the other, and leaves the slab as it is', () => {
    fc.assert(
      fc.property(anyShape, fc.nat(2 ** 31), (shape, seed) => {
        const { nCoils, nLines, nColumns, nRows } = shape;
        const slabValues = randomComplex(nCoils * nLines * nColumns, seed);
        const mapValues = randomComplex(nCoils * nRows * nColumns, seed + 1);
        const nImage = 2 * nRows * nColumns;
        const [slab, maps] = [place(kernels, slabValues), place(kernels, mapValues)];
        const image = arena.allocate(4 * nImage * nCoils);
        const plan = planSlab(kernels, shape);
        const expected = coilImagesByDefinition(slabValues, shape);

        // Cropping and combination may leave little: errors are measured against what went in.
        coilImages(kernels, plan, slab, image);
        const size = norm(slabValues);
        expect(distance(arena.f32(image, nImage * nCoils), expected) / size).toBeLessThan(5e-7);
        combineSlice(kernels, plan, slab, maps, image);
        const sum = weightedSum(expected, mapValues, nCoils);
        expect(distance(arena.f32(image, nImage), sum) / size).toBeLessThan(1e-6);
        combineRss(kernels, plan, slab, image);
        const rss = rootSumOfSquares(expected, nCoils);
        expect(distance(arena.f32(image, nImage / 2), rss) / size).toBeLessThan(5e-7);
        expect(Float64Array.from(arena.f32(slab, slabValues.length))).toEqual(slabValues);
        for (const pointer of [slab, maps, image]) arena.release(pointer);
      }),
      { numRuns: 80 },
    );
  });

  it('takes slabs with gaps between lines and coils', () => {
    const shape = { nCoils: 3, nLines: 12, nColumns: 10, centreLine: 5, paddedRows: 15, nRows: 11 };
    const slabValues = randomComplex(3 * 12 * 10, 5);
    const lineStrideBytes = 8 * 13;
    const coilStrideBytes = 12 * lineStrideBytes + 24;
    const slab = place(kernels, new Float64Array((3 * coilStrideBytes) / 4).fill(1e9));
    for (let line = 0; line < 36; line++) {
      const at = slab + Math.floor(line / 12) * coilStrideBytes + (line % 12) * lineStrideBytes;
      arena.f32(at, 20).set(slabValues.subarray(20 * line, 20 * line + 20));
    }
    const images = arena.allocate(8 * 3 * 11 * 10);
    coilImages(kernels, planSlab(kernels, { ...shape, lineStrideBytes, coilStrideBytes }), slab, images);
    const expected = coilImagesByDefinition(slabValues, shape);
    expect(relativeError(arena.f32(images, expected.length), expected)).toBeLessThan(1e-6);
    arena.release(slab);
    arena.release(images);
  });

  it('does the columns that it is told to and no others, so that threads can share a slab', () => {
    const shape = { nCoils: 2, nLines: 16, nColumns: 50, centreLine: 8, paddedRows: 16, nRows: 16 };
    const plan = planSlab(kernels, shape);
    const slab = place(kernels, randomComplex(2 * 16 * 50, 1));
    const maps = place(kernels, randomComplex(2 * 16 * 50, 2));
    const [whole, shared] = [arena.allocate(8 * 16 * 50), place(kernels, new Float64Array(2 * 16 * 50).fill(3))];
    combineSlice(kernels, plan, slab, maps, whole);
    const wholeImage = arena.f32(whole, 2 * 16 * 50);
    const sharedImage = arena.f32(shared, 2 * 16 * 50);
    combineSlice(kernels, plan, slab, maps, shared, { from: 0, end: 19 });
    expect(sharedImage[2 * 19]).toBe(3);
    combineSlice(kernels, plan, slab, maps, shared, { from: 19, end: 50 });
    expect(sharedImage).toEqual(wholeImage);
    combineRss(kernels, plan, slab, whole);
    combineRss(kernels, plan, slab, shared, { from: 0, end: 19 });
    combineRss(kernels, plan, slab, shared, { from: 19, end: 50 });
    expect(sharedImage.subarray(0, 16 * 50)).toEqual(wholeImage.subarray(0, 16 * 50));
    for (const pointer of [slab, maps, whole, shared]) arena.release(pointer);
  });

  const shape = { nCoils: 2, nLines: 8, nColumns: 8, centreLine: 4, paddedRows: 8, nRows: 8 };

  it.each([{ nCoils: 0 }, { nRows: 9 }, { nLines: 2.5 }, { centreLine: NaN }])('refuses %o', (change) => {
    expect(() => planSlab(kernels, { ...shape, ...change })).toThrow(
      expect.objectContaining({ code: 'RECON_ERR_FFT_SHAPE' }),
    );
  });
});
