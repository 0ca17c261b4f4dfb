/**
 * Pictures for people: numbers -> grey levels or colours -> PNG. Row 0 is the top row and column 0
 * the left one; nothing is turned or mirrored. A picture is windowed, hence its values are not the
 * image's: never measure on it.
 *
 *   t = clamp((value - centre) / width + 1/2, 0, 1)     (DICOM's LINEAR_EXACT, PS3.3 C.11.2.1.3)
 */
import { encode } from 'fast-png';
import { ImagingError } from './errors.js';
import type { RealArray } from './metrics.js';

/** The values that are spread over black to white. */
export interface PixelWindow {
  readonly centre: number;
  readonly width: number;
}

/** [rows, columns, channels]; one channel is grey, three are red, green and blue. */
export interface Picture {
  readonly rows: number;
  readonly columns: number;
  readonly channels: 1 | 3;
  /** 8 or 16 bits a channel, as the array's type says. */
  readonly data: Uint8Array | Uint16Array;
}

/** The window whose black is `lowest` and whose white is `highest`. */
export function windowBetween(lowest: number, highest: number): PixelWindow {
  return { centre: (lowest + highest) / 2, width: highest - lowest };
}

/**
 * The window between two percentiles (0 to 100) of an image; a constant image gets width 1. Values
 * that are not finite are left out.
 */
export function percentileWindow(image: RealArray, lowPercent = 0, highPercent = 99.5): PixelWindow {
  const sorted = Float64Array.from(image).filter(Number.isFinite).sort();
  const at = (percent: number) => sorted[Math.round((percent / 100) * (sorted.length - 1))] ?? 0;
  const lowest = at(lowPercent);
  const highest = at(highPercent);
  return highest > lowest ? windowBetween(lowest, highest) : { centre: lowest, width: 1 };
}

/** A grey picture; values that are not finite are black. @throws IMG_ERR_SHAPE, IMG_ERR_PIXEL_WINDOW */
export function greyPicture(
  image: RealArray,
  rows: number,
  columns: number,
  window: PixelWindow,
  bits: 8 | 16 = 8,
): Picture {
  const white = bits === 8 ? 255 : 65535;
  const data = new (bits === 8 ? Uint8Array : Uint16Array)(rows * columns);
  windowed(image, rows, columns, window, (pixel, t) => {
    data[pixel] = Math.round(t * white);
  });
  return { rows, columns, channels: 1, data };
}

/**
 * A picture in black, red, yellow, white: for maps, so that nobody takes one for an image.
 * @throws IMG_ERR_SHAPE, IMG_ERR_PIXEL_WINDOW
 */
export function heatPicture(image: RealArray, rows: number, columns: number, window: PixelWindow): Picture {
  const data = new Uint8Array(3 * rows * columns);
  const ramp = (t: number) => Math.round(255 * Math.min(Math.max(t, 0), 1));
  windowed(image, rows, columns, window, (pixel, t) => {
    data[3 * pixel] = ramp(2.5 * t);
    data[3 * pixel + 1] = ramp(2.5 * t - 1);
    data[3 * pixel + 2] = ramp(5 * t - 4);
  });
  return { rows, columns, channels: 3, data };
}

/**
 * 8-bit pictures side by side, aligned at the top, with a black gap of `gapPixels` between them.
 * @throws IMG_ERR_SHAPE for 16-bit pictures
 */
export function montage(pictures: readonly Picture[], gapPixels = 4): Picture {
  const rows = Math.max(...pictures.map((picture) => picture.rows));
  const columns = pictures.reduce((sum, picture) => sum + picture.columns + gapPixels, -gapPixels);
  const channels = pictures.some((picture) => picture.channels === 3) ? 3 : 1;
  const data = new Uint8Array(rows * columns * channels);
  let left = 0;
  for (const picture of pictures) {
    if (picture.data instanceof Uint16Array) throw new ImagingError('IMG_ERR_SHAPE', 'a 16-bit picture in a montage');
    for (let row = 0; row < picture.rows; row++) {
      for (let column = 0; column < picture.columns; column++) {
        const from = (row * picture.columns + column) * picture.channels;
        const to = (row * columns + left + column) * channels;
        for (let channel = 0; channel < channels; channel++) {
          data[to + channel] = picture.data[from + (picture.channels === 3 ? channel : 0)]!;
        }
      }
    }
    left += picture.columns + gapPixels;
  }
  return { rows, columns, channels, data };
}

/** The part of a picture that starts at [row, column]. @throws IMG_ERR_SHAPE where it would reach beyond it */
export function cropped(
  picture: Picture,
  { row, column, rows, columns }: { row: number; column: number; rows: number; columns: number },
): Picture {
  const { channels, data } = picture;
  if (row < 0 || column < 0 || rows < 1 || columns < 1 || row + rows > picture.rows || column + columns > picture.columns) {
    const part = `rows ${row} to ${row + rows}, columns ${column} to ${column + columns}`;
    throw new ImagingError('IMG_ERR_SHAPE', `${part} of ${picture.rows} x ${picture.columns}`);
  }
  const part = data.slice(0, rows * columns * channels);
  for (let y = 0; y < rows; y++) {
    const from = ((row + y) * picture.columns + column) * channels;
    part.set(data.subarray(from, from + columns * channels), y * columns * channels);
  }
  return { rows, columns, channels, data: part };
}

/** Every pixel as a square of `factor` x `factor`; `factor` is a whole number from 1. */
export function enlarged({ rows, columns, channels, data }: Picture, factor: number): Picture {
  const large = new (data instanceof Uint16Array ? Uint16Array : Uint8Array)(data.length * factor * factor);
  const width = columns * factor;
  for (let pixel = 0; pixel < rows * width * factor; pixel++) {
    const from = Math.floor(pixel / (width * factor)) * columns + Math.floor((pixel % width) / factor);
    for (let channel = 0; channel < channels; channel++) large[pixel * channels + channel] = data[from * channels + channel]!;
  }
  return { rows: rows * factor, columns: width, channels, data: large };
}

/** The PNG file of a picture. */
export function encodePng(picture: Picture): Uint8Array {
  return encode({
    width: picture.columns,
    height: picture.rows,
    channels: picture.channels,
    depth: picture.data instanceof Uint16Array ? 16 : 8,
    data: picture.data,
  });
}

/** Calls `paint` with every pixel's place in the window: 0 is black, 1 is white. */
function windowed(
  image: RealArray,
  rows: number,
  columns: number,
  { centre, width }: PixelWindow,
  paint: (pixel: number, t: number) => void,
): void {
  if (image.length !== rows * columns) {
    throw new ImagingError('IMG_ERR_SHAPE', `${image.length} pixels for ${rows} rows x ${columns} columns`);
  }
  if (!Number.isFinite(centre) || !Number.isFinite(width) || width <= 0) {
    throw new ImagingError('IMG_ERR_PIXEL_WINDOW', `centre ${centre}, width ${width}`);
  }
  for (let pixel = 0; pixel < image.length; pixel++) {
    const value = image[pixel]!;
    const t = (value - centre) / width + 0.5;
    paint(pixel, Number.isFinite(value) ? Math.min(Math.max(t, 0), 1) : 0);
  }
}
