/** The plane nearest to slices, by the axis that their normal is closest to (LPS). */
import type { Orientation } from '../../protocols/index.js';

const planes: readonly Orientation[] = ['sagittal', 'coronal', 'axial'];

/** @returns undefined for a normal of no length */
export function nearestPlane(normal: readonly number[]): Orientation | undefined {
  const lengths = normal.slice(0, 3).map(Math.abs);
  const longest = Math.max(...lengths);
  return longest > 0 && Number.isFinite(longest) ? planes[lengths.indexOf(longest)] : undefined;
}
