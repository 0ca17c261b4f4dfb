import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fitScale,
  ImagingError,
  nRmse,
  psnr,
  scaled,
  ssim,
  ssimMap,
  thresholdMask,
  valueRange,
} from '../../imaging/index.js';

/** The pair of images that the golden numbers were computed on. */
function pair(rows: number, columns: number): { image: Float64Array; reference: Float64Array } {
  const reference = new Float64Array(rows * columns);
  const image = new Float64Array(rows * columns);
  for (let r = 0; r < rows; r++) {
    for (let c = 0; c < columns; c++) {
      const y = 100 + 60 * Math.sin(0.31 * r) * Math.cos(0.17 * c) + 20 * Math.sin(0.05 * r * c);
      reference[r * columns + c] = y;
      image[r * columns + c] = 0.93 * y + 8 * Math.sin(1.7 * r + 2.3 * c) + 0.1 * c;
    }
  }
  return { image, reference };
}

const codeOf = (action: () => unknown): string | undefined => {
  try {
    action();
  } catch (error) {
    return error instanceof ImagingError ? error.code : undefined;
  }
  return undefined;
};

describe('against scikit-image 0.26 and numpy', () => {
  const { image, reference } = pair(40, 56);
  const shape = { rows: 40, columns: 56 };

  it('gives its structural_similarity, for both window sizes', () => {
    expect(ssim(image, reference, { ...shape, dataRange: 200 })).toBeCloseTo(0.9631892516396052, 8);
    expect(ssim(image, reference, { ...shape, dataRange: 160, windowSize: 11 })).toBeCloseTo(0.9753728904301422, 8);
  });

  it('gives its map, and its mean over a mask', () => {
    const odd = pair(33, 29);
    const options = { rows: 33, columns: 29, dataRange: 200 };
    const map = ssimMap(odd.image, odd.reference, options);
    expect(map[10 * 29 + 12]).toBeCloseTo(0.9748164529828737, 8);
    expect(map[3 * 29 + 3]).toBeCloseTo(0.9613897752768396, 8);
    expect(map[29 * 29 + 25]).toBeCloseTo(0.9615841705277474, 8);
    expect(map[2 * 29 + 12]).toBeNaN();
    const mask = Uint8Array.from({ length: 33 * 29 }, (_, p) => (p % 29 < 15 ? 1 : 0));
    expect(ssim(odd.image, odd.reference, { ...options, mask })).toBeCloseTo(0.9593836206190701, 8);
  });

  it('gives its PSNR, and the nRMSE and the scale of numpy', () => {
    expect(psnr(image, reference, 200)).toBeCloseTo(28.316296005548352, 8);
    expect(nRmse(image, reference)).toBeCloseTo(0.07222274944468801, 10);
    expect(fitScale(image, reference)).toBeCloseTo(1.0441722141423075, 10);
  });
});

describe('properties', () => {
  const images = fc
    .tuple(fc.integer({ min: 7, max: 12 }), fc.integer({ min: 7, max: 12 }))
    .chain(([rows, columns]) => {
      const pixels = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), {
        minLength: rows * columns,
        maxLength: rows * columns,
      });
      return fc.record({ rows: fc.constant(rows), columns: fc.constant(columns), x: pixels, y: pixels });
    });

  it('an image equals itself', () => {
    fc.assert(
      fc.property(images, ({ rows, columns, x }) => {
        fc.pre(x.some((value) => Math.abs(value) > 1e-3));
        expect(nRmse(x, x)).toBe(0);
        expect(psnr(x, x, 1)).toBe(Infinity);
        expect(ssim(x, x, { rows, columns, dataRange: 10 })).toBeCloseTo(1, 12);
      }),
    );
  });

  it('SSIM is symmetric and never above 1', () => {
    fc.assert(
      fc.property(images, ({ rows, columns, x, y }) => {
        const options = { rows, columns, dataRange: 200 };
        const value = ssim(x, y, options);
        expect(value).toBeLessThanOrEqual(1 + 1e-12);
        expect(ssim(y, x, options)).toBeCloseTo(value, 12);
      }),
    );
  });

  it('no scale brings an image closer than the fitted one', () => {
    fc.assert(
      fc.property(images, fc.double({ min: -0.5, max: 0.5, noNaN: true }), ({ x, y }, change) => {
        fc.pre([x, y].every((image) => image.some((value) => Math.abs(value) > 1)));
        const scale = fitScale(x, y);
        expect(nRmse(scaled(x, scale), y)).toBeLessThanOrEqual(nRmse(scaled(x, scale + change), y) + 1e-12);
      }),
    );
  });

  it('pixels outside the mask do not matter', () => {
    const reference = [1, 2, 3, 4];
    const mask = [1, 1, 1, 0];
    expect(nRmse([1, 2, 3, 1e9], reference, mask)).toBe(0);
    expect(psnr([1, 2, 3, 1e9], reference, 3, mask)).toBe(Infinity);
    expect(fitScale([2, 4, 6, 1e9], reference, mask)).toBeCloseTo(0.5, 12);
  });
});

describe('masks', () => {
  it('keeps what is above the fraction of the largest magnitude', () => {
    expect([...thresholdMask([0, 1, -8, 10, 0.9], 0.1)]).toEqual([0, 0, 1, 1, 0]);
    expect(valueRange([-3, 4, 1])).toBe(7);
  });
});

describe('errors', () => {
  const shape = { rows: 8, columns: 8, dataRange: 1 };
  const image = new Float32Array(64).fill(1);
  it.each([
    ['IMG_ERR_SHAPE', () => nRmse([1, 2], [1, 2, 3])],
    ['IMG_ERR_SHAPE', () => nRmse([1, 2], [1, 2], [1])],
    ['IMG_ERR_SHAPE', () => ssim(image, image, { ...shape, rows: 9 })],
    ['IMG_ERR_EMPTY_MASK', () => fitScale([1], [1], [0])],
    ['IMG_ERR_EMPTY_MASK', () => thresholdMask([0, 0], 0.1)],
    ['IMG_ERR_EMPTY_MASK', () => ssim(image, image, { ...shape, mask: new Uint8Array(64) })],
    ['IMG_ERR_ZERO_REFERENCE', () => nRmse([1], [0])],
    ['IMG_ERR_DATA_RANGE', () => psnr([1], [1], 0)],
    ['IMG_ERR_DATA_RANGE', () => ssim(image, image, { ...shape, dataRange: NaN })],
    ['IMG_ERR_WINDOW', () => ssim(image, image, { ...shape, windowSize: 6 })],
    ['IMG_ERR_WINDOW', () => ssim(image, image, { ...shape, windowSize: 9 })],
  ])('%s', (code, action) => expect(codeOf(action)).toBe(code));
});
