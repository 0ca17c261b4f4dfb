/**
 * Leaves out canal that the network is not sure of: beside the midline it draws sac where there is none.
 *
 *   a piece of sac and cord in a slice (4-neighbours) stays where the mean probability of its pixels ≥ `leastSure`
 *
 * The threshold is the model's (its card): fitted on validation patients, so that at most one in fifty pieces that stay is false.
 */
import { classIndex } from './classes.js';

const leastSure = 0.7;

/**
 * In place: what is left out is background without confidence.
 * @param classes of a slice, [row, column]; @param confidence likewise, 255 times the probability of the class
 */
export function keepSureCanal(classes: Uint8Array, confidence: Uint8Array, columns: number): void {
  const { sac, cord } = classIndex;
  const seen = new Uint8Array(classes.length);
  const isNew = (pixel: number) => seen[pixel] === 0 && (classes[pixel] === sac || classes[pixel] === cord);
  for (let seed = 0; seed < classes.length; seed++) {
    if (!isNew(seed)) continue;
    const piece = [seed];
    seen[seed] = 1;
    let sum = 0;
    for (let at = 0; at < piece.length; at++) {
      const pixel = piece[at]!;
      const column = pixel % columns;
      sum += confidence[pixel]!;
      for (const next of [pixel - columns, pixel + columns, ...(column > 0 ? [pixel - 1] : []), ...(column < columns - 1 ? [pixel + 1] : [])]) {
        if (!isNew(next)) continue;
        seen[next] = 1;
        piece.push(next);
      }
    }
    if (sum >= leastSure * 255 * piece.length) continue;
    for (const pixel of piece) classes[pixel] = confidence[pixel] = 0;
  }
}
