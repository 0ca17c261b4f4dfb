/**
 * A set of pixels of a section, and what is measured of it.
 *
 *   components   pixels that hang together over edges
 *   distances    exact Euclidean, D(p) = min_q (|p - q|² + f(q)): f along columns by counting, then along rows the lower
 *                envelope of parabolas (Felzenszwalb and Huttenlocher 2012, doi 10.4086/toc.2012.v008a019)
 *   outline      marching squares at half (Lorensen and Cline 1987, doi 10.1145/37402.37422, in the plane)
 */
import type { Vector3 } from '../../imaging/index.js';
import type { Section } from './section.js';

/** A place in a section, mm. */
export interface Place {
  readonly u: number;
  readonly v: number;
}

/** First and last pixel. */
export type Span = readonly [first: number, last: number];

export class Mask {
  readonly section: Section;
  /** [row, column]; 0 or 1. */
  readonly pixels: Uint8Array;

  constructor(section: Section, pixels: Uint8Array) {
    this.section = section;
    this.pixels = pixels;
  }

  has(row: number, column: number): boolean {
    const { nRows, nColumns } = this.section;
    return row >= 0 && row < nRows && column >= 0 && column < nColumns && this.pixels[row * nColumns + column] === 1;
  }

  hasAt({ u, v }: Place): boolean {
    return this.has(Math.round(this.section.rowAt(v)), Math.round(this.section.columnAt(u)));
  }

  get count(): number {
    let count = 0;
    for (let pixel = 0; pixel < this.pixels.length; pixel++) count += this.pixels[pixel]!;
    return count;
  }

  get isEmpty(): boolean {
    return !this.pixels.includes(1);
  }

  get areaMm2(): number {
    return this.count * this.section.stepMm ** 2;
  }

