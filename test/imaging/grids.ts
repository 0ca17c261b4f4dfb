/** Grids for the tests: oblique, of either handedness, with no two numbers alike. */
import fc from 'fast-check';
import type { ImageGeometry, Vector3 } from '../../imaging/index.js';

/** Orthonormal directions from three Euler angles; `mirrored` turns the slice direction round. */
export function directions(a: number, b: number, c: number, mirrored: boolean) {
  const [ca, sa, cb, sb, cc, sc] = [Math.cos(a), Math.sin(a), Math.cos(b), Math.sin(b), Math.cos(c), Math.sin(c)];
  const rowDirection: Vector3 = [ca * cb, sa * cb, -sb];
  const columnDirection: Vector3 = [ca * sb * sc - sa * cc, sa * sb * sc + ca * cc, cb * sc];
  const normal: Vector3 = [ca * sb * cc + sa * sc, sa * sb * cc - ca * sc, cb * cc];
  const sliceDirection: Vector3 = mirrored ? [-normal[0], -normal[1], -normal[2]] : normal;
  return { rowDirection, columnDirection, sliceDirection };
}

const angle = fc.double({ min: -Math.PI, max: Math.PI, noNaN: true });
const coordinate = fc.double({ min: -300, max: 300, noNaN: true });

export function geometriesUpTo(largestSize: number): fc.Arbitrary<ImageGeometry> {
  const size = fc.integer({ min: 1, max: largestSize });
  const extent = fc.double({ min: 10, max: 500, noNaN: true });
  return fc
    .record({
      angles: fc.tuple(angle, angle, angle, fc.boolean()),
      centreMm: fc.tuple(coordinate, coordinate, coordinate),
      fovMm: fc.tuple(extent, extent, extent),
      matrixSize: fc.tuple(size, size, size),
    })
    .map(({ angles, ...rest }) => ({ ...rest, ...directions(...angles) }));
}

/** Oblique, left-handed, odd and even, anisotropic. */
export const oblique: ImageGeometry = {
  centreMm: [12.5, -33.25, 47],
  ...directions(0.3, -0.7, 1.9, true),
  fovMm: [55, 36, 60],
  matrixSize: [11, 8, 5],
};
