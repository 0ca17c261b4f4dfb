/**
 * The shading that T1w and T2w share, the receive field of the surface coils, taken off both.
 *
 *   ln field(u, v) = sum over i + j <= 4 of a_ij u^i v^j,   fitted to   g = 1/2 ln(T1w / q1) + 1/2 ln(T2w / q2)
 *
 * with u and v from -1 to 1 along columns and rows, one field for all slices: in the geometric mean of both contrasts
 * tissues differ less than in either, and what is smooth in it is the field. q: the 90th percentile of the positive values.
 *
 * 1. Foreground: both images above a tenth of their q. Every fourth pixel along rows and columns is enough.
 * 2. Least squares, with a ridge of a thousandth of the mean diagonal, then four times again, weighted by Tukey's biweight
 *    with the scale 3 * 1.4826 * median |residual|: fluid and air are outliers, not field (Holland and Welsch 1977,
 *    doi 10.1080/03610927708827533).
 * 3. The mean over the foreground is taken off, the images are divided by the field, within 1/8 to 8.
 *
 * Where there is a saturation band, what it leaves is taken off first (saturation.ts).
 *
 * The network was trained on images that models/training/synthesis/data.py prepared in the same way.
 */
import { percentileAmong, ranked } from '../imaging/index.js';
import { solvePositive } from './cholesky.js';
import { findSaturation, saturationGains } from './saturation.js';

const degree = 4;
/** Rows and columns from one pixel that is asked to the next. */
const step = 4;
const foregroundPart = 0.1;
const nFits = 5;
const ridge = 1e-3;
const tukey = 3 * 1.4826;
const mostGain = 8;
/** With less foreground nothing is fitted. */
const fewestPixels = 60;
/** Exponents [of u, of v] of each term. */
const exponents = Array.from({ length: degree + 1 }, (_, i) => Array.from({ length: degree + 1 - i }, (_, j) => [i, j] as const)).flat();

export interface Shading {
  /** [row, column], of every slice alike. */
  readonly field: Float32Array;
  /** Of the foreground, without the field: of T1w, of T2w. */
  readonly means: readonly [t1w: number, t2w: number];
  /** The same of any other image on this grid. */
  readonly meanOf: (image: Float32Array) => number;
  /** Share of the pixels that are foreground. */
  readonly foregroundShare: number;
}

/** @param t1w, t2w [slice, row, column], registered, not negative @param pixelMm where it is not known, no saturation is looked for */
export function estimateShading(t1w: Float32Array, t2w: Float32Array, rows: number, columns: number, pixelMm?: number): Shading {
  const slices = t1w.length / (rows * columns);
  const stack = { slices, rows, columns, pixelMm: pixelMm ?? 1 };
  const saturated = saturationGains(pixelMm === undefined ? [] : findSaturation(t1w, t2w, stack), stack);
  const asked = coarsePixels(slices, rows, columns);
  const [high1, high2] = [highOf(t1w, saturated, asked), highOf(t2w, saturated, asked)];
  const [least1, least2] = [foregroundPart * high1, foregroundPart * high2];
  const inside = asked.filter((pixel) => {
    const left = saturated[pixel % saturated.length]!;
    return t1w[pixel]! / left > least1 && t2w[pixel]! / left > least2;
  });
  const values = new Float64Array(inside.length);
  for (let k = 0; k < values.length; k++) {
    const pixel = inside[k]!;
    const left = saturated[pixel % saturated.length]!;
    values[k] = 0.5 * Math.log(t1w[pixel]! / left / high1) + 0.5 * Math.log(t2w[pixel]! / left / high2);
  }
  const coefficients = inside.length < fewestPixels ? new Float64Array(exponents.length) : fitField(inside, values, rows, columns);
  const field = withShading(fieldOf(coefficients, rows, columns), saturated);
  const meanOf = (image: Float32Array) => {
    const pixels = inside.length > 0 ? inside : asked;
    let sum = 0;
    for (let k = 0; k < pixels.length; k++) sum += image[pixels[k]!]! / field[pixels[k]! % field.length]!;
    return sum / pixels.length;
  };
  return { field, means: [meanOf(t1w), meanOf(t2w)], meanOf, foregroundShare: inside.length / asked.length };
}

/** An image [slice, row, column] over the field [row, column] and over its mean. */
export function withoutShading(image: Float32Array, field: Float32Array, mean: number): Float32Array {
  const even = new Float32Array(image.length);
  for (let start = 0; start < image.length; start += field.length) {
    for (let pixel = 0; pixel < field.length; pixel++) even[start + pixel] = image[start + pixel]! / (field[pixel]! * mean);
  }
  return even;
}

/** An image [slice, row, column] times the field [row, column]. */
export function withShading(image: Float32Array, field: Float32Array): Float32Array {
  const shaded = new Float32Array(image.length);
  for (let start = 0; start < image.length; start += field.length) {
    for (let pixel = 0; pixel < field.length; pixel++) shaded[start + pixel] = image[start + pixel]! * field[pixel]!;
  }
  return shaded;
}

