/**
 * Ellipsoids and their Fourier transform, exact, in float64: a phantom for 3D scans.
 *
 *   F(k) = 4π a b c (sin x - x cos x) / x³ · exp(-i 2π k·centre),   x = 2π |(a k·e1, b k·e2, c k·e3)|
 *
 * (Koay 2007, doi 10.1002/mrm.21292.) Coordinates [u, v, w] in mm: u and v as in the plane (shapes.ts),
 * w across the slab.
 */
import { simulatorError } from '../errors.js';

export type Point3 = readonly [number, number, number];

export interface Ellipsoid {
  readonly centreMm: Point3;
  readonly semiAxesMm: Point3;
  /** Orthonormal directions of the semi-axes; u, v and w where they are left out. */
  readonly axes?: readonly [Point3, Point3, Point3];
}

export interface WeightedEllipsoid {
  readonly shape: Ellipsoid;
  readonly weight: number;
}

/** F on k = (i stepU, j stepV, l stepW), each index from -half to half. */
export interface Lattice3 {
  /** Cycles/mm. */
  readonly stepU: number;
  readonly stepV: number;
  readonly stepW: number;
  readonly halfU: number;
  readonly halfV: number;
  readonly halfW: number;
}

const alongUvw = [[1, 0, 0], [0, 1, 0], [0, 0, 1]] as const;

/**
 * @returns complex128 interleaved [2 halfW + 1, 2 halfV + 1, 2 halfU + 1]; units of intensity times mm³
 * @throws SIM_ERR_SHAPE
 */
export function ellipsoidsOnLattice(ellipsoids: readonly WeightedEllipsoid[], lattice: Lattice3): Float64Array {
  const { halfU, halfV, halfW } = lattice;
  const values = new Float64Array(2 * (2 * halfU + 1) * (2 * halfV + 1) * (2 * halfW + 1));
  for (const ellipsoid of ellipsoids) addEllipsoid(values, ellipsoid, lattice);
  return values;
}

function addEllipsoid(values: Float64Array, { shape, weight }: WeightedEllipsoid, lattice: Lattice3): void {
  const { stepU, stepV, stepW, halfU, halfV, halfW } = lattice;
  const { centreMm, semiAxesMm, axes = alongUvw } = shape;
  if (!semiAxesMm.every((axis) => axis > 0)) {
    throw simulatorError('SIM_ERR_SHAPE', `semi-axes of ${semiAxesMm.join(', ')} mm`);
  }
  const factor = 4 * Math.PI * semiAxesMm[0] * semiAxesMm[1] * semiAxesMm[2] * weight;
  const along = (axis: 0 | 1 | 2, ku: number, kv: number, kw: number) =>
    semiAxesMm[axis] * (ku * axes[axis][0] + kv * axes[axis][1] + kw * axes[axis][2]);
  // F(-k) is the conjugate of F(k): the second half of the array mirrors the first, up to the centre.
  const last = values.length - 2;
  let index = 0;
  for (let l = -halfW; l <= 0; l++) {
    for (let j = -halfV; j <= halfV; j++) {
      for (let i = -halfU; i <= halfU && 2 * index <= last; i++, index += 2) {
        const [ku, kv, kw] = [i * stepU, j * stepV, l * stepW];
        const x = 2 * Math.PI * Math.hypot(along(0, ku, kv, kw), along(1, ku, kv, kw), along(2, ku, kv, kw));
        const amplitude = factor * ballTransform(x);
        const angle = -2 * Math.PI * (ku * centreMm[0] + kv * centreMm[1] + kw * centreMm[2]);
        const [re, im] = [amplitude * Math.cos(angle), amplitude * Math.sin(angle)];
        values[index]! += re;
        values[index + 1]! += im;
        if (2 * index === last) continue;
        values[last - index]! += re;
        values[last - index + 1]! -= im;
      }
    }
  }
}

/** (sin x - x cos x) / x³, which tends to 1/3 at zero. */
function ballTransform(x: number): number {
  if (x < 0.05) return 1 / 3 - (x * x) / 30 + x ** 4 / 840;
  return (Math.sin(x) - x * Math.cos(x)) / x ** 3;
}

/** Extent in which the body of `ellipsoidSpine` lies. */
export const ellipsoidSpineExtentMm: Point3 = [190, 250, 110];

/**
 * A lumbar spine of ellipsoids, coarse but with parts large and small: body, vertebrae, discs, dural
 * sac, cord and two lesions, one of them off the midline. Each lies in one that lies around it.
 * @param signalOf what becomes of an intensity, for instance at another echo time
 */
export function ellipsoidSpine(signalOf: (intensity: number) => number = (intensity) => intensity): WeightedEllipsoid[] {
  const within = (shape: Ellipsoid, value: number, around: number): WeightedEllipsoid => ({
    shape,
    weight: signalOf(value) - signalOf(around),
  });
  const [muscle, marrow, nucleus, fluid, cord] = [0.3, 0.45, 0.7, 1, 0.5];
  const tilted = (angleRad: number): [Point3, Point3, Point3] => [
    [Math.cos(angleRad), Math.sin(angleRad), 0],
    [-Math.sin(angleRad), Math.cos(angleRad), 0],
    [0, 0, 1],
  ];
  const levels = [-80, -40, 0, 40, 80];
  return [
    within({ centreMm: [0, 0, 0], semiAxesMm: [95, 125, 55] }, muscle, 0),
    ...levels.map((v) => within({ centreMm: [0, v, 0], semiAxesMm: [18, 13, 22], axes: tilted(v / 400) }, marrow, muscle)),
    ...levels.slice(1).map((v) => within({ centreMm: [0, v - 20, 0], semiAxesMm: [17, 5, 20] }, nucleus, muscle)),
    within({ centreMm: [28, 0, 0], semiAxesMm: [8, 95, 10] }, fluid, muscle),
    within({ centreMm: [28, -30, 0], semiAxesMm: [3.5, 60, 5] }, cord, fluid),
    within({ centreMm: [3, -1, 9], semiAxesMm: [5, 4, 6] }, 0.9, marrow),
    within({ centreMm: [60, 30, -20], semiAxesMm: [14, 50, 14], axes: tilted(-0.2) }, 0.15, muscle),
  ];
}
