/**
 * The window in which the images of a series are shown first: by the middle of a slice, because next to a surface coil fat is
 * so bright that the spine would be dark. One for all slices of a series, conventional and denoised, so that they can be
 * compared; whoever wants another one is not overruled. Maps have their own.
 */
import type { Signal } from '@preact/signals';
import { useEffect, useRef } from 'preact/hooks';
import type { PictureEntry, PixelWindow, SeriesView } from '../api/index.js';
import { mapOf } from './maps.js';
import { usePicture } from './store.js';
import type { PictureData } from './store.js';
import { windowOfMiddle } from './window.js';

const mostKept = 256;
/** By exam and series. */
const kept = new Map<string, PixelWindow>();

/**
 * Sets the window once for each series, when no further slices are awaited: from its middle slice, because one at the edge has
 * no spine in it.
 * @param picture that is shown
 * @param list all pictures of the series
 */
export function useSpineWindow(
  window: Signal<PixelWindow | undefined>, examId: string, of: SeriesView | undefined, picture: PictureData | undefined, list: readonly PictureEntry[],
): void {
  const series = `${examId} ${of?.id ?? ''}`;
  const isOwn = of !== undefined && picture?.seriesId === of.id;
  const isMap = isOwn && mapOf(picture.output) !== undefined;
  const shown = isMap ? `${series} ${picture.output}` : series;
  const last = useRef<string | undefined>(undefined);
  const isChosen = useRef(false);
  const slices = list.filter(({ output }) => output === picture?.output);
  const nImages = of?.outputs.find(({ kind }) => kind === picture?.output)?.nImages ?? 1;
  const isWhole = (of?.state === 'complete' || of?.state === 'delivered') && slices.length >= nImages;
  const isWanted = isOwn && isWhole && !isMap && of.facts.modality !== 'CT';
  const entry = slices[Math.floor(slices.length / 2)];
  const { picture: middle } = usePicture(isWanted && entry !== undefined ? { examId, seriesId: of.id, output: entry.output, number: entry.number } : undefined);
  useEffect(() => {
    if (!isOwn) return;
    if (last.current !== shown) {
      last.current = shown;
      isChosen.current = false;
      window.value = undefined;
    }
    if (isChosen.current || middle === undefined) return;
    isChosen.current = true;
    const chosen = kept.get(series) ?? windowOfMiddle(middle);
    kept.set(series, chosen);
    for (const oldest of kept.keys()) {
      if (kept.size <= mostKept) break;
      kept.delete(oldest);
    }
    window.value = chosen;
  }, [shown, isOwn, middle]);
}
