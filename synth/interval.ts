/**
 * The interval that holds the true value of a pixel in nine of ten cases, of a normal deviation about the signal S:
 *
 *   S ± 1.645 k sigma,   ln k = offset + sum of terms
 *
 * sigma: what the deviations of the parameter maps make of the signal. k: how much the network over- or underrates itself, from
 * held-out cases (calibration.ts), by what can be seen of a pixel: a term is a piecewise linear function of one sign or a
 * piecewise bilinear one of two, constant beyond its outermost knots. Signs: ln(sigma / (|S| + 0.02)), ln(|S| + 0.02), and the maps
 * fat fraction, ln T1 and ln T2. One factor for all by width and brightness alone covers lesions worse than marrow: infected discs, say,
 * have the brightness of healthy ones, but not their T2.
 *
 * Of a magnitude image the interval of |S| is meant: where S ± ... has zero in it, it reaches from zero to the larger end.
 */
import type { IntervalFactor } from './calibration.js';
import type { TissueMaps } from './contrasts.js';

/** Of a normal distribution, half the width that holds 90 %. */
const halfWidth = 1.6448536269514722;
/** Signal a unit of equilibrium magnetisation at which relative widths stop growing as the signal goes to zero. */
const faint = 0.02;

/** What a factor may depend on, in the order in which `intervalOf` looks. */
export const pixelSigns = ['lnWidth', 'lnSize', 'fatFraction', 'lnT1Ms', 'lnT2Ms'] as const;

export interface Interval {
  readonly low: Float32Array;
  readonly high: Float32Array;
}

/**
 * @param signal with its sign; `deviation`: its standard deviation, 0 where nothing was predicted
 * @param into where it is written, of the same length; new arrays unless given
 */
export function intervalOf(
  signal: Float32Array, deviation: Float32Array, isMagnitude: boolean, factor: IntervalFactor, maps: Pick<TissueMaps, 'fatFraction' | 'lnT1Ms' | 'lnT2Ms'>,
  into: Interval = { low: new Float32Array(signal.length), high: new Float32Array(signal.length) },
): Interval {
  const { low, high } = into;
  const terms = factor.terms.map((term) => new Term(term));
  const signs = new Float64Array(pixelSigns.length);
  const { fatFraction, lnT1Ms, lnT2Ms } = maps;
  for (let pixel = 0; pixel < signal.length; pixel++) {
    const value = signal[pixel]!;
    const size = Math.abs(value);
    const sigma = deviation[pixel]!;
    // Of air, which is half of an image, nothing has to be looked up.
    if (sigma === 0) {
      low[pixel] = high[pixel] = isMagnitude ? size : value;
      continue;
    }
    signs[0] = Math.log(sigma / (size + faint));
    signs[1] = Math.log(size + faint);
    signs[2] = fatFraction[pixel]!;
    signs[3] = lnT1Ms[pixel]!;
    signs[4] = lnT2Ms[pixel]!;
    let lnFactor = factor.offset;
    for (let term = 0; term < terms.length; term++) lnFactor += terms[term]!.at(signs);
    const half = halfWidth * Math.exp(lnFactor) * sigma;
    low[pixel] = isMagnitude ? Math.max(0, size - half) : value - half;
    high[pixel] = isMagnitude ? size + half : value + half;
  }
  return into;
}

/** Standard deviation over signal, which does not grow without limit where there is none. */
export function relativeWidth(size: number, deviation: number): number {
  return deviation / (size + faint);
}

class Term {
  /** Places in `pixelSigns`; of one sign, the second is absent. */
  readonly #first: number;
  readonly #second: number | undefined;
  readonly #along: Float64Array;
  readonly #across: Float64Array;
  readonly #values: Float64Array;

  constructor({ of, knots, values }: IntervalFactor['terms'][number]) {
    this.#first = pixelSigns.indexOf(of[0]!);
    this.#second = of.length > 1 ? pixelSigns.indexOf(of[1]!) : undefined;
    this.#along = Float64Array.from(knots[0]!);
    this.#across = Float64Array.from(knots[1] ?? []);
    this.#values = Float64Array.from(values);
  }

  at(signs: Float64Array): number {
    const values = this.#values;
    const place = placeOf(signs[this.#first]!, this.#along);
    const row = Math.floor(place);
    const down = place - row;
    if (this.#second === undefined) return values[row]! + down * (values[row + 1]! - values[row]!);
    const nAcross = this.#across.length;
    const beside = placeOf(signs[this.#second]!, this.#across);
    const column = Math.floor(beside);
    const right = beside - column;
    const at = row * nAcross + column;
    const upper = values[at]! + right * (values[at + 1]! - values[at]!);
    const lower = values[at + nAcross]! + right * (values[at + nAcross + 1]! - values[at + nAcross]!);
    return upper + down * (lower - upper);
  }
}

/** Less than one whole step, so that there is always a next knot. */
const nearlyOne = 1 - 1e-9;

/** Index of the knot before and the fraction of the way to the next one. */
function placeOf(value: number, knots: Float64Array): number {
  let next = 1;
  while (next < knots.length - 1 && value >= knots[next]!) next++;
  const before = knots[next - 1]!;
  const share = (value - before) / (knots[next]! - before);
  return next - 1 + (share > 0 ? (share < nearlyOne ? share : nearlyOne) : 0);
}
