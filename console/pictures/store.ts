/**
 * The pictures that the page has: those that came over the live channel, and those that were asked for. Bounded in
 * bytes; what was not looked at for longest goes first, and is asked for again when it is needed.
 */
import { signal } from '@preact/signals';
import type { Signal } from '@preact/signals';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { getBytes, getJson, onPicture, seriesPath } from '../api/index.js';
import type { PictureEntry, PictureMessage, PixelWindow, SeriesView, SliceGeometry } from '../api/index.js';

export interface PictureName {
  readonly examId: string;
  readonly seriesId: string;
  readonly output: string;
  /** From 1 within the output. */
  readonly number: number;
  /** Of a scan that was sent several times, 1 the first; else the latest. */
  readonly attempt?: number | undefined;
}

export interface PictureData extends PictureName {
  readonly slice: number;
  readonly rows: number;
  readonly columns: number;
  readonly window: PixelWindow;
  /** [rows, columns] */
  readonly values: Float32Array | Uint8Array;
  readonly geometry?: SliceGeometry | undefined;
  /** ms since 1970, when it was made; of those that came by themselves. */
  readonly at?: number | undefined;
}

const mostBytes = 192 * 2 ** 20;
const mostLists = 64;
const askAgainMs = 400;

const keyOf = ({ examId, seriesId, output, number, attempt }: PictureName) => `${examId} ${seriesId} ${output} ${number} ${attempt ?? 'latest'}`;

export class PictureCache {
  readonly #mostBytes: number;
  /** Those that were looked at last are last. */
  readonly #pictures = new Map<string, PictureData>();
  #nBytes = 0;

  constructor(limitBytes: number) {
    this.#mostBytes = limitBytes;
  }

  get nBytes(): number {
    return this.#nBytes;
  }

  get size(): number {
    return this.#pictures.size;
  }

  put(picture: PictureData): void {
    const key = keyOf(picture);
    this.#remove(key);
    this.#pictures.set(key, picture);
    this.#nBytes += picture.values.byteLength;
    for (const oldest of this.#pictures.keys()) {
      if (this.#nBytes <= this.#mostBytes) break;
      this.#remove(oldest);
    }
  }

  get(name: PictureName): PictureData | undefined {
    const key = keyOf(name);
    const found = this.#pictures.get(key);
    if (found === undefined) return undefined;
    this.#pictures.delete(key);
    this.#pictures.set(key, found);
    return found;
  }

  #remove(key: string): void {
    this.#nBytes -= this.#pictures.get(key)?.values.byteLength ?? 0;
    this.#pictures.delete(key);
  }
}

export const pictureCache = new PictureCache(mostBytes);

/** What came by itself of one series. */
interface Arrivals {
  /** Grows with every picture, so that whoever shows the series looks again. */
  readonly revision: Signal<number>;
  /** By output and number: they can be shown before the list of the service is asked for. */
  readonly entries: Map<string, PictureEntry>;
}

const arrivals = new Map<string, Arrivals>();

function arrivalsOf(examId: string, seriesId: string): Arrivals {
  const key = `${examId} ${seriesId}`;
  let found = arrivals.get(key);
  if (found === undefined) {
    found = { revision: signal(0), entries: new Map() };
    arrivals.set(key, found);
    for (const oldest of arrivals.keys()) {
      if (arrivals.size <= mostLists) break;
      arrivals.delete(oldest);
    }
  }
  return found;
}

const revisionOf = (examId: string, seriesId: string): Signal<number> => arrivalsOf(examId, seriesId).revision;

onPicture((message: PictureMessage) => {
  const { examId, seriesId, output, number, slice, rows, columns, window, pixels, geometry, at } = message;
  pictureCache.put({ examId, seriesId, output, number, slice, rows, columns, window, values: pixels, geometry, at });
  const { revision, entries } = arrivalsOf(examId, seriesId);
  entries.set(`${output} ${number}`, { output, number, slice, contrast: 0, repetition: 0, rows, columns, window, geometry });
  revision.value++;
});

export const imagesPath = (examId: string, seriesId: string): string => `${seriesPath(examId, seriesId)}/images`;

