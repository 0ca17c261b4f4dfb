/** One picture less another one, as a picture: where both are of one size and lie in one place. */
import { length } from '../pictures/geometry.js';
import { subtracted } from '../pictures/maps.js';
import type { PictureData } from '../pictures/store.js';

/** Share of the first picture's window that is full colour. */
const shownShare = 0.2;

export function differencePicture(left: PictureData | undefined, right: PictureData | undefined): PictureData | undefined {
  if (left === undefined || right === undefined || !liesTogether(left, right)) return undefined;
  const values = subtracted(left, right);
  if (values === undefined) return undefined;
  return { ...left, output: `${left.output} - ${right.output}`, values, window: { centre: 0, width: 2 * shownShare * left.window.width }, at: undefined };
}

/** Within half a pixel, where both places are known. */
function liesTogether({ geometry: a }: PictureData, { geometry: b }: PictureData): boolean {
  if (a === undefined || b === undefined) return true;
  const apart = (of: 'originMm' | 'columnStepMm' | 'rowStepMm') => length([0, 1, 2].map((k) => a[of][k]! - b[of][k]!) as unknown as [number, number, number]);
  const pixelMm = length(a.columnStepMm);
  return apart('originMm') < 0.5 * pixelMm && apart('columnStepMm') < 0.01 * pixelMm && apart('rowStepMm') < 0.01 * pixelMm;
}
