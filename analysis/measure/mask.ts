/**
 * A set of pixels of a section, and what is measured of it.
 *
 *   components   pixels that hang together over edges
 *   distances    exact Euclidean, D(p) = min_q (|p - q|² + f(q)) as two passes of lower envelopes of parabolas
 *                (Felzenszwalb and Huttenlocher 2012, doi 10.4086/toc.2012.v008a019)
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
    for (const pixel of this.pixels) count += pixel;
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
    return new Mask(this.section, this.pixels.map((pixel, index) => pixel | other.pixels[index]!));
  }

  minus(other: Mask): Mask {
    return this.where((pixel) => other.pixels[pixel] === 0);
  }

  inverted(): Mask {
    return new Mask(this.section, this.pixels.map((pixel) => 1 - pixel));
  }

  /** Pieces that hang together over edges, the largest first. */
  components(): Mask[] {
    const { nColumns } = this.section;
    const left = Uint8Array.from(this.pixels);
    const pieces: Mask[] = [];
    for (let seed = left.indexOf(1); seed >= 0; seed = left.indexOf(1, seed + 1)) {
      const piece = new Uint8Array(left.length);
      const open = [seed];
      left[seed] = 0;
      for (let pixel = open.pop(); pixel !== undefined; pixel = open.pop()) {
        piece[pixel] = 1;
        const column = pixel % nColumns;
        for (const next of [pixel - nColumns, pixel + nColumns, column > 0 ? pixel - 1 : -1, column < nColumns - 1 ? pixel + 1 : -1]) {
          if (next < 0 || next >= left.length || left[next] === 0) continue;
          left[next] = 0;
          open.push(next);
        }
      }
      pieces.push(new Mask(this.section, piece));
    }
    return pieces.sort((a, b) => b.count - a.count);
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
    const outer = new Uint8Array(this.pixels.length);
    for (const piece of this.inverted().components()) {
      const isOuter = piece.pixels.some((pixel, index) => {
        const [row, column] = [Math.floor(index / nColumns), index % nColumns];
        return pixel === 1 && (row === 0 || column === 0 || row === nRows - 1 || column === nColumns - 1);
      });
      if (isOuter) piece.pixels.forEach((pixel, index) => (outer[index]! |= pixel));
    }
    return new Mask(this.section, outer.map((pixel) => 1 - pixel));
  }

  /** Of each pixel to the nearest one of the mask, mm between their centres; Infinity where it is empty. */
  distancesMm(): Float64Array {
    const { nRows, nColumns, stepMm } = this.section;
    const squared = Float64Array.from(this.pixels, (pixel) => (pixel === 1 ? 0 : Infinity));
    const longest = Math.max(nRows, nColumns);
    const [line, tops, bounds] = [new Float64Array(longest), new Int32Array(longest), new Float64Array(longest + 1)];
    for (let column = 0; column < nColumns; column++) lowerEnvelope(squared, column, nColumns, nRows, line, tops, bounds);
    for (let row = 0; row < nRows; row++) lowerEnvelope(squared, row * nColumns, 1, nColumns, line, tops, bounds);
    return squared.map((value) => stepMm * Math.sqrt(value));
  }

  grown(byMm: number): Mask {
    return new Mask(this.section, Uint8Array.from(this.distancesMm(), (distance) => (distance <= byMm ? 1 : 0)));
  }

  shrunk(byMm: number): Mask {
    const toOutside = this.inverted().distancesMm();
    return this.where((pixel) => toOutside[pixel]! > byMm);
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

  #each(visit: (row: number, column: number, pixel: number) => void): void {
    const { nColumns } = this.section;
    for (let pixel = this.pixels.indexOf(1); pixel >= 0; pixel = this.pixels.indexOf(1, pixel + 1)) {
      visit(Math.floor(pixel / nColumns), pixel % nColumns, pixel);
    }
  }
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

/** One line of the squared distances, in place. */
function lowerEnvelope(
  squared: Float64Array, offset: number, stride: number, count: number, line: Float64Array, tops: Int32Array, bounds: Float64Array,
): void {
  let last = -1;
  for (let at = 0; at < count; at++) {
    const height = (line[at] = squared[offset + at * stride]!);
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
    squared[offset + at * stride] = (at - top) ** 2 + line[top]!;
  }
}
