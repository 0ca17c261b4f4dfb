/**
 * The latest images in memory, for whoever looks on. Bounded in bytes; the oldest go first, and the archive has them.
 * They are kept by the session that made them, which no two patients share.
 */
import type { PixelWindow } from '../../imaging/index.js';
import { complexKinds } from '../../recon/index.js';
import type { ReconImage } from '../../recon/index.js';
import { chooseWindow, magnitudeOf, surveyOf } from '../delivery/index.js';
import type { OutputKind } from './events.js';

export interface ExamPicture {
  readonly sessionId: string;
  readonly output: OutputKind;
  /** Counted from 1 within the output, in the order of arrival. */
  readonly number: number;
  readonly slice: number;
  readonly contrast: number;
  readonly repetition: number;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns], magnitude or map value; not to be changed. */
  readonly values: Float32Array;
  /** In the unit of the values; that of the first image of its output, so that slices can be compared. */
  readonly window: PixelWindow;
}

/** Images that are looked at; coil maps and point-spread functions are many and for files. */
const shown: ReadonlySet<OutputKind> = new Set<OutputKind>(['image', 'gFactor', 'noise', 'snr']);

export const isShown = (image: Pick<ReconImage, 'kind'>): boolean => shown.has(image.kind) || !complexKinds.has(image.kind);

export function pictureOf(sessionId: string, number: number, image: ReconImage, window?: PixelWindow): ExamPicture {
  const { kind: output, rows, columns, counters } = image;
  const values = image.data.length === 2 * rows * columns ? magnitudeOf(image.data) : image.data;
  return {
    sessionId, output, number, slice: counters.slice, contrast: counters.contrast, repetition: counters.repetition, rows, columns, values,
    window: window ?? chooseWindow(values, surveyOf(values).peak, 1, 'float32'),
  };
}

export class PictureStore {
  readonly #limitBytes: number;
  /** Oldest first. */
  readonly #pictures = new Map<string, ExamPicture>();
  #nBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get nBytes(): number {
    return this.#nBytes;
  }

  put(picture: ExamPicture): void {
    const key = keyOf(picture.sessionId, picture.output, picture.number);
    this.#remove(key);
    this.#pictures.set(key, picture);
    this.#nBytes += picture.values.byteLength;
    for (const [oldest] of this.#pictures) {
      if (this.#nBytes <= this.#limitBytes) break;
      this.#remove(oldest);
    }
  }

  get(sessionId: string, output: OutputKind, number: number): ExamPicture | undefined {
    return this.#pictures.get(keyOf(sessionId, output, number));
  }

  ofSession(sessionId: string): ExamPicture[] {
    return [...this.#pictures.values()].filter((picture) => picture.sessionId === sessionId);
  }

  #remove(key: string): void {
    const known = this.#pictures.get(key);
    if (known === undefined) return;
    this.#pictures.delete(key);
    this.#nBytes -= known.values.byteLength;
  }
}

const keyOf = (sessionId: string, output: OutputKind, number: number) => `${sessionId} ${output} ${number}`;
