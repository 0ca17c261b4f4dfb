/**
 * Bodies made of bodies.
 *
 *   union          min(a, b)            intersection  max(a, b)          difference  max(a, -b)
 *   smooth union   min(a, b) - h²/(4k),  h = max(k - |a - b|, 0): edges within k are filled in
 *   offset         d - mm               roughened    d - amplitude · noise(p / scale)
 *
 * In unions a body is asked only where its box is near enough to matter.
 */
import type { Vector3 } from '../../imaging/index.js';
import { smoothNoise } from './noise.js';
import { boxAround, boxDistance, grownBox, type Box, type Solid } from './solid.js';

export function union(...solids: readonly Solid[]): Solid {
  return {
    bounds: boxAround(solids.map(({ bounds }) => bounds)),
    distanceMm(x, y, z) {
      let nearest = Infinity;
      for (const solid of solids) {
        const least = boxDistance(solid.bounds, x, y, z);
        if (least === 0 || least < nearest) nearest = Math.min(nearest, atLeast(least, solid.distanceMm(x, y, z)));
      }
      return nearest;
    },
  };
}

/** @param blendMm width over which the bodies flow into each other */
export function smoothUnion(blendMm: number, ...solids: readonly Solid[]): Solid {
  return {
    bounds: grownBox(boxAround(solids.map(({ bounds }) => bounds)), blendMm / 4),
    distanceMm(x, y, z) {
      let blended = Infinity;
      for (const solid of solids) {
        const least = boxDistance(solid.bounds, x, y, z);
        if (least > 0 && least >= blended + blendMm) continue;
        const distance = atLeast(least, solid.distanceMm(x, y, z));
        const h = Math.max(blendMm - Math.abs(blended - distance), 0);
        blended = Math.min(blended, distance) - (h * h) / (4 * blendMm);
      }
      return blended;
    },
  };
}

export function intersection(first: Solid, ...others: readonly Solid[]): Solid {
  return {
    bounds: others.reduce<Box>((box, { bounds }) => commonBox(box, bounds), first.bounds),
    distanceMm(x, y, z) {
      let farthest = first.distanceMm(x, y, z);
      for (const solid of others) farthest = Math.max(farthest, solid.distanceMm(x, y, z));
      return farthest;
    },
  };
}

export function difference(solid: Solid, ...removed: readonly Solid[]): Solid {
  return {
    bounds: solid.bounds,
    distanceMm(x, y, z) {
      let distance = solid.distanceMm(x, y, z);
      for (const other of removed) distance = Math.max(distance, -other.distanceMm(x, y, z));
      return distance;
    },
  };
}

/** The body grown, or with a negative value shrunk, on all sides. */
export function offset(solid: Solid, mm: number): Solid {
  return { bounds: grownBox(solid.bounds, Math.max(mm, 0)), distanceMm: (x, y, z) => solid.distanceMm(x, y, z) - mm };
}

/** What lies on the side of the plane to which `direction`, a unit vector, does not point. */
export function halfSpace(pointMm: Vector3, direction: Vector3): Solid {
  const [a, b, c] = direction;
  const at = pointMm[0] * a + pointMm[1] * b + pointMm[2] * c;
  return {
    bounds: { min: [-Infinity, -Infinity, -Infinity], max: [Infinity, Infinity, Infinity] },
    distanceMm: (x, y, z) => x * a + y * b + z * c - at,
  };
}

/** An uneven surface, as nature makes them. An amplitude up to a twelfth of the scale keeps distances true. */
export function roughened(solid: Solid, amplitudeMm: number, scaleMm: number, seed: number): Solid {
  const scale = 1 / scaleMm;
  return {
    bounds: grownBox(solid.bounds, 3 * amplitudeMm),
    distanceMm(x, y, z) {
      const distance = solid.distanceMm(x, y, z);
      // Far from the surface the noise only costs time.
      if (Math.abs(distance) > 12 * amplitudeMm) return distance - Math.sign(distance) * 3 * amplitudeMm;
      return distance - amplitudeMm * smoothNoise(x * scale, y * scale, z * scale, seed);
    },
  };
}

/** A body in a box is at least as far as the box; in the box, that says nothing. */
function atLeast(boxMm: number, distanceMm: number): number {
  return boxMm > 0 ? Math.max(boxMm, distanceMm) : distanceMm;
}

function commonBox(a: Box, b: Box): Box {
  return {
    min: [Math.max(a.min[0], b.min[0]), Math.max(a.min[1], b.min[1]), Math.max(a.min[2], b.min[2])],
    max: [Math.min(a.max[0], b.max[0]), Math.min(a.max[1], b.max[1]), Math.min(a.max[2], b.max[2])],
  };
}
