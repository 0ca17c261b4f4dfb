/**
 * Where the slices of a series lie.
 *
 * The stack starts along the axes of the patient and is then turned about x, about y and about z (LPS: x to
 * the left, y to posterior, z to the head; right-handed, fixed axes):
 *
 *   d = Rz(headFeet) Ry(anteriorPosterior) Rx(leftRight) d0,     slice = read x phase
 */
import type { AnatomicalAxis, Orientation, Series, SeriesGeometry } from './schema.js';

export type Vector = readonly [x: number, y: number, z: number];

/** Orthonormal, LPS, right-handed. */
export interface Directions {
  /** In which columns count up. */
  readonly read: Vector;
  /** In which rows count up. */
  readonly phase: Vector;
  readonly slice: Vector;
}

/** As a radiograph hangs: columns and rows count up to the left, to posterior and to the feet. */
const axisDirections: Readonly<Record<AnatomicalAxis, Vector>> = {
  leftRight: [1, 0, 0],
  anteriorPosterior: [0, 1, 0],
  headFeet: [0, 0, -1],
};

/** The two axes of each plane. */
export const axesOf: Readonly<Record<Orientation, readonly [AnatomicalAxis, AnatomicalAxis]>> = {
  sagittal: ['anteriorPosterior', 'headFeet'],
  axial: ['leftRight', 'anteriorPosterior'],
  coronal: ['leftRight', 'headFeet'],
};

/** The axis of the phase encoding; undefined where the readout does not lie in the plane. */
export function phaseAxisOf({ orientation, readout }: Pick<SeriesGeometry, 'orientation' | 'readout'>): AnatomicalAxis | undefined {
  const [first, second] = axesOf[orientation];
  return readout === first ? second : readout === second ? first : undefined;
}

/** Of the stack; of blocks at discs before each is turned to its disc. The geometry has been checked. */
export function directionsOf(geometry: Pick<SeriesGeometry, 'orientation' | 'readout' | 'tiltDeg'>): Directions {
  const turned = (direction: Vector) => turn(direction, geometry.tiltDeg);
  const read = axisDirections[geometry.readout];
  const phase = axisDirections[phaseAxisOf(geometry)!];
  return { read: turned(read), phase: turned(phase), slice: turned(cross(read, phase)) };
}

/** Slices of the whole series. */
export function nSlicesOf({ geometry }: Pick<Series, 'geometry'>): number {
  return geometry.slices.count * (geometry.discLevels?.length ?? 1);
}

function turn([x, y, z]: Vector, tilt: SeriesGeometry['tiltDeg']): Vector {
  const [cx, sx] = cosineAndSine(tilt.leftRight);
  const [cy, sy] = cosineAndSine(tilt.anteriorPosterior);
  const [cz, sz] = cosineAndSine(tilt.headFeet);
  const [y1, z1] = [cx * y - sx * z, sx * y + cx * z];
  const [x2, z2] = [cy * x + sy * z1, cy * z1 - sy * x];
  return [cz * x2 - sz * y1, sz * x2 + cz * y1, z2];
}

function cosineAndSine(angleDeg: number): [number, number] {
  const angle = (angleDeg * Math.PI) / 180;
  return [Math.cos(angle), Math.sin(angle)];
}

function cross([ax, ay, az]: Vector, [bx, by, bz]: Vector): Vector {
  return [ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx];
}
