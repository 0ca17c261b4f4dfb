/**
 * The elementary bodies, about the origin of their own frame (place.ts puts them into the patient).
 *
 *   ellipsoid   with q = |p/r| and g = |∇q| = |p/r²| / q:  d = (q - 1) / g, the first-order distance to
 *               q = 1; near the surface with its curvature, d + d²/2 · nᵀHn / g, H the second derivative
 *   cuboid      d = |max(|p| - h + r, 0)| + min(max(|p| - h + r), 0) - r
 *   tube        |p - c(s)| less the radius at the nearest point c(s) of its centre line
 *
 * q is convex, so outside the ellipsoid d is never more than the distance. Inside it can be: there a
 * depth beyond what the curvature allows is bounded by (1 - q) times the smallest semi-axis.
 */
import type { Vector3 } from '../../imaging/index.js';
import { simulatorError } from '../errors.js';
import { boxAround, type Box, type Solid } from './solid.js';

/** @throws SIM_ERR_SHAPE */
export function ellipsoid(semiAxesMm: Vector3): Solid {
  positive('semi-axes', ...semiAxesMm);
  const [a, b, c] = semiAxesMm;
  const smallest = Math.min(a, b, c);
  /** Half of the smallest radius of curvature. */
  const reliable = (0.5 * smallest ** 2) / Math.max(a, b, c);
  return {
    bounds: symmetricBox(semiAxesMm),
    distanceMm(x, y, z) {
      const px = x / a;
      const py = y / b;
      const pz = z / c;
      const q = Math.sqrt(px * px + py * py + pz * pz);
      if (q === 0) return -smallest;
      const gx = px / a;
      const gy = py / b;
      const gz = pz / c;
      const squared = gx * gx + gy * gy + gz * gz;
      const curvature = ((gx / a) ** 2 + (gy / b) ** 2 + (gz / c) ** 2) / squared;
      return surfaceDistance(q, squared, curvature, smallest, reliable);
    },
  };
}

/** @throws SIM_ERR_SHAPE */
export function cuboid(halfSizesMm: Vector3, radiusMm = 0): Solid {
  positive('half sizes', ...halfSizesMm);
  const [hx, hy, hz] = halfSizesMm;
  const r = Math.min(radiusMm, hx, hy, hz);
  return {
    bounds: symmetricBox(halfSizesMm),
    distanceMm(x, y, z) {
      const dx = Math.abs(x) - hx + r;
      const dy = Math.abs(y) - hy + r;
      const dz = Math.abs(z) - hz + r;
      const ox = Math.max(dx, 0);
      const oy = Math.max(dy, 0);
      const oz = Math.max(dz, 0);
      return Math.sqrt(ox * ox + oy * oy + oz * oz) + Math.min(Math.max(dx, dy, dz), 0) - r;
    },
  };
}

/** An outline in the plane of x and y, with the same promise as a solid's. */
export interface Outline {
  /** [x, y] half extents about the origin, mm; holds the whole outline. */
  readonly halfSizesMm: readonly [number, number];
  distanceMm(x: number, y: number): number;
}

/** @throws SIM_ERR_SHAPE */
export function ellipseOutline(a: number, b: number): Outline {
  positive('semi-axes', a, b);
  return { halfSizesMm: [a, b], distanceMm: (x, y) => ellipseDistance(x, y, a, b) };
}

/**
 * A prism over an outline: z from `fromMm` to `toMm`, edges rounded by `roundingMm`. Top and base may be
 * curved: each gives its height over the origin's, mm, at a point of the plane, with slopes below 1/2.
 */
export function prism(
  outline: Outline,
  base: (x: number, y: number) => number,
  top: (x: number, y: number) => number,
  reachMm: { readonly base: number; readonly top: number },
  roundingMm = 0,
): Solid {
  const [hx, hy] = outline.halfSizesMm;
  return {
    bounds: { min: [-hx, -hy, reachMm.base], max: [hx, hy, reachMm.top] },
    distanceMm(x, y, z) {
      const side = outline.distanceMm(x, y);
      // A sloping face is nearer than straight above; 0.9 is the cosine of half a right angle's half.
      const face = 0.9 * Math.max(base(x, y) - z, z - top(x, y));
      if (roundingMm === 0) return Math.max(side, face);
      const s = side + roundingMm;
      const f = face + roundingMm;
      const outer = s > 0 && f > 0 ? Math.sqrt(s * s + f * f) : Math.max(s, f);
      return outer - roundingMm;
    },
  };
}

/** One station of a tube. */
export interface TubePoint {
  readonly centreMm: Vector3;
  /** Half widths of the section along the tube's `across` direction and at right angles to it. */
  readonly acrossMm: number;
  readonly alongMm: number;
}

/**
 * An elliptical section swept along a polyline, its radii interpolated; round ends.
 * @param across unit vector of the sections' first axis, at right angles to the tube or nearly so
 * @throws SIM_ERR_SHAPE
 */
