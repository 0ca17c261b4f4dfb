/**
 * Label maps on planes that lie along a vertebra or a disc: what the measurements of this folder count in.
 *
 * A pixel is a quarter of a millimetre, so that a length is known to about ±0.25 mm and an area to its
 * circumference times a tenth of that.
 */
import type { Vector3 } from '../../imaging/index.js';
import { outOfFrame, paintLabels, type Anatomy, type Frame, type Plane } from '../anatomy/index.js';

export const sectionStepMm = 0.25;

/** Directions of a section's columns and rows in its frame. */
const directions = {
  /** Columns to the left, rows to posterior. */
  axial: { u: [1, 0, 0], v: [0, 1, 0], normal: [0, 0, 1] },
  /** Columns to posterior, rows to the feet. */
  sagittal: { u: [0, 1, 0], v: [0, 0, -1], normal: [1, 0, 0] },
  /** Columns to the left, rows to the feet. */
  coronal: { u: [1, 0, 0], v: [0, 0, -1], normal: [0, 1, 0] },
} as const satisfies Record<string, Record<'u' | 'v' | 'normal', Vector3>>;

export type Orientation = keyof typeof directions;

/** Where a section lies and how far it reaches, mm in the frame. */
export interface Cut {
  readonly orientation: Orientation;
  /** From the frame's origin, along the axis that the section is normal to. */
  readonly offsetMm?: number;
  /** [from, to] of the columns and of the rows. */
  readonly u: readonly [number, number];
  readonly v: readonly [number, number];
}

/** Pixels are [row, column]; u and v are the coordinates of their centres along columns and rows, mm. */
export class Section {
  readonly plane: Plane;
  readonly nColumns: number;
  readonly nRows: number;
  readonly labels: Uint16Array;
  readonly lesions: Uint8Array;
  readonly #firstU: number;
  readonly #firstV: number;
  readonly stepMm: number;

  constructor(anatomy: Anatomy, frame: Frame, cut: Cut, stepMm = sectionStepMm) {
    this.stepMm = stepMm;
    this.plane = planeOf(frame, cut, stepMm);
    ({ nColumns: this.nColumns, nRows: this.nRows } = this.plane);
    this.#firstU = cut.u[0];
    this.#firstV = cut.v[0];
    ({ labels: this.labels, lesions: this.lesions } = paintLabels(anatomy, this.plane));
  }

  u(column: number): number {
    return this.#firstU + column * this.stepMm;
  }

  v(row: number): number {
    return this.#firstV + row * this.stepMm;
  }

