/** The first vertebra as the axis carries it: a ring about the dens; in the frame of C2. It has no plan of its own. */
import type { Vector3 } from '../../imaging/index.js';
import { smoothUnion, tube, type Solid, type TubePoint } from '../anatomy/index.js';
import { posteriorWallMm } from './alignment.js';
import type { VertebraPlan } from './plan.js';

export function atlasSolid(axis: VertebraPlan): Solid {
  const scale = axis.body.lowerWidthMm / 17.5;
  const top = (axis.body.anteriorHeightMm + axis.body.posteriorHeightMm) / 4;
  const back = posteriorWallMm(axis) + 23 * scale;
  const point = (centreMm: Vector3, acrossMm: number, alongMm: number): TubePoint => ({ centreMm, acrossMm: acrossMm * scale, alongMm: alongMm * scale });
  const ring = [-1, 1].flatMap((out) => {
    const mass: Vector3 = [out * 17 * scale, 2, top + 8.5];
    return [
      tube([point([0, -9.5 * scale, top + 8], 3, 4.5), point([out * 9 * scale, -7 * scale, top + 8], 3, 4), point(mass, 5, 5)]),
      // Two of these make the lateral mass, wedge-shaped, on the shoulder of the axis.
      tube([point(mass, 5.5, 6), point([out * 20 * scale, 3, top + 7.5], 5.5, 5.5)], [1, 0, 0]),
      tube([point([out * 20 * scale, 6 * scale, top + 8], 3.5, 4), point([out * 15 * scale, back - 7 * scale, top + 8], 2.6, 3.5), point([0, back, top + 7], 3.4, 4)]),
      tube([point([out * 21 * scale, 2, top + 7], 4, 4), point([out * 35 * scale, 4 * scale, top + 6], 3.5, 4)]),
    ];
  });
  return smoothUnion(2.5, ...ring);
}
