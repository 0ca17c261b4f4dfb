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

/** Pixels that are worked on together. */
const blockLength = 4096;

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
  const pixels = new Int32Array(blockLength);
  const signs = pixelSigns.map(() => new Float32Array(blockLength));
  const [lnWidth, lnSize, fatFraction, lnT1Ms, lnT2Ms] = signs as [Float32Array, Float32Array, Float32Array, Float32Array, Float32Array];
  const lnFactor = new Float64Array(blockLength);
  for (let first = 0; first < signal.length; first += blockLength) {
    const end = Math.min(signal.length, first + blockLength);
    let n = 0;
    for (let pixel = first; pixel < end; pixel++) {
      const value = signal[pixel]!;
      const size = Math.abs(value);
      const sigma = deviation[pixel]!;
      // Of air, which is half of an image, nothing has to be looked up.
      if (sigma === 0) {
        low[pixel] = high[pixel] = isMagnitude ? size : value;
        continue;
      }
      pixels[n] = pixel;
      lnSize[n] = Math.log(size + faint);
      lnWidth[n] = Math.log(sigma) - lnSize[n]!;
      fatFraction[n] = maps.fatFraction[pixel]!;
      lnT1Ms[n] = maps.lnT1Ms[pixel]!;
      lnT2Ms[n++] = maps.lnT2Ms[pixel]!;
    }
    lnFactor.fill(factor.offset, 0, n);
    for (const term of terms) term.addTo(lnFactor, signs, n);
    for (let k = 0; k < n; k++) {
      const pixel = pixels[k]!;
      const value = signal[pixel]!;
      const half = halfWidth * Math.exp(lnFactor[k]!) * deviation[pixel]!;
      low[pixel] = isMagnitude ? Math.max(0, Math.abs(value) - half) : value - half;
      high[pixel] = isMagnitude ? Math.abs(value) + half : value + half;
    }
  }
  return into;
}

/** Standard deviation over signal, which does not grow without limit where there is none. */
export function relativeWidth(size: number, deviation: number): number {
  return deviation / (size + faint);
}

/** A term of many pixels at once. */
class Term {
  /** Places in `pixelSigns`; of one sign, the second is absent. */
  readonly #first: number;
  readonly #second: number | undefined;
  readonly #along: Knots;
  readonly #across: Knots | undefined;
  readonly #values: Float64Array;

  constructor({ of, knots, values }: IntervalFactor['terms'][number]) {
    this.#first = pixelSigns.indexOf(of[0]!);
    this.#second = of.length > 1 ? pixelSigns.indexOf(of[1]!) : undefined;
    this.#along = new Knots(knots[0]!);
    this.#across = this.#second === undefined ? undefined : new Knots(knots[1] ?? []);
    this.#values = Float64Array.from(values);
  }

  /** @param signs of the first `n` pixels, in the order of `pixelSigns` */
  addTo(sums: Float64Array, signs: readonly Float32Array[], n: number): void {
    const [values, along, across] = [this.#values, this.#along, this.#across];
    const first = signs[this.#first]!;
    if (this.#second === undefined || across === undefined) {
      for (let k = 0; k < n; k++) {
        const place = along.placeOf(first[k]!);
        const row = Math.floor(place);
        sums[k]! += values[row]! + (place - row) * (values[row + 1]! - values[row]!);
      }
      return;
    }
    const second = signs[this.#second]!;
    const nAcross = across.length;
    for (let k = 0; k < n; k++) {
      const place = along.placeOf(first[k]!);
      const beside = across.placeOf(second[k]!);
      const row = Math.floor(place);
      const column = Math.floor(beside);
      const right = beside - column;
      const at = row * nAcross + column;
      const upper = values[at]! + right * (values[at + 1]! - values[at]!);
      const lower = values[at + nAcross]! + right * (values[at + nAcross + 1]! - values[at + nAcross]!);
      sums[k]! += upper + (place - row) * (lower - upper);
    }
  }
}

/** Less than one whole step, so that there is always a next knot. */
const nearlyOne = 1 - 1e-9;
const nBins = 256;

/** Ascending values, and where others lie among them: found by equal bins, of which hardly any has a knot within. */
class Knots {
  readonly length: number;
  readonly #knots: Float64Array;
  readonly #perStep: Float64Array;
  readonly #perBin: number;
  /** Of the beginning of each bin: the knot before. */
  readonly #before: Uint8Array;

  constructor(knots: readonly number[]) {
    this.length = knots.length;
    this.#knots = Float64Array.from(knots);
    this.#perStep = Float64Array.from(knots.slice(1), (knot, index) => 1 / (knot - knots[index]!));
    const [from, to] = [knots[0]!, knots.at(-1)!];
    this.#perBin = nBins / (to - from);
    this.#before = Uint8Array.from({ length: nBins }, (_, bin) => Math.max(0, knots.slice(0, -1).filter((knot) => knot <= from + bin / this.#perBin).length - 1));
  }

  /** Index of the knot before and the fraction of the way to the next one. */
  placeOf(value: number): number {
    const knots = this.#knots;
    const bin = Math.floor((value - knots[0]!) * this.#perBin);
    let before = this.#before[bin > 0 ? (bin < nBins ? bin : nBins - 1) : 0]!;
    while (before < this.length - 2 && value >= knots[before + 1]!) before++;
    const share = (value - knots[before]!) * this.#perStep[before]!;
    return before + (share > 0 ? (share < nearlyOne ? share : nearlyOne) : 0);
  }
}
