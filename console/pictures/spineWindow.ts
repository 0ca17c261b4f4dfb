/**
 * The window in which the images of a series are shown first: by the middle of a slice, because next to a surface coil fat is
 * so bright that the spine would be dark. One for all slices of a series, conventional and denoised, so that they can be
 * compared; whoever wants another one is not overruled.
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

/** Sets the window once for each series, when a picture of it is there and no further slices are awaited. */
export function useSpineWindow(window: Signal<PixelWindow | undefined>, examId: string, { id, state, facts }: SeriesView, picture: PictureData | undefined): void {
  const key = `${examId} ${id}`;
  const applied = useRef<string | undefined>(undefined);
  const isWhole = state === 'complete' || state === 'delivered';
  const isImage = picture?.seriesId === id && mapOf(picture.output) === undefined && facts.modality !== 'CT';
  useEffect(() => {
    if (!isWhole || !isImage || picture === undefined || applied.current === key) return;
    applied.current = key;
    const chosen = kept.get(key) ?? windowOfMiddle(picture);
    kept.set(key, chosen);
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break;
      kept.delete(oldest);
    }
    window.value = chosen;
  }, [key, isWhole, isImage, picture]);
}
