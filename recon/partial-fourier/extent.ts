/**
 * Which part of k-space was sampled, axis by axis, and the window that its edges are given.
 *
 *   M(k) = product over the axes of M_axis(k_axis)
 *
 * is 1 where k-space was sampled, 0 where it was not, and falls as a raised cosine over a part of the
 * shorter side towards an edge that has no like on the other side: a step there would ring.
 */

/** The samples from..end of an axis of n, whose zero frequency is at floor(n / 2). */
export interface SampledExtent {
  readonly n: number;
  readonly from: number;
  readonly end: number;
}

/** [slices, rows, columns] of a k-space [nSlices, nRows, nColumns]. */
export type SampledVolume = readonly [slices: SampledExtent, rows: SampledExtent, columns: SampledExtent];

/** Sides that differ by less than this part of the longer one count as equal: lattices end where they end. */
const negligibleAsymmetry = 0.04;
/** Gadgetron's width of the partial-Fourier filter, as a part of the shorter side. */
const taperFraction = 0.15;

export function fullExtent(n: number): SampledExtent {
  return { n, from: 0, end: n };
}

/** Samples before the centre and after it. */
export function sides({ n, from, end }: SampledExtent): { before: number; after: number } {
  const centre = Math.floor(n / 2);
  return { before: centre - from, after: end - 1 - centre };
}

/** Samples on the shorter side: on either side of the centre as many were measured. */
export function shorterSide(extent: SampledExtent): number {
  const { before, after } = sides(extent);
  return Math.max(0, Math.min(before, after));
}

/** True where one side of the centre is so much shorter than the other that the image knows it. */
export function isPartial(extent: SampledExtent): boolean {
  const { before, after } = sides(extent);
  return Math.abs(before - after) > Math.max(2, negligibleAsymmetry * Math.max(before, after));
}

/** M along one axis, float64 [n]. */
export function samplingWindow(extent: SampledExtent): Float64Array {
  const { n, from, end } = extent;
  const window = new Float64Array(n).fill(1, from, end);
  if (!isPartial(extent)) return window;
  const width = Math.max(1, Math.round(taperFraction * shorterSide(extent)));
  const { before, after } = sides(extent);
  for (let i = 0; i < width; i++) {
    const weight = 0.5 * (1 - Math.cos((Math.PI * (i + 1)) / (width + 1)));
    window[before < after ? from + i : end - 1 - i] = weight;
  }
  return window;
}

/** Index of -k where k is at `index`; the transform is periodic, so that the outermost sample of an even axis is its own. */
export function conjugateIndex(index: number, n: number): number {
  return (2 * Math.floor(n / 2) - index + n) % n;
}