  column(u: number): number {
    return Math.round((u - this.#firstU) / this.stepMm);
  }

  row(v: number): number {
    return Math.round((v - this.#firstV) / this.stepMm);
  }

  /** 0 outside. */
  label(row: number, column: number): number {
    if (row < 0 || row >= this.nRows || column < 0 || column >= this.nColumns) return 0;
    return this.labels[row * this.nColumns + column]!;
  }

  /** 1 where a label is wanted. */
  mask(wanted: (label: number) => boolean): Mask {
    const of = new Uint8Array(this.labels.length);
    const known = new Map<number, boolean>();
    this.labels.forEach((label, pixel) => {
      let is = known.get(label);
      if (is === undefined) known.set(label, (is = wanted(label)));
      if (is) of[pixel] = 1;
    });
    return new Mask(this, of);
  }
}

export function planeOf(frame: Frame, { orientation, offsetMm = 0, u, v }: Cut, stepMm: number): Plane {
  const { u: across, v: down, normal } = directions[orientation];
  const origin = outOfFrame(frame, combined([u[0], across], [v[0], down], [offsetMm, normal]));
  const axis = ([a, b, c]: Vector3): Vector3 => [
    stepMm * (a * frame.x[0] + b * frame.y[0] + c * frame.z[0]),
    stepMm * (a * frame.x[1] + b * frame.y[1] + c * frame.z[1]),
    stepMm * (a * frame.x[2] + b * frame.y[2] + c * frame.z[2]),
  ];
  return {
    originMm: origin,
    columnStepMm: axis(across),
    rowStepMm: axis(down),
    nColumns: Math.round((u[1] - u[0]) / stepMm) + 1,
    nRows: Math.round((v[1] - v[0]) / stepMm) + 1,
  };
}

/** A set of pixels of a section. */
export class Mask {
  readonly section: Section;
  readonly pixels: Uint8Array;

  constructor(section: Section, pixels: Uint8Array) {
    this.section = section;
    this.pixels = pixels;
  }

  has(row: number, column: number): boolean {
    const { nRows, nColumns } = this.section;
    return row >= 0 && row < nRows && column >= 0 && column < nColumns && this.pixels[row * nColumns + column] === 1;
  }

  get count(): number {
    return this.pixels.reduce((sum, pixel) => sum + pixel, 0);
  }

  get areaMm2(): number {
    return this.count * this.section.stepMm ** 2;
  }

  /** Mean position; undefined where the mask is empty. */
  centroid(): { readonly u: number; readonly v: number } | undefined {
    const { nColumns } = this.section;
    let [u, v, count] = [0, 0, 0];
    this.pixels.forEach((pixel, index) => {
      if (pixel === 0) return;
      u += index % nColumns;
      v += Math.floor(index / nColumns);
      count++;
    });
    return count === 0 ? undefined : { u: this.section.u(u / count), v: this.section.v(v / count) };
  }

  /** What hangs together with the pixel of the mask that is nearest to a point, over edges. */
  componentAt(u: number, v: number): Mask {
    const { section } = this;
    const { nColumns } = section;
    let [seed, nearest] = [-1, Infinity];
    this.pixels.forEach((pixel, index) => {
      if (pixel === 0) return;
      const squared = (section.u(index % nColumns) - u) ** 2 + (section.v(Math.floor(index / nColumns)) - v) ** 2;
      if (squared < nearest) [seed, nearest] = [index, squared];
    });
    const component = new Uint8Array(this.pixels.length);
    const open = seed < 0 ? [] : [seed];
    if (seed >= 0) component[seed] = 1;
    for (let index = open.pop(); index !== undefined; index = open.pop()) {
      const column = index % nColumns;
      for (const next of [index - nColumns, index + nColumns, column > 0 ? index - 1 : -1, column < nColumns - 1 ? index + 1 : -1]) {
        if (next < 0 || next >= component.length || component[next] === 1 || this.pixels[next] === 0) continue;
        component[next] = 1;
        open.push(next);
      }
    }
    return new Mask(section, component);
  }

  /** First and last row of a column's pixels; undefined where it has none. */
  rowsOf(column: number): readonly [number, number] | undefined {
    return extent(this.section.nRows, (row) => this.has(row, column));
  }

  columnsOf(row: number): readonly [number, number] | undefined {
    return extent(this.section.nColumns, (column) => this.has(row, column));
  }

  /** First and last column with any pixel. */
  columns(): readonly [number, number] | undefined {
    return extent(this.section.nColumns, (column) => this.rowsOf(column) !== undefined);
  }

  rows(): readonly [number, number] | undefined {
    return extent(this.section.nRows, (row) => this.columnsOf(row) !== undefined);
  }

  /** From edge to edge, mm; 0 where a column has no pixels. */
  columnLengthMm(column: number): number {
    return this.#length(this.rowsOf(column));
  }

  rowLengthMm(row: number): number {
    return this.#length(this.columnsOf(row));
  }

  #length(span: readonly [number, number] | undefined): number {
    return span === undefined ? 0 : (span[1] - span[0] + 1) * this.section.stepMm;
  }
}

function extent(count: number, has: (index: number) => boolean): readonly [number, number] | undefined {
  let first = 0;
  while (first < count && !has(first)) first++;
  if (first === count) return undefined;
  let last = count - 1;
  while (!has(last)) last--;
  return [first, last];
}

function combined(...terms: readonly (readonly [number, Vector3])[]): Vector3 {
  const sum = (axis: 0 | 1 | 2) => terms.reduce((total, [factor, vector]) => total + factor * vector[axis], 0);
  return [sum(0), sum(1), sum(2)];
}
