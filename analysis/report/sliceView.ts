/**
 * A slice on a page: grey values, outlines of structures, and where a point of the patient is drawn.
 *
 *   outline of a code: m = 1/2, m its mask smoothed by the quadratic B-spline over the pixels of the labels;
 *   distance of a pixel of the page from it |m - 1/2| / |grad m|
 *
 * Points are projected along the normal of the slice.
 */
import { percentileWindow, pointOf, voxelOf, voxelSizeMm, type Canvas, type Colour, type PixelWindow, type Point2, type Vector3 } from '../../imaging/index.js';
import { levelCodeOf, structureCodes } from '../anatomy.js';
import type { AnalysisSeries, LabelledStack, Spine } from '../types.js';

/** Many pictures show the same slices. */
const windows = new WeakMap<Float32Array, Map<number, PixelWindow>>();

function windowOf(volume: Float32Array, sliceIndex: number, slice: Float32Array): PixelWindow {
  const known = windows.get(volume) ?? new Map<number, PixelWindow>();
  windows.set(volume, known);
  const window = known.get(sliceIndex) ?? percentileWindow(slice);
  known.set(sliceIndex, window);
  return window;
}

export interface View {
  readonly seriesIndex: number;
  readonly sliceIndex: number;
  readonly centreMm: Vector3;
  readonly pixelsPerMm: number;
}

/** Of the page, pixels. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Bone of CT. */
const ctWindow: PixelWindow = { centre: 400, width: 1800 };
const outlinePixels = 1.6;

export class SliceView {
  readonly #canvas: Canvas;
  readonly #box: Box;
  readonly #series: AnalysisSeries;
  readonly #stack: LabelledStack | undefined;
  readonly #sliceIndex: number;
  readonly #scale: readonly [number, number];
  readonly #centre: readonly [number, number];

  /** Draws the slice. */
  constructor(canvas: Canvas, box: Box, { series, stacks }: Spine, { seriesIndex, sliceIndex, centreMm, pixelsPerMm }: View) {
    this.#canvas = canvas;
    this.#box = box;
    this.#series = series[seriesIndex]!;
    this.#stack = stacks.find((stack) => stack.seriesIndex === seriesIndex);
    const { geometry } = this.#series.volume;
    this.#sliceIndex = Math.min(Math.max(sliceIndex, 0), geometry.matrixSize[2] - 1);
    const [columnMm, rowMm] = voxelSizeMm(geometry);
    this.#scale = [columnMm * pixelsPerMm, rowMm * pixelsPerMm];
    const [column, row] = voxelOf(geometry, centreMm);
    this.#centre = [column, row];
    this.#paint();
  }

