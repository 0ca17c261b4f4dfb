/** How a map is shown: within the object, on one scale a series, with the figures that one looks for. */
import type { PixelWindow } from '../api/index.js';
import { mapOf } from '../pictures/maps.js';
import type { PaletteName } from '../pictures/window.js';

/** Pixels above this part of the brightest one are the object, as in the pages of conus recon --report. */
const objectThreshold = 0.05;

export const mapKinds = ['gFactor', 'snr', 'noise', 'residual'] as const;
export type MapKind = (typeof mapKinds)[number];

export const paletteOf = (kind: string): PaletteName => mapOf(kind)?.palette ?? 'grey';

export function objectMask(magnitudes: ArrayLike<number>): Uint8Array {
  let brightest = 0;
  for (let i = 0; i < magnitudes.length; i++) if (magnitudes[i]! > brightest) brightest = magnitudes[i]!;
  return Uint8Array.from(magnitudes, (value) => (brightest > 0 && value >= objectThreshold * brightest ? 1 : 0));
}

export interface MapFigures {
  readonly mean: number;
  readonly median: number;
  /** 99th percentile. */
  readonly p99: number;
}

/** Undefined where nothing is within. */
export function figuresWithin(values: ArrayLike<number>, mask: Uint8Array | undefined): MapFigures | undefined {
  const within: number[] = [];
  for (let i = 0; i < values.length; i++) if ((mask === undefined || mask[i] === 1) && Number.isFinite(values[i])) within.push(values[i]!);
  if (within.length === 0) return undefined;
  within.sort((a, b) => a - b);
  const at = (part: number) => within[Math.min(within.length - 1, Math.round(part * (within.length - 1)))]!;
  return { mean: within.reduce((sum, value) => sum + value, 0) / within.length, median: at(0.5), p99: at(0.99) };
}

/** From 1 for g, which is never below; from 0 for the others; maps to a round number above nearly all. What has a sign has its own window. */
export function scaleOf(kind: string, figures: MapFigures | undefined, own: PixelWindow): PixelWindow {
  if (figures === undefined || paletteOf(kind) === 'signed') return own;
  if (paletteOf(kind) === 'grey') return { centre: figures.p99 / 2, width: figures.p99 };
  const low = kind === 'gFactor' ? 1 : 0;
  const high = kind === 'gFactor' ? Math.max(1.5, roundedUp(figures.p99)) : roundedUp(figures.p99);
  return { centre: (low + high) / 2, width: high - low };
}

export function roundedUp(value: number): number {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((step) => step * power >= value * (1 - 1e-9))!;
}
