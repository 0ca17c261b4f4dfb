/** Vectors and frames in the patient; LPS, mm. */
import { affineLps, type ImageGeometry, type Vector3 } from '../imaging/index.js';
import type { Frame } from './types.js';

export type Place = Vector3;

export function dot(a: Vector3, b: Vector3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

export function cross(a: Vector3, b: Vector3): Vector3 {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

export function unit(v: Vector3): Vector3 {
  const length = Math.hypot(...v);
  return [v[0] / length, v[1] / length, v[2] / length];
}

/** a + Σ by · direction */
export function moved(a: Vector3, ...steps: readonly (readonly [number, Vector3])[]): Vector3 {
  const sum: [number, number, number] = [...a];
  for (const [by, direction] of steps) for (let axis = 0; axis < 3; axis++) sum[axis]! += by * direction[axis]!;
  return sum;
}

export function distance(a: Vector3, b: Vector3): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/** Coordinates of a point along the axes of a frame, mm. */
export function intoFrame({ originMm, x, y, z }: Frame, point: Vector3): Vector3 {
  const from: Vector3 = [point[0] - originMm[0], point[1] - originMm[1], point[2] - originMm[2]];
  return [dot(from, x), dot(from, y), dot(from, z)];
}

/** The frame whose z is this direction and whose x is as near to `left` as that allows. */
export function frameAlong(originMm: Vector3, z: Vector3, left: Vector3 = [1, 0, 0]): Frame {
  const up = unit(z);
  const x = unit(moved(left, [-dot(left, up), up]));
  return { originMm, x, y: cross(up, x), z: up };
}

/** Where voxel [0, 0, 0] is, and the steps from column to column, row to row and slice to slice. */
export function latticeOf(geometry: ImageGeometry): { readonly origin: Vector3; readonly across: Vector3; readonly down: Vector3; readonly on: Vector3 } {
  const affine = affineLps(geometry);
  const column = (index: number): Vector3 => [affine[index]!, affine[4 + index]!, affine[8 + index]!];
  return { across: column(0), down: column(1), on: column(2), origin: column(3) };
}
