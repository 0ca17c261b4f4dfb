/** What the pixels of a map are like within a mask. */
import { ImagingError } from './errors.js';
import type { Mask, RealArray } from './metrics.js';

/** The finite values of the pixels that count, ascending. @throws IMG_ERR_EMPTY_MASK where there are none */
export function sortedWithin(values: RealArray, mask: Mask): Float64Array {
  const kept: number[] = [];
  for (let pixel = 0; pixel < values.length; pixel++) if (mask[pixel] && Number.isFinite(values[pixel])) kept.push(values[pixel]!);
  if (kept.length === 0) throw new ImagingError('IMG_ERR_EMPTY_MASK', 'a mask without a finite pixel');
  return Float64Array.from(kept).sort();
}

/** The value below which `percent` (0 to 100) of sorted values lie: the nearest rank. */
export function percentileOf(sorted: ArrayLike<number>, percent: number): number {
  return sorted[Math.max(0, Math.ceil((percent / 100) * sorted.length) - 1)]!;
}

/** The same of finite values in any order, which it reorders. */
export function percentileAmong(values: Float32Array | Float64Array, percent: number): number {
  return ranked(values, Math.max(0, Math.ceil((percent / 100) * values.length) - 1));
}

/**
 * What is at index `rank` of the ascending order; reorders the values. Hoare 1961, doi 10.1145/366622.366647: parts them at a
 * value of theirs, then the part that has the rank in it, in linear time where sorting all of them takes n log n.
 */
export function ranked(values: Float32Array | Float64Array, rank: number): number {
  let [first, last] = [0, values.length - 1];
  while (first < last) {
    const [a, b, c] = [values[first]!, values[(first + last) >> 1]!, values[last]!];
    const pivot = Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
    let [left, right] = [first, last];
    while (left <= right) {
      while (values[left]! < pivot) left++;
      while (values[right]! > pivot) right--;
      if (left > right) break;
      const swapped = values[left]!;
      values[left++] = values[right]!;
      values[right--] = swapped;
    }
    if (rank <= right) last = right;
    else if (rank >= left) first = left;
    else break;
  }
  return values[rank]!;
}

export function meanOf(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]!;
  return sum / values.length;
}

/** NaN of nothing. */
export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  const [below, above] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.ceil((sorted.length - 1) / 2)]];
  return below === undefined || above === undefined ? NaN : (below + above) / 2;
}
