/**
 * The interval that holds the true value of a pixel in nine of ten cases, of a normal deviation about the signal S:
 *
 *   S ± 1.645 k sigma
 *
 * sigma: what the deviations of the parameter maps make of the signal; k: a factor from held-out cases (calibration.ts), by
 * how wide and how bright: sigma / (|S| + 0.02) and |S|. Of a magnitude image the interval of |S| is meant: where S ± ...
 * has zero in it, it reaches from zero to the larger end.
 */
import type { IntervalTable } from './calibration.js';

/** Of a normal distribution, half the width that holds 90 %. */
const halfWidth = 1.6448536269514722;
/** Signal a unit of equilibrium magnetisation at which relative widths stop growing as the signal goes to zero. */
const faint = 0.02;

export interface Interval {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/**
 * @param signal with its sign; `deviation`: its standard deviation
 * @param into where it is written, of the same length; new arrays unless given
 */
export function intervalOf(
  signal: Float32Array, deviation: Float32Array, isMagnitude: boolean, table: IntervalTable,
  into: Interval = { low: new Float32Array(signal.length), high: new Float32Array(signal.length) },
): Interval {
  const { low, high } = into;
  for (let pixel = 0; pixel < signal.length; pixel++) {
    const value = signal[pixel]!;
    const size = Math.abs(value);
    const sigma = deviation[pixel]!;
    // Of air, which is half of an image, nothing has to be looked up.
    if (sigma === 0) {
      low[pixel] = high[pixel] = isMagnitude ? size : value;
      continue;
    }
    const factor = table.factors[binOf(relativeWidth(size, sigma), table.widthEdges)]![binOf(size, table.brightnessEdges)]!;
    const half = halfWidth * factor * sigma;
    if (isMagnitude) {
      low[pixel] = Math.max(0, size - half);
      high[pixel] = size + half;
    } else {
      low[pixel] = value - half;
      high[pixel] = value + half;
    }
  }
  return into;
}

/** Standard deviation over signal, which does not grow without limit where there is none. */
export function relativeWidth(size: number, deviation: number): number {
  return deviation / (size + faint);
}

function binOf(value: number, edges: readonly number[]): number {
  let bin = 0;
  while (bin < edges.length && value >= edges[bin]!) bin++;
  return bin;
}
