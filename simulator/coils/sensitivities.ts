/**
 * Coil sensitivities that are finite Fourier series, after Guerquin-Kern 2012,
 * doi 10.1109/TMI.2011.2174158:
 *
 *   S_c(r) = Σ_m a_c,m exp(i 2π (m_u u / L_u + m_v v / L_v)),    |m_u|, |m_v| <= M
 *
 * The k-space of coil c is then a finite sum of shifted transforms of the phantom (scanner/kspace.ts):
 * exact, without a grid. The a_c are fitted to the loops of array.ts by least squares over the body
 * (series.ts), but what is fitted does not matter for exactness: the series IS the sensitivity. L is
 * twice the field of view: outside the body the series may do as it likes, so few terms follow the
 * loops closely, and the shifts m / L lie on the lattice of half k-space steps. For a slab the series
 * has a third dimension, across it.
 */
import type { Point } from '../phantom/shapes.js';
import { loopSensitivity, type Loop } from './array.js';
import { fitSeries, gridOf, type SeriesAxis } from './series.js';

export interface CoilSensitivities {
  readonly nCoils: number;
  readonly names: readonly string[];
  /** M along u, and along v unless `nHarmonicsV` is given */
  readonly nHarmonics: number;
  readonly nHarmonicsV?: number;
  /** [L_u, L_v] */
  readonly periodMm: Point;
  /** Across a slab; without it the series holds for one slice. */
  readonly across?: { readonly nHarmonics: number; readonly periodMm: number };
  /** complex128 interleaved [nCoils, m_w, m_v, m_u], each m from -M to M; one m_w for a slice */
  readonly coefficients: Float64Array;
}

export interface SeriesOptions {
  readonly periodMm: Point;
  /** Extent over which the series follows what it is fitted to. */
  readonly bodyMm: Point;
  /** Middle of that extent; the origin where it is left out. */
  readonly bodyCentreMm?: Point;
  readonly nHarmonics: number;
  readonly nHarmonicsV?: number;
  readonly across?: { readonly nHarmonics: number; readonly periodMm: number; readonly extentMm: number };
}

export interface FitOptions extends SeriesOptions {
  /** Position of the slice, or of the slab's middle, across the array. */
  readonly offMidlineMm: number;
}

/** Sensitivity of each coil at a point of the slice or slab, [re, im]. */
export type CoilField = (point: readonly [number, number, number]) => readonly [number, number];

const pointsAnAxis = 40;
const pointsAcross = 12;

/** Fits the series of all coils to loops; their root sum of squares has mean 1 over the body. */
export function fitSensitivities(loops: readonly Loop[], options: FitOptions): CoilSensitivities {
  const fields = loops.map((loop): CoilField => ([u, v, w]) => loopSensitivity(loop, [u, v, w + options.offMidlineMm]));
  return normalised(fitFields(withBackground(fields), loops.map(({ name }) => name), options), options);
}

/** Two channels of a body coil, equally sensitive everywhere and a quarter turn apart. */
export function bodyCoilSensitivities(options: FitOptions): CoilSensitivities {
  const fields: CoilField[] = [() => [Math.SQRT1_2, 0], () => [0, Math.SQRT1_2]];
  return normalised(fitFields(withBackground(fields), ['BC1', 'BC2'], options), options);
}

/** Fits the series of all coils to any fields, as they are. */
export function fitFields(fields: readonly CoilField[], names: readonly string[], options: SeriesOptions): CoilSensitivities {
  const { periodMm, nHarmonics, nHarmonicsV = nHarmonics, across } = options;
  const [centreU, centreV] = options.bodyCentreMm ?? [0, 0];
  const axes = axesOf(options);
  const us = gridOf(axes.at(-1)!);
  const vs = gridOf(axes.at(-2)!);
  const ws = across === undefined ? [0] : gridOf(axes[0]!);
  const values = new Float64Array(2 * fields.length * ws.length * vs.length * us.length);
  let index = 0;
  for (const field of fields) {
    for (const w of ws) for (const v of vs) for (const u of us) {
      const [re, im] = field([u + centreU, v + centreV, w]);
      values[index++] = re;
      values[index++] = im;
    }
  }
  const coefficients = fitSeries(axes, values);
  if (centreU !== 0 || centreV !== 0) {
    // The grid is even about its own middle: a_m of the series about the origin is turned by m times that.
    let term = 0;
    for (let outer = coefficients.length / (2 * (2 * nHarmonics + 1) * (2 * nHarmonicsV + 1)); outer > 0; outer--) {
      for (let mv = -nHarmonicsV; mv <= nHarmonicsV; mv++) for (let mu = -nHarmonics; mu <= nHarmonics; mu++, term += 2) {
        const angle = -2 * Math.PI * ((mu * centreU) / periodMm[0] + (mv * centreV) / periodMm[1]);
        const [re, im] = [coefficients[term]!, coefficients[term + 1]!];
        coefficients[term] = re * Math.cos(angle) - im * Math.sin(angle);
        coefficients[term + 1] = re * Math.sin(angle) + im * Math.cos(angle);
      }
    }
  }
  return { nCoils: fields.length, names, nHarmonics, nHarmonicsV, periodMm, ...(across && { across }), coefficients };
}

