/**
 * A structure between the slices of a stack: shape-based interpolation (Raya and Udupa 1990, doi 10.1109/42.52980).
 *
 *   d(p) = distance to the outline in the plane of the slice, mm, inside positive; between slices linear
 *
 * The structure is where d > 0: its largest piece in each slice, with holes filled. A plane along a frame then cuts it
 * wherever it lies, and its edges are the zeros of d, finer than pixels. Distances are those between centres of pixels, less
 * half a pixel. In slices without the structure d is -`absentMm`.
 */
import { pointOf, resample, voxelOf, voxelSizeMm, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import type { Frame, LabelledStack } from '../types.js';
import type { Mask } from './mask.js';
import { framePlane, moved, nSlicesOf, planeSection, sliceNormal, sliceOffsetMm, sliceStepMm, type Cut, type SectionPlane, type Window } from './section.js';

/** How far outside slices without a structure are. */
export const absentMm = 6;
/** Pixels of a cut. */
const stepMm = 0.4;

export interface ShapeOptions {
  /** How far from the frame's origin slices count, mm. */
  readonly nearMm: number;
  /** Half of the extent within the slices, mm. */
  readonly reachMm: number;
}

/** [slice, row, column] distances of the pixels with one of the codes about a frame's origin; undefined where there are none. */
export function shapeOf(stack: LabelledStack, codes: readonly number[], { originMm }: Frame, { nearMm, reachMm }: ShapeOptions): Volume | undefined {
  const { geometry: grid } = stack.codes;
  const { rowDirection, columnDirection } = grid;
  const normal = sliceNormal(stack);
  const slices = Array.from({ length: nSlicesOf(stack) }, (_, slice) => slice).filter((slice) => Math.abs(sliceOffsetMm(stack, slice, originMm)) <= nearMm);
  if (slices.length === 0) return undefined;
  // On the pixels of the labels, so that none is rounded.
  const [pixelMm] = voxelSizeMm(grid);
  const [column, row] = voxelOf(grid, originMm).map(Math.round) as [number, number, number];
  const half = Math.round(reachMm / pixelMm);
  const window: Window = { u: [-half * pixelMm, half * pixelMm], v: [-half * pixelMm, half * pixelMm] };
  const masks = slices.map((slice) =>
    planeSection(stack, { originMm: pointOf(grid, [column, row, slice]), across: rowDirection, down: columnDirection }, window, pixelMm).mask(...codes).largest().filled());
  if (masks.every((mask) => mask.isEmpty)) return undefined;
  const size = 2 * half + 1;
  const data = new Float32Array(masks.length * size * size);
  masks.forEach((mask, index) => data.set(signedDistanceMm(mask), index * size * size));
  const geometry: ImageGeometry = {
    centreMm: pointOf(grid, [column, row, slices[Math.floor(slices.length / 2)]!]),
    rowDirection, columnDirection, sliceDirection: normal,
    fovMm: [size * pixelMm, size * pixelMm, slices.length * sliceStepMm(stack)],
    matrixSize: [size, size, slices.length],
  };
  return { geometry, data };
}

/** To the outline of a mask, mm, inside positive; [row, column]. */
export function signedDistanceMm(mask: Mask): Float32Array {
  if (mask.isEmpty) return new Float32Array(mask.pixels.length).fill(-absentMm);
  const [distances, depths] = [mask.distancesMm(), mask.depthsMm()];
  const half = mask.section.stepMm / 2;
  const signed = new Float32Array(mask.pixels.length);
  for (let pixel = 0; pixel < signed.length; pixel++) signed[pixel] = mask.pixels[pixel] === 1 ? depths[pixel]! - half : half - distances[pixel]!;
  return signed;
}

/** A plane through a shape. */
export interface ShapeSection {
  readonly plane: SectionPlane;
  readonly window: Window;
  readonly nColumns: number;
  readonly nRows: number;
  /** [row, column], mm, inside positive. */
  readonly distanceMm: Float32Array;
}

/** @param offsetMm along the normal of the plane */
export function cutShape(shape: Volume, frame: Frame, cut: Cut, window: Window, offsetMm = 0): ShapeSection {
  const plane = framePlane(frame, cut, offsetMm);
  const geometry = gridOf(plane, window);
  const [nColumns, nRows] = geometry.matrixSize;
  return { plane, window, nColumns, nRows, distanceMm: resample(shape, geometry, 'linear', { outside: -absentMm }).data };
}

/** First and last crossing of the outline along a column, v in mm; undefined where the shape has none. */
export function edgesOf({ distanceMm, nColumns, nRows, window }: ShapeSection, column: number): readonly [number, number] | undefined {
  const at = (row: number) => distanceMm[row * nColumns + column]!;
  let first = 0;
  while (first < nRows && at(first) <= 0) first++;
  if (first === nRows) return undefined;
  let last = nRows - 1;
  while (at(last) <= 0) last--;
  // Where the window cuts the shape, its border is the edge.
  const before = first === 0 ? 0 : at(first) / (at(first) - at(first - 1));
  const behind = last === nRows - 1 ? 0 : at(last) / (at(last) - at(last + 1));
  return [window.v[0] + (first - before) * stepMm, window.v[0] + (last + behind) * stepMm];
}

/** Whether the shape is at a place of the cut: at its nearest pixel. */
export function insideAt({ distanceMm, nColumns, nRows, window }: ShapeSection, u: number, v: number): boolean {
  const [column, row] = [Math.round((u - window.u[0]) / stepMm), Math.round((v - window.v[0]) / stepMm)];
  return column >= 0 && row >= 0 && column < nColumns && row < nRows && distanceMm[row * nColumns + column]! > 0;
}

export function columnU({ window }: ShapeSection, column: number): number {
  return window.u[0] + column * stepMm;
}

function gridOf({ originMm, across, down }: SectionPlane, { u, v }: Window): ImageGeometry {
  const columns = Math.round((u[1] - u[0]) / stepMm) + 1;
  const rows = Math.round((v[1] - v[0]) / stepMm) + 1;
  const centreMm = moved(moved(originMm, across, u[0] + Math.floor(columns / 2) * stepMm), down, v[0] + Math.floor(rows / 2) * stepMm);
  const sliceDirection: Vector3 = [
    across[1] * down[2] - across[2] * down[1], across[2] * down[0] - across[0] * down[2], across[0] * down[1] - across[1] * down[0],
  ];
  return { centreMm, rowDirection: across, columnDirection: down, sliceDirection, fovMm: [columns * stepMm, rows * stepMm, stepMm], matrixSize: [columns, rows, 1] };
}
