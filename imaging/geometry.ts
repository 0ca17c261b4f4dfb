/**
 * Where a voxel lies in the patient. The one owner of the affine and of the half-pixel rule.
 *
 *   r(i, j, k) = centre + (i - ⌊Nx/2⌋) dx · row + (j - ⌊Ny/2⌋) dy · column + (k - ⌊Nz/2⌋) dz · slice
 *
 * i counts columns, j rows, k slices; r is the CENTRE of the voxel, LPS, mm; d = field of view / N.
 *
 * The half-pixel rule. MRD's `position` is the centre of the excited volume, and it is the point to
 * which the scanner refers the phase of k-space. A centred Fourier transform puts this point of
 * phase zero exactly on the centre of pixel ⌊N/2⌋, for odd and for even N. So for even N the pixel
 * grid lies half a pixel off the nominal field of view: its first voxel centre is N/2 pixels before
 * the centre and its last one N/2 - 1 pixels behind. Cropping readout oversampling and zero-filling
 * both keep pixel ⌊N/2⌋ in place, hence the rule needs the final matrix only. DICOM's
 * ImagePositionPatient is the centre of the first voxel, r(0, 0, 0). NIfTI's affine is the same map
 * in RAS, with x and y negated.
 *
 * The same holds along the slice direction of a 3D volume; a 2D slice has Nz = 1, and k = 0 is its
 * centre.
 */
import { ImagingError } from './errors.js';
import type { ImageGeometry, Vector3 } from './types.js';

/** A 4x4 matrix, row by row, that maps homogeneous [column, row, slice, 1] to mm. */
export type Affine = readonly number[];

/** How far directions may be from orthonormal: scanners send float32, some with four digits. */
const directionTolerance = 1e-3;

/** [columns, rows, slices] distance of neighbouring voxel centres, mm. @throws IMG_ERR_GEOMETRY */
export function voxelSizeMm({ fovMm, matrixSize }: Pick<ImageGeometry, 'fovMm' | 'matrixSize'>): Vector3 {
  const valid =
    fovMm.every((extent) => extent > 0 && Number.isFinite(extent)) &&
    matrixSize.every((size) => size > 0 && Number.isInteger(size));
  if (!valid) throw new ImagingError('IMG_ERR_GEOMETRY', `${fovMm.join(' x ')} mm, ${matrixSize.join(' x ')} voxels`);
  return mapAxes((axis) => fovMm[axis] / matrixSize[axis]);
}

/** Distance of slices over the larger distance of pixels. @throws IMG_ERR_GEOMETRY */
export function sliceAnisotropy(geometry: Pick<ImageGeometry, 'fovMm' | 'matrixSize'>): number {
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(geometry);
  return sliceMm / Math.max(columnMm, rowMm);
}

/** Up to such a `sliceAnisotropy` a computed volume may be measured across its slices: beyond it edges there are interpolated, not seen. Ours. */
export const mostAnisotropyAcross = 1.5;

/**
 * DICOM's PixelSpacing: [distance of neighbouring rows, distance of neighbouring columns], mm. Mind
 * the order, which is the reverse of voxelSizeMm's.
 * @throws IMG_ERR_GEOMETRY
 */
export function pixelSpacingMm(geometry: ImageGeometry): readonly [number, number] {
  const [betweenColumns, betweenRows] = voxelSizeMm(geometry);
  return [betweenRows, betweenColumns];
}

/**
 * DICOM's ImagePositionPatient of one slice: the centre of its first voxel, LPS, mm.
 * @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function imagePositionPatient(geometry: ImageGeometry, slice = 0): Vector3 {
  return pointOf(geometry, [0, 0, slice]);
}

/**
 * [column, row, slice] -> LPS, mm. Directions must be orthonormal; either handedness is accepted.
 * @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function affineLps(geometry: ImageGeometry): Affine {
  checkDirections(geometry);
  const sizeMm = voxelSizeMm(geometry);
  const directions = [geometry.rowDirection, geometry.columnDirection, geometry.sliceDirection] as const;
  const steps = mapAxes((axis) => mapAxes((coordinate) => directions[axis][coordinate] * sizeMm[axis]));
  const first = mapAxes(
    (coordinate) =>
      geometry.centreMm[coordinate] -
      [0, 1, 2].reduce((sum, axis) => sum + Math.floor(geometry.matrixSize[axis]! / 2) * steps[axis]![coordinate]!, 0),
  );
  const rowOf = (coordinate: Axis) => [...steps.map((step) => step[coordinate]), first[coordinate]];
  return [...rowOf(0), ...rowOf(1), ...rowOf(2), 0, 0, 0, 1];
}

/**
 * [column, row, slice] -> RAS, mm: what NIfTI calls the sform.
 * @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function affineRas(geometry: ImageGeometry): Affine {
  return affineLps(geometry).map((value, index) => (index < 8 ? -value : value));
}

/**
 * The centre of a voxel [column, row, slice], LPS, mm; indices may be fractions.
 * @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function pointOf(geometry: ImageGeometry, voxel: Vector3): Vector3 {
  return transformPoint(affineLps(geometry), voxel);
}

/**
 * The [column, row, slice] at which a point (LPS, mm) lies; fractions between voxel centres.
 * @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS
 */
export function voxelOf(geometry: ImageGeometry, pointMm: Vector3): Vector3 {
  return transformPoint(invertAffine(affineLps(geometry)), pointMm);
}

