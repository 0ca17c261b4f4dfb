/**
 * Views of several pictures that show the same part of the patient, whatever their fields of view and matrices. What they
 * share is the place in the middle and how many CSS pixels a millimetre has:
 *
 *   pixels a mm = zoom * fit,   fit = min(width / width of the field, height / height of the field)
 *
 * so that each picture has a view of its own that follows the shared one, and the shared one follows whoever is moved.
 */
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect, useMemo } from 'preact/hooks';
import type { SliceGeometry } from '../api/index.js';
import { length, toMm, toPixel } from './geometry.js';
import type { PictureData } from './store.js';
import { unmoved } from './viewport.js';
import type { ViewState } from './viewport.js';

export interface SharedView {
  /** LPS. */
  readonly middleMm: readonly [number, number, number];
  /** CSS pixels, as a share of the canvas's width. */
  readonly widthsPerMm: number;
}

type Placed = Pick<PictureData, 'rows' | 'columns'> & { readonly geometry: SliceGeometry };

/** CSS pixels a mm at zoom 1, as a share of the width. @param aspect height of the canvas over its width */
function fitOf({ rows, columns, geometry }: Placed, aspect: number): number {
  return Math.min(1 / (columns * length(geometry.columnStepMm)), aspect / (rows * length(geometry.rowStepMm)));
}

export function sharedOf({ zoom, panX, panY }: ViewState, picture: Placed, aspect: number): SharedView {
  const { rows, columns, geometry } = picture;
  return { middleMm: toMm(geometry, (0.5 - panX) * columns - 0.5, (0.5 - panY) * rows - 0.5), widthsPerMm: zoom * fitOf(picture, aspect) };
}

export function viewOf({ middleMm, widthsPerMm }: SharedView, picture: Placed, aspect: number): ViewState {
  const { column, row } = toPixel(picture.geometry, middleMm);
  return { zoom: widthsPerMm / fitOf(picture, aspect), panX: 0.5 - (column + 0.5) / picture.columns, panY: 0.5 - (row + 0.5) / picture.rows };
}

/** A picture's own view, tied to the shared one. @param aspect of its canvas; undefined while that is not known */
export function useLinkedView(shared: Signal<SharedView | undefined>, picture: PictureData | undefined, aspect: () => number | undefined): Signal<ViewState> {
  const view = useMemo(() => signal<ViewState>(unmoved), []);
  const placed = picture?.geometry === undefined ? undefined : { rows: picture.rows, columns: picture.columns, geometry: picture.geometry };
  const grid = placed === undefined ? '' : JSON.stringify([placed.rows, placed.columns, placed.geometry.columnStepMm, placed.geometry.rowStepMm, placed.geometry.originMm]);
  useEffect(() => {
    if (placed === undefined) return undefined;
    let mine: SharedView | undefined;
    const ends = [
      shared.subscribe((now) => {
        const ratio = aspect();
        if (now === mine || ratio === undefined) return;
        mine = now;
        view.value = now === undefined ? unmoved : viewOf(now, placed, ratio);
      }),
      view.subscribe((now) => {
        const ratio = aspect();
        const known = shared.peek();
        if (ratio === undefined || (known === undefined ? now === unmoved : isAlike(now, viewOf(known, placed, ratio)))) return;
        mine = now === unmoved ? undefined : sharedOf(now, placed, ratio);
        shared.value = mine;
      }),
    ];
    return () => ends.forEach((end) => end());
  }, [grid]);
  return view;
}

function isAlike(a: ViewState, b: ViewState): boolean {
  return Math.abs(a.zoom - b.zoom) < 1e-6 * b.zoom && Math.abs(a.panX - b.panX) < 1e-6 && Math.abs(a.panY - b.panY) < 1e-6;
}
