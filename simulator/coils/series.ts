/**
 * Least-squares fit of a finite Fourier series to values on a regular grid about the origin, in any
 * number of dimensions:
 *
 *   min_a Σ_r |f(r) - Σ_m a_m Π_d exp(i 2π m_d r_d / L_d)|² + ε Σ_m |a_m|²,    |m_d| <= M_d
 *
 * The grid is a product of axes, so each element of the normal matrix is a product of sums over one
 * axis, Σ_j cos(2π (m - m') x_j / L) (the grid is even, so its sines vanish), and the right side is
 * contracted axis by axis.
 */
import { choleskyFactor, solveLower, solveUpper } from '../cholesky.js';

export interface SeriesAxis {
  /** L */
  readonly periodMm: number;
  /** M */
  readonly nHarmonics: number;
  /** Extent of the grid about the origin. */
  readonly extentMm: number;
  readonly nPoints: number;
}

/** ε over the mean of the normal matrix's diagonal: keeps the series tame outside the grid. */
const ridge = 1e-7;

export const nTermsOf = (axes: readonly { readonly nHarmonics: number }[]): number =>
  axes.reduce((product, { nHarmonics }) => product * (2 * nHarmonics + 1), 1);

export const gridOf = ({ extentMm, nPoints }: SeriesAxis): number[] =>
  Array.from({ length: nPoints }, (_, index) => (index / (nPoints - 1) - 0.5) * extentMm);

/**
 * @param axes the last one runs fastest, in the values and in the coefficients
 * @param values complex128 interleaved [nFields, points of the grid]
 * @returns complex128 interleaved [nFields, m], each m from -M to M
 */
export function fitSeries(axes: readonly SeriesAxis[], values: Float64Array): Float64Array {
  const nTerms = nTermsOf(axes);
  const normal = new Float64Array(2 * nTerms * nTerms);
  const sums = axes.map((axis) => {
    const grid = gridOf(axis);
    return Array.from({ length: 4 * axis.nHarmonics + 1 }, (_, index) => {
      const m = index - 2 * axis.nHarmonics;
      return grid.reduce((sum, x) => sum + Math.cos((2 * Math.PI * m * x) / axis.periodMm), 0);
    });
  });
  for (let i = 0; i < nTerms; i++) {
    for (let j = 0; j < nTerms; j++) {
      let [restI, restJ, product] = [i, j, 1];
      for (let d = axes.length - 1; d >= 0; d--) {
        const width = 2 * axes[d]!.nHarmonics + 1;
        product *= sums[d]![(restJ % width) - (restI % width) + width - 1]!;
        restI = Math.floor(restI / width);
        restJ = Math.floor(restJ / width);
      }
      normal[2 * (i * nTerms + j)] = product;
    }
    normal[2 * i * (nTerms + 1)]! *= 1 + ridge;
  }
  const factor = choleskyFactor(normal, nTerms);
  const solutions = rightSides(axes, values);
  for (let at = 0; at < solutions.length; at += 2 * nTerms) {
    const solution = solutions.subarray(at, at + 2 * nTerms);
    solveLower(factor, nTerms, solution);
    solveUpper(factor, nTerms, solution);
  }
  return solutions;
}

/** Σ_r f(r) Π_d exp(-i 2π m_d r_d / L_d), the last axis first. */
function rightSides(axes: readonly SeriesAxis[], values: Float64Array): Float64Array {
  let current = values;
  /** Product of what the contracted axes have become. */
  let inner = 1;
  for (const axis of [...axes].reverse()) {
    const grid = gridOf(axis);
    const { nPoints, nHarmonics, periodMm } = axis;
    const width = 2 * nHarmonics + 1;
    const outer = current.length / (2 * nPoints * inner);
    const next = new Float64Array(2 * outer * width * inner);
    grid.forEach((x, point) => {
      for (let m = -nHarmonics; m <= nHarmonics; m++) {
        const angle = (-2 * Math.PI * m * x) / periodMm;
        const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
        for (let o = 0; o < outer; o++) {
          const from = 2 * (o * nPoints + point) * inner;
          const to = 2 * (o * width + m + nHarmonics) * inner;
          for (let index = 0; index < 2 * inner; index += 2) {
            const [re, im] = [current[from + index]!, current[from + index + 1]!];
            next[to + index]! += re * cos - im * sin;
            next[to + index + 1]! += re * sin + im * cos;
          }
        }
      }
    });
    current = next;
    inner *= width;
  }
  return current;
}
