/**
 * Images as whoever looks on sees them: magnitudes or map values, in windows that can be compared, with their place in the
 * patient. The latest are in memory, bounded in bytes; the oldest go first. They are kept by the session that made them,
 * which no two patients share.
 */
import { slicePlaneOf, windowBetween } from '../../imaging/index.js';
import type { PixelWindow, SlicePlane } from '../../imaging/index.js';
import { complexKinds } from '../../recon/index.js';
import type { ReconImage } from '../../recon/index.js';
import { chooseWindow, magnitudeOf, surveyOf, unitOf } from '../delivery/index.js';
import type { ListedPicture } from './schema.js';

export interface ExamPicture {
  /** Kind of the image: of a scan one of `OutputKind`, of a synthesis one of its maps as well. */
  readonly output: string;
  /** Within the output: the instance number of its DICOM object, where it has one. */
  readonly number: number;
  readonly slice: number;
  readonly contrast: number;
  readonly repetition: number;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns], magnitude or map value; not to be changed. */
  readonly values: Float32Array;
  /** In the unit of the values; one for all of an output, so that slices can be compared. */
  readonly window: PixelWindow;
  /** UCUM, or HU. */
  readonly unit?: string;
  /** Where its pixels are; absent where that is not known. */
  readonly geometry?: SlicePlane;
}

/** What a picture is of, and when it was made, ms since 1970. */
export interface PicturePlace {
  readonly examId: string;
  readonly seriesId: string;
  readonly at: number;
}

/** Pictures of a series, wherever they are kept. */
export interface PictureSource {
  /** In the order of outputs and numbers. @param attempt of a scan that was sent several times, 1 the first; else the latest that has pictures @throws CodedError CONUS_ERR_EXAM_UNKNOWN, CONUS_ERR_SERIES_UNKNOWN */
  list(examId: string, seriesId: string, attempt?: number): Promise<readonly ListedPicture[]>;
  /** @throws CodedError CONUS_ERR_EXAM_UNKNOWN, CONUS_ERR_SERIES_UNKNOWN, CONUS_ERR_IMAGE_GONE */
  picture(examId: string, seriesId: string, output: string, number: number, attempt?: number): Promise<ExamPicture>;
}

/** Images that are looked at; coil maps and point-spread functions are many and for files. */
const hidden: ReadonlySet<string> = new Set(['coilMap', 'psf']);

export const isShown = (output: string): boolean => !hidden.has(output);

/** Whose window an output is shown in: what is compared must look alike. */
const windowOwners: Readonly<Record<string, string>> = { denoised: 'image', low: 'image', high: 'image' };

export const windowOwner = (output: string): string => windowOwners[output] ?? output;

/** Soft tissue to bone. */
const ctWindow: PixelWindow = { centre: 400, width: 1800 };

/** Where an image proposes none. */
export function chosenWindow(values: Float32Array, unit?: string): PixelWindow {
  return unit === 'HU' ? ctWindow : chooseWindow(values, surveyOf(values).peak, 1, 'float32');
}

/** The window of an output whose first image has or was given this one. */
export function windowOf(output: string, window: PixelWindow): PixelWindow {
  if (output === 'fatFraction') return windowBetween(0, 1);
  if (output !== 'residual') return window;
  const most = window.centre + window.width / 2;
  return windowBetween(-most, most);
}

export function pictureOf(number: number, image: ReconImage, window?: PixelWindow): ExamPicture {
  const { kind: output, rows, columns, counters, geometry } = image;
  const values = complexKinds.has(output) ? magnitudeOf(image.data) : image.data;
  return {
    output, number, slice: counters.slice, contrast: counters.contrast, repetition: counters.repetition, rows, columns, values,
    window: window ?? windowOf(output, chosenWindow(values)),
    unit: unitOf(image).code,
    ...(geometry !== undefined && { geometry: slicePlaneOf(geometry) }),
  };
}

export function listed({ output, number, slice, contrast, repetition, rows, columns, window, unit, geometry }: Omit<ExamPicture, 'values'>, isKept: boolean): ListedPicture {
  return { output, number, slice, contrast, repetition, rows, columns, window, ...(unit !== undefined && { unit }), ...(geometry !== undefined && { geometry: planeView(geometry) }), isKept };
}

/** As it is told. */
export function planeView({ originMm: o, rowStepMm: r, columnStepMm: c, thicknessMm }: SlicePlane): NonNullable<ListedPicture['geometry']> {
  return { originMm: [o[0], o[1], o[2]], rowStepMm: [r[0], r[1], r[2]], columnStepMm: [c[0], c[1], c[2]], thicknessMm };
}

/** By output, then by number. */
export const inListOrder = (a: Pick<ExamPicture, 'output' | 'number'>, b: Pick<ExamPicture, 'output' | 'number'>): number =>
  a.output === b.output ? a.number - b.number : a.output < b.output ? -1 : 1;

export class PictureStore {
  readonly #limitBytes: number;
  /** Oldest first. */
  readonly #pictures = new Map<string, { readonly sessionId: string; readonly picture: ExamPicture }>();
  #nBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get nBytes(): number {
    return this.#nBytes;
  }

  put(sessionId: string, picture: ExamPicture): void {
    const key = keyOf(sessionId, picture.output, picture.number);
    this.#remove(key);
    this.#pictures.set(key, { sessionId, picture });
    this.#nBytes += picture.values.byteLength;
    for (const [oldest] of this.#pictures) {
      if (this.#nBytes <= this.#limitBytes) break;
      this.#remove(oldest);
    }
  }

  get(sessionId: string, output: string, number: number): ExamPicture | undefined {
    return this.#pictures.get(keyOf(sessionId, output, number))?.picture;
  }

  ofSession(sessionId: string): ExamPicture[] {
    return [...this.#pictures.values()].flatMap((one) => (one.sessionId === sessionId ? [one.picture] : []));
  }

  #remove(key: string): void {
    const known = this.#pictures.get(key);
    if (known === undefined) return;
    this.#pictures.delete(key);
    this.#nBytes -= known.picture.values.byteLength;
  }
}

const keyOf = (sessionId: string, output: string, number: number) => `${sessionId} ${output} ${number}`;
