/**
 * Where a voxel lies in the patient:
 *
 *   r(i, j, k) = position + (i - ⌊Nx/2⌋) dx · read + (j - ⌊Ny/2⌋) dy · phase + (k - ⌊Nz/2⌋) dz · slice
 *
 * r is the CENTRE of voxel (i, j, k), LPS, mm; d = field of view / N.
 *
 * `position` is the centre of the excited volume and the point to which the phase of k-space refers.
 * A centred Fourier transform puts that point on the centre of pixel ⌊N/2⌋, for odd and for even N;
 * hence for even N the voxels lie half a pixel off the nominal field of view, from N/2 pixels before
 * the position to N/2 - 1 behind it. A slice of a 2D image has N = 1, and its centre is the position.
 */
import type { Vector3 } from './types.js';

/** What an image header says of its place; an ImageHeader is one. */
export interface MrdGeometry {
  /** LPS, mm. */
  readonly position: Vector3;
  readonly readDir: Vector3;
  readonly phaseDir: Vector3;
  readonly sliceDir: Vector3;
  /** [x, y, z] */
  readonly fovMm: Vector3;
  /** [x, y, z] */
  readonly matrixSize: Vector3;
}

/** A 4x4 matrix, row by row, that maps homogeneous [x, y, z, 1] to mm. */
export type Affine = readonly number[];

/**
 * Voxel index [x, y, z] -> LPS, mm.
 * @returns undefined where the geometry is unknown: directions or field of view are zero, as in
 * generated data, or do not span space
 */
export function voxelToPatient({ position, readDir, phaseDir, sliceDir, fovMm, matrixSize }: MrdGeometry): Affine | undefined {
  const scaled = (direction: Vector3, axis: 0 | 1 | 2): Vector3 => {
    const sizeMm = fovMm[axis] / matrixSize[axis];
    return [direction[0] * sizeMm, direction[1] * sizeMm, direction[2] * sizeMm];
  };
  const [x, y, z] = [scaled(readDir, 0), scaled(phaseDir, 1), scaled(sliceDir, 2)];
  const volume = Math.abs(determinant(x, y, z));
  if (!(volume > 0 && Number.isFinite(volume)) || !position.every(Number.isFinite)) return undefined;
  const [originX, originY, originZ] = matrixSize.map((size) => Math.floor(size / 2)) as [number, number, number];
  const row = (axis: 0 | 1 | 2) => [
    x[axis],
    y[axis],
    z[axis],
    position[axis] - originX * x[axis] - originY * y[axis] - originZ * z[axis],
  ];
  return [...row(0), ...row(1), ...row(2), 0, 0, 0, 1];
}

function determinant(a: Vector3, b: Vector3, c: Vector3): number {
  return (
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
  );
}
