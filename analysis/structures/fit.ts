/** Planes and extents of clouds of points. */
import { frameAlong, moved, type Place } from '../geometry.js';
import type { Frame } from '../types.js';

/** w = offset + alongX u + alongY v in a frame. */
export interface Plane {
  readonly offset: number;
  readonly alongX: number;
  readonly alongY: number;
}

/**
 * Least squares of w on u and v, with a weak pull to the frame's own plane so that few slices tell no tilt; then again without
 * points farther off than `trim` median residuals.
 * @param points u, v, w; u, v, w; …  @param pullMm2 variance of u or v that the pull stands for
 */
export function fitPlane(points: ArrayLike<number>, pullMm2 = 4, trim = 2.8, rounds = 3): Plane {
  let plane: Plane = { offset: 0, alongX: 0, alongY: 0 };
  let limit = Infinity;
  const n = Math.floor(points.length / 3);
  const residuals = new Float32Array(n);
  for (let round = 0; round < rounds; round++) {
    let [count, u, v, w, uu, uv, vv, uw, vw] = [0, 0, 0, 0, 0, 0, 0, 0, 0];
    for (let at = 0; at < 3 * n; at += 3) {
      const [a, b, c] = [points[at]!, points[at + 1]!, points[at + 2]!];
      if (Math.abs(c - plane.offset - plane.alongX * a - plane.alongY * b) > limit) continue;
      count++;
      u += a; v += b; w += c;
      uu += a * a; uv += a * b; vv += b * b; uw += a * c; vw += b * c;
    }
    if (count === 0) return plane;
    const [cu, cv, cw] = [u / count, v / count, w / count];
    const [suu, suv, svv] = [uu / count - cu * cu + pullMm2, uv / count - cu * cv, vv / count - cv * cv + pullMm2];
    const [suw, svw] = [uw / count - cu * cw, vw / count - cv * cw];
    const determinant = suu * svv - suv * suv;
    const [alongX, alongY] = [(suw * svv - svw * suv) / determinant, (svw * suu - suw * suv) / determinant];
    plane = { offset: cw - alongX * cu - alongY * cv, alongX, alongY };
    for (let index = 0, at = 0; index < n; index++, at += 3) residuals[index] = Math.abs(points[at + 2]! - plane.offset - plane.alongX * points[at]! - plane.alongY * points[at + 1]!);
    limit = trim * Math.max(0.5, residuals.slice().sort()[n >> 1]!);
  }
  return plane;
}

/** Normal of a plane of this frame, towards its z. */
export function normalOf({ alongX, alongY }: Plane, { x, y, z }: Frame): Place {
  return moved(z, [-alongX, x], [-alongY, y]);
}

/** The frame turned onto a plane of its own, with the origin where its z meets it. */
export function turnedOnto(frame: Frame, plane: Plane): Frame {
  return frameAlong(moved(frame.originMm, [plane.offset, frame.z]), normalOf(plane, frame));
}

/**
 * From where to where values go: the outermost bins that hold `share` of what the middle one holds, so that islands do not count.
 * @returns edges of the bins, or undefined where there are no values
 */
export function extentOf(values: ArrayLike<number>, binMm: number, share = 0.2): readonly [number, number] | undefined {
  if (values.length === 0) return undefined;
  const counts = new Map<number, number>();
  for (let index = 0; index < values.length; index++) {
    const bin = Math.round(values[index]! / binMm);
    counts.set(bin, (counts.get(bin) ?? 0) + 1);
  }
  const sorted = [...counts.values()].sort((a, b) => a - b);
  const least = share * sorted[sorted.length >> 1]!;
  const kept = [...counts].filter(([, count]) => count > least).map(([bin]) => bin);
  return [(Math.min(...kept) - 0.5) * binMm, (Math.max(...kept) + 0.5) * binMm];
}

export function medianOf(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted.length === 0 ? NaN : (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
