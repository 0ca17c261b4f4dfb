/**
 * The window in which the images of a series are shown first: by the middle of a slice, because next to a surface coil fat is
 * so bright that the spine would be dark. One for all slices of a series, conventional and denoised, so that they can be
 * compared; whoever wants another one is not overruled. Maps have their own.
 */
import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { PixelWindow, SeriesView } from '../api/index.js';
import { mapOf } from './maps.js';
import type { PictureData } from './store.js';
import { windowOfMiddle } from './window.js';

const mostKept = 256;
/** By exam and series. */
const kept = new Map<string, PixelWindow>();

/** Sets the window once for each series, when a picture of it is there and no further slices are awaited. @param picture that is shown */
export function useSpineWindow(window: Signal<PixelWindow | undefined>, examId: string, of: Pick<SeriesView, 'id' | 'state' | 'facts'> | undefined, picture: PictureData | undefined): void {
  const series = `${examId} ${of?.id ?? ''}`;
  const isOwn = of !== undefined && picture?.seriesId === of.id;
  const isMap = isOwn && mapOf(picture.output) !== undefined;
  const shown = isMap ? `${series} ${picture.output}` : series;
  const last = useRef<string | undefined>(undefined);
  const isChosen = useRef(false);
  const isWhole = of?.state === 'complete' || of?.state === 'delivered';
  useEffect(() => {
    if (!isOwn) return;
    if (last.current !== shown) {
      last.current = shown;
      isChosen.current = false;
      window.value = undefined;
    }
    if (isChosen.current || isMap || !isWhole || of.facts.modality === 'CT') return;
    isChosen.current = true;
    const chosen = kept.get(series) ?? windowOfMiddle(picture);
    kept.set(series, chosen);
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break;
      kept.delete(oldest);
    }
    window.value = chosen;
  }, [shown, isOwn, isWhole, picture]);
}
