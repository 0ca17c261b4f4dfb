/**
 * The main field in the patient, in ppm of B0, from what it is made of.
 *
 *   ΔB(k) = (1/3 - kz²/|k|²) χ(k),  z along the main field                      (0 at k = 0)
 *
 * with the susceptibility χ in SI units: the Fourier transform of a dipole with the Lorentz sphere
 * correction, smoothed over a cell (Salomir 2003, doi 10.1002/cmr.b.10083; Marques and Bowtell 2005, doi 10.1002/cmr.b.20034).
 * Computed on a coarse grid, twice as large as the body so that its periodic neighbours are far. Then
 * the shim: the polynomial of the second order that fits best in the body about the isocentre is
 * taken off, as a scanner's coils do. What stays is near air: skin folds, lungs, bowel gas, trachea.
 */
import type { Vector3 } from '../../imaging/index.js';
import { Arena, bindKernels, createSessionMemory, fftColumns, fftLines, planFft } from '../../recon/index.js';
import { simulatorError } from '../errors.js';
import type { Plane } from '../anatomy/index.js';
import type { ScannedObject } from './object.js';

export interface FieldMap {
  ppmAt(point: Vector3): number;
}

export const uniformField: FieldMap = { ppmAt: () => 0 };

/** Relative to water; SI (Schenck 1996, doi 10.1118/1.597854). */
const airPpm = 9.41;
const stepMm = 5;
/** Standard deviation of the Gaussian that the field is smoothed by. */
const smoothingCells = 0.7;
const mostCells = 2 ** 24;
/** Within which the shim is fitted, about the isocentre. */
const shimHalfSizesMm: Vector3 = [80, 90, 150];

/** @param reachMm along z, about the isocentre @throws SIM_ERR_OPTION for a body too large for the grid */
export function susceptibilityField(object: ScannedObject, reachMm: number, isShimmed = true): FieldMap {
  const { min, max } = object.boundsMm;
  const from: Vector3 = [min[0], min[1], Math.max(min[2], -reachMm)];
  const to: Vector3 = [max[0], max[1], Math.min(max[2], reachMm)];
  const sizes = [0, 1, 2].map((axis) => Math.ceil((to[axis]! - from[axis]!) / stepMm) + 1) as [number, number, number];
  const [nx, ny, nz] = sizes.map((n) => 16 * Math.ceil((2 * n) / 16)) as [number, number, number];
  if (nx * ny * nz > mostCells) throw simulatorError('SIM_ERR_OPTION', `a field map of ${nx} x ${ny} x ${nz} cells; ${mostCells} are allowed`);
  const susceptibility = paintSusceptibility(object, from, sizes);
  const limitBytes = 8 * nx * ny * nz + 64 * (nx + ny + nz) * 1024;
  const memory = createSessionMemory(limitBytes);
  const kernels = bindKernels(memory, new Arena(memory, { startByte: 0, limitBytes }));
  const plans = [planFft(kernels, nx), planFft(kernels, ny), planFft(kernels, nz)] as const;
  const pointer = kernels.arena.allocate(8 * nx * ny * nz);
  const cells = kernels.arena.f32(pointer, 2 * nx * ny * nz).fill(0);
  eachCell(sizes, (x, y, z, index) => (cells[2 * ((z * ny + y) * nx + x)] = susceptibility[index]!));
  const transform = (direction: 'forward' | 'inverse') => {
    fftLines(kernels, plans[0], pointer, ny * nz, direction);
    for (let z = 0; z < nz; z++) fftColumns(kernels, plans[1], pointer + 8 * z * nx * ny, nx, direction);
    fftColumns(kernels, plans[2], pointer, nx * ny, direction);
  };
  transform('forward');
  eachCell([nx, ny, nz], (x, y, z, index) => {
    const k = [(x - nx / 2) / nx, (y - ny / 2) / ny, (z - nz / 2) / nz] as const;
    const squared = k[0] ** 2 + k[1] ** 2 + k[2] ** 2;
    // Smooth on the scale of the grid: between its points, where the field is read, the steps of the cells would show.
    const smoothing = Math.exp(-2 * Math.PI ** 2 * smoothingCells ** 2 * squared);
    const dipole = squared === 0 ? 0 : smoothing * (1 / 3 - k[2] ** 2 / squared);
    cells[2 * index]! *= dipole;
    cells[2 * index + 1]! *= dipole;
  });
  transform('inverse');
  const ppm = new Float32Array(sizes[0] * sizes[1] * sizes[2]);
  eachCell(sizes, (x, y, z, index) => (ppm[index] = cells[2 * ((z * ny + y) * nx + x)]!));
  if (isShimmed) takeOffShim(ppm, susceptibility, from, sizes);
  return { ppmAt: (point) => interpolated(ppm, from, sizes, point) };
}

