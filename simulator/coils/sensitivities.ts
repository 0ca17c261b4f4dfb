/**
 * Coil sensitivities that are finite Fourier series, after Guerquin-Kern 2012,
 * doi 10.1109/TMI.2011.2174158:
 *
 *   S_c(r) = Σ_m a_c,m exp(i 2π (m_u u / L_u + m_v v / L_v)),    |m_u|, |m_v| <= M
 *
 * The k-space of coil c is then a finite sum of shifted transforms of the phantom (scanner/kspace.ts):
 * exact, without a grid. The a_c are fitted to the loops of array.ts by least squares over the body,
 *
 *   min_a Σ_r |S(r) - B(r)|² + ε |a|²
 *
 * but what is fitted does not matter for exactness: the series IS the sensitivity. L is twice the
 * field of view: outside the body the series may do as it likes, so few terms follow the loops
 * closely, and the shifts m / L lie on the lattice of half k-space steps.
 */
import { choleskyFactor, solveLower, solveUpper } from '../cholesky.js';
import type { Point } from '../phantom/shapes.js';
import { loopSensitivity, type Loop } from './array.js';

export interface CoilSensitivities {
  readonly nCoils: number;
  readonly names: readonly string[];
  /** M */
  readonly nHarmonics: number;
  /** [L_u, L_v] */
  readonly periodMm: Point;
  /** complex128 interleaved [nCoils, m_v, m_u], each m from -M to M */
  readonly coefficients: Float64Array;
}

export interface FitOptions {
  readonly periodMm: Point;
  /** Extent about the origin over which the series follows the loops. */
  readonly bodyMm: Point;
  /** Position of the slice across the array. */
  readonly offMidlineMm: number;
  readonly nHarmonics: number;
}

const pointsAnAxis = 40;
/** ε over the mean of the normal matrix's diagonal: keeps the series tame outside the body. */
const ridge = 1e-7;

/** Fits the series of all coils; their root sum of squares has mean 1 over the body. */
export function fitSensitivities(loops: readonly Loop[], options: FitOptions): CoilSensitivities {
  const { periodMm, bodyMm, offMidlineMm, nHarmonics } = options;
  const nTerms = (2 * nHarmonics + 1) ** 2;
  const points = bodyPoints(bodyMm);
  const bases = points.map((point) => basisAt(point, periodMm, nHarmonics));
  const normal = new Float64Array(2 * nTerms * nTerms);
  for (const basis of bases) addOuterProduct(normal, basis, nTerms);
  // |exp|² is 1, so every diagonal element is the number of points.
  for (let term = 0; term < nTerms; term++) normal[2 * term * (nTerms + 1)]! += ridge * points.length;
  const factor = choleskyFactor(normal, nTerms);

  const coefficients = new Float64Array(2 * nTerms * loops.length);
  loops.forEach((loop, coil) => {
    const solution = coefficients.subarray(2 * nTerms * coil, 2 * nTerms * (coil + 1));
    points.forEach(([u, v], index) => {
      const [re, im] = loopSensitivity(loop, [u, v, offMidlineMm]);
      const phase = backgroundPhase([u, v]);
      const [cos, sin] = [Math.cos(phase), Math.sin(phase)];
      addConjugateTimes(solution, bases[index]!, re * cos - im * sin, re * sin + im * cos);
    });
    solveLower(factor, nTerms, solution);
    solveUpper(factor, nTerms, solution);
  });

  const coils = { nCoils: loops.length, names: loops.map(({ name }) => name), nHarmonics, periodMm, coefficients };
  const values = sensitivitiesAt(coils, points);
  let sum = 0;
  for (let point = 0; point < points.length; point++) sum += rootSumOfSquaresAt(values, points.length, point);
  return { ...coils, coefficients: coefficients.map((value) => (value * points.length) / sum) };
}

