/**
 * A smooth field through values of which some belong to something else.
 *
 *   v(r) = Σ_k a_k t_k(r) + e(r),     a = argmin Σ_i w_i (v_i - Σ_k a_k t_k(r_i))²
 *   w = (1 - (χ / k)²)² where χ < k, else 0,     χ² = mean over the values of a place of (e / σ)²,   σ = 1.4826 median |e|
 *
 * by iterated reweighting (Beaton and Tukey 1974, doi 10.1080/00401706.1974.10489171). t: products of the coordinates of first or
 * second order. From the median over linear terms to all of them, so that nothing else is taken for a bend.
 */
import type { Vector3 } from '../../imaging/index.js';

export const linearTerms = 4;
export const quadraticTerms = 10;

/** k of the weights. */
const reach = 3.5;
const iterations = 8;
/** Iterations with linear terms only. */
const linearIterations = 2;

/** Places, with one or several values each. */
export interface FitSamples {
  /** [place, term] */
  readonly terms: Float64Array;
  readonly nTerms: number;
  /** For each kind of value, [place]. */
  readonly values: readonly Float64Array[];
}

export interface RobustFit {
  /** For each kind of value, [term]. */
  readonly coefficients: readonly Float64Array[];
  /** [place], 0 to 1. */
  readonly weights: Float64Array;
}

export function robustFit({ terms, nTerms, values }: FitSamples): RobustFit {
  const count = values[0]?.length ?? 0;
  const coefficients: Float64Array[] = values.map((list) => Float64Array.of(medianOf(list), ...new Array<number>(nTerms - 1).fill(0)));
  const weights = new Float64Array(count).fill(1);
  for (let iteration = 0; iteration < iterations && count > 0; iteration++) {
    weights.fill(0);
    values.forEach((list, c) => {
      const residuals = list.map((value, sample) => value - dotAt(coefficients[c]!, terms, sample * nTerms));
      const sigma = Math.max(1e-6, 1.4826 * medianOf(residuals.map(Math.abs)));
      residuals.forEach((residual, sample) => (weights[sample]! += (residual / sigma) ** 2 / values.length));
    });
    weights.forEach((squared, sample) => (weights[sample] = squared < reach ** 2 ? (1 - squared / reach ** 2) ** 2 : 0));
    const nUsed = iteration < linearIterations ? Math.min(linearTerms, nTerms) : nTerms;
    values.forEach((list, c) => {
      coefficients[c] = leastSquares(terms, nTerms, nUsed, list, weights);
    });
  }
  return { coefficients, weights };
}

/** 1, the coordinates and, with ten terms, their products; in units of about the extent of a column, at index `at`. */
export function writeTerms(pointMm: Vector3, centreMm: Vector3, terms: Float64Array, at: number, nTerms: number): void {
  const x = (pointMm[0] - centreMm[0]) / 30;
  const y = (pointMm[1] - centreMm[1]) / 40;
  const z = (pointMm[2] - centreMm[2]) / 100;
  terms[at] = 1;
  terms[at + 1] = x;
  terms[at + 2] = y;
  terms[at + 3] = z;
  if (nTerms === linearTerms) return;
  terms[at + 4] = x * x;
  terms[at + 5] = y * y;
  terms[at + 6] = z * z;
  terms[at + 7] = x * y;
  terms[at + 8] = x * z;
  terms[at + 9] = y * z;
}

export function dotAt(coefficients: Float64Array, terms: Float64Array, at: number): number {
  let sum = 0;
  for (let term = 0; term < coefficients.length; term++) sum += coefficients[term]! * terms[at + term]!;
  return sum;
}

/** The first `nUsed` terms by normal equations with a trace of Tikhonov; the other terms 0. */
function leastSquares(terms: Float64Array, nTerms: number, nUsed: number, values: Float64Array, weights: Float64Array): Float64Array {
  const rows = Array.from({ length: nUsed }, (_, row) => Array.from({ length: nUsed + 1 }, (__, column) => (row === column ? 1e-9 : 0)));
  for (let sample = 0; sample < values.length; sample++) {
    const weight = weights[sample]!;
    if (weight === 0) continue;
    const at = sample * nTerms;
    for (let i = 0; i < nUsed; i++) {
      const weighted = weight * terms[at + i]!;
      for (let j = 0; j < nUsed; j++) rows[i]![j]! += weighted * terms[at + j]!;
      rows[i]![nUsed]! += weighted * values[sample]!;
    }
  }
  eliminate(rows);
  return Float64Array.from({ length: nTerms }, (_, term) => rows[term]?.[nUsed] ?? 0);
}

export function inverted(matrix: readonly (readonly number[])[]): number[][] {
  const rows = matrix.map((row, i) => [...row, ...row.map((_, j) => (i === j ? 1 : 0))]);
  eliminate(rows);
  return rows.map((row) => row.slice(matrix.length));
}

/** Gauss and Jordan with pivots, in place: [A | B] to [1 | A⁻¹ B]. */
function eliminate(rows: number[][]): void {
  for (let pivot = 0; pivot < rows.length; pivot++) {
    let best = pivot;
    for (let row = pivot + 1; row < rows.length; row++) if (Math.abs(rows[row]![pivot]!) > Math.abs(rows[best]![pivot]!)) best = row;
    [rows[pivot], rows[best]] = [rows[best]!, rows[pivot]!];
    const divisor = rows[pivot]![pivot]!;
    rows[pivot] = rows[pivot]!.map((value) => value / divisor);
    rows.forEach((row, other) => {
      if (other === pivot) return;
      const factor = row[pivot]!;
      rows[pivot]!.forEach((value, column) => (row[column]! -= factor * value));
    });
  }
}

export function medianOf(values: ArrayLike<number>): number {
  const sorted = Float64Array.from(values).sort();
  return sorted.length === 0 ? NaN : sorted[Math.floor(sorted.length / 2)]!;
}