  /** Where a point is drawn. */
  place(pointMm: Vector3): Point2 {
    const [column, row] = voxelOf(this.#series.volume.geometry, pointMm);
    const { x, y, width, height } = this.#box;
    return [x + width / 2 + (column - this.#centre[0]) * this.#scale[0], y + height / 2 + (row - this.#centre[1]) * this.#scale[1]];
  }

  get box(): Box {
    return this.#box;
  }

  holds([x, y]: Point2, marginPixels = 0): boolean {
    const { x: left, y: top, width, height } = this.#box;
    return x >= left + marginPixels && y >= top + marginPixels && x <= left + width - marginPixels && y <= top + height - marginPixels;
  }

  /** Of the slice under a pixel of the page. */
  #column(pageX: number): number {
    return this.#centre[0] + (pageX - this.#box.x - this.#box.width / 2) / this.#scale[0];
  }

  #row(pageY: number): number {
    return this.#centre[1] + (pageY - this.#box.y - this.#box.height / 2) / this.#scale[1];
  }

  #paint(): void {
    const { volume: { geometry, data }, contrast } = this.#series;
    const [columns, rows] = geometry.matrixSize;
    const slice = data.subarray(this.#sliceIndex * columns * rows, (this.#sliceIndex + 1) * columns * rows);
    const { centre, width } = contrast === 'ct' || contrast === 'syntheticCt' ? ctWindow : windowOf(data, this.#sliceIndex, slice);
    const { x, y, width: boxWidth, height: boxHeight } = this.#box;
    const colour: [number, number, number] = [0, 0, 0];
    const sampled = Float64Array.from({ length: boxWidth }, (_, at) => this.#column(x + at));
    for (let pageY = y; pageY < y + boxHeight; pageY++) {
      const row = this.#row(pageY);
      for (let pageX = x; pageX < x + boxWidth; pageX++) {
        const value = between(slice, columns, rows, sampled[pageX - x]!, row);
        const grey = Number.isFinite(value) ? 255 * Math.min(1, Math.max(0, (value - centre) / width + 0.5)) : 0;
        colour[0] = colour[1] = colour[2] = grey;
        this.#canvas.blend(pageX, pageY, colour, 1);
      }
    }
  }

  outline(code: number, colour: Colour): void {
    if (this.#stack === undefined) return;
    const { codes: { geometry, data } } = this.#stack;
    const [columns, rows, slices] = geometry.matrixSize;
    if (this.#sliceIndex >= slices) return;
    const slice = data.subarray(this.#sliceIndex * columns * rows, (this.#sliceIndex + 1) * columns * rows);
    const extent = extentOf(slice, columns, code);
    if (extent === undefined) return;
    const corners = extent.flatMap(([column, row]) => [this.place(pointOf(geometry, [column, row, this.#sliceIndex]))]);
    const { x, y, width, height } = this.#box;
    const margin = 4;
    const left = Math.max(x, Math.floor(Math.min(...corners.map(([at]) => at)) - margin));
    const right = Math.min(x + width - 1, Math.ceil(Math.max(...corners.map(([at]) => at)) + margin));
    const top = Math.max(y, Math.floor(Math.min(...corners.map(([, at]) => at)) - margin));
    const bottom = Math.min(y + height - 1, Math.ceil(Math.max(...corners.map(([, at]) => at)) + margin));
    if (right <= left || bottom <= top) return;

    const [origin, alongX, alongY] = this.#toLabels(geometry);
    const nColumns = right - left + 1;
    const mask = new Float32Array(nColumns * (bottom - top + 1));
    for (let pageY = top; pageY <= bottom; pageY++) {
      for (let pageX = left; pageX <= right; pageX++) {
        const column = origin[0] + pageX * alongX[0] + pageY * alongY[0];
        const row = origin[1] + pageX * alongX[1] + pageY * alongY[1];
        mask[(pageY - top) * nColumns + pageX - left] = shareOf(slice, columns, rows, code, column, row);
      }
    }
    for (let pageY = top + 1; pageY < bottom; pageY++) {
      for (let pageX = left + 1; pageX < right; pageX++) {
        const at = (pageY - top) * nColumns + pageX - left;
        const slopeX = mask[at + 1]! - mask[at - 1]!;
        const slopeY = mask[at + nColumns]! - mask[at - nColumns]!;
        if (slopeX === 0 && slopeY === 0) continue;
        const coverage = outlinePixels / 2 + 0.5 - Math.abs(mask[at]! - 0.5) / (Math.sqrt(slopeX * slopeX + slopeY * slopeY) / 2);
        if (coverage > 0) this.#canvas.blend(pageX, pageY, colour, Math.min(1, coverage));
      }
    }
  }

  /** From the page to [column, row] of the labels: both grids are regular, so three points tell all. */
  #toLabels(labels: LabelledStack['codes']['geometry']): readonly [origin: Point2, alongX: Point2, alongY: Point2] {
    const { geometry } = this.#series.volume;
    const at = (x: number, y: number) => voxelOf(labels, pointOf(geometry, [this.#column(x), this.#row(y), this.#sliceIndex]));
    const [origin, right, below] = [at(0, 0), at(1, 0), at(0, 1)];
    return [[origin[0], origin[1]], [right[0] - origin[0], right[1] - origin[1]], [below[0] - origin[0], below[1] - origin[1]]];
  }

  /** Letters at the edges: right, left, anterior, posterior, head, feet. */
  drawDirections(size: number): void {
    const { rowDirection, columnDirection } = this.#series.volume.geometry;
    const { x, y, width, height } = this.#box;
    const style = { size, colour: [255, 255, 255], halo: [0, 0, 0] } as const;
    const backwards = ([a, b, c]: Vector3): Vector3 => [-a, -b, -c];
    this.#canvas.text(x + 4, y + height / 2 - size / 2, letterOf(backwards(rowDirection)), style);
    this.#canvas.text(x + width - size - 4, y + height / 2 - size / 2, letterOf(rowDirection), style);
    this.#canvas.text(x + width / 2 - size / 2, y + 5, letterOf(backwards(columnDirection)), style);
    this.#canvas.text(x + width / 2 - size / 2, y + height - size - 5, letterOf(columnDirection), style);
  }
}

/** One colour a kind of structure, the same on all pictures. */
export function outlineColour(code: number): Colour {
  const kind = levelCodeOf(code)?.kind;
  if (kind !== undefined) return levelColours[kind];
  return plainColours[code] ?? [200, 200, 200];
}

const levelColours: Readonly<Record<NonNullable<ReturnType<typeof levelCodeOf>>['kind'], Colour>> = {
  body: [90, 170, 255], arch: [150, 190, 255], disc: [255, 160, 60],
  foramenLeft: [90, 220, 120], foramenRight: [90, 220, 120], facetLeft: [220, 120, 255], facetRight: [220, 120, 255],
};
const plainColours: Readonly<Record<number, Colour>> = {
  [structureCodes.sac]: [80, 220, 230], [structureCodes.cord]: [255, 230, 80], [structureCodes.epiduralFat]: [255, 200, 140],
  [structureCodes.ligamentumFlavum]: [255, 110, 150], [structureCodes.sacrum]: [90, 170, 255],
};

function letterOf(direction: Vector3): string {
  const axis = [0, 1, 2].reduce((best, candidate) => (Math.abs(direction[candidate]!) > Math.abs(direction[best]!) ? candidate : best), 0);
  return [['R', 'L'], ['A', 'P'], ['F', 'H']][axis]![direction[axis]! > 0 ? 1 : 0]!;
}

/** Linear between pixels; NaN outside. */
function between(slice: Float32Array, columns: number, rows: number, column: number, row: number): number {
  const c = Math.floor(column);
  const r = Math.floor(row);
  if (c < 0 || r < 0 || c + 1 >= columns || r + 1 >= rows) return NaN;
  const u = column - c;
  const v = row - r;
  const at = r * columns + c;
  return (1 - v) * ((1 - u) * slice[at]! + u * slice[at + 1]!) + v * ((1 - u) * slice[at + columns]! + u * slice[at + columns + 1]!);
}

/** How much of the neighbourhood of a place has the code: the mask, smoothed by the quadratic B-spline. */
function shareOf(slice: Uint16Array, columns: number, rows: number, code: number, column: number, row: number): number {
  const c = Math.round(column);
  const r = Math.round(row);
  const lastRow = Math.min(rows - 1, r + 1);
  const lastColumn = Math.min(columns - 1, c + 1);
  let share = 0;
  for (let j = Math.max(0, r - 1); j <= lastRow; j++) {
    for (let i = Math.max(0, c - 1); i <= lastColumn; i++) {
      if (slice[j * columns + i] === code) share += spline(i - column) * spline(j - row);
    }
  }
  return share;
}

/** Adds up to 1 over neighbouring pixels. */
function spline(distance: number): number {
  const away = Math.abs(distance);
  return away < 0.5 ? 0.75 - away * away : 0.5 * Math.max(0, 1.5 - away) ** 2;
}

/** Opposite corners of the pixels that have the code. */
function extentOf(slice: Uint16Array, columns: number, code: number): [number, number][] | undefined {
  let [left, top, right, bottom] = [Infinity, Infinity, -1, -1];
  for (let pixel = 0; pixel < slice.length; pixel++) {
    if (slice[pixel] !== code) continue;
    const column = pixel % columns;
    const row = Math.floor(pixel / columns);
    left = Math.min(left, column);
    right = Math.max(right, column);
    top = Math.min(top, row);
    bottom = Math.max(bottom, row);
  }
  return right < 0 ? undefined : [[left, top], [right, top], [left, bottom], [right, bottom]];
}