/** The sensitivities at points of the plane: complex128 interleaved [nCoils, points]. */
export function sensitivitiesAt(coils: CoilSensitivities, points: readonly Point[]): Float64Array {
  const { nCoils, nHarmonics, periodMm, coefficients } = coils;
  const nTerms = (2 * nHarmonics + 1) ** 2;
  const values = new Float64Array(2 * nCoils * points.length);
  points.forEach((point, index) => {
    const basis = basisAt(point, periodMm, nHarmonics);
    for (let coil = 0; coil < nCoils; coil++) {
      let [re, im] = [0, 0];
      for (let term = 0; term < nTerms; term++) {
        const aRe = coefficients[2 * (coil * nTerms + term)]!;
        const aIm = coefficients[2 * (coil * nTerms + term) + 1]!;
        re += aRe * basis[2 * term]! - aIm * basis[2 * term + 1]!;
        im += aRe * basis[2 * term + 1]! + aIm * basis[2 * term]!;
      }
      values[2 * (coil * points.length + index)] = re;
      values[2 * (coil * points.length + index) + 1] = im;
    }
  });
  return values;
}

/** The sensitivities at the pixel centres of an image: complex128 interleaved [nCoils, rows, columns]. */
export function sensitivityMaps(coils: CoilSensitivities, [columns, rows]: Point, fovMm: Point): Float64Array {
  const at = (index: number, n: number, extent: number) => ((index - Math.floor(n / 2)) * extent) / n;
  const points = Array.from({ length: rows * columns }, (_, pixel): Point => [
    at(pixel % columns, columns, fovMm[0]),
    at(Math.floor(pixel / columns), rows, fovMm[1]),
  ]);
  return sensitivitiesAt(coils, points);
}

/**
 * A smooth phase of the object, common to all coils, as field inhomogeneity and eddy currents leave
 * it. It is a factor of the signal like the sensitivities, and is fitted along with them.
 */
function backgroundPhase([u, v]: Point): number {
  return 0.5 + u / 150 - v / 220 + (u * v) / 150 ** 2;
}

function bodyPoints(bodyMm: Point): Point[] {
  const at = (index: number, extent: number) => (index / (pointsAnAxis - 1) - 0.5) * extent;
  return Array.from({ length: pointsAnAxis ** 2 }, (_, index) => [
    at(index % pointsAnAxis, bodyMm[0]),
    at(Math.floor(index / pointsAnAxis), bodyMm[1]),
  ]);
}

/** All exponentials of the series at a point, complex128 [m_v, m_u]. */
function basisAt([u, v]: Point, periodMm: Point, nHarmonics: number): Float64Array {
  const basis = new Float64Array(2 * (2 * nHarmonics + 1) ** 2);
  let index = 0;
  for (let mv = -nHarmonics; mv <= nHarmonics; mv++) {
    for (let mu = -nHarmonics; mu <= nHarmonics; mu++, index += 2) {
      const angle = 2 * Math.PI * ((mu * u) / periodMm[0] + (mv * v) / periodMm[1]);
      basis[index] = Math.cos(angle);
      basis[index + 1] = Math.sin(angle);
    }
  }
  return basis;
}

/** Adds conj(e_i) e_j to the lower triangle. */
function addOuterProduct(normal: Float64Array, e: Float64Array, n: number): void {
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      const at = 2 * (i * n + j);
      normal[at]! += e[2 * i]! * e[2 * j]! + e[2 * i + 1]! * e[2 * j + 1]!;
      normal[at + 1]! += e[2 * i]! * e[2 * j + 1]! - e[2 * i + 1]! * e[2 * j]!;
    }
  }
}

function addConjugateTimes(sum: Float64Array, e: Float64Array, re: number, im: number): void {
  for (let index = 0; index < sum.length; index += 2) {
    sum[index]! += e[index]! * re + e[index + 1]! * im;
    sum[index + 1]! += e[index]! * im - e[index + 1]! * re;
  }
}

function rootSumOfSquaresAt(values: Float64Array, nPoints: number, point: number): number {
  let sum = 0;
  for (let index = 2 * point; index < values.length; index += 2 * nPoints) {
    sum += values[index]! ** 2 + values[index + 1]! ** 2;
  }
  return Math.sqrt(sum);
}
