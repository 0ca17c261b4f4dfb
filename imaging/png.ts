/**
 * Pictures for people: numbers -> grey levels or colours -> PNG. Row 0 is the top row and column 0
 * the left one; nothing is turned or mirrored. A picture is windowed, hence its values are not the
 * image's: never measure on it.
 *
 *   t = clamp((value - centre) / width + 1/2, 0, 1)     (DICOM's LINEAR_EXACT, PS3.3 C.11.2.1.3)
 */
import { deflateSync } from 'node:zlib';
import { ImagingError } from './errors.js';
import type { RealArray } from './metrics.js';
import { ranked } from './statistics.js';

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
  const at = image instanceof Int16Array ? rankedWords(image) : rankedFinite(image);
  const lowest = at(lowPercent);
  const highest = at(highPercent);
  return highest > lowest ? windowBetween(lowest, highest) : { centre: lowest, width: 1 };
}

/** Percentiles; 0 of nothing. */
function rankedFinite(image: RealArray): (percent: number) => number {
  const finite = new Float64Array(image.length);
  let n = 0;
  for (let pixel = 0; pixel < image.length; pixel++) if (Number.isFinite(image[pixel])) finite[n++] = image[pixel]!;
  const values = finite.subarray(0, n);
  return (percent) => (n === 0 ? 0 : ranked(values, Math.round((percent / 100) * (n - 1))));
}

/** The same of stored values, by counting them. */
function rankedWords(image: Int16Array): (percent: number) => number {
  const counts = new Uint32Array(65_536);
  for (let pixel = 0; pixel < image.length; pixel++) counts[image[pixel]! + 32_768]!++;
  return (percent) => {
    if (image.length === 0) return 0;
    const rank = Math.round((percent / 100) * (image.length - 1));
    let word = 0;
    for (let upTo = counts[0]!; upTo <= rank; upTo += counts[word]!) word++;
    return word - 32_768;
  };
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

/**
 * The PNG file of a picture (ISO/IEC 15948): each row as its difference from the one above it, deflated at the quickest level.
 * Of pictures of images that is smaller than the rows themselves, and a third of the time, at a higher one. @throws IMG_ERR_SHAPE
 */
export function encodePng({ rows, columns, channels, data }: Picture): Uint8Array {
  if (data.length !== rows * columns * channels) throw new ImagingError('IMG_ERR_SHAPE', `${data.length} values for ${rows} rows x ${columns} columns x ${channels}`);
  const isWide = data instanceof Uint16Array;
  const bytes = isWide ? bigEndian(data) : data;
  const rowBytes = bytes.length / rows;
  const filtered = new Uint8Array(rows * (1 + rowBytes));
  for (let row = 0, from = 0, to = 0; row < rows; row++) {
    filtered[to++] = filterUp;
    for (const end = from + rowBytes; from < end; from++, to++) filtered[to] = bytes[from]! - (row === 0 ? 0 : bytes[from - rowBytes]!);
  }
  const header = new DataView(new ArrayBuffer(13));
  header.setUint32(0, columns);
  header.setUint32(4, rows);
  header.setUint8(8, isWide ? 16 : 8);
  header.setUint8(9, channels === 3 ? 2 : 0);
  const chunks = [...chunk('IHDR', new Uint8Array(header.buffer)), ...chunk('IDAT', deflateSync(filtered, { level: 1 })), ...chunk('IEND', new Uint8Array())];
  return new Uint8Array(Buffer.concat([pngSignature, ...chunks]));
}

const pngSignature = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const filterUp = 2;

function bigEndian(values: Uint16Array): Uint8Array {
  const bytes = new DataView(new ArrayBuffer(2 * values.length));
  values.forEach((value, index) => bytes.setUint16(2 * index, value));
  return new Uint8Array(bytes.buffer);
}

/** Length, type and data, and the cyclic redundancy check of the latter two. */
function chunk(type: string, data: Uint8Array): [Uint8Array, Uint8Array, Uint8Array] {
  const [begin, end] = [new DataView(new ArrayBuffer(8)), new DataView(new ArrayBuffer(4))];
  begin.setUint32(0, data.length);
  for (let at = 0; at < 4; at++) begin.setUint8(4 + at, type.charCodeAt(at));
  const head = new Uint8Array(begin.buffer);
  end.setUint32(0, ~checked(data, checked(head.subarray(4), -1)));
  return [head, data, new Uint8Array(end.buffer)];
}

/** CRC-32 (ISO/IEC 15948, annex D): zlib of Node tells it from 20.15 on only. */
const remainders = Int32Array.from({ length: 256 }, (_, byte) => {
  let remainder = byte;
  for (let bit = 0; bit < 8; bit++) remainder = remainder & 1 ? 0xedb88320 ^ (remainder >>> 1) : remainder >>> 1;
  return remainder;
});

function checked(data: Uint8Array, remainder: number): number {
  let sum = remainder;
  for (let at = 0; at < data.length; at++) sum = remainders[(sum ^ data[at]!) & 0xff]! ^ (sum >>> 8);
  return sum;
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
