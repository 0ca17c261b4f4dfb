/**
 * A smooth field z through values y of the weights w on a coarse grid:
 *
 *   minimise   sum_p w_p (z_p - y_p)^2 + (L / 2 pi)^4 sum_p (z_xx^2 + 2 z_xy^2 + z_yy^2)
 *
 * Waves shorter than L are damped, planes are not; where nothing was measured (w = 0) the field goes on straight. By
 * conjugate gradients, second differences for the derivatives and none across the border.
 *
 * Garcia D. Comput Stat Data Anal 2010;54:1167-1178. doi:10.1016/j.csda.2009.09.020
 */
import { interpolationPoints, POINT_BYTES } from '../coil-maps/index.js';

/** Far from what was measured the field is not quite straight then, which nobody sees: it is held within its range there. */
const nIterations = 300;
const tolerance = 1e-5;
/** Weight from which on a value tells the range of the field. */
const wellMeasured = 0.25;

/** Points of a field over the field of view of padded[0] x padded[1] pixels, of which the central ones are the image. */
export interface FieldGrid {
  readonly rows: number;
  readonly columns: number;
  /** Distance of neighbours, [along the rows' axis, along the columns' axis] */
  readonly spacingMm: readonly [number, number];
}

/** A grid of about this spacing. */
export function gridOf(fieldMm: readonly [number, number], spacingMm: number): FieldGrid {
  const [rows, columns] = fieldMm.map((mm) => Math.max(8, 8 * Math.ceil(mm / spacingMm / 8))) as [number, number];
  return { rows, columns, spacingMm: [fieldMm[0] / rows, fieldMm[1] / columns] };
}

/** @param values @param weights [rows, columns], weights 0 to 1 @param lengthMm L */
export function smoothField(values: Float64Array, weights: Float64Array, { rows, columns, spacingMm }: FieldGrid, lengthMm: number): Float64Array {
  const [hy, hx] = spacingMm;
  const stiffness = (lengthMm / (2 * Math.PI)) ** 4;
  const [ky, kx, kxy] = [stiffness / hy ** 4, stiffness / hx ** 4, (2 * stiffness) / (hy * hx) ** 2];
  const apply = (z: Float64Array): Float64Array => {
    const out = z.map((value, p) => value * weights[p]!);
    const bend = (p: number, step: number, k: number) => {
      const d = k * (z[p - step]! - 2 * z[p]! + z[p + step]!);
      out[p - step] = out[p - step]! + d;
      out[p] = out[p]! - 2 * d;
      out[p + step] = out[p + step]! + d;
    };
    for (let r = 0; r < rows; r++) {
      for (let c = 0; c < columns; c++) {
        const p = r * columns + c;
        if (r > 0 && r < rows - 1) bend(p, columns, ky);
        if (c > 0 && c < columns - 1) bend(p, 1, kx);
        if (r === rows - 1 || c === columns - 1) continue;
        const d = kxy * (z[p]! - z[p + 1]! - z[p + columns]! + z[p + columns + 1]!);
        out[p] = out[p]! + d;
        out[p + 1] = out[p + 1]! - d;
        out[p + columns] = out[p + columns]! - d;
        out[p + columns + 1] = out[p + columns + 1]! + d;
      }
    }
    return out;
  };
  const mean = weightedMean(values, weights);
  const z = new Float64Array(values.length).fill(mean);
  const residual = values.map((value, p) => weights[p]! * (value - mean));
  const direction = residual.slice();
  let energy = dot(residual, residual);
  const enough = tolerance ** 2 * energy;
  for (let i = 0; i < nIterations && energy > enough; i++) {
    const image = apply(direction);
    const step = energy / dot(direction, image);
    for (let p = 0; p < z.length; p++) {
      z[p] = z[p]! + step * direction[p]!;
      residual[p] = residual[p]! - step * image[p]!;
    }
    const next = dot(residual, residual);
    for (let p = 0; p < z.length; p++) direction[p] = residual[p]! + (next / energy) * direction[p]!;
    energy = next;
  }
  return withinMeasured(z, weights);
}

export function weightedMean(values: Float64Array, weights: Float64Array): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return total > 0 ? dot(values, weights) / total : 0;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let p = 0; p < a.length; p++) sum += a[p]! * b[p]!;
  return sum;
}

/** A straight line leads anywhere in the end: no value beyond those where something was measured. */
function withinMeasured(z: Float64Array, weights: Float64Array): Float64Array {
  const measured = z.filter((_, p) => weights[p]! >= wellMeasured);
  const least = measured.reduce((a, b) => Math.min(a, b), Infinity);
  const most = measured.reduce((a, b) => Math.max(a, b), -Infinity);
  return measured.length === 0 ? z : z.map((value) => Math.min(most, Math.max(least, value)));
}

/** exp(field) on the image: [nRows, nColumns], the central pixels of `padded`, [rows, columns], which the grid covers. */
export function gainOf(
  field: Float64Array, grid: FieldGrid, [nRows, nColumns]: readonly [number, number], padded: readonly [number, number],
): Float32Array {
  const along = (nFine: number, nField: number, nCoarse: number) => {
    const { buffer } = interpolationPoints(nFine, nField, nCoarse);
    return { at: new Int32Array(buffer), weight: new Float32Array(buffer), stride: POINT_BYTES / 4 };
  };
  const [alongRows, alongColumns] = [along(nRows, padded[0], grid.rows), along(nColumns, padded[1], grid.columns)];
  const sum = ({ at, weight, stride }: typeof alongRows, i: number, valueAt: (index: number) => number) => {
    let value = 0;
    for (let tap = i * stride; tap < i * stride + 4; tap++) value += weight[tap + 4]! * valueAt(at[tap]!);
    return value;
  };
  const wide = Float64Array.from({ length: grid.rows * nColumns }, (_, i) =>
    sum(alongColumns, i % nColumns, (column) => field[Math.floor(i / nColumns) * grid.columns + column]!),
  );
  return Float32Array.from({ length: nRows * nColumns }, (_, i) =>
    Math.exp(sum(alongRows, Math.floor(i / nColumns), (row) => wide[row * nColumns + (i % nColumns)]!)),
  );
}
