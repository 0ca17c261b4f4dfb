/**
 * A picture, or a stack of them, as something that can be scanned: its pixels are the signal, at every
 * echo and in every contrast. Between pixels the picture goes smoothly, by the cubic convolution of
 * Keys 1981, doi 10.1109/TASSP.1981.1163711; beyond its edges there is nothing.
 *
 * Within half a slice thickness of its planes, or of the planes' outermost ones, a plane is painted;
 * between two planes, linearly. So a single image is scanned by a slice on its plane.
 */
import { voxelSizeMm, type Tissue, type Vector3, type Volume } from '../../imaging/index.js';
import type { Box, Plane } from '../anatomy/index.js';
import type { ScannedObject } from './object.js';

/** The tissue that a picture is made of. */
export const pictureTissue = 'picture';

/** Recovers so fast and decays so slowly that only the flip angles are left of a sequence. */
const unchanging: Tissue = {
  protonDensity: 1,
  fatFraction: 0,
  t1Ms: 1,
  t2Ms: 1e9,
  t2StarMs: 1e9,
  hounsfield: 0,
  susceptibilityPpm: 0,
};

/** @param gain signal of a pixel of value 1 */
export function imageObject({ geometry, data }: Volume, gain = 1): ScannedObject {
  const { centreMm, rowDirection, columnDirection, sliceDirection, matrixSize } = geometry;
  const [columns, rows, slices] = matrixSize;
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(geometry);
  const first = [Math.floor(columns / 2), Math.floor(rows / 2), Math.floor(slices / 2)] as const;
  const along = (direction: Vector3, [x, y, z]: Vector3) => direction[0] * x + direction[1] * y + direction[2] * z;
  const pixelAt = (slice: number, row: number, column: number) =>
    row < 0 || row >= rows || column < 0 || column >= columns ? 0 : data[(slice * rows + row) * columns + column]!;
  const inSlice = (slice: number, x: number, y: number): number => {
    const [column, row] = [Math.floor(x), Math.floor(y)];
    const acrossColumns = keys(x - column);
    const acrossRows = keys(y - row);
    let value = 0;
    for (let j = 0; j < 4; j++) {
      let sum = 0;
      for (let i = 0; i < 4; i++) sum += acrossColumns[i]! * pixelAt(slice, row + j - 1, column + i - 1);
      value += acrossRows[j]! * sum;
    }
    return value;
  };
  const valueAt = (point: Vector3): number => {
    const way: Vector3 = [point[0] - centreMm[0], point[1] - centreMm[1], point[2] - centreMm[2]];
    const x = along(rowDirection, way) / columnMm + first[0];
    const y = along(columnDirection, way) / rowMm + first[1];
    const z = along(sliceDirection, way) / sliceMm + first[2];
    if (z < -0.5 || z > slices - 0.5 || x <= -2 || y <= -2 || x >= columns + 1 || y >= rows + 1) return 0;
    const inside = Math.min(slices - 1, Math.max(0, z));
    const below = Math.min(Math.max(0, slices - 2), Math.floor(inside));
    const share = inside - below;
    const value = share < 1 ? (1 - share) * inSlice(below, x, y) : 0;
    return share > 0 ? value + share * inSlice(below + 1, x, y) : value;
  };
  return {
    boundsMm: boundsOf(geometry, [columnMm, rowMm, sliceMm]),
    tissues: new Map([[pictureTissue, unchanging]]),
    paint({ originMm, columnStepMm, rowStepMm, nColumns, nRows }: Plane, coefficients, channels, weight) {
      const signals = Float64Array.from(coefficients.get(pictureTissue) ?? [], (signal) => signal * weight * gain);
      for (let row = 0, pixel = 0; row < nRows; row++) {
        for (let column = 0; column < nColumns; column++, pixel++) {
          const at = (axis: 0 | 1 | 2) => originMm[axis] + column * columnStepMm[axis] + row * rowStepMm[axis];
          const value = valueAt([at(0), at(1), at(2)]);
          if (value === 0) continue;
          for (let channel = 0; channel < channels.length; channel++) channels[channel]![pixel]! += signals[channel]! * value;
        }
      }
    },
  };
}

/** Weights of the four neighbours at -1, 0, 1 and 2, for a place `t` between 0 and 1. */
function keys(t: number): [number, number, number, number] {
  return [
    ((-0.5 * t + 1) * t - 0.5) * t,
    (1.5 * t - 2.5) * t * t + 1,
    ((-1.5 * t + 2) * t + 0.5) * t,
    (0.5 * t - 0.5) * t * t,
  ];
}

function boundsOf({ centreMm, rowDirection, columnDirection, sliceDirection, matrixSize }: Volume['geometry'], voxelMm: Vector3): Box {
  const directions = [rowDirection, columnDirection, sliceDirection];
  // Keys' kernel reaches two pixels beyond the last one.
  const reachMm = directions.map((_, axis) => (matrixSize[axis]! / 2 + 2) * voxelMm[axis]!);
  const half = ([0, 1, 2] as const).map((axis) =>
    directions.reduce((sum, direction, d) => sum + Math.abs(direction[axis]) * reachMm[d]!, 0));
  const corner = (sign: 1 | -1): Vector3 => [centreMm[0] + sign * half[0]!, centreMm[1] + sign * half[1]!, centreMm[2] + sign * half[2]!];
  return { min: corner(-1), max: corner(1) };
}
