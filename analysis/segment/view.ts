/**
 * A series as the network wants to see it: slices turned by right angles until row 0 is the head and column 0 anterior
 * (sagittal), or row 0 anterior and column 0 the patient's right (axial), with square pixels of about the nominal size.
 *
 *   view(row, column) = series(A_series^-1 A_view [column, row, slice, 1])
 *
 * Slices stay what they are. Of oblique ones the nearest axes decide. Pixels that are near the nominal size and square stay
 * too, so that nothing is interpolated; others are resampled, averaging where they grow.
 */
import { geometryOfAffineLps, pointOf, resample, voxelOf, voxelSizeMm, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import { dot, type Place } from '../geometry.js';
import type { Orientation } from '../types.js';

type Seen = Exclude<Orientation, 'coronal'>;

/** Nominal pixel, those that are left as they are, and where columns and rows are to run; mm. */
const wanted: Readonly<Record<Seen, { readonly pixelMm: number; readonly leftMm: readonly [number, number]; readonly columns: Vector3; readonly rows: Vector3 }>> = {
  sagittal: { pixelMm: 0.8, leftMm: [0.6, 1], columns: [0, 1, 0], rows: [0, 0, -1] },
  axial: { pixelMm: 0.625, leftMm: [0.48, 0.8], columns: [1, 0, 0], rows: [0, 1, 0] },
};
/** Pixels are square as far as this. */
const mostAspect = 1.06;
/** Of axial images no more is looked at: the spine with what lies beside it. */
const axialExtentMm = 180;

/** @returns which orientation slices have by their directions */
export function orientationOf({ sliceDirection }: ImageGeometry): Orientation {
  const [x, y, z] = sliceDirection.map(Math.abs) as [number, number, number];
  return x >= y && x >= z ? 'sagittal' : z >= y ? 'axial' : 'coronal';
}

export interface View {
  /** Of all slices. */
  readonly geometry: ImageGeometry;
  /** [row, column] of a slice, in the series' unit. */
  readonly slice: (index: number) => Float32Array;
}

/** @param about where the spine is, for axial slices with a large field of view; their middle where it is absent */
export function viewOf(volume: Volume<Float32Array>, orientation: Seen, about?: Place): View {
  const source = volume.geometry;
  const geometry = gridOf(source, orientation, about);
  const [columns, rows] = geometry.matrixSize;
  const [first, right, below] = ([[0, 0, 0], [1, 0, 0], [0, 1, 0]] as const).map((voxel) => voxelOf(source, pointOf(geometry, voxel))) as [Vector3, Vector3, Vector3];
  const [sourceColumns, sourceRows] = source.matrixSize;
  const strideOf = (to: Vector3) => Math.round(to[0] - first[0]) + sourceColumns * Math.round(to[1] - first[1]);
  const isLeft = [right, below].every((to) => Math.abs(Math.abs(to[0] - first[0]) + Math.abs(to[1] - first[1]) - 1) < 1e-3);
  const plane = (index: number) => volume.data.subarray(index * sourceColumns * sourceRows, (index + 1) * sourceColumns * sourceRows);
  if (isLeft) {
    const [start, across, down] = [Math.round(first[0]) + sourceColumns * Math.round(first[1]), strideOf(right), strideOf(below)];
    return {
      geometry,
      slice: (index) => {
        const [from, taken] = [plane(index), new Float32Array(rows * columns)];
        for (let row = 0, to = 0; row < rows; row++) {
          for (let column = 0, at = start + row * down; column < columns; column++, at += across) taken[to++] = from[at]!;
        }
        return taken;
      },
    };
  }
  const one = ({ centreMm, ...rest }: ImageGeometry): ImageGeometry => ({
    ...rest, centreMm, matrixSize: [rest.matrixSize[0], rest.matrixSize[1], 1], fovMm: [rest.fovMm[0], rest.fovMm[1], rest.fovMm[2] / rest.matrixSize[2]],
  });
  // All slices lie alike: the middle one's place serves for each.
  const [from, onto] = [one(source), one(geometry)];
  return { geometry, slice: (index) => resample({ geometry: from, data: plane(index) }, onto, 'linear', { bandLimited: true }).data };
}

function gridOf(source: ImageGeometry, orientation: Seen, about: Place | undefined): ImageGeometry {
  const { pixelMm, leftMm, columns: toColumns, rows: toRows } = wanted[orientation];
  const [nColumns, nRows, nSlices] = source.matrixSize;
  const [columnMm, rowMm, sliceMm] = voxelSizeMm(source);
  const { rowDirection: u, columnDirection: v } = source;
  const isTurned = Math.abs(dot(u, toColumns)) + Math.abs(dot(v, toRows)) < Math.abs(dot(v, toColumns)) + Math.abs(dot(u, toRows));
  const facing = (direction: Vector3, to: Vector3): Vector3 => (dot(direction, to) < 0 ? scaled(direction, -1) : direction);
  const [along, down] = isTurned ? [facing(v, toColumns), facing(u, toRows)] : [facing(u, toColumns), facing(v, toRows)];
  const [n, mm] = isTurned ? [[nRows, nColumns], [rowMm, columnMm]] as const : [[nColumns, nRows], [columnMm, rowMm]] as const;
  const isLeft = mm.every((size) => size >= leftMm[0] && size <= leftMm[1]) && Math.max(...mm) < mostAspect * Math.min(...mm);
  const step = isLeft ? mm : [pixelMm, pixelMm] as const;
  const extent = [n[0] * mm[0], n[1] * mm[1]] as const;
  const size = extent.map((length, axis) => Math.max(1, Math.round(length / step[axis]!))) as [number, number];
  // The corner of the source's pixels that comes first in the view.
  const corner = [0, 1].map((axis) => (facingBack(source, axis as 0 | 1, along, down) ? source.matrixSize[axis]! - 0.5 : -0.5)) as [number, number];
  const cornerMm = pointOf(source, [corner[0], corner[1], 0]);
  const start: [number, number] = [0, 0];
  if (orientation === 'axial') {
    [along, down].forEach((direction, axis) => {
      const most = Math.round(axialExtentMm / step[axis]!);
      if (size[axis]! <= most) return;
      const middle = about === undefined ? size[axis]! / 2 : (dot(direction, about) - dot(direction, cornerMm)) / step[axis]!;
      start[axis] = Math.max(0, Math.min(size[axis]! - most, Math.round(middle - most / 2)));
      size[axis] = most;
    });
  }
  const origin = [0, 1, 2].map((axis) => cornerMm[axis]! + (start[0] + 0.5) * step[0] * along[axis]! + (start[1] + 0.5) * step[1] * down[axis]!);
  const sliceStep = scaled(source.sliceDirection, sliceMm);
  const affine = [0, 1, 2].flatMap((axis) => [along[axis]! * step[0], down[axis]! * step[1], sliceStep[axis]!, origin[axis]!]);
  return geometryOfAffineLps([...affine, 0, 0, 0, 1], [size[0], size[1], nSlices]);
}

/** Whether the view runs against the source along this axis of the source. */
function facingBack({ rowDirection, columnDirection }: ImageGeometry, axis: 0 | 1, along: Vector3, down: Vector3): boolean {
  const own = axis === 0 ? rowDirection : columnDirection;
  return dot(own, along) < -0.5 || dot(own, down) < -0.5;
}

function scaled([x, y, z]: Vector3, by: number): Vector3 {
  return [x * by, y * by, z * by];
}
