/**
 * Values of a picture as grey levels or colours, 8 bits a channel:
 *
 *   grey = 255 (value - (centre - width / 2)) / width, cut at 0 and 255
 *
 * the linear window of DICOM PS3.3 C.11.2.1.3 without its half steps. Not-a-numbers are black.
 */
import type { PixelWindow } from '../api/index.js';

/** Colours of the levels 0 to 255, RGB one after the other. */
export type Palette = Uint8Array;

export function windowed(values: Float32Array | Uint8Array, { centre, width }: PixelWindow, palette: Palette, rgba: Uint8ClampedArray): void {
  const scale = 255 / Math.max(width, Number.MIN_VALUE);
  const low = centre - width / 2;
  const pixels = new Uint32Array(rgba.buffer, rgba.byteOffset, values.length);
  const colours = packed(palette);
  for (let i = 0; i < values.length; i++) {
    const level = (values[i]! - low) * scale;
    pixels[i] = colours[level > 0 ? (level < 255 ? level | 0 : 255) : 0]!;
  }
}

/** Pixels that are looked at for a window, about. */
const mostSamples = 20_000;

/**
 * From the 1st to the 99th percentile of the middle of a picture: what lies next to the coil, or outside of the body, must
 * not set the contrast of the spine.
 */
export function windowOfMiddle({ rows, columns, values }: { readonly rows: number; readonly columns: number; readonly values: Float32Array | Uint8Array }): PixelWindow {
  const [top, bottom, left, right] = [0.1 * rows, 0.9 * rows, 0.3 * columns, 0.7 * columns].map(Math.floor) as [number, number, number, number];
  const step = Math.max(1, Math.floor(Math.sqrt(((bottom - top) * (right - left)) / mostSamples)));
  const samples: number[] = [];
  for (let row = top; row < bottom; row += step) for (let column = left; column < right; column += step) samples.push(values[row * columns + column]!);
  const sorted = Float64Array.from(samples.filter(Number.isFinite)).sort();
  const [low, high] = [0.01, 0.99].map((share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0) as [number, number];
  return high > low ? { centre: (low + high) / 2, width: high - low } : { centre: low, width: 1 };
}

const packedPalettes = new WeakMap<Palette, Uint32Array>();

/** As a little-endian canvas takes them: every browser's machine is. */
function packed(palette: Palette): Uint32Array {
  let colours = packedPalettes.get(palette);
  if (colours === undefined) {
    colours = Uint32Array.from({ length: 256 }, (_, i) => ((255 << 24) | (palette[3 * i + 2]! << 16) | (palette[3 * i + 1]! << 8) | palette[3 * i]!) >>> 0);
    packedPalettes.set(palette, colours);
  }
  return colours;
}

/** Through given colours, evenly spaced, straight in between. */
function through(...colours: readonly (readonly [number, number, number])[]): Palette {
  const palette = new Uint8Array(3 * 256);
  for (let i = 0; i < 256; i++) {
    const place = (i / 255) * (colours.length - 1);
    const at = Math.min(colours.length - 2, Math.floor(place));
    for (let c = 0; c < 3; c++) palette[3 * i + c] = Math.round(colours[at]![c]! + (place - at) * (colours[at + 1]![c]! - colours[at]![c]!));
  }
  return palette;
}

export const palettes = {
  grey: through([0, 0, 0], [255, 255, 255]),
  /** For maps: dark to bright in equal steps of lightness, readable without red and green. */
  heat: through([0, 0, 0], [66, 10, 104], [147, 38, 103], [221, 81, 58], [252, 165, 10], [252, 255, 164]),
  /** For what has a sign: blue below, black at nothing, orange above. */
  signed: through([110, 190, 255], [20, 70, 140], [0, 0, 0], [150, 70, 10], [255, 190, 100]),
} as const;

export type PaletteName = keyof typeof palettes;
