/**
 * A labelled stack seen in one plane that lies along a structure: what the measures of this folder count in.
 *
 *   p(u, v) = origin + u · across + v · down            u, v in mm, along two unit vectors at right angles
 *   code(u, v) = codes[round(A⁻¹ p)]                    A: the stack's affine
 *
 * The plane is either a slice of the stack, turned within itself so that u and v run along the structure (`sliceSection`,
 * exact), or any other plane, through the slices as thick as they are (`planeSection`: steps of half a slice).
 * Pixels are a quarter of a millimetre unless said otherwise, so that a label pixel of 0.4 mm is not rounded a second time:
 * areas are those of the label pixels, lengths are known to half of one at either end.
 */
import { affineLps, invertAffine, pointOf, voxelOf, type ImageGeometry, type Vector3, type Volume } from '../../imaging/index.js';
import { dot, unit } from '../geometry.js';
import type { Frame, LabelledStack } from '../types.js';
import { Mask } from './mask.js';

export { distance as distanceMm, dot, intoFrame as inFrame, unit } from '../geometry.js';

export const sectionStepMm = 0.25;

/** Directions of a section's columns and rows in its structure's frame. */
const directions = {
  /** u to the left, v to posterior. */
  axial: { across: 'x', down: 'y', sign: 1 },
  /** u to posterior, v to the feet. */
  sagittal: { across: 'y', down: 'z', sign: -1 },
  /** u to the left, v to the feet. */
  coronal: { across: 'x', down: 'z', sign: -1 },
} as const satisfies Record<string, { across: keyof Frame; down: keyof Frame; sign: 1 | -1 }>;

export type Cut = keyof typeof directions;

/** [from, to] along columns and rows, mm from the origin. */
export interface Window {
  readonly u: readonly [number, number];
  readonly v: readonly [number, number];
}

export interface SectionPlane {
  readonly originMm: Vector3;
  /** Unit vectors at right angles. */
  readonly across: Vector3;
  readonly down: Vector3;
}

export class Section {
  readonly stack: LabelledStack;
  readonly plane: SectionPlane;
  readonly stepMm: number;
  readonly nColumns: number;
  readonly nRows: number;
  /** [row, column]; 0 where the stack does not reach. */
  readonly codes: Uint16Array;
  /** Probability of the code, 0 to 255. */
  readonly confidence: Uint8Array;
  /** 1 where the stack reaches. */
  readonly inside: Uint8Array;
  readonly #firstU: number;
  readonly #firstV: number;

