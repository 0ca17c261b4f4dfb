/**
 * The grid on which the noise of an interpolated image is white. Where k-space was padded with zeros, neighbouring pixels
 * share their noise; on a grid just as fine as what was sampled they do not:
 *
 *   x_grid = (m / n)^(1/2) F_m^-1 crop F_n x,   x = (n / m)^(1/2) F_n^-1 pad F_m x_grid
 *
 * with n pixels of the image and m of the grid; signal and noise keep their values, pixel by pixel. Only what a denoiser
 * changes goes back to the image, so that what the crop leaves out (coil combination spreads k-space a little beyond what was
 * sampled) stays in it.
 */
import type { Kernels } from '../kernels/index.js';
import { fullExtent, sides, transformVolume, type SampledExtent, type SampledVolume } from '../partial-fourier/index.js';

export interface SampledGrid {
  /** Of the image. */
  readonly rows: number;
  readonly columns: number;
  /** Of the grid; never more. */
  readonly gridRows: number;
  readonly gridColumns: number;
}

/** An axis that was sampled beyond this part of its length is left as it is. */
const nearlyAll = 0.95;

/** @param rows @param columns what was sampled of the image's k-space, along either axis */
export function sampledGrid(rows: SampledExtent, columns: SampledExtent): SampledGrid {
  return { rows: rows.n, columns: columns.n, gridRows: gridLength(rows), gridColumns: gridLength(columns) };
}

function gridLength(extent: SampledExtent): number {
  const { before, after } = sides(extent);
  const length = 2 * Math.max(before, after + 1);
  return length > nearlyAll * extent.n ? extent.n : Math.max(2, length);
}

export function isInterpolated({ rows, columns, gridRows, gridColumns }: SampledGrid): boolean {
  return gridRows < rows || gridColumns < columns;
}

/** @param image complex64 [rows, columns]; @returns complex64 [gridRows, gridColumns] */
export function onGrid(kernels: Kernels, grid: SampledGrid, image: Float32Array): Float32Array<ArrayBuffer> {
  const { rows, columns, gridRows, gridColumns } = grid;
  if (!isInterpolated(grid)) return new Float32Array(image);
  return resample(kernels, image, [rows, columns], [gridRows, gridColumns]);
}

/** @param image complex64 [gridRows, gridColumns]; @returns complex64 [rows, columns]: `image` itself where both are the same */
export function fromGrid(kernels: Kernels, grid: SampledGrid, image: Float32Array<ArrayBuffer>): Float32Array<ArrayBuffer> {
  const { rows, columns, gridRows, gridColumns } = grid;
  if (!isInterpolated(grid)) return image;
  return resample(kernels, image, [gridRows, gridColumns], [rows, columns]);
}

/** The nearest pixel's value for each point of the grid: maps of noise vary slowly. */
export function mapOnGrid(grid: SampledGrid, map: Float32Array): Float32Array<ArrayBuffer> {
  if (!isInterpolated(grid)) return new Float32Array(map);
  const { rows, columns, gridRows, gridColumns } = grid;
  const nearest = (at: number, grid: number, n: number) =>
    Math.min(n - 1, Math.max(0, Math.floor(n / 2) + Math.round(((at - Math.floor(grid / 2)) * n) / grid)));
  const columnOf = Int32Array.from({ length: gridColumns }, (_, column) => nearest(column, gridColumns, columns));
  const out = new Float32Array(gridRows * gridColumns);
  for (let row = 0; row < gridRows; row++) {
    const from = nearest(row, gridRows, rows) * columns;
    for (let column = 0; column < gridColumns; column++) out[row * gridColumns + column] = map[from + columnOf[column]!]!;
  }
  return out;
}

/** By cropping or padding k-space about its centre. */
function resample(
  kernels: Kernels, image: Float32Array, [rows, columns]: readonly [number, number], [newRows, newColumns]: readonly [number, number],
): Float32Array<ArrayBuffer> {
  const { arena } = kernels;
  const volumeOf = (r: number, c: number): SampledVolume => [fullExtent(1), fullExtent(r), fullExtent(c)];
  const scale = Math.sqrt((newRows * newColumns) / (rows * columns));
  return arena.withScratch(8 * (rows * columns + newRows * newColumns), (pointer) => {
    const target = pointer + 8 * rows * columns;
    arena.f32(pointer, image.length).set(image);
    transformVolume(kernels, volumeOf(rows, columns), pointer, 'forward');
    const from = arena.f32(pointer, 2 * rows * columns);
    const to = arena.f32(target, 2 * newRows * newColumns).fill(0);
    const [height, width] = [Math.min(rows, newRows), Math.min(columns, newColumns)];
    for (let row = 0; row < height; row++) {
      const source = 2 * (first(rows, height) + row) * columns + 2 * first(columns, width);
      const goal = 2 * (first(newRows, height) + row) * newColumns + 2 * first(newColumns, width);
      for (let k = 0; k < 2 * width; k++) to[goal + k] = scale * from[source + k]!;
    }
    transformVolume(kernels, volumeOf(newRows, newColumns), target, 'inverse');
    return new Float32Array(arena.f32(target, 2 * newRows * newColumns));
  });
}

/** Where the central m of n begin. */
function first(n: number, m: number): number {
  return Math.floor(n / 2) - Math.floor(m / 2);
}
