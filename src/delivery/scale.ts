/**
 * Pixel values to stored values: stored = round(value * scale), one scale a series, recorded as
 * RescaleSlope = 1 / scale. The scale is a constant where the unit of the values is known, and else
 * a power of two taken from the first image of the series; no later image moves it, so that the same
 * signal is the same number in every slice, and a power of two loses no digit of the mantissa.
 */
import { windowBetween } from '../../imaging/index.js';
import type { PixelWindow } from '../../imaging/index.js';
import type { ReconImage } from '../../recon/index.js';
import type { DeliveredPixelType } from './types.js';

/** Stored values a unit of SNR: uint16 reaches SNR 6553, int16 3276, steps are a tenth of the noise. */
export const SNR_SCALE = 10;
/** Stored values a unit of g, or of noise standard deviation in SNR units. */
export const MAP_SCALE = 1000;
/** Stored values a unit of a coil map or a point-spread function, whose magnitudes are about 1 at most. */
export const UNIT_SCALE = 10_000;
/** How much larger than the first image's maximum a later pixel may be before it is clipped. */
const HEADROOM = 4;
/** The brightest half per cent of the first image may saturate the display. */
const WINDOW_QUANTILE = 0.995;
const HISTOGRAM_BINS = 4096;
/** About as many pixels of an image are looked at for its window. */
const WINDOW_SAMPLES = 16384;

const integerRange = { uint16: [0, 65535], int16: [-32768, 32767] } as const;

/** |z| of complex64 interleaved values; length n from 2n. @param magnitude where it goes */
export function magnitudeOf(complex: Float32Array, magnitude = new Float32Array(complex.length / 2)): Float32Array {
  for (let i = 0; i < magnitude.length; i++) {
    const re = complex[2 * i]!;
    const im = complex[2 * i + 1]!;
    magnitude[i] = Math.sqrt(re * re + im * im);
  }
  return magnitude;
}

/** What one pass over an image's values finds. */
export interface Survey {
  /** Largest finite value, 0 where none is above it. */
  readonly peak: number;
  readonly nNotFinite: number;
}

export function surveyOf(values: Float32Array): Survey {
  let peak = 0;
  let nNotFinite = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (value > peak) {
      if (value < Infinity) peak = value;
      else nNotFinite++;
    } else if (!(value > -Infinity)) {
      nNotFinite++;
    }
  }
  return { peak, nNotFinite };
}

/**
 * The scale of a series from its first image.
 * @param peak largest magnitude or map value of that image
 */
export function chooseScale(
  image: Pick<ReconImage, 'kind' | 'snrUnits'>,
  pixelType: DeliveredPixelType,
  peak: number,
): number {
  if (pixelType === 'float32' || pixelType === 'complex64') return 1;
  if (image.kind === 'gFactor') return MAP_SCALE;
  if (image.kind === 'coilMap' || image.kind === 'psf') return UNIT_SCALE;
  if (image.snrUnits) return image.kind === 'noise' ? MAP_SCALE : SNR_SCALE;
  if (peak === 0) return 1;
  return 2 ** Math.floor(Math.log2(integerRange[pixelType][1] / (HEADROOM * peak)));
}

/**
 * The display window of a series in stored values, from its first image: black at 0, white at the
 * 99.5th percentile of the non-zero values. A few bright vessels or the background's share of the
 * field of view must not set the contrast. By a histogram of samples, because the scanner waits for
 * the image meanwhile.
 */
export function chooseWindow(
  values: Float32Array,
  peak: number,
  scale: number,
  pixelType: DeliveredPixelType,
): PixelWindow {
  const counts = new Uint32Array(HISTOGRAM_BINS);
  let total = 0;
  // Odd, so that it does not run along one column of an even matrix.
  const step = Math.ceil(values.length / WINDOW_SAMPLES) | 1;
  for (let i = 0; i < values.length; i += step) {
    const value = values[i]!;
    if (value > 0 && value <= peak) {
      counts[Math.min(HISTOGRAM_BINS - 1, Math.floor((value / peak) * HISTOGRAM_BINS))]!++;
      total++;
    }
  }
  let bin = 0;
  for (let below = counts[0]!; below < WINDOW_QUANTILE * total; below += counts[bin]!) bin++;
  const white = scale * (total === 0 ? peak : ((bin + 1) / HISTOGRAM_BINS) * peak);
  if (pixelType === 'uint16' || pixelType === 'int16') {
    return windowBetween(0, Math.max(2, 2 * Math.round(white / 2)));
  }
  return windowBetween(0, white > 0 ? white : 1);
}

export interface Quantised {
  readonly pixels: Uint16Array | Int16Array;
  readonly nClipped: number;
}

/** stored = round(value * scale), halves upwards, clamped to the range of the type; what is not finite becomes 0. */
export function quantise(values: Float32Array, scale: number, pixelType: 'uint16' | 'int16'): Quantised {
  const pixels = pixelType === 'uint16' ? new Uint16Array(values.length) : new Int16Array(values.length);
  const [low, high] = integerRange[pixelType];
  let nClipped = 0;
  for (let i = 0; i < values.length; i++) {
    // A product of few digits: adding a half is exact where it matters, and several times faster than Math.round.
    const stored = Math.floor(values[i]! * scale + 0.5);
    if (stored >= low && stored <= high) {
      pixels[i] = stored;
    } else if (Number.isFinite(stored)) {
      pixels[i] = stored > high ? high : low;
      nClipped++;
    }
  }
  return { pixels, nClipped };
}
