/** What anatomy is made of: bodies that know how far a point is from their surface. */
import type { Vector3 } from '../../imaging/index.js';

/** Aligned with the axes, mm. */
export interface Box {
  readonly min: Vector3;
  readonly max: Vector3;
}

/**
 * A body in space. Points are LPS or, within a frame (place.ts), along the axes of that frame; mm.
 */
export interface Solid {
  /** Holds the whole body. */
  readonly bounds: Box;
  /**
   * Signed distance to the surface, mm: negative inside, positive outside. Near the surface it is the
   * distance; far from it, it may be less but not more by over a quarter: painting trusts that a ball
   * of that radius does not meet the surface.
   */
  distanceMm(x: number, y: number, z: number): number;
}

/** The smallest box that holds all of them. */
export function boxAround(boxes: readonly Box[]): Box {
  const extreme = (pick: (a: number, b: number) => number, corner: 'min' | 'max', start: number): Vector3 =>
    boxes.reduce<Vector3>(
      (so, { [corner]: c }) => [pick(so[0], c[0]), pick(so[1], c[1]), pick(so[2], c[2])],
      [start, start, start],
    );
  return { min: extreme(Math.min, 'min', Infinity), max: extreme(Math.max, 'max', -Infinity) };
}

export function grownBox({ min, max }: Box, mm: number): Box {
  return { min: [min[0] - mm, min[1] - mm, min[2] - mm], max: [max[0] + mm, max[1] + mm, max[2] + mm] };
}

/** To the nearest point of a box, mm; 0 within it. No body in the box is nearer. */
export function boxDistance({ min, max }: Box, x: number, y: number, z: number): number {
  const dx = Math.max(min[0] - x, 0, x - max[0]);
  const dy = Math.max(min[1] - y, 0, y - max[1]);
  const dz = Math.max(min[2] - z, 0, z - max[2]);
  return Math.sqrt(dx * dx + dy * dy + dz * dz);
}