/** χ over that of air, so that what surrounds the body is 0. float32 [z, y, x] */
function paintSusceptibility(object: ScannedObject, from: Vector3, [nx, ny, nz]: readonly [number, number, number]): Float32Array {
  const all = new Float32Array(nx * ny * nz);
  const coefficients = new Map([...object.tissues].map(([name, { susceptibilityPpm }]) => [name, [susceptibilityPpm - airPpm]]));
  for (let z = 0; z < nz; z++) {
    const plane: Plane = {
      originMm: [from[0], from[1], from[2] + z * stepMm],
      columnStepMm: [stepMm, 0, 0],
      rowStepMm: [0, stepMm, 0],
      nColumns: nx,
      nRows: ny,
    };
    object.paint(plane, coefficients, [all.subarray(z * nx * ny, (z + 1) * nx * ny)], 1, 'box');
  }
  return all;
}

function eachCell([nx, ny, nz]: readonly [number, number, number], visit: (x: number, y: number, z: number, index: number) => void): void {
  for (let z = 0, index = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++, index++) visit(x, y, z, index);
    }
  }
}

/** Constant, linear and quadratic harmonics of the shim coils: solid harmonics up to the second order. */
function shimTerms([x, y, z]: Vector3): number[] {
  const [a, b, c] = [x / 100, y / 100, z / 100];
  return [1, a, b, c, a * b, b * c, a * c, a * a - b * b, 2 * c * c - a * a - b * b];
}

function takeOffShim(ppm: Float32Array, susceptibility: Float32Array, from: Vector3, sizes: readonly [number, number, number]): void {
  const at = (x: number, y: number, z: number): Vector3 => [from[0] + x * stepMm, from[1] + y * stepMm, from[2] + z * stepMm];
  const n = shimTerms([0, 0, 0]).length;
  const normal = Array.from({ length: n }, () => new Float64Array(n + 1));
  eachCell(sizes, (x, y, z, index) => {
    const point = at(x, y, z);
    const isShimmed = point.every((part, axis) => Math.abs(part) <= shimHalfSizesMm[axis]!) && susceptibility[index]! < -airPpm / 2;
    if (!isShimmed) return;
    const terms = shimTerms(point);
    terms.forEach((a, i) => {
      terms.forEach((b, j) => (normal[i]![j]! += a * b));
      normal[i]![n]! += a * ppm[index]!;
    });
  });
  const solution = solve(normal);
  eachCell(sizes, (x, y, z, index) => {
    ppm[index]! -= shimTerms(at(x, y, z)).reduce((sum, term, i) => sum + term * solution[i]!, 0);
  });
}

/** Gauss's elimination with pivoting, [n][n + 1]; a term that nothing determines is 0. */
function solve(rows: Float64Array[]): Float64Array {
  const n = rows.length;
  for (let column = 0; column < n; column++) {
    const pivot = rows.slice(column).reduce((so, row, index) => (Math.abs(row[column]!) > Math.abs(rows[so]![column]!) ? column + index : so), column);
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const diagonal = rows[column]![column]!;
    if (Math.abs(diagonal) < 1e-9) continue;
    for (let row = 0; row < n; row++) {
      if (row === column) continue;
      const factor = rows[row]![column]! / diagonal;
      for (let k = column; k <= n; k++) rows[row]![k]! -= factor * rows[column]![k]!;
    }
  }
  return Float64Array.from(rows, (row, i) => (Math.abs(row[i]!) < 1e-9 ? 0 : row[n]! / row[i]!));
}

/** Trilinear; the nearest value outside. */
function interpolated(values: Float32Array, from: Vector3, [nx, ny, nz]: readonly [number, number, number], point: Vector3): number {
  const sizes = [nx, ny, nz];
  const [x, y, z] = point.map((part, axis) => Math.min(sizes[axis]! - 1, Math.max(0, (part - from[axis]!) / stepMm))) as [number, number, number];
  const [i, j, k] = [Math.min(nx - 2, Math.floor(x)), Math.min(ny - 2, Math.floor(y)), Math.min(nz - 2, Math.floor(z))];
  const [fx, fy, fz] = [x - i, y - j, z - k];
  let value = 0;
  for (let corner = 0; corner < 8; corner++) {
    const [dx, dy, dz] = [corner & 1, (corner >> 1) & 1, corner >> 2];
    const weight = (dx ? fx : 1 - fx) * (dy ? fy : 1 - fy) * (dz ? fz : 1 - fz);
    value += weight * values[((k + dz) * ny + j + dy) * nx + i + dx]!;
  }
  return value;
}
