/**
 * A slice on the grid whose Fourier transform is its k-space.
 *
 * The grid has the period L of the coils' series (lattice.ts) and pixels of less than half the encoded
 * ones, painted with edges whose spectrum ends there (anatomy/paint.ts): what folds back onto the outermost
 * samples is below a hundredth of them.
 * Only the window that holds the body is painted. What of it lies beyond the image, and is cropped with
 * the oversampling, is painted at half the resolution and in the slice's middle only.
 *
 * Across the slice, planes are weighted by the profile of the excitation: a trapezoid whose half width
 * is the slice thickness and whose edges are half a thickness wide.
 */
import type { Vector3 } from '../../imaging/index.js';
import type { Box, Plane } from '../anatomy/index.js';
import { phaseOf, type Sampling } from './encoding.js';
import type { SampledLattice } from './lattice.js';
import type { ScannedObject } from './object.js';

/** A slice in space: its centre and the directions in which columns, rows and slices count up; LPS. */
export interface SlicePlane {
  readonly centreMm: Vector3;
  readonly readDirection: Vector3;
  readonly phaseDirection: Vector3;
  readonly sliceDirection: Vector3;
}

export interface PaintGrid {
  /** Pixels of a period; the slice's centre is pixel [floor(nRows / 2), floor(nColumns / 2)]. */
  readonly nColumns: number;
  readonly nRows: number;
  readonly columnMm: number;
  readonly rowMm: number;
  /** What is painted. */
  readonly firstColumn: number;
  readonly endColumn: number;
  readonly firstRow: number;
  readonly endRow: number;
  /** The part of it that is in the image, with a margin. */
  readonly image: Rectangle;
}

interface Rectangle {
  readonly firstColumn: number;
  readonly endColumn: number;
  readonly firstRow: number;
  readonly endRow: number;
}

/** Weight of a plane at a distance from the middle of the slice; all of a slice add to 1. */
export interface ProfilePlane {
  readonly offsetMm: number;
  readonly weight: number;
}

/** Painted pixels in an encoded one, at least. */
export const paintingFactor = 2.25;
/** Beyond the image, before the resolution falls. */
const marginMm = 8;

export function sliceProfile(thicknessMm: number): ProfilePlane[] {
  return [-0.45, -0.15, 0.15, 0.45].map((offset) => ({
    offsetMm: offset * thicknessMm,
    weight: (Math.abs(offset) < 0.25 ? 1 : 0.6) / 3.2,
  }));
}

/** @param boundsMm of the object; what of it lies beyond half a period from the centre is left out */
export function paintGrid(
  lattice: SampledLattice,
  sampling: Sampling,
  slice: SlicePlane,
  boundsMm: Box,
  factor = paintingFactor,
): PaintGrid {
  const phase = phaseOf(sampling);
  const along = (periodMm: number, pixelMm: number, imageMm: number, direction: Vector3) => {
    const n = smoothLength(Math.ceil((factor * periodMm) / pixelMm));
    const step = periodMm / n;
    const [least, most] = extentOf(boundsMm, slice.centreMm, direction);
    const centre = Math.floor(n / 2);
    const first = Math.max(0, Math.min(n - 1, centre + Math.floor(least / step) - 1));
    const end = Math.max(first + 1, Math.min(n, centre + Math.ceil(most / step) + 2));
    const reach = Math.ceil((imageMm / 2 + marginMm) / step);
    return { n, step, first, end, imageFirst: Math.max(first, centre - reach), imageEnd: Math.min(end, centre + reach + 1) };
  };
  const u = along(1 / lattice.stepU, sampling.fovMm[0] / sampling.matrix[0], sampling.fovMm[0], slice.readDirection);
  const v = along(1 / lattice.stepV, phase.encodedFovMm / phase.nLines, phase.fovMm, slice.phaseDirection);
  return {
    nColumns: u.n,
    nRows: v.n,
    columnMm: u.step,
    rowMm: v.step,
    firstColumn: u.first,
    endColumn: u.end,
    firstRow: v.first,
    endRow: v.end,
    image: { firstColumn: u.imageFirst, endColumn: u.imageEnd, firstRow: v.imageFirst, endRow: v.imageEnd },
  };
}

