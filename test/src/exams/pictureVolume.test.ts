import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { affineLps, slicePlaneOf } from '../../../imaging/index.js';
import { volumeOfPictures } from '../../../src/exams/index.js';
import type { ExamPicture } from '../../../src/exams/index.js';
import { geometriesUpTo } from '../../imaging/grids.js';

type Changes = Partial<ExamPicture>;

function slicesOf(geometry: Parameters<typeof slicePlaneOf>[0], change: (slice: number) => Changes = () => ({})): ExamPicture[] {
  const [columns, rows, nSlices] = geometry.matrixSize;
  return Array.from({ length: nSlices }, (_, slice) => ({
    output: 'image', number: slice + 1, slice, contrast: 0, repetition: 0, rows, columns, window: { centre: 1, width: 2 },
    values: new Float32Array(rows * columns).fill(slice), geometry: slicePlaneOf(geometry, slice), ...change(slice),
  }));
}

function unplaced({ output, number, slice, contrast, repetition, rows, columns, window, values }: ExamPicture): ExamPicture {
  return { output, number, slice, contrast, repetition, rows, columns, window, values };
}

const even = { centreMm: [1, 2, 3], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0], fovMm: [40, 30, 20], matrixSize: [8, 6, 4] } as const;
const shifted = (mm: number) => ({ ...slicePlaneOf(even, 2), originMm: slicePlaneOf(even, 2).originMm.map((value, axis) => value + (axis === 1 ? mm : 0)) as unknown as readonly [number, number, number] });

describe('slices as a volume', () => {
  it('have the grid that they were cut from, in whatever order they come and whichever way they were counted', () => {
    fc.assert(
      fc.property(geometriesUpTo(5), fc.boolean(), (geometry, isReversed) => {
        const slices = slicesOf(geometry);
        const { geometry: found, data } = volumeOfPictures(isReversed ? slices.reverse() : slices);
        const [columns, rows, nSlices] = geometry.matrixSize;
        expect(found.matrixSize).toEqual(geometry.matrixSize);
        const [expected, got] = [affineLps(geometry), affineLps(found)];
        // Slices are in the order of the right-handed normal, whichever was theirs.
        const isTurned = nSlices > 1 && data[0] !== 0;
        for (const index of [0, 1, 4, 5, 8, 9]) expect(got[index]).toBeCloseTo(expected[index]!, 6);
        for (let slice = 0; slice < nSlices; slice++) expect(data[slice * rows * columns]).toBe(isTurned ? nSlices - 1 - slice : slice);
      }),
    );
  });

  it.each<[string, ExamPicture[]]>([
    ['of two sizes', slicesOf(even, (slice) => (slice === 1 ? { rows: 3, values: new Float32Array(24) } : {}))],
    ['with a gap', slicesOf(even).filter(({ slice }) => slice !== 1)],
    ['off the stack', slicesOf(even, (slice) => (slice === 2 ? { geometry: shifted(1) } : {}))],
    ['without a place', slicesOf(even).map(unplaced)],
    ['turned against one another', slicesOf(even, (slice) => (slice === 3 ? { geometry: { ...slicePlaneOf(even, 3), columnStepMm: [0.5, 4.97, 0] } } : {}))],
  ])('%s are refused', (_what, slices) => {
    expect(() => volumeOfPictures(slices)).toThrow('CONUS_ERR_IMAGE_NO_VOLUME');
  });
});