  constructor(stack: LabelledStack, plane: SectionPlane, window: Window, stepMm = sectionStepMm) {
    this.stack = stack;
    this.plane = plane;
    this.stepMm = stepMm;
    [this.#firstU, this.#firstV] = [window.u[0], window.v[0]];
    this.nColumns = Math.round((window.u[1] - window.u[0]) / stepMm) + 1;
    this.nRows = Math.round((window.v[1] - window.v[0]) / stepMm) + 1;
    const count = this.nColumns * this.nRows;
    this.codes = new Uint16Array(count);
    this.confidence = new Uint8Array(count);
    this.inside = new Uint8Array(count);
    const { data, geometry } = stack.codes;
    const [columns, rows, slices] = geometry.matrixSize;
    const { origin, alongU, alongV } = this.#inVoxels(geometry);
    for (let row = 0, pixel = 0; row < this.nRows; row++) {
      const v = this.v(row);
      for (let column = 0; column < this.nColumns; column++, pixel++) {
        const u = this.u(column);
        const i = Math.round(origin[0] + u * alongU[0] + v * alongV[0]);
        const j = Math.round(origin[1] + u * alongU[1] + v * alongV[1]);
        const k = Math.round(origin[2] + u * alongU[2] + v * alongV[2]);
        if (i < 0 || j < 0 || k < 0 || i >= columns || j >= rows || k >= slices) continue;
        const voxel = (k * rows + j) * columns + i;
        this.inside[pixel] = 1;
        this.codes[pixel] = data[voxel]!;
        this.confidence[pixel] = stack.confidence[voxel]!;
      }
    }
  }

  u(column: number): number {
    return this.#firstU + column * this.stepMm;
  }

  v(row: number): number {
    return this.#firstV + row * this.stepMm;
  }

  /** Fractions stay. */
  columnAt(u: number): number {
    return (u - this.#firstU) / this.stepMm;
  }

  rowAt(v: number): number {
    return (v - this.#firstV) / this.stepMm;
  }

  pointMm(u: number, v: number): Vector3 {
    const { originMm, across, down } = this.plane;
    return axes((axis) => originMm[axis] + u * across[axis] + v * down[axis]);
  }

  /** 0 outside. */
  code(row: number, column: number): number {
    if (row < 0 || row >= this.nRows || column < 0 || column >= this.nColumns) return 0;
    return this.codes[row * this.nColumns + column]!;
  }

  /** Pixels with one of the codes. */
  mask(...codes: readonly number[]): Mask {
    const pixels = new Uint8Array(this.codes.length);
    for (const code of codes) {
      for (let pixel = 0; pixel < pixels.length; pixel++) if (this.codes[pixel] === code) pixels[pixel] = 1;
    }
    return new Mask(this, pixels);
  }

  /** Values of an image on the section, linear within its slices, of the nearest slice; NaN where it does not reach. */
  valuesOf({ data, geometry }: Volume<Float32Array>): Float32Array {
    const [columns, rows, slices] = geometry.matrixSize;
    const values = new Float32Array(this.codes.length).fill(NaN);
    const { origin, alongU, alongV } = this.#inVoxels(geometry);
    for (let row = 0, pixel = 0; row < this.nRows; row++) {
      const v = this.v(row);
      for (let column = 0; column < this.nColumns; column++, pixel++) {
        const u = this.u(column);
        const x = origin[0] + u * alongU[0] + v * alongV[0];
        const y = origin[1] + u * alongU[1] + v * alongV[1];
        const k = Math.round(origin[2] + u * alongU[2] + v * alongV[2]);
        if (x < -0.5 || y < -0.5 || k < 0 || x > columns - 0.5 || y > rows - 0.5 || k >= slices) continue;
        const i = within(Math.floor(x), columns);
        const j = within(Math.floor(y), rows);
        const s = Math.max(0, Math.min(1, x - i));
        const t = Math.max(0, Math.min(1, y - j));
        const next = i + 1 < columns ? 1 : 0;
        const at = (k * rows + j) * columns + i;
        const below = j + 1 < rows ? at + columns : at;
        values[pixel] = (1 - t) * ((1 - s) * data[at]! + s * data[at + next]!) + t * ((1 - s) * data[below]! + s * data[below + next]!);
      }
    }
    return values;
  }

  /** The voxel of the section's origin, and how many voxels a millimetre along u and v is. */
  #inVoxels(geometry: ImageGeometry): { readonly origin: Vector3; readonly alongU: Vector3; readonly alongV: Vector3 } {
    const toVoxel = invertAffine(affineLps(geometry));
    const { originMm, across, down } = this.plane;
    const turn = (row: number, [x, y, z]: Vector3) => toVoxel[4 * row]! * x + toVoxel[4 * row + 1]! * y + toVoxel[4 * row + 2]! * z;
    return { origin: axes((row) => turn(row, originMm) + toVoxel[4 * row + 3]!), alongU: axes((row) => turn(row, across)), alongV: axes((row) => turn(row, down)) };
  }
}

/** A plane of a frame, `offsetMm` along the axis that it is normal to. */
export function framePlane(frame: Frame, cut: Cut, offsetMm = 0): SectionPlane {
  const { across, down, sign } = directions[cut];
  const normal = frame[cut === 'axial' ? 'z' : cut === 'sagittal' ? 'x' : 'y'];
  return { originMm: moved(frame.originMm, normal, offsetMm), across: frame[across], down: scaled(frame[down], sign) };
}

export function planeSection(stack: LabelledStack, plane: SectionPlane, window: Window, stepMm = sectionStepMm): Section {
  return new Section(stack, plane, window, stepMm);
}

/**
 * One slice, with the window about the foot of `frame`'s origin on it and u, v as nearly along the frame's axes as lies in it.
 * @param slice of the stack; whole
 */
export function sliceSection(stack: LabelledStack, slice: number, frame: Frame, cut: Cut, window: Window, stepMm = sectionStepMm): Section {
  const normal = sliceNormal(stack);
  const { across, down, sign } = directions[cut];
  const offMm = sliceOffsetMm(stack, slice, frame.originMm);
  const u = unit(without(frame[across], normal));
  const v = unit(without(without(scaled(frame[down], sign), normal), u));
  return new Section(stack, { originMm: moved(frame.originMm, normal, offMm), across: u, down: v }, window, stepMm);
}

/** Unit vector along which the slice index grows. */
export function sliceNormal({ codes: { geometry } }: LabelledStack): Vector3 {
  const affine = affineLps(geometry);
  return unit(axes((axis) => affine[4 * axis + 2]!));
}

export function sliceStepMm({ codes: { geometry } }: LabelledStack): number {
  return geometry.fovMm[2] / geometry.matrixSize[2];
}

export function nSlicesOf({ codes: { geometry } }: LabelledStack): number {
  return geometry.matrixSize[2];
}

/** The slice, with its fraction, in which a point lies; below 0 or above the last one outside. */
export function sliceAt({ codes: { geometry } }: LabelledStack, pointMm: Vector3): number {
  return voxelOf(geometry, pointMm)[2];
}

/** From a point along the normal to a slice, mm. */
export function sliceOffsetMm(stack: LabelledStack, slice: number, pointMm: Vector3): number {
  const first = pointOf(stack.codes.geometry, [0, 0, slice]);
  return dot(sliceNormal(stack), subtract(first, pointMm));
}

/** The slice nearest to a point; undefined where the point is more than half a slice outside of the stack. */
export function nearestSlice(stack: LabelledStack, pointMm: Vector3): number | undefined {
  const slice = Math.round(sliceAt(stack, pointMm));
  return slice >= 0 && slice < nSlicesOf(stack) ? slice : undefined;
}

/** The one or two slices beside a point, with what each counts in a linear interpolation, the nearest first; none where it lies outside. */
export function slicesBeside(stack: LabelledStack, pointMm: Vector3): { readonly slice: number; readonly weight: number }[] {
  const [at, last] = [sliceAt(stack, pointMm), nSlicesOf(stack) - 1];
  if (at < -0.5 || at > last + 0.5) return [];
  const [below, above] = [within(Math.floor(at), last + 1), within(Math.ceil(at), last + 1)];
  if (below === above) return [{ slice: below, weight: 1 }];
  return [{ slice: below, weight: above - at }, { slice: above, weight: at - below }].sort((a, b) => b.weight - a.weight);
}

/** Whether a point lies in the stack, its slices as thick as their step. */
export function reaches({ codes: { geometry } }: LabelledStack, pointMm: Vector3): boolean {
  return voxelOf(geometry, pointMm).every((at, axis) => at >= -0.5 && at <= geometry.matrixSize[axis]! - 0.5);
}

export function outOfFrame({ originMm, x, y, z }: Frame, at: Vector3): Vector3 {
  return axes((axis) => originMm[axis] + at[0] * x[axis] + at[1] * y[axis] + at[2] * z[axis]);
}

export function subtract(a: Vector3, b: Vector3): Vector3 {
  return axes((axis) => a[axis] - b[axis]);
}

export function scaled(vector: Vector3, factor: number): Vector3 {
  return axes((axis) => factor * vector[axis]);
}

/** `point` and `mm` further along a direction. */
export function moved(point: Vector3, direction: Vector3, mm: number): Vector3 {
  return axes((axis) => point[axis] + mm * direction[axis]);
}

/** What of a vector is at right angles to a unit vector. */
export function without(vector: Vector3, direction: Vector3): Vector3 {
  return moved(vector, direction, -dot(vector, direction));
}

function within(index: number, size: number): number {
  return Math.max(0, Math.min(size - 1, index));
}

function axes(value: (axis: 0 | 1 | 2) => number): [number, number, number] {
  return [value(0), value(1), value(2)];
}
