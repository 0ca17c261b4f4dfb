/**
 * The pages of a reconstruction, one a series of images: pictures are drawn as images come, so that no
 * image has to be kept, and the rest is put round them when the scan is over.
 */
import {
  backgroundThreshold, meanOf, percentileOf, sortedWithin, thresholdMask, type RealArray,
} from '../../imaging/index.js';
import { complexKinds, type ReconImage, type ReconImageKind } from '../../recon/index.js';
import { SeriesBook, type DeliverySettings } from '../delivery/index.js';
import type { MrdHeader } from 'ismrmrd';
import { niceCeiling, pictureUri, type Scale } from './pictures.js';
import type { PointSpreadPicture } from './pointSpread.js';

/** Images that a page shows; more are counted only. */
const mostImages = 64;
const mostCoilMaps = 64;

/** Kinds that have a column beside the images. */
export type ColumnKind = Extract<ReconImageKind, 'image' | 'gFactor' | 'snr' | 'noise'>;

/** One image with its maps. */
export interface ImageRow {
  readonly counters: ReconImage['counters'];
  readonly pictures: Partial<Record<ColumnKind, string>>;
  /** Within the object. */
  gMean?: number;
  g99?: number;
  snrMedian?: number;
}

export interface SeriesContent {
  readonly index: number;
  readonly description: string;
  /** The first image, for what it says of itself. */
  readonly first: ReconImage;
  readonly rows: readonly ImageRow[];
  readonly nLeftOut: number;
  readonly scales: Partial<Record<ColumnKind, Scale>>;
  readonly pointSpread: PointSpreadPicture | undefined;
  /** Pictures as data URIs, one a coil, of the first image that came with coil maps; empty where none did. */
  readonly coilMaps: readonly string[];
}

interface Gathering {
  readonly index: number;
  readonly description: string;
  readonly first: ReconImage;
  readonly rows: Map<string, ImageRow>;
  readonly scales: Partial<Record<ColumnKind, Scale>>;
  nLeftOut: number;
  pointSpread: PointSpreadPicture | undefined;
  coilMapsOf: string | undefined;
  readonly coilMaps: string[];
}

export class SeriesReports {
  readonly #book: SeriesBook;
  readonly #series = new Map<number, Gathering>();
  /** The image that came last, whose maps follow it. */
  #current: { readonly gathering: Gathering; readonly key: string; readonly row: ImageRow | undefined; readonly mask: Uint8Array | undefined } | undefined;

  constructor(header: MrdHeader, settings: DeliverySettings) {
    this.#book = new SeriesBook(header, { ...settings, pixelType: 'float32' });
  }

  image(image: ReconImage): void {
    if (image.kind === 'image') this.#imageCame(image);
    else if (image.kind !== 'denoised' && image.kind !== 'residual') this.#mapCame(image, image.kind);
  }

  get series(): readonly SeriesContent[] {
    return [...this.#series.values()].map((gathering) => ({ ...gathering, rows: [...gathering.rows.values()] }));
  }

  #imageCame(image: ReconImage): void {
    const { series, pixels } = this.#book.place(image);
    const { window } = series;
    let gathering = this.#series.get(series.index);
    if (gathering === undefined) {
      const scale: Scale = { low: window.centre - window.width / 2, high: window.centre + window.width / 2, paint: 'grey' };
      gathering = {
        index: series.index, description: series.description, first: { ...image, data: new Float32Array(0) }, rows: new Map(),
        scales: { image: scale }, nLeftOut: 0, pointSpread: undefined, coilMapsOf: undefined, coilMaps: [],
      };
      this.#series.set(series.index, gathering);
    }
    const key = Object.values(image.counters).join();
    // Delivered again with late lines: the last delivery counts.
    const isShown = gathering.rows.has(key) || gathering.rows.size < mostImages;
    let row: ImageRow | undefined;
    if (isShown) {
      row = { counters: image.counters, pictures: { image: pictureUri(pixels as Float32Array, image.rows, image.columns, gathering.scales.image!) } };
      gathering.rows.set(key, row);
    } else {
      gathering.nLeftOut++;
    }
    this.#current = { gathering, key, row, mask: isShown ? objectOf(pixels as Float32Array) : undefined };
  }

  #mapCame(image: ReconImage, kind: Exclude<ReconImageKind, 'image' | 'denoised' | 'residual'>): void {
    if (this.#current === undefined) return;
    const { gathering, key, row, mask } = this.#current;
    if (row === undefined) return;
    const { rows, columns, counters } = image;
    const values = complexKinds.has(kind) ? magnitudesOf(image.data) : image.data;
    if (kind === 'psf') {
      gathering.pointSpread ??= { rows, columns, magnitude: values, slice: counters.slice };
    } else if (kind === 'coilMap') {
      gathering.coilMapsOf ??= key;
      if (gathering.coilMapsOf !== key || gathering.coilMaps.length === mostCoilMaps) return;
      gathering.coilMaps.push(pictureUri(values, rows, columns, { low: 0, high: 1, paint: 'grey' }));
    } else {
      this.#columnCame(gathering, row, mask, image, kind);
    }
  }

  #columnCame(gathering: Gathering, row: ImageRow, mask: Uint8Array | undefined, { data, rows, columns }: ReconImage, kind: Exclude<ColumnKind, 'image'>): void {
    const within = mask === undefined ? undefined : finiteWithin(data, mask);
    const high = within === undefined ? 1 : percentileOf(within, 99);
    gathering.scales[kind] ??= scaleOf(kind, high);
    // A g-factor where there is no object tells nothing.
    const shown = kind === 'gFactor' && mask !== undefined ? data.map((value, pixel) => (mask[pixel] === 1 ? value : 0)) : data;
    row.pictures[kind] = pictureUri(shown, rows, columns, gathering.scales[kind]);
    if (within === undefined) return;
    if (kind === 'gFactor') [row.gMean, row.g99] = [meanOf(within), high];
    if (kind === 'snr') row.snrMedian = percentileOf(within, 50);
  }
}

function scaleOf(kind: Exclude<ColumnKind, 'image'>, high: number): Scale {
  return { low: kind === 'gFactor' ? 1 : 0, high: kind === 'gFactor' ? Math.max(1.5, niceCeiling(high)) : niceCeiling(high), paint: 'heat' };
}

/** Undefined for an image of zeros. */
function objectOf(magnitude: Float32Array): Uint8Array | undefined {
  return magnitude.some((value) => value > 0) ? thresholdMask(magnitude, backgroundThreshold) : undefined;
}

function finiteWithin(values: RealArray, mask: Uint8Array): Float64Array | undefined {
  return mask.some((inside, pixel) => inside === 1 && Number.isFinite(values[pixel])) ? sortedWithin(values, mask) : undefined;
}

function magnitudesOf(complex: Float32Array): Float32Array {
  return Float32Array.from({ length: complex.length / 2 }, (_, p) => Math.hypot(complex[2 * p]!, complex[2 * p + 1]!));
}