export function tube(points: readonly TubePoint[], across: Vector3 = [1, 0, 0]): Solid {
  if (points.length < 2) throw simulatorError('SIM_ERR_SHAPE', `a tube of ${points.length} points`);
  for (const { acrossMm, alongMm } of points) positive('tube radii', acrossMm, alongMm);
  const boxes = points.map(({ centreMm: [x, y, z], acrossMm, alongMm }): Box => {
    const r = Math.max(acrossMm, alongMm);
    return { min: [x - r, y - r, z - r], max: [x + r, y + r, z + r] };
  });
  const nSegments = points.length - 1;
  /** A segment: start, way, squared length, radii at the start and their growth. */
  const segments = new Float64Array(11 * nSegments);
  for (let segment = 0; segment < nSegments; segment++) {
    const [from, to] = [points[segment]!, points[segment + 1]!];
    const way = [0, 1, 2].map((axis) => to.centreMm[axis]! - from.centreMm[axis]!);
    segments.set(
      [
        ...from.centreMm, ...way, way[0]! ** 2 + way[1]! ** 2 + way[2]! ** 2,
        from.acrossMm, to.acrossMm - from.acrossMm, from.alongMm, to.alongMm - from.alongMm,
      ],
      11 * segment,
    );
  }
  const [ax, ay, az] = across;
  const heights = Float64Array.from(points, ({ centreMm }) => centreMm[2]);
  const direction = Math.sign(heights[nSegments]! - heights[0]!);
  /** Most tubes run along the body: then the segments near a point's height come first and end the search early. */
  const isMonotone = heights.every((height, index) => index === 0 || (height - heights[index - 1]!) * direction > 0);

  return {
    bounds: boxAround(boxes),
    distanceMm(x, y, z) {
      let nearest = Infinity;
      let dx = 0;
      let dy = 0;
      let dz = 0;
      let a = 1;
      let b = 1;
      let first = 0;
      if (isMonotone) {
        let end = nSegments - 1;
        while (first < end) {
          const middle = (first + end) >> 1;
          if ((z - heights[middle + 1]!) * direction <= 0) end = middle;
          else first = middle + 1;
        }
      }
      for (let step = 0, up = first, down = first - 1; up < nSegments || down >= 0; step++) {
        // Alternately away from the first one, until neither side can be nearer.
        const goesUp = up < nSegments && (down < 0 || step % 2 === 0);
        const segment = goesUp ? up++ : down--;
        const start = heights[segment]!;
        const stop = heights[segment + 1]!;
        const gap = z < start && z < stop ? Math.min(start, stop) - z : z > start && z > stop ? z - Math.max(start, stop) : 0;
        if (gap * gap >= nearest) {
          if (isMonotone) {
            if (goesUp) up = nSegments;
            else down = -1;
          }
          continue;
        }
        const at = 11 * segment;
        const px = x - segments[at]!;
        const py = y - segments[at + 1]!;
        const pz = z - segments[at + 2]!;
        const wx = segments[at + 3]!;
        const wy = segments[at + 4]!;
        const wz = segments[at + 5]!;
        const share = Math.min(1, Math.max(0, (px * wx + py * wy + pz * wz) / segments[at + 6]!));
        const qx = px - share * wx;
        const qy = py - share * wy;
        const qz = pz - share * wz;
        const squared = qx * qx + qy * qy + qz * qz;
        if (squared >= nearest) continue;
        nearest = squared;
        dx = qx;
        dy = qy;
        dz = qz;
        a = segments[at + 7]! + share * segments[at + 8]!;
        b = segments[at + 9]! + share * segments[at + 10]!;
      }
      if (a === b) return Math.sqrt(nearest) - a;
      const along = dx * ax + dy * ay + dz * az;
      return ellipseDistance(along, Math.sqrt(Math.max(0, nearest - along * along)), a, b);
    },
  };
}

/** From an ellipse of semi-axes a and b about the origin, as an ellipsoid's. */
export function ellipseDistance(x: number, y: number, a: number, b: number): number {
  const smallest = Math.min(a, b);
  const reliable = (0.5 * smallest * smallest) / Math.max(a, b);
  const px = x / a;
  const py = y / b;
  const q = Math.sqrt(px * px + py * py);
  if (q === 0) return -smallest;
  const gx = px / a;
  const gy = py / b;
  const squared = gx * gx + gy * gy;
  return surfaceDistance(q, squared, ((gx / a) ** 2 + (gy / b) ** 2) / squared, smallest, reliable);
}

/**
 * Distance to q = 1.
 * @param squared |p/r²|²
 * @param curvature nᵀ diag(1/r²) n
 */
function surfaceDistance(q: number, squared: number, curvature: number, smallest: number, reliable: number): number {
  const slope = Math.sqrt(squared) / q;
  const d = (q - 1) / slope;
  if (Math.abs(d) <= reliable) return d + (0.5 * d * d * (curvature - slope * slope)) / (q * slope);
  return d > 0 ? d : Math.min(-reliable, (q - 1) * smallest);
}

function symmetricBox([x, y, z]: Vector3): Box {
  return { min: [-x, -y, -z], max: [x, y, z] };
}

function positive(what: string, ...values: readonly number[]): void {
  if (values.every((value) => value > 0 && Number.isFinite(value))) return;
  throw simulatorError('SIM_ERR_SHAPE', `${what} ${values.join(', ')}`);
}
