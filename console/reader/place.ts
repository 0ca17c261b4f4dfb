/** Where a finding is to be looked at: on which slice, and how near. */
import type { Drawing, PictureEntry, SliceGeometry } from '../api/index.js';
import { length, toPixel } from '../pictures/geometry.js';
import type { ViewState } from '../pictures/viewport.js';

/** Shown beside what the finding is drawn on. */
const surroundings = 1.5;

/**
 * Index of the slice that a drawing is on: marked areas lie in its plane, else the middle of the drawing does, or nearly. Of slices
 * that cross, the one whose plane is nearest.
 */
export function sliceOf({ centreMm, areas }: Pick<Drawing, 'centreMm' | 'areas'>, list: readonly Pick<PictureEntry, 'geometry' | 'rows' | 'columns'>[]): number | undefined {
  const placeMm = areas[0]?.pointsMm[0] ?? centreMm;
  let nearest: number | undefined;
  let leastMm = Infinity;
  list.forEach(({ geometry, rows, columns }, index) => {
    if (geometry === undefined) return;
    const { column, row, distanceMm } = toPixel(geometry, placeMm);
    if (column < 0 || row < 0 || column > columns || row > rows || Math.abs(distanceMm) >= leastMm) return;
    leastMm = Math.abs(distanceMm);
    nearest = index;
  });
  return nearest;
}

/** The view in which the drawing is in the middle, with its surroundings. */
export function about({ centreMm, extentMm }: Pick<Drawing, 'centreMm' | 'extentMm'>, { rows, columns }: Pick<PictureEntry, 'rows' | 'columns'>, geometry: SliceGeometry): ViewState {
  const { column, row } = toPixel(geometry, centreMm);
  const shownMm = Math.max(columns * length(geometry.columnStepMm), rows * length(geometry.rowStepMm));
  return { zoom: Math.max(1, shownMm / (surroundings * extentMm)), panX: 0.5 - (column + 0.5) / columns, panY: 0.5 - (row + 0.5) / rows };
}
