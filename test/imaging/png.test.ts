import { decode } from 'fast-png';
import { describe, expect, it } from 'vitest';
import {
  cropped,
  encodePng,
  enlarged,
  greyPicture,
  heatPicture,
  montage,
  percentileWindow,
  windowBetween,
  type Picture,
} from '../../imaging/index.js';

/** Each pixel tells its own place, so that a turned or mirrored picture is seen. */
const numbered = (rows: number, columns: number) => Float32Array.from({ length: rows * columns }, (_, p) => p);

describe('grey', () => {
  it('is decoded to the same pixels in the same places, 8 and 16 bits', () => {
    for (const bits of [8, 16] as const) {
      const picture = greyPicture(numbered(3, 5), 3, 5, windowBetween(0, 14), bits);
      const png = decode(encodePng(picture));
      expect([png.width, png.height, png.channels, png.depth]).toEqual([5, 3, 1, bits]);
      expect([...png.data]).toEqual([...picture.data]);
      expect(png.data[0]).toBe(0);
      expect(png.data[14]).toBe(2 ** bits - 1);
    }
  });

  it('clips outside the window and draws what is not a number black', () => {
    const picture = greyPicture([-1e9, 1, 2, 3, 1e9, NaN, Infinity, 2.5], 2, 4, { centre: 2, width: 2 });
    expect([...picture.data]).toEqual([0, 0, 128, 255, 255, 0, 0, 191]);
  });
});

describe('windows', () => {
  it('lies between the percentiles, whatever a few hot pixels do', () => {
    const image = Float32Array.from({ length: 1000 }, (_, p) => p);
    image[999] = 1e9;
    expect(percentileWindow(image, 10, 90)).toEqual(windowBetween(100, 899));
    expect(percentileWindow([5, 5, 5])).toEqual({ centre: 5, width: 1 });
    expect(percentileWindow([NaN, 1, 3, Infinity], 0, 100)).toEqual(windowBetween(1, 3));
  });
});

describe('heat', () => {
  it('grows brighter with the value in every channel', () => {
    const { data, channels } = heatPicture(numbered(1, 256), 1, 256, windowBetween(0, 255));
    expect(channels).toBe(3);
    for (let index = 3; index < data.length; index++) expect(data[index]).toBeGreaterThanOrEqual(data[index - 3]!);
    expect([...data.slice(0, 3), ...data.slice(-3)]).toEqual([0, 0, 0, 255, 255, 255]);
  });
});

describe('montage', () => {
  const grey: Picture = { rows: 2, columns: 1, channels: 1, data: Uint8Array.of(10, 20) };
  const colour: Picture = { rows: 1, columns: 1, channels: 3, data: Uint8Array.of(1, 2, 3) };

  it('puts pictures side by side, aligned at the top, with a gap', () => {
    const joined = montage([grey, grey], 1);
    expect(joined).toMatchObject({ rows: 2, columns: 3, channels: 1 });
    expect([...joined.data]).toEqual([10, 0, 10, 20, 0, 20]);
  });

  it('turns grey into colour where one picture is coloured', () => {
    const joined = montage([grey, colour], 0);
    expect(joined).toMatchObject({ rows: 2, columns: 2, channels: 3 });
    expect([...joined.data]).toEqual([10, 10, 10, 1, 2, 3, 20, 20, 20, 0, 0, 0]);
    expect(decode(encodePng(joined)).channels).toBe(3);
  });
});

describe('cropped', () => {
  it('keeps the pixels of the part, grey and coloured', () => {
    const grey = greyPicture(numbered(4, 5), 4, 5, windowBetween(0, 255));
    expect([...cropped(grey, { row: 1, column: 2, rows: 2, columns: 3 }).data]).toEqual([7, 8, 9, 12, 13, 14]);
    const colour = heatPicture(numbered(4, 5), 4, 5, windowBetween(0, 20));
    expect(cropped(colour, { row: 3, column: 4, rows: 1, columns: 1 }).data).toEqual(colour.data.slice(-3));
    expect(cropped(grey, { row: 0, column: 0, rows: 4, columns: 5 })).toEqual(grey);
  });

  it('does not reach beyond the picture', () => {
    const grey = greyPicture(numbered(4, 5), 4, 5, windowBetween(0, 255));
    expect(() => cropped(grey, { row: 1, column: 0, rows: 4, columns: 5 })).toThrow('IMG_ERR_SHAPE');
  });
});

describe('enlarged', () => {
  it('makes squares of pixels', () => {
    const picture: Picture = { rows: 1, columns: 2, channels: 1, data: Uint8Array.of(3, 4) };
    expect(enlarged(picture, 2)).toEqual({ rows: 2, columns: 4, channels: 1, data: Uint8Array.of(3, 3, 4, 4, 3, 3, 4, 4) });
    expect(enlarged(picture, 1)).toEqual(picture);
    const colour: Picture = { rows: 1, columns: 1, channels: 3, data: Uint8Array.of(1, 2, 3) };
    expect([...enlarged(colour, 2).data]).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
  });
});

describe('errors', () => {
  it.each([
    ['IMG_ERR_SHAPE', () => greyPicture([1, 2, 3], 2, 2, windowBetween(0, 1))],
    ['IMG_ERR_PIXEL_WINDOW', () => greyPicture([1], 1, 1, { centre: 0, width: 0 })],
    ['IMG_ERR_PIXEL_WINDOW', () => heatPicture([1], 1, 1, { centre: NaN, width: 1 })],
    ['IMG_ERR_SHAPE', () => montage([greyPicture([1], 1, 1, windowBetween(0, 1), 16)])],
  ])('%s', (code, action) => expect(action).toThrow(code));
});
