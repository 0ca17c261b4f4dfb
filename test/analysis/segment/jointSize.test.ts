import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { classIndex } from '../../../analysis/segment/index.js';
import { keepSmallJoints } from '../../../analysis/segment/jointSize.js';

const { background, facetJoint, posteriorElements, disc } = classIndex;
const [columns, rows] = [60, 50];
const slice = (classAt: (column: number, row: number) => number) => Uint8Array.from({ length: columns * rows }, (_, pixel) => classAt(pixel % columns, Math.floor(pixel / columns)));
const counts = (classes: Uint8Array) => [facetJoint, posteriorElements].map((one) => classes.filter((value) => value === one).length);

describe('pieces of facet joints', () => {
  it('are joints where they are small, and bone of arches where they are large', () => {
    // 5 x 16 mm, and 12 x 20 mm beside it.
    const classes = slice((column, row) => (column < 5 && row < 16 ? facetJoint : column > 10 && column < 23 && row < 20 ? facetJoint : background));
    keepSmallJoints(classes, columns, 1);
    expect(counts(classes)).toEqual([5 * 16, 12 * 20]);
    // The same shapes in pixels of half a millimetre are both small.
    const fine = slice((column, row) => (column > 10 && column < 23 && row < 20 ? facetJoint : background));
    keepSmallJoints(fine, columns, 0.25);
    expect(counts(fine)).toEqual([12 * 20, 0]);
  });

  it('do not hang together over the border of the image or by corners', () => {
    const around = slice((column, row) => ((column > 53 && row < 12) || (column < 6 && row > 0 && row < 13) ? facetJoint : background));
    keepSmallJoints(around, columns, 1);
    expect(counts(around)).toEqual([6 * 12 * 2, 0]);
    const corners = slice((column, row) => ((column < 8 && row < 8) || (column >= 8 && column < 16 && row >= 8 && row < 16) ? facetJoint : background));
    keepSmallJoints(corners, columns, 1);
    expect(counts(corners)).toEqual([128, 0]);
  });

  it('are all that changes, once and for all', () => {
    fc.assert(fc.property(fc.array(fc.constantFrom(background, facetJoint, facetJoint, posteriorElements, disc), { minLength: columns * rows, maxLength: columns * rows }), (drawn) => {
      const classes = Uint8Array.from(drawn);
      keepSmallJoints(classes, columns, 0.5);
      classes.forEach((value, pixel) => expect(value === drawn[pixel] || (drawn[pixel] === facetJoint && value === posteriorElements)).toBe(true));
      const again = classes.slice();
      keepSmallJoints(again, columns, 0.5);
      expect(again).toEqual(classes);
    }), { numRuns: 10 });
  });
});
