/** What can be scanned: whatever paints signal channels on a plane. */
import type { Tissue, Vector3 } from '../../imaging/index.js';
import { paintChannels, type Anatomy, type Box, type EdgeShape, type Plane } from '../anatomy/index.js';

export interface ScannedObject {
  /** Holds everything that gives signal; LPS, mm. */
  readonly boundsMm: Box;
  readonly tissues: ReadonlyMap<string, Tissue>;
  /** As `paintChannels` of the anatomy. */
  paint(
    plane: Plane,
    coefficients: ReadonlyMap<string, ArrayLike<number>>,
    channels: readonly Float32Array[],
    weight: number,
    edge: EdgeShape,
  ): void;
}

export function anatomyObject(anatomy: Anatomy): ScannedObject {
  return {
    boundsMm: boundsOf(anatomy),
    tissues: anatomy.tissues,
    paint: (plane, coefficients, channels, weight, edge) => paintChannels(anatomy, plane, coefficients, channels, weight, edge),
  };
}

/** Of the structures that end somewhere; half-spaces and the like lie within others. */
function boundsOf({ structures }: Anatomy): Box {
  const boxes = structures.map(({ solid }) => solid.bounds).filter(({ min, max }) => [...min, ...max].every(Number.isFinite));
  const corner = (pick: (...values: number[]) => number, end: 'min' | 'max', axis: 0 | 1 | 2) =>
    boxes.reduce((so, box) => pick(so, box[end][axis]), boxes[0]?.[end][axis] ?? 0);
  const corners = (pick: (...values: number[]) => number, end: 'min' | 'max'): Vector3 =>
    [corner(pick, end, 0), corner(pick, end, 1), corner(pick, end, 2)];
  return { min: corners(Math.min, 'min'), max: corners(Math.max, 'max') };
}