/**
 * Where the pixels of one slice lie: r(column, row) = origin + column columnStep + row rowStep, LPS, mm. The thickness is the
 * extent of a 2D slice along its normal, and the distance of neighbouring slices in a volume.
 */
export interface SlicePlane {
  /** Centre of the first pixel. */
  readonly originMm: Vector3;
  /** From a pixel to the one on its right. */
  readonly columnStepMm: Vector3;
  /** From a pixel to the one below. */
  readonly rowStepMm: Vector3;
  readonly thicknessMm: number;
}

/** @throws IMG_ERR_GEOMETRY, IMG_ERR_DIRECTIONS */
export function slicePlaneOf(geometry: ImageGeometry, slice = 0): SlicePlane {
  const affine = affineLps(geometry);
  const stepOf = (axis: Axis) => mapAxes((coordinate) => affine[4 * coordinate + axis]!);
  return { originMm: transformPoint(affine, [0, 0, slice]), columnStepMm: stepOf(0), rowStepMm: stepOf(1), thicknessMm: voxelSizeMm(geometry)[2] };
}

/**
 * The geometry whose `affineLps` is this affine, for a matrix of [columns, rows, slices]. Either handedness.
 * @throws IMG_ERR_AFFINE where an axis has no length or the axes are not orthogonal (shear), IMG_ERR_GEOMETRY
 */
export function geometryOfAffineLps(affine: Affine, matrixSize: Vector3): ImageGeometry {
  const stepOf = (axis: Axis) => mapAxes((row) => affine[4 * row + axis]!);
  const sizeMm = mapAxes((axis) => Math.hypot(...stepOf(axis)));
  if (!(affine.every(Number.isFinite) && sizeMm.every((size) => size > 0))) refuseAffine(affine);
  const directionOf = (axis: Axis) => mapAxes((coordinate) => stepOf(axis)[coordinate] / sizeMm[axis]);
  const geometry: ImageGeometry = {
    centreMm: transformPoint(affine, mapAxes((axis) => Math.floor(matrixSize[axis] / 2))),
    rowDirection: directionOf(0),
    columnDirection: directionOf(1),
    sliceDirection: directionOf(2),
    fovMm: mapAxes((axis) => sizeMm[axis] * matrixSize[axis]),
    matrixSize,
  };
  if (!isOrthonormal(geometry)) refuseAffine(affine);
  voxelSizeMm(geometry);
  return geometry;
}

/** The affine applied to a point. */
export function transformPoint(affine: Affine, point: Vector3): Vector3 {
  return mapAxes(
    (row) =>
      affine[4 * row]! * point[0] +
      affine[4 * row + 1]! * point[1] +
      affine[4 * row + 2]! * point[2] +
      affine[4 * row + 3]!,
  );
}

/** The inverse map. @throws IMG_ERR_DIRECTIONS where the matrix is singular */
export function invertAffine(affine: Affine): Affine {
  const at = (row: number, column: number) => affine[4 * row + column]!;
  // Cofactors with cyclic indices carry their sign with them.
  const cofactor = (row: number, column: number) => {
    const [r1, r2, c1, c2] = [(row + 1) % 3, (row + 2) % 3, (column + 1) % 3, (column + 2) % 3];
    return at(r1, c1) * at(r2, c2) - at(r1, c2) * at(r2, c1);
  };
  const determinant = at(0, 0) * cofactor(0, 0) + at(0, 1) * cofactor(0, 1) + at(0, 2) * cofactor(0, 2);
  if (!(Math.abs(determinant) > 0)) {
    throw new ImagingError('IMG_ERR_DIRECTIONS', `an affine with determinant ${determinant}`);
  }
  const rowOf = (row: Axis) => {
    const linear = mapAxes((column) => cofactor(column, row) / determinant);
    const offset = -(linear[0] * at(0, 3) + linear[1] * at(1, 3) + linear[2] * at(2, 3));
    return [...linear, offset];
  };
  return [...rowOf(0), ...rowOf(1), ...rowOf(2), 0, 0, 0, 1];
}

function checkDirections(geometry: ImageGeometry): void {
  if (isOrthonormal(geometry)) return;
  const { rowDirection, columnDirection, sliceDirection } = geometry;
  const directions = [rowDirection, columnDirection, sliceDirection].map((direction) => `[${direction.join(', ')}]`);
  throw new ImagingError('IMG_ERR_DIRECTIONS', directions.join(' '));
}

function isOrthonormal({ rowDirection, columnDirection, sliceDirection }: ImageGeometry): boolean {
  const deviations = [
    dot(rowDirection, rowDirection) - 1,
    dot(columnDirection, columnDirection) - 1,
    dot(sliceDirection, sliceDirection) - 1,
    dot(rowDirection, columnDirection),
    dot(rowDirection, sliceDirection),
    dot(columnDirection, sliceDirection),
  ];
  return deviations.every((deviation) => Math.abs(deviation) <= directionTolerance);
}

function refuseAffine(affine: Affine): never {
  throw new ImagingError('IMG_ERR_AFFINE', `[${affine.slice(0, 12).join(', ')}]`);
}

type Axis = 0 | 1 | 2;

function mapAxes<Value>(value: (axis: Axis) => Value): [Value, Value, Value] {
  return [value(0), value(1), value(2)];
}

function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
