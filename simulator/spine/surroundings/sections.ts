/**
 * A body of horizontal elliptical sections, one over the other, with flat ends: trunk and neck, whose width
 * changes too fast along the body for a tube.
 *
 *   d = cos(slope) · ellipse(x - cx(z), y - cy(z); a(z), b(z)),   centre and semi-axes linear between sections
 *
 * with the steepest slope of the four sides, also linear between sections, so that d stays a distance.
 */
import type { Vector3 } from '../../../imaging/index.js';
import { ellipseDistance, type Solid } from '../../anatomy/index.js';

export interface Section {
  /** LPS, mm. */
  readonly centreMm: Vector3;
  /** Semi-axes to the sides and from front to back. */
  readonly acrossMm: number;
  readonly alongMm: number;
}

/** @param sectionAt asked from the top down, about every `stepMm` */
export function stacked(topMm: number, bottomMm: number, stepMm: number, sectionAt: (z: number) => Section): Solid {
  const nSteps = Math.max(1, Math.ceil((topMm - bottomMm) / stepMm));
  const spacing = (topMm - bottomMm) / nSteps;
  const sections = Array.from({ length: nSteps + 1 }, (_, index) => sectionAt(topMm - index * spacing));
  const sides = sections.map(({ centreMm: [x, y], acrossMm, alongMm }) => [x - acrossMm, x + acrossMm, y - alongMm, y + alongMm]);
  const slopeBelow = sides.slice(1).map((side, index) => Math.max(...side.map((mm, which) => Math.abs(mm - sides[index]![which]!))) / spacing);
  const values = Float64Array.from(
    sections.flatMap(({ centreMm: [x, y], acrossMm, alongMm }, index) => {
      const slope = Math.max(...slopeBelow.slice(Math.max(0, index - 2), index + 2));
      return [x, y, acrossMm, alongMm, 1 / Math.hypot(1, slope)];
    }),
  );
  const extent = (side: number, pick: (...values: number[]) => number) => pick(...sides.map((mm) => mm[side]!));
  return {
    bounds: { min: [extent(0, Math.min), extent(2, Math.min), bottomMm], max: [extent(1, Math.max), extent(3, Math.max), topMm] },
    distanceMm(x, y, z) {
      const place = Math.min(nSteps, Math.max(0, (topMm - z) / spacing));
      const at = 5 * Math.min(nSteps - 1, Math.floor(place));
      const share = place - at / 5;
      const between = (which: number) => values[at + which]! + share * (values[at + 5 + which]! - values[at + which]!);
      const side = between(4) * ellipseDistance(x - between(0), y - between(1), between(2), between(3));
      return Math.max(side, z - topMm, bottomMm - z);
    },
  };
}
