/** Bodies in their place: a frame of its own for each vertebra, vessel or limb. */
import type { Vector3 } from '../../imaging/index.js';
import { boxAround, type Box, type Solid } from './solid.js';

/** Orthonormal axes at a point. In a vertebra: x to its left, y to posterior, z up along the spine. */
export interface Frame {
  readonly originMm: Vector3;
  readonly x: Vector3;
  readonly y: Vector3;
  readonly z: Vector3;
}

/** A body given in the frame's coordinates. */
export function placed(frame: Frame, solid: Solid): Solid {
  const [ox, oy, oz] = frame.originMm;
  const [xx, xy, xz] = frame.x;
  const [yx, yy, yz] = frame.y;
  const [zx, zy, zz] = frame.z;
  return {
    bounds: boxAround(cornersOf(solid.bounds).map((corner) => pointBox(outOfFrame(frame, corner)))),
    distanceMm(x, y, z) {
      const [dx, dy, dz] = [x - ox, y - oy, z - oz];
      return solid.distanceMm(dx * xx + dy * xy + dz * xz, dx * yx + dy * yy + dz * yz, dx * zx + dy * zy + dz * zz);
    },
  };
}

/** A body moved along the axes. */
export function moved([dx, dy, dz]: Vector3, solid: Solid): Solid {
  const { min, max } = solid.bounds;
  return {
    bounds: { min: [min[0] + dx, min[1] + dy, min[2] + dz], max: [max[0] + dx, max[1] + dy, max[2] + dz] },
    distanceMm: (x, y, z) => solid.distanceMm(x - dx, y - dy, z - dz),
  };
}

/** From the frame's coordinates to those around it. */
export function outOfFrame({ originMm, x, y, z }: Frame, [a, b, c]: Vector3): Vector3 {
  return [
    originMm[0] + a * x[0] + b * y[0] + c * z[0],
    originMm[1] + a * x[1] + b * y[1] + c * z[1],
    originMm[2] + a * x[2] + b * y[2] + c * z[2],
  ];
}

/** From the coordinates around a frame to its own. */
export function intoFrame({ originMm, x, y, z }: Frame, point: Vector3): Vector3 {
  const [dx, dy, dz] = [point[0] - originMm[0], point[1] - originMm[1], point[2] - originMm[2]];
  return [
    dx * x[0] + dy * x[1] + dz * x[2],
    dx * y[0] + dy * y[1] + dz * y[2],
    dx * z[0] + dy * z[1] + dz * z[2],
  ];
}

export function cornersOf({ min, max }: Box): Vector3[] {
  return Array.from({ length: 8 }, (_, corner): Vector3 => [
    corner & 1 ? max[0] : min[0],
    corner & 2 ? max[1] : min[1],
    corner & 4 ? max[2] : min[2],
  ]);
}

function pointBox(point: Vector3): Box {
  return { min: point, max: point };
}
