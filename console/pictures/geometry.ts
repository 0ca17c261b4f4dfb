/** Where slices lie to one another. LPS, mm. */
import type { SliceGeometry } from '../api/index.js';

type Vector = readonly [number, number, number];

const dot = (a: Vector, b: Vector): number => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
const minus = (a: Vector, b: Vector): Vector => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
export const length = (a: Vector): number => Math.hypot(...a);

export function normalOf({ columnStepMm, rowStepMm }: SliceGeometry): Vector {
  const normal = cross(columnStepMm, rowStepMm);
  const size = length(normal) || 1;
  return [normal[0] / size, normal[1] / size, normal[2] / size];
}

/** LPS of a pixel's centre. @param column, row from 0, fractions allowed */
export function toMm({ originMm, columnStepMm, rowStepMm }: SliceGeometry, column: number, row: number): Vector {
  return [0, 1, 2].map((k) => originMm[k]! + column * columnStepMm[k]! + row * rowStepMm[k]!) as unknown as Vector;
}

/** The pixel of a place, and how far it lies out of the slice's plane, mm. */
export function toPixel(geometry: SliceGeometry, mm: Vector): { column: number; row: number; distanceMm: number } {
  const { originMm, columnStepMm, rowStepMm } = geometry;
  const from = minus(mm, originMm);
  return {
    column: dot(from, columnStepMm) / dot(columnStepMm, columnStepMm),
    row: dot(from, rowStepMm) / dot(rowStepMm, rowStepMm),
    distanceMm: dot(from, normalOf(geometry)),
  };
}

/** Whether slices of these two are stacked along the same direction: within five degrees. */
export function areParallel(a: SliceGeometry, b: SliceGeometry): boolean {
  return Math.abs(dot(normalOf(a), normalOf(b))) > Math.cos((5 * Math.PI) / 180);
}

/** Index of the slice that lies nearest to another one along their normal; undefined where none is parallel and within its thickness. */
export function nearestSlice(of: SliceGeometry, slices: readonly (SliceGeometry | undefined)[]): number | undefined {
  let nearest: number | undefined;
  let leastMm = Infinity;
  slices.forEach((slice, index) => {
    if (slice === undefined || !areParallel(of, slice)) return;
    const distanceMm = Math.abs(toPixel(slice, of.originMm).distanceMm);
    if (distanceMm >= leastMm) return;
    leastMm = distanceMm;
    nearest = index;
  });
  return nearest !== undefined && leastMm <= Math.max(of.thicknessMm, slices[nearest]!.thicknessMm) ? nearest : undefined;
}

/** Letters at the edges of a picture: to which side of the patient its right and its lower edge point. */
export function edgeLetters({ columnStepMm, rowStepMm }: SliceGeometry): { left: string; right: string; top: string; bottom: string } {
  const right = letterOf(columnStepMm);
  const bottom = letterOf(rowStepMm);
  return { right, bottom, left: opposite[right]!, top: opposite[bottom]! };
}

const opposite: Readonly<Record<string, string>> = { L: 'R', R: 'L', P: 'A', A: 'P', H: 'F', F: 'H' };

function letterOf(direction: Vector): string {
  const axis = [0, 1, 2].reduce((best, k) => (Math.abs(direction[k]!) > Math.abs(direction[best]!) ? k : best), 0);
  return (direction[axis]! > 0 ? ['L', 'P', 'H'] : ['R', 'A', 'F'])[axis]!;
}