  /** Mean place; undefined where the mask is empty. */
  centroid(): Place | undefined {
    const { section } = this;
    let [columns, rows, count] = [0, 0, 0];
    this.#each((row, column) => {
      columns += column;
      rows += row;
      count++;
    });
    return count === 0 ? undefined : { u: section.u(columns / count), v: section.v(rows / count) };
  }

  where(wanted: (pixel: number, row: number, column: number) => boolean): Mask {
    const kept = new Uint8Array(this.pixels.length);
    this.#each((row, column, pixel) => {
      if (wanted(pixel, row, column)) kept[pixel] = 1;
    });
    return new Mask(this.section, kept);
  }

  and(other: Mask): Mask {
    return this.where((pixel) => other.pixels[pixel] === 1);
  }

  or(other: Mask): Mask {
    const pixels = new Uint8Array(this.pixels.length);
    for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = this.pixels[pixel]! | other.pixels[pixel]!;
    return new Mask(this.section, pixels);
  }

  minus(other: Mask): Mask {
    return this.where((pixel) => other.pixels[pixel] === 0);
  }

  inverted(): Mask {
    const pixels = new Uint8Array(this.pixels.length);
    for (let pixel = 0; pixel < pixels.length; pixel++) pixels[pixel] = 1 - this.pixels[pixel]!;
    return new Mask(this.section, pixels);
  }

  /** Pieces that hang together over edges, the largest first. */
  components(): Mask[] {
    const { nColumns } = this.section;
    const left = Uint8Array.from(this.pixels);
    const pieces: { readonly mask: Mask; readonly count: number }[] = [];
    for (let seed = left.indexOf(1); seed >= 0; seed = left.indexOf(1, seed + 1)) {
      const piece = new Uint8Array(left.length);
      const count = flood(left, nColumns, seed, piece);
      pieces.push({ mask: new Mask(this.section, piece), count });
    }
    return pieces.sort((a, b) => b.count - a.count).map(({ mask }) => mask);
  }

  /** The largest piece; the mask itself where it is empty. */
  largest(): Mask {
    return this.components()[0] ?? this;
  }

  /** The piece with the pixel nearest to a place, among those with a share of the largest one's pixels. */
  pieceAt(place: Place, leastShare = 0.05): Mask {
    const pieces = this.components();
    const least = leastShare * (pieces[0]?.count ?? 0);
    let [found, nearest] = [this as Mask, Infinity];
    for (const piece of pieces) {
      if (piece.count < least) break;
      const away = piece.distanceToMm(place);
      if (away < nearest) [found, nearest] = [piece, away];
    }
    return found;
  }

  /** From a place to the nearest pixel's centre; Infinity where the mask is empty. */
  distanceToMm({ u, v }: Place): number {
    let squared = Infinity;
    this.#each((row, column) => {
      squared = Math.min(squared, (this.section.u(column) - u) ** 2 + (this.section.v(row) - v) ** 2);
    });
    return Math.sqrt(squared);
  }

  /** With its holes: background that the border of the section is not reached from. */
  filled(): Mask {
    const { nRows, nColumns } = this.section;
    const filled = new Uint8Array(this.pixels.length).fill(1);
    const left = this.inverted().pixels;
    const enter = (pixel: number) => {
      if (left[pixel] === 1) flood(left, nColumns, pixel, filled, 0);
    };
    for (let column = 0; column < nColumns; column++) {
      enter(column);
      enter((nRows - 1) * nColumns + column);
    }
    for (let row = 1; row < nRows - 1; row++) {
      enter(row * nColumns);
      enter((row + 1) * nColumns - 1);
    }
    return new Mask(this.section, filled);
  }

  /** Of each pixel to the nearest one of the mask, mm between their centres; Infinity where it is empty. */
  distancesMm(): Float64Array {
    const { nRows, nColumns } = this.section;
    const distances = new Float64Array(this.pixels.length);
    this.#eachDistanceMm({ top: 0, left: 0, bottom: nRows - 1, right: nColumns - 1 }, 1, (pixel, distance) => (distances[pixel] = distance));
    return distances;
  }

  /** Of each pixel of the mask to the nearest one that is none, mm between their centres; Infinity where all are of it, 0 outside. */
  depthsMm(): Float64Array {
    const depths = new Float64Array(this.pixels.length);
    // What is nearest outside touches the box.
    this.#eachDistanceMm(this.#boxWith(1), 0, (pixel, distance) => (depths[pixel] = distance));
    return depths;
  }

  grown(byMm: number): Mask {
    const pixels = new Uint8Array(this.pixels.length);
    this.#eachDistanceMm(this.#boxWith(Math.ceil(byMm / this.section.stepMm) + 1), 1, (pixel, distance) => {
      if (distance <= byMm) pixels[pixel] = 1;
    });
    return new Mask(this.section, pixels);
  }

  shrunk(byMm: number): Mask {
    const depths = this.depthsMm();
    return this.where((pixel) => depths[pixel]! > byMm);
  }

  /** Without what is thinner than twice the radius. */
  opened(radiusMm: number): Mask {
    return this.shrunk(radiusMm).grown(radiusMm).and(this);
  }

  /** With gaps closed that are narrower than twice the radius. */
  closed(radiusMm: number): Mask {
    return this.grown(radiusMm).shrunk(radiusMm).or(this);
  }

  /** First and last row of a column's pixels; undefined where it has none. */
  rowsOf(column: number): Span | undefined {
    return spanOf(this.section.nRows, (row) => this.has(row, column));
  }

  columnsOf(row: number): Span | undefined {
    return spanOf(this.section.nColumns, (column) => this.has(row, column));
  }

  /** First and last row with any pixel. */
  rows(): Span | undefined {
    return spanOf(this.section.nRows, (row) => this.columnsOf(row) !== undefined);
  }

  columns(): Span | undefined {
    return spanOf(this.section.nColumns, (column) => this.rowsOf(column) !== undefined);
  }

  /** From the first to the last pixel of a column, edge to edge; 0 where it has none. */
  columnLengthMm(column: number): number {
    return lengthOf(this.rowsOf(column)) * this.section.stepMm;
  }

  rowLengthMm(row: number): number {
    return lengthOf(this.columnsOf(row)) * this.section.stepMm;
  }

  /** Of a column, what hangs together with a row; undefined where that is not of the mask. */
  runOfColumn(row: number, column: number): Span | undefined {
    if (!this.has(row, column)) return undefined;
    let [first, last] = [row, row];
    while (this.has(first - 1, column)) first--;
    while (this.has(last + 1, column)) last++;
    return [first, last];
  }

  runOfRow(row: number, column: number): Span | undefined {
    if (!this.has(row, column)) return undefined;
    let [first, last] = [column, column];
    while (this.has(row, first - 1)) first--;
    while (this.has(row, last + 1)) last++;
    return [first, last];
  }

  /** Extent along a direction, edge to edge; 0 where the mask is empty. */
  extentMm({ u, v }: Place): number {
    let [least, most] = [Infinity, -Infinity];
    this.#each((row, column) => {
      const at = (this.section.u(column) * u + this.section.v(row) * v) / Math.hypot(u, v);
      least = Math.min(least, at);
      most = Math.max(most, at);
    });
    return most < least ? 0 : most - least + this.section.stepMm;
  }

  /** Mean probability of its codes, 0 to 1; 0 where the mask is empty. */
  get confidence(): number {
    let [sum, count] = [0, 0];
    this.#each((_row, _column, pixel) => {
      sum += this.section.confidence[pixel]!;
      count++;
    });
    return count === 0 ? 0 : sum / (255 * count);
  }

  /** Finite values of an image of the section (`Section.valuesOf`) under the mask. */
  valuesOf(image: Float32Array): Float32Array {
    const values: number[] = [];
    this.#each((_row, _column, pixel) => {
      if (Number.isFinite(image[pixel])) values.push(image[pixel]!);
    });
    return Float32Array.from(values);
  }

  /** Closed polygons about its pixels and about its holes, in the patient; corners are cut by half a pixel. */
  outlinesMm(): Vector3[][] {
    const { section } = this;
    // Ends of contour pieces in half pixels, so that they are whole numbers; one key a place.
    const width = 2 * section.nColumns + 8;
    const keyOf = (row2: number, column2: number) => (row2 + 3) * width + column2 + 3;
    const next = new Map<number, number>();
    for (let row = -1; row < section.nRows; row++) {
      for (let column = -1; column < section.nColumns; column++) {
        const corners = (this.has(row, column) ? 8 : 0) + (this.has(row, column + 1) ? 4 : 0) + (this.has(row + 1, column + 1) ? 2 : 0) + (this.has(row + 1, column) ? 1 : 0);
        const middles = { top: keyOf(2 * row, 2 * column + 1), right: keyOf(2 * row + 1, 2 * column + 2), bottom: keyOf(2 * row + 2, 2 * column + 1), left: keyOf(2 * row + 1, 2 * column) };
        for (const [from, to] of contourPieces[corners]!) next.set(middles[from], middles[to]);
      }
    }
    const polygons: Vector3[][] = [];
    for (const start of [...next.keys()]) {
      if (!next.has(start)) continue;
      const keys: number[] = [];
      for (let key: number | undefined = start; key !== undefined && next.has(key);) {
        keys.push(key);
        const following: number = next.get(key)!;
        next.delete(key);
        key = following;
      }
      const places = keys.map((key) => [Math.floor(key / width) - 3, (key % width) - 3] as const);
      const turns = places.filter(([row, column], index) => {
        const [before, after] = [places.at(index - 1)!, places[(index + 1) % places.length]!];
        return (row - before[0]) * (after[1] - column) !== (column - before[1]) * (after[0] - row);
      });
      polygons.push(turns.map(([row2, column2]) => section.pointMm(section.u(column2 / 2), section.v(row2 / 2))));
    }
    return polygons;
  }

  /** Calls back with the distance of every pixel of a box to the nearest one in it that is of the mask, or is not. */
  #eachDistanceMm({ top, left, bottom, right }: Box, wanted: 0 | 1, visit: (pixel: number, distanceMm: number) => void): void {
    const { nColumns, stepMm } = this.section;
    const [high, wide] = [bottom - top + 1, right - left + 1];
    if (high < 1 || wide < 1) return;
    const squared = new Float64Array(high * wide);
    // Down the columns a pixel is one further than its neighbour.
    for (let row = 0, at = 0; row < high; row++) {
      for (let column = 0, pixel = (top + row) * nColumns + left; column < wide; column++, pixel++, at++) {
        squared[at] = this.pixels[pixel] === wanted ? 0 : row === 0 ? Infinity : squared[at - wide]! + 1;
      }
    }
    for (let at = (high - 1) * wide - 1; at >= 0; at--) if (squared[at + wide]! + 1 < squared[at]!) squared[at] = squared[at + wide]! + 1;
    for (let at = 0; at < squared.length; at++) squared[at]! *= squared[at]!;
    const [line, tops, bounds] = [new Float64Array(wide), new Int32Array(wide), new Float64Array(wide + 1)];
    for (let row = 0, at = 0; row < high; row++) {
      lowerEnvelope(squared, row * wide, wide, line, tops, bounds);
      for (let pixel = (top + row) * nColumns + left, end = pixel + wide; pixel < end; pixel++, at++) visit(pixel, stepMm * Math.sqrt(squared[at]!));
    }
  }

  /** About its pixels and so many more on every side as the section has; without any where the mask is empty. */
  #boxWith(more: number): Box {
    const { nRows, nColumns } = this.section;
    const [first, last] = [this.pixels.indexOf(1), this.pixels.lastIndexOf(1)];
    if (first < 0) return { top: 0, left: 0, bottom: -1, right: -1 };
    const [top, bottom] = [Math.floor(first / nColumns), Math.floor(last / nColumns)];
    let [left, right] = [nColumns - 1, 0];
    for (let row = top; row <= bottom; row++) {
      const start = row * nColumns;
      for (let column = 0; column < left; column++) if (this.pixels[start + column] === 1) left = column;
      for (let column = nColumns - 1; column > right; column--) if (this.pixels[start + column] === 1) right = column;
    }
    return { top: Math.max(0, top - more), left: Math.max(0, left - more), bottom: Math.min(nRows - 1, bottom + more), right: Math.min(nColumns - 1, right + more) };
  }

  #each(visit: (row: number, column: number, pixel: number) => void): void {
    const { nColumns } = this.section;
    for (let pixel = this.pixels.indexOf(1); pixel >= 0; pixel = this.pixels.indexOf(1, pixel + 1)) {
      visit(Math.floor(pixel / nColumns), pixel % nColumns, pixel);
    }
  }
}

