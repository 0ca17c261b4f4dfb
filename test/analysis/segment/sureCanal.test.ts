import { describe, expect, it } from 'vitest';
import { classIndex } from '../../../analysis/segment/index.js';
import { keepSureCanal } from '../../../analysis/segment/sureCanal.js';

const { sac, cord, disc } = classIndex;

describe('pieces of canal', () => {
  /** Two tubes, the first with a cord that is less sure than its sac, the second at the right border, and a disc that is unsure. */
  function slice(sureOfSecond: number) {
    const [columns, rows] = [12, 10];
    const [classes, confidence] = [new Uint8Array(columns * rows), new Uint8Array(columns * rows).fill(250)];
    const paint = (from: number, to: number, structure: number, sure: number) => {
      for (let row = 0; row < rows; row++) {
        for (let column = from; column < to; column++) {
          classes[row * columns + column] = structure;
          confidence[row * columns + column] = 255 * sure;
        }
      }
    };
    paint(1, 3, sac, 0.9);
    paint(3, 4, cord, 0.5);
    paint(6, 8, disc, 0.4);
    paint(10, 12, sac, sureOfSecond);
    return { columns, classes, confidence };
  }

  it('stay where they are sure on the mean, whole', () => {
    const { columns, classes, confidence } = slice(0.75);
    const before = [...classes];
    keepSureCanal(classes, confidence, columns);
    expect([...classes]).toEqual(before);
  });

  it('go where they are not, and nothing else does', () => {
    const { columns, classes, confidence } = slice(0.65);
    const expected = classes.map((structure, pixel) => (pixel % columns >= 10 ? 0 : structure));
    keepSureCanal(classes, confidence, columns);
    expect(classes).toEqual(expected);
    expect([confidence[10], confidence[11]]).toEqual([0, 0]);
    expect(confidence[6]).toBe(102);
  });
});