function axesOf({ periodMm, bodyMm, nHarmonics, nHarmonicsV = nHarmonics, across }: SeriesOptions): SeriesAxis[] {
  return [
    ...(across === undefined ? [] : [{ ...across, nPoints: pointsAcross }]),
    { periodMm: periodMm[1], extentMm: bodyMm[1], nHarmonics: nHarmonicsV, nPoints: pointsAnAxis },
    { periodMm: periodMm[0], extentMm: bodyMm[0], nHarmonics, nPoints: pointsAnAxis },
  ];
}

/** The object's phase is a factor of the signal like the sensitivities, and is fitted along with them. */
function withBackground(fields: readonly CoilField[]): CoilField[] {
  return fields.map((field) => (point) => {
    const [re, im] = field(point);
    const phase = backgroundPhase([point[0], point[1]]);
    const [cos, sin] = [Math.cos(phase), Math.sin(phase)];
    return [re * cos - im * sin, re * sin + im * cos];
  });
}

/** Root sum of squares of mean 1 over the grid of the fit. */
function normalised(coils: CoilSensitivities, options: FitOptions): CoilSensitivities {
  const axes = axesOf(options);
  const ws = options.across === undefined ? [0] : gridOf(axes[0]!);
  const points = ws.flatMap((w) => gridOf(axes.at(-2)!).flatMap((v) => gridOf(axes.at(-1)!).map((u) => [u, v, w] as const)));
  const fitted = sensitivitiesAt(coils, points);
  let sum = 0;
  for (let point = 0; point < points.length; point++) sum += rootSumOfSquaresAt(fitted, points.length, point);
  return { ...coils, coefficients: coils.coefficients.map((value) => (value * points.length) / sum) };
}

/** The sensitivities at points of the slice or slab: complex128 interleaved [nCoils, points]. */
export function sensitivitiesAt(
  coils: CoilSensitivities,
  points: readonly (readonly [number, number, number?])[],
): Float64Array {
  const { nCoils, periodMm, coefficients, across } = coils;
  const nTerms = coefficients.length / (2 * nCoils);
  const values = new Float64Array(2 * nCoils * points.length);
  points.forEach(([u, v, w = 0], index) => {
    const basis = basisAt(coils, [u / periodMm[0], v / periodMm[1], across === undefined ? 0 : w / across.periodMm]);
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

/** A smooth phase of the object, common to all coils, as field inhomogeneity and eddy currents leave it. */
function backgroundPhase([u, v]: Point): number {
  return 0.5 + u / 150 - v / 220 + (u * v) / 150 ** 2;
}

/** All exponentials of the series at a point, complex128 [m_w, m_v, m_u]; the point in periods. */
function basisAt(coils: CoilSensitivities, [u, v, w]: readonly [number, number, number]): Float64Array {
  const { nHarmonics, nHarmonicsV = nHarmonics, across } = coils;
  const acrossHarmonics = across?.nHarmonics ?? 0;
  const basis = new Float64Array(2 * (2 * acrossHarmonics + 1) * (2 * nHarmonicsV + 1) * (2 * nHarmonics + 1));
  let index = 0;
  for (let mw = -acrossHarmonics; mw <= acrossHarmonics; mw++) {
    for (let mv = -nHarmonicsV; mv <= nHarmonicsV; mv++) {
      for (let mu = -nHarmonics; mu <= nHarmonics; mu++, index += 2) {
        const angle = 2 * Math.PI * (mu * u + mv * v + mw * w);
        basis[index] = Math.cos(angle);
        basis[index + 1] = Math.sin(angle);
      }
    }
  }
  return basis;
}

function rootSumOfSquaresAt(values: Float64Array, nPoints: number, point: number): number {
  let sum = 0;
  for (let index = 2 * point; index < values.length; index += 2 * nPoints) {
    sum += values[index]! ** 2 + values[index + 1]! ** 2;
  }
  return Math.sqrt(sum);
}