/** Pixels, the last ones included. */
interface Box {
  readonly top: number;
  readonly left: number;
  readonly bottom: number;
  readonly right: number;
}

/** Writes a value where pixels hang together with a seed over edges, and takes them from those that are left; how many they are. */
function flood(left: Uint8Array, nColumns: number, seed: number, into: Uint8Array, value = 1): number {
  const open = [seed];
  const enter = (pixel: number) => {
    if (left[pixel] !== 1) return;
    left[pixel] = 0;
    open.push(pixel);
  };
  let count = 0;
  left[seed] = 0;
  for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
    into[pixel] = value;
    count++;
    const column = pixel % nColumns;
    enter(pixel - nColumns);
    enter(pixel + nColumns);
    if (column > 0) enter(pixel - 1);
    if (column < nColumns - 1) enter(pixel + 1);
  }
  return count;
}

type Edge = 'top' | 'right' | 'bottom' | 'left';

/** Of a cell, by which of its corners are in (8 upper left, 4 upper right, 2 lower right, 1 lower left), the mask to the left. */
const contourPieces: readonly (readonly (readonly [Edge, Edge])[])[] = [
  [], [['bottom', 'left']], [['right', 'bottom']], [['right', 'left']],
  [['top', 'right']], [['top', 'right'], ['bottom', 'left']], [['top', 'bottom']], [['top', 'left']],
  [['left', 'top']], [['bottom', 'top']], [['left', 'top'], ['right', 'bottom']], [['right', 'top']],
  [['left', 'right']], [['bottom', 'right']], [['left', 'bottom']], [],
];

