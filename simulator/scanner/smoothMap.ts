/** Fields of the scanner on the pixels of a plane, computed at some points and interpolated between them. */
import type { Vector3 } from '../../imaging/index.js';
import type { Plane } from '../anatomy/index.js';

/** Pixels between the points at which smooth maps are computed. */
const mapStep = 16;

/** A smooth function on the pixels of a plane: computed at some of them, bilinear between. float32 [row, column] */
export function smoothMap({ originMm, columnStepMm, rowStepMm, nColumns, nRows }: Plane, valueAt: (point: Vector3) => number): Float32Array {
  const [coarseColumns, coarseRows] = [nColumns, nRows].map((n) => Math.max(2, Math.ceil((n - 1) / mapStep) + 1)) as [number, number];
  const coarse = new Float64Array(coarseColumns * coarseRows);
  for (let row = 0; row < coarseRows; row++) {
    for (let column = 0; column < coarseColumns; column++) {
      const at = (axis: 0 | 1 | 2) => originMm[axis] + mapStep * (column * columnStepMm[axis] + row * rowStepMm[axis]);
      coarse[row * coarseColumns + column] = valueAt([at(0), at(1), at(2)]);
    }
  }
  const map = new Float32Array(nColumns * nRows);
  for (let row = 0, pixel = 0; row < nRows; row++) {
    const above = Math.min(Math.floor(row / mapStep), coarseRows - 2);
    const fy = row / mapStep - above;
    for (let column = 0; column < nColumns; column++, pixel++) {
      const left = Math.min(Math.floor(column / mapStep), coarseColumns - 2);
      const fx = column / mapStep - left;
      const at = above * coarseColumns + left;
      const upper = coarse[at]! + fx * (coarse[at + 1]! - coarse[at]!);
      const lower = coarse[at + coarseColumns]! + fx * (coarse[at + coarseColumns + 1]! - coarse[at + coarseColumns]!);
      map[pixel] = upper + fy * (lower - upper);
    }
  }
  return map;
}