/** The painted window as a plane, or a part of it, `offsetMm` off the slice's middle; every `step`-th pixel, as wide. */
export function windowPlane(grid: PaintGrid, slice: SlicePlane, offsetMm = 0, part: Rectangle = grid, step = 1): Plane {
  const { centreMm, readDirection, phaseDirection, sliceDirection } = slice;
  const u = (part.firstColumn + (step - 1) / 2 - Math.floor(grid.nColumns / 2)) * grid.columnMm;
  const v = (part.firstRow + (step - 1) / 2 - Math.floor(grid.nRows / 2)) * grid.rowMm;
  const at = (axis: 0 | 1 | 2) =>
    centreMm[axis] + u * readDirection[axis] + v * phaseDirection[axis] + offsetMm * sliceDirection[axis];
  const scaled = ([x, y, z]: Vector3, mm: number): Vector3 => [x * mm, y * mm, z * mm];
  return {
    originMm: [at(0), at(1), at(2)],
    columnStepMm: scaled(readDirection, step * grid.columnMm),
    rowStepMm: scaled(phaseDirection, step * grid.rowMm),
    nColumns: Math.ceil((part.endColumn - part.firstColumn) / step),
    nRows: Math.ceil((part.endRow - part.firstRow) / step),
  };
}

/** @returns the channels, float32 [row, column] of the window each */
export function paintSlice(
  object: ScannedObject,
  grid: PaintGrid,
  slice: SlicePlane,
  profile: readonly ProfilePlane[],
  coefficients: ReadonlyMap<string, ArrayLike<number>>,
  nChannels: number,
): Float32Array[] {
  const { image } = grid;
  const painted = (plane: Plane, weight: number, channels = zeros(nChannels, plane)) => {
    object.paint(plane, coefficients, channels, weight, 'cosine');
    return channels;
  };
  const width = grid.endColumn - grid.firstColumn;
  const isAll = image.endColumn - image.firstColumn === width && image.endRow - image.firstRow === grid.endRow - grid.firstRow;
  const inner = zeros(nChannels, windowPlane(grid, slice, 0, image));
  for (const { offsetMm, weight } of profile) painted(windowPlane(grid, slice, offsetMm, image), weight, inner);
  if (isAll) return inner;
  const coarsePlane = windowPlane(grid, slice, 0, grid, 2);
  const coarse = painted(coarsePlane, 1);
  return inner.map((channel, index) => {
    const whole = doubled(coarse[index]!, coarsePlane, width, grid.endRow - grid.firstRow);
    const innerWidth = image.endColumn - image.firstColumn;
    for (let row = image.firstRow; row < image.endRow; row++) {
      const from = (row - image.firstRow) * innerWidth;
      whole.set(channel.subarray(from, from + innerWidth), (row - grid.firstRow) * width + image.firstColumn - grid.firstColumn);
    }
    return whole;
  });
}

function zeros(nChannels: number, { nColumns, nRows }: Plane): Float32Array[] {
  return Array.from({ length: nChannels }, () => new Float32Array(nColumns * nRows));
}

/** Pixels of twice the size as pixels of the grid, bilinear between their centres. */
function doubled(coarse: Float32Array, { nColumns, nRows }: Plane, width: number, height: number): Float32Array {
  const fine = new Float32Array(width * height);
  for (let row = 0, pixel = 0; row < height; row++) {
    const y = Math.min(nRows - 1, Math.max(0, (row - 0.5) / 2));
    const above = Math.floor(y);
    const [upper, lower] = [above * nColumns, Math.min(nRows - 1, above + 1) * nColumns];
    for (let column = 0; column < width; column++, pixel++) {
      const x = Math.min(nColumns - 1, Math.max(0, (column - 0.5) / 2));
      const left = Math.floor(x);
      const right = Math.min(nColumns - 1, left + 1);
      const [fx, fy] = [x - left, y - above];
      const top = coarse[upper + left]! + fx * (coarse[upper + right]! - coarse[upper + left]!);
      const bottom = coarse[lower + left]! + fx * (coarse[lower + right]! - coarse[lower + left]!);
      fine[pixel] = top + fy * (bottom - top);
    }
  }
  return fine;
}

/** Smallest and largest distance of a box's points from the centre along a direction. */
export function extentOf({ min, max }: Box, centreMm: Vector3, direction: Vector3): [number, number] {
  let [least, most] = [0, 0];
  for (const axis of [0, 1, 2] as const) {
    const ends = [(min[axis] - centreMm[axis]) * direction[axis], (max[axis] - centreMm[axis]) * direction[axis]];
    least += Math.min(...ends);
    most += Math.max(...ends);
  }
  return [least, most];
}

/** The least length from `least` on that has no prime factor but 2, 3 and 5. */
function smoothLength(least: number): number {
  for (let n = least; ; n++) {
    let rest = n;
    for (const factor of [2, 3, 5]) while (rest % factor === 0) rest /= factor;
    if (rest === 1) return n;
  }
}