function spanOf(count: number, has: (index: number) => boolean): Span | undefined {
  let first = 0;
  while (first < count && !has(first)) first++;
  if (first === count) return undefined;
  let last = count - 1;
  while (!has(last)) last--;
  return [first, last];
}

/** Pixels of a span; 0 without one. */
export function lengthOf(span: Span | undefined): number {
  return span === undefined ? 0 : span[1] - span[0] + 1;
}

/** One row of the squared distances, in place. */
function lowerEnvelope(squared: Float64Array, offset: number, count: number, line: Float64Array, tops: Int32Array, bounds: Float64Array): void {
  let last = -1;
  for (let at = 0; at < count; at++) {
    const height = (line[at] = squared[offset + at]!);
    if (height === Infinity) continue;
    let from = -Infinity;
    while (last >= 0) {
      const top = tops[last]!;
      from = (height + at * at - (line[top]! + top * top)) / (2 * (at - top));
      if (from > bounds[last]!) break;
      last--;
    }
    last++;
    tops[last] = at;
    bounds[last] = last === 0 ? -Infinity : from;
  }
  if (last < 0) return;
  for (let at = 0, parabola = 0; at < count; at++) {
    while (parabola < last && bounds[parabola + 1]! < at) parabola++;
    const top = tops[parabola]!;
    squared[offset + at] = (at - top) ** 2 + line[top]!;
  }
}