function coarsePixels(slices: number, rows: number, columns: number): Int32Array {
  const pixels = new Int32Array(slices * Math.ceil(rows / step) * Math.ceil(columns / step));
  let n = 0;
  for (let slice = 0; slice < slices; slice++) {
    for (let row = 0; row < rows; row += step) {
      for (let column = 0; column < columns; column += step) pixels[n++] = (slice * rows + row) * columns + column;
    }
  }
  return pixels;
}

function highOf(image: Float32Array, saturated: Float32Array, pixels: Int32Array): number {
  const positive = new Float32Array(pixels.length);
  let n = 0;
  for (let k = 0; k < pixels.length; k++) if (image[pixels[k]!]! > 0) positive[n++] = image[pixels[k]!]! / saturated[pixels[k]! % saturated.length]!;
  return n > 0 ? percentileAmong(positive.subarray(0, n), 90) : 1;
}

/** Coefficients of the field whose mean over these pixels is zero. */
function fitField(pixels: Int32Array, values: Float64Array, rows: number, columns: number): Float64Array {
  const nTerms = exponents.length;
  // Slices share the field: what they say of one place is added up before anything is solved.
  const places: number[] = [];
  const indexOf = new Int32Array(rows * columns).fill(-1);
  const placeOf = new Int32Array(pixels.length);
  for (let k = 0; k < pixels.length; k++) {
    const place = pixels[k]! % indexOf.length;
    if (indexOf[place]! < 0) indexOf[place] = places.push(place) - 1;
    placeOf[k] = indexOf[place]!;
  }
  const basis = places.map((place) => termsAt(place, rows, columns));
  const residuals = Float64Array.from(values);
  const sizes = new Float64Array(values.length);
  let scale = Infinity;
  let coefficients = new Float64Array(nTerms);
  for (let fit = 0; fit < nFits; fit++) {
    const weights = new Float64Array(places.length);
    const weighted = new Float64Array(places.length);
    for (let k = 0; k < values.length; k++) {
      const share = 1 - (residuals[k]! / scale) ** 2;
      const weight = share > 0 ? share * share : 0;
      weights[placeOf[k]!]! += weight;
      weighted[placeOf[k]!]! += weight * values[k]!;
    }
    coefficients = solvePositive(...normalEquations(basis, weights, weighted));
    const fitted = basis.map((terms) => dot(terms, coefficients));
    for (let k = 0; k < values.length; k++) {
      residuals[k] = values[k]! - fitted[placeOf[k]!]!;
      sizes[k] = Math.abs(residuals[k]!);
    }
    scale = tukey * medianAmong(sizes) + 1e-6;
  }
  let sumOfFit = 0;
  for (let k = 0; k < values.length; k++) sumOfFit += values[k]! - residuals[k]!;
  coefficients[0]! -= sumOfFit / values.length;
  return coefficients;
}

function termsAt(place: number, rows: number, columns: number): Float64Array {
  const u = (2 * (place % columns)) / (columns - 1) - 1;
  const v = (2 * Math.floor(place / columns)) / (rows - 1) - 1;
  return Float64Array.from(exponents, ([i, j]) => u ** i * v ** j);
}

function normalEquations(basis: readonly Float64Array[], weights: Float64Array, weighted: Float64Array): [Float64Array, Float64Array] {
  const n = exponents.length;
  const matrix = new Float64Array(n * n);
  const right = new Float64Array(n);
  for (const [place, terms] of basis.entries()) {
    const weight = weights[place]!;
    if (weight === 0) continue;
    for (let i = 0; i < n; i++) {
      right[i]! += terms[i]! * weighted[place]!;
      const ofTerm = weight * terms[i]!;
      for (let j = 0; j <= i; j++) matrix[i * n + j]! += ofTerm * terms[j]!;
    }
  }
  let trace = 0;
  for (let i = 0; i < n; i++) trace += matrix[i * n + i]!;
  for (let i = 0; i < n; i++) matrix[i * n + i]! += (ridge * trace) / n;
  return [matrix, right];
}

function fieldOf(coefficients: Float64Array, rows: number, columns: number): Float32Array {
  const field = new Float32Array(rows * columns);
  const inRow = new Float64Array(degree + 1);
  for (let row = 0; row < rows; row++) {
    const v = (2 * row) / (rows - 1) - 1;
    // Along a row a polynomial of u, whose coefficients are polynomials of v.
    inRow.fill(0);
    exponents.forEach(([i, j], term) => { inRow[i]! += coefficients[term]! * v ** j; });
    for (let column = 0; column < columns; column++) {
      const u = (2 * column) / (columns - 1) - 1;
      let lnGain = 0;
      for (let i = degree; i >= 0; i--) lnGain = lnGain * u + inRow[i]!;
      field[row * columns + column] = Math.min(mostGain, Math.max(1 / mostGain, Math.exp(lnGain)));
    }
  }
  return field;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** Reorders the values. */
function medianAmong(values: Float64Array): number {
  const middle = values.length >> 1;
  const upper = ranked(values, middle);
  return values.length % 2 === 1 ? upper : (ranked(values, middle - 1) + upper) / 2;
}