/** What pictures there are of a series, in the order of their slices within each output. */
export function usePictureList(examId: string, series: Pick<SeriesView, 'id' | 'outputs'> | undefined, attempt?: number): readonly PictureEntry[] {
  const [list, setList] = useState<{ readonly of: string; readonly entries: readonly PictureEntry[] }>({ of: '', entries: [] });
  const of = series === undefined ? '' : `${examId} ${series.id} ${attempt ?? 'latest'}`;
  const seriesId = series?.id;
  const revision = seriesId === undefined ? 0 : revisionOf(examId, seriesId).value;
  const nImages = series?.outputs.map(({ kind, nImages: n }) => `${kind} ${n}`).join();
  useEffect(() => {
    if (seriesId === undefined) return undefined;
    const abort = new AbortController();
    // Images come many at once: one question for them all.
    const timer = setTimeout(() => {
      getJson<{ images: PictureEntry[] }>(`${imagesPath(examId, seriesId)}${attempt === undefined ? '' : `?attempt=${attempt}`}`, abort.signal)
        .then(({ images }) => setList({ of, entries: images }))
        .catch(() => undefined);
    }, list.of === of ? askAgainMs : 0);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [of, nImages]);
  return useMemo(() => {
    if (seriesId === undefined) return [];
    const told = list.of === of ? list.entries : [];
    const isTold = new Set(told.map(({ output, number }) => `${output} ${number}`));
    // What comes by itself is of the latest.
    const untold = attempt !== undefined ? [] : [...arrivalsOf(examId, seriesId).entries].flatMap(([key, entry]) => (isTold.has(key) ? [] : [entry]));
    return [...told, ...untold].sort((a, b) => (a.output < b.output ? -1 : a.output > b.output ? 1 : placeOf(a) - placeOf(b) || a.number - b.number));
  }, [of, list, revision]);
}

const placeOf = ({ slice, contrast, repetition }: PictureEntry): number => (repetition * 64 + contrast) * 4096 + slice;

/** A picture as soon as it is there; undefined until then, with the error where there is none. */
export function usePicture(name: PictureName | undefined): { readonly picture: PictureData | undefined; readonly error: unknown } {
  const [, setCount] = useState(0);
  const [error, setError] = useState<unknown>();
  const key = name === undefined ? '' : keyOf(name);
  const revision = name === undefined ? 0 : revisionOf(name.examId, name.seriesId).value;
  const picture = name === undefined ? undefined : pictureCache.get(name);
  useEffect(() => {
    if (name === undefined || picture !== undefined) return undefined;
    let isWanted = true;
    setError(undefined);
    fetchPicture(name)
      .then(() => isWanted && setCount((count) => count + 1))
      .catch((cause: unknown) => isWanted && setError(cause));
    return () => {
      isWanted = false;
    };
  }, [key, picture === undefined, revision]);
  return { picture, error: picture === undefined ? error : undefined };
}

const underway = new Map<string, Promise<PictureData>>();

/** From the service, into the cache. @throws ApiError */
export function fetchPicture(name: PictureName): Promise<PictureData> {
  const key = keyOf(name);
  const known = underway.get(key);
  if (known !== undefined) return known;
  const { examId, seriesId, output, number, attempt } = name;
  const asked = getBytes(`${imagesPath(examId, seriesId)}/${number}?output=${encodeURIComponent(output)}&as=float32${attempt === undefined ? '' : `&attempt=${attempt}`}`)
    .then(({ bytes, headers }) => {
      const fact = (header: string) => Number(headers.get(`x-conus-${header}`));
      const geometry = headers.get('x-conus-geometry');
      const picture: PictureData = {
        ...name, slice: fact('slice'), rows: fact('rows'), columns: fact('columns'), values: new Float32Array(bytes),
        window: { centre: fact('window-centre'), width: fact('window-width') },
        ...(geometry !== null && { geometry: JSON.parse(geometry) as SliceGeometry }),
      };
      pictureCache.put(picture);
      return picture;
    })
    .finally(() => underway.delete(key));
  underway.set(key, asked);
  return asked;
}
