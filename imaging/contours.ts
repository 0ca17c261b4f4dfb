/**
 * Closed contours of a field at a level, finer than its pixels.
 *
 *   f(x, y) = level,   f linear along the lines between neighbouring pixel centres, less than the level outside the field
 *
 * Steps: every square of four pixel centres holds one or two pieces of the contour, by which of its corners are inside
 * (marching squares, after Lorensen and Cline 1987, doi 10.1145/37402.37422); where two opposite corners are, the mean of the
 * four says whether they hang together. Pieces run with the inside on their right (rows count downwards), so that each
 * ends where one other begins. `simplified` then leaves out points that are no further from the line between those that stay
 * than a tolerance (Douglas and Peucker 1973, doi 10.3138/FM57-6770-U75U-7727).
 */
import { ImagingError } from './errors.js';
import type { RealArray } from './metrics.js';

/** Sides of a square, by which corners (top left 1, top right 2, bottom right 4, bottom left 8) are inside: from, to. */
const [top, right, bottom, left] = [0, 1, 2, 3] as const;
const pieces: readonly (readonly number[])[] = [
  [], [top, left], [right, top], [right, left], [bottom, right], [top, left, bottom, right], [bottom, top], [bottom, left],
  [left, bottom], [top, bottom], [right, top, left, bottom], [right, bottom], [left, right], [top, right], [left, top], [],
];
/** Of opposite corners that hang together. */
const joined: Readonly<Record<number, readonly number[]>> = { 5: [top, right, bottom, left], 10: [left, top, right, bottom] };

/**
 * Rings, each flat [column, row, column, row, …] in pixels (centres at whole numbers), not repeating the first point. A ring
 * round an inside runs clockwise as pictures are shown, one round a hole the other way.
 * @param field [rows, columns] @throws IMG_ERR_SHAPE
 */
export function closedContours(field: RealArray, rows: number, columns: number, level: number): number[][] {
  if (field.length !== rows * columns) throw new ImagingError('IMG_ERR_SHAPE', `${field.length} values for ${rows} x ${columns} pixels`);
  // With a margin of one pixel that is outside, so that every contour closes.
  const wide = columns + 2;
  const at = (row: number, column: number): number =>
    row < 1 || column < 1 || row > rows || column > columns ? -Infinity : field[(row - 1) * columns + column - 1]!;
  const isInside = (value: number) => value >= level;
  /** An edge of the grid: twice the pixel at its beginning, and 1 where it goes down. */
  const edgeOf = (row: number, column: number, side: number): number =>
    2 * ((side === bottom ? row + 1 : row) * wide + (side === right ? column + 1 : column)) + (side === left || side === right ? 1 : 0);
  const next = new Map<number, number>();
  for (let row = 0; row <= rows; row++) {
    for (let column = 0; column <= columns; column++) {
      const upperLeft = at(row, column);
      const upperRight = at(row, column + 1);
      const lowerRight = at(row + 1, column + 1);
      const lowerLeft = at(row + 1, column);
      const index = (isInside(upperLeft) ? 1 : 0) | (isInside(upperRight) ? 2 : 0) | (isInside(lowerRight) ? 4 : 0) | (isInside(lowerLeft) ? 8 : 0);
      if (index === 0 || index === 15) continue;
      const isJoined = (index === 5 || index === 10) && isInside((upperLeft + upperRight + lowerRight + lowerLeft) / 4);
      const sides = isJoined ? joined[index]! : pieces[index]!;
      for (let piece = 0; piece < sides.length; piece += 2) next.set(edgeOf(row, column, sides[piece]!), edgeOf(row, column, sides[piece + 1]!));
    }
  }
  const rings: number[][] = [];
  for (const first of next.keys()) {
    if (!next.has(first)) continue;
    const ring: number[] = [];
    for (let edge = first; next.has(edge); ) {
      const pixel = edge >> 1;
      const [row, column] = [Math.floor(pixel / wide), pixel % wide];
      const isDown = edge % 2 === 1;
      const share = crossing(at(row, column), isDown ? at(row + 1, column) : at(row, column + 1), level);
      ring.push(column - 1 + (isDown ? 0 : share), row - 1 + (isDown ? share : 0));
      const following = next.get(edge)!;
      next.delete(edge);
      edge = following;
    }
    rings.push(ring);
  }
  return rings;
}

/** How far from a to b the level lies; half way to what is not there. */
function crossing(a: number, b: number, level: number): number {
  return Number.isFinite(a) && Number.isFinite(b) ? (level - a) / (b - a) : 0.5;
}

/** A ring without the points that nobody would miss. @param tolerance in the unit of its coordinates */
export function simplified(ring: readonly number[], tolerance: number): number[] {
  const nPoints = ring.length / 2;
  if (nPoints <= 3) return [...ring];
  // Two points that certainly stay: the first one and the furthest from it.
  let [furthest, most] = [0, -1];
  for (let point = 1; point < nPoints; point++) {
    const distance = Math.hypot(ring[2 * point]! - ring[0]!, ring[2 * point + 1]! - ring[1]!);
    if (distance > most) [furthest, most] = [point, distance];
  }
  const stays = new Uint8Array(nPoints + 1);
  stays[0] = stays[furthest] = 1;
  const open: [from: number, to: number][] = [[0, furthest], [furthest, nPoints]];
  for (let span = open.pop(); span !== undefined; span = open.pop()) {
    const [from, to] = span;
    let [worst, worstDistance] = [-1, tolerance];
    for (let point = from + 1; point < to; point++) {
      const distance = distanceToSegment(ring, point, from, to % nPoints);
      if (distance > worstDistance) [worst, worstDistance] = [point, distance];
    }
    if (worst < 0) continue;
    stays[worst] = 1;
    open.push([from, worst], [worst, to]);
  }
  const kept: number[] = [];
  for (let point = 0; point < nPoints; point++) if (stays[point] === 1) kept.push(ring[2 * point]!, ring[2 * point + 1]!);
  return kept;
}

function distanceToSegment(ring: readonly number[], point: number, from: number, to: number): number {
  const [x, y] = [ring[2 * point]! - ring[2 * from]!, ring[2 * point + 1]! - ring[2 * from + 1]!];
  const [dx, dy] = [ring[2 * to]! - ring[2 * from]!, ring[2 * to + 1]! - ring[2 * from + 1]!];
  const lengthSquared = dx * dx + dy * dy;
  const share = lengthSquared === 0 ? 0 : Math.min(1, Math.max(0, (x * dx + y * dy) / lengthSquared));
  return Math.hypot(x - share * dx, y - share * dy);
}

/** Of the inside of a ring, negative where it runs round a hole; in squared units of its coordinates. */
export function ringArea(ring: readonly number[]): number {
  let sum = 0;
  for (let at = 0; at < ring.length; at += 2) {
    const after = (at + 2) % ring.length;
    sum += ring[at]! * ring[after + 1]! - ring[after]! * ring[at + 1]!;
  }
  return sum / 2;
}
