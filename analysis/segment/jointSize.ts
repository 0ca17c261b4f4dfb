/**
 * Facet joints are small: lumbar articular surfaces are 13 to 17 mm high (Panjabi 1993, Spine 18:1298) and lie a few millimetres apart. What hangs
 * together in a slice over a larger area than the section of such a joint is bone of arches: laminae, spinous and articular processes, which the
 * network takes for joints in images unlike those that taught it the class.
 *
 *   facet joint → posterior elements     where its connected piece in the slice (four neighbours) has more than `mostMm2`
 */
import { classIndex } from './classes.js';

/** Of simulated joints the largest have 75 mm², cut along their surfaces. */
const mostMm2 = 90;

/** In place. @param classes of a slice, [row, column] */
export function keepSmallJoints(classes: Uint8Array, columns: number, pixelMm2: number): void {
  const seen = new Uint8Array(classes.length);
  const { facetJoint, posteriorElements } = classIndex;
  for (let start = 0; start < classes.length; start++) {
    if (seen[start] === 1 || classes[start] !== facetJoint) continue;
    const piece = [start];
    seen[start] = 1;
    // An array visits what is added while it is gone through.
    for (const pixel of piece) {
      const column = pixel % columns;
      for (const next of [pixel - columns, pixel + columns, column > 0 ? pixel - 1 : -1, column < columns - 1 ? pixel + 1 : -1]) {
        if (next < 0 || next >= classes.length || seen[next] === 1 || classes[next] !== facetJoint) continue;
        seen[next] = 1;
        piece.push(next);
      }
    }
    if (piece.length * pixelMm2 > mostMm2) for (const pixel of piece) classes[pixel] = posteriorElements;
  }
}
