/**
 * Receive arrays in the patient's coordinates (LPS, mm), the main field along z.
 *
 * A loop receives in proportion to the field that it would make per unit current: by the law of Biot
 * and Savart, B(r) = Σ dl × (r - l) / |r - l|³, of which the part transverse to the main field counts,
 * S = Bx - i By (Roemer 1990, doi 10.1002/mrm.1910160203).
 */
import type { Vector3 } from '../../imaging/index.js';
import type { Box } from '../anatomy/index.js';

export interface ArrayElement {
  readonly name: string;
  readonly centreMm: Vector3;
  /** Unit vector across the loop, away from the patient. */
  readonly normal: Vector3;
  readonly radiusMm: number;
}

const nSegments = 48;
/** From the skin to the conductors of the table's array, and of a coil that lies on the patient. */
const tableGapMm = 35;
const flexibleGapMm = 30;
/** Between the rows of the spine array along the patient. */
const rowSpacingMm = 105;
const elementRadiusMm = 62;

/**
 * A spine array in the table, in rows of two, and a flexible one on the front; where the neck is
 * imaged, a ring of four round it. About two thirds of the elements lie under the back.
 * @param bodyMm bounds of the body within the field of view
 */
export function spineArray(nCoils: number, bodyMm: Box, region: 'neck' | 'trunk' = 'trunk'): ArrayElement[] {
  const { min, max } = bodyMm;
  const middle: Vector3 = [(min[0] + max[0]) / 2, (min[1] + max[1]) / 2, (min[2] + max[2]) / 2];
  const nNeck = region === 'neck' ? Math.min(4, Math.floor(nCoils / 2)) : 0;
  const nPosterior = Math.ceil(((nCoils - nNeck) * 2) / 3);
  const nAnterior = nCoils - nNeck - nPosterior;
  const extentMm = max[2] - min[2];
  const rows = (name: string, count: number, y: number, normal: Vector3): ArrayElement[] => {
    const nRows = Math.ceil(count / 2);
    const spacingMm = Math.min(rowSpacingMm, extentMm / Math.max(nRows, 1));
    return Array.from({ length: count }, (_, index) => {
      const row = Math.floor(index / 2);
      const isLast = count % 2 === 1 && index === count - 1;
      const side = isLast ? 0 : index % 2 === 0 ? -1 : 1;
      return {
        name: `${name}${row + 1}${side === 0 ? '' : side < 0 ? 'R' : 'L'}`,
        // From the head down.
        centreMm: [middle[0] + side * 0.85 * elementRadiusMm, y, middle[2] + ((nRows - 1) / 2 - row) * spacingMm],
        normal,
        radiusMm: elementRadiusMm,
      };
    });
  };
  const neck = Array.from({ length: nNeck }, (_, index): ArrayElement => {
    const angle = Math.PI * (0.25 + index / 2);
    const normal: Vector3 = [Math.cos(angle), Math.sin(angle), 0];
    const reachMm = Math.min(max[0] - min[0], max[1] - min[1]) / 2 + flexibleGapMm;
    return {
      name: `NE${index + 1}`,
      centreMm: [middle[0] + reachMm * normal[0], middle[1] + reachMm * normal[1], middle[2] + extentMm / 6],
      normal,
      radiusMm: elementRadiusMm,
    };
  });
  return [
    ...rows('SP', nPosterior, max[1] + tableGapMm, [0, 1, 0]),
    ...rows('BO', nAnterior, min[1] - flexibleGapMm, [0, -1, 0]),
    ...neck,
  ];
}

/** Complex sensitivity [re, im] of one element at a point. */
export function elementSensitivity({ centreMm, normal, radiusMm }: ArrayElement, point: Vector3): [number, number] {
  const [first, second] = acrossNormal(normal);
  const way: Vector3 = [point[0] - centreMm[0], point[1] - centreMm[1], point[2] - centreMm[2]];
  let [bx, by] = [0, 0];
  for (let segment = 0; segment < nSegments; segment++) {
    const angle = (2 * Math.PI * (segment + 0.5)) / nSegments;
    const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
    const dx = way[0] - radiusMm * (cos * first[0] + sin * second[0]);
    const dy = way[1] - radiusMm * (cos * first[1] + sin * second[1]);
    const dz = way[2] - radiusMm * (cos * first[2] + sin * second[2]);
    const lx = cos * second[0] - sin * first[0];
    const ly = cos * second[1] - sin * first[1];
    const lz = cos * second[2] - sin * first[2];
    const share = 1 / (dx * dx + dy * dy + dz * dz) ** 1.5;
    bx += share * (ly * dz - lz * dy);
    by += share * (lz * dx - lx * dz);
  }
  return [bx, -by];
}

/** Two unit vectors at right angles to the normal and to each other. */
function acrossNormal(normal: Vector3): [Vector3, Vector3] {
  // Start from the axis that is farthest from the normal.
  const axis = normal.reduce((so, part, index) => (Math.abs(part) < Math.abs(normal[so]!) ? index : so), 0);
  const along = normal[axis]!;
  const raw = normal.map((part, index) => (index === axis ? 1 : 0) - along * part);
  const size = Math.hypot(...raw);
  const [ax, ay, az] = raw.map((part) => part / size) as [number, number, number];
  return [[ax, ay, az], [normal[1] * az - normal[2] * ay, normal[2] * ax - normal[0] * az, normal[0] * ay - normal[1] * ax]];
}
