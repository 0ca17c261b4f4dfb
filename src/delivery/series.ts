/**
 * Which series an image belongs to, and its pixels at that series' scale. One series holds one kind
 * of image, one method, one unit, one pixel type and one matrix size: scanners and archives allocate
 * by the first image of a series, and one series must not mix what cannot be compared.
 */
import type { MrdHeader, MrdImage, PixelArray } from 'ismrmrd';
import type { PixelWindow } from '../../imaging/index.js';
import { complexKinds, type ReconImage, type ReconImageKind, type ReconNotice } from '../../recon/index.js';
import { seriesMark } from './describe.js';
import { text } from './dicomValues.js';
import { deliveryError, warning } from './errors.js';
import { isSimulated, simulatedMark } from './headerFacts.js';
import { mrdImage } from './mrdImage.js';
import { chooseScale, chooseWindow, magnitudeOf, quantise, surveyOf } from './scale.js';
import type { DeliveredPixelType, DeliverySettings } from './types.js';

/** What every image of a series has in common. */
export interface Series {
  readonly index: number;
  readonly description: string;
  readonly pixelType: DeliveredPixelType;
  /** value = stored * rescaleSlope */
  readonly rescaleSlope: number;
  /** In stored values. */
  readonly window: PixelWindow;
}

/** An image with its place in a series and its pixels as they are stored. */
export interface DeliveredImage {
  readonly image: ReconImage;
  readonly series: Series;
  /** Counted from 1 within the series. */
  readonly imageIndex: number;
  /** [rows, columns]; complex64 interleaved */
  readonly pixels: PixelArray;
}

interface Ledger {
  readonly series: Series;
  nImages: number;
  nClipped: number;
  nClippedImages: number;
  nNotFinite: number;
  nEmpty: number;
}

/** Fixed places for the series that every scan may have, so that a late map cannot move them. */
const seriesOffset: Readonly<Record<ReconImageKind, number>> = { image: 0, gFactor: 1, noise: 2, snr: 3, coilMap: 4, psf: 5, denoised: 6, residual: 7 };

export class SeriesBook {
  readonly #header: MrdHeader | undefined;
  readonly #settings: DeliverySettings;
  readonly #ledgers = new Map<string, Ledger>();
  readonly #usedIndices = new Set<number>();
  #magnitude = new Float32Array(0);

  constructor(header: MrdHeader | undefined, settings: DeliverySettings) {
    this.#header = header;
    this.#settings = settings;
  }

  /**
   * The image at its series' scale. The first image of a series sets the scale and the window.
   * @throws CONUS_ERR_IMAGE_SIZE
   */
  place(image: ReconImage): DeliveredImage {
    const nPixels = image.rows * image.columns;
    const isComplex = complexKinds.has(image.kind);
    const nValues = isComplex ? 2 * nPixels : nPixels;
    const valid = [image.rows, image.columns].every((size) => size >= 1 && size <= 65535);
    if (!valid || image.data.length !== nValues) {
      throw deliveryError(
        'CONUS_ERR_IMAGE_SIZE',
        `${image.data.length} values for ${image.rows} rows x ${image.columns} columns (${image.kind})`,
      );
    }
    const values = isComplex ? this.#magnitudeOf(image) : image.data;
    const survey = surveyOf(values);
    const ledger = this.#ledgerOf(image, values, survey.peak);
    const { series } = ledger;
    ledger.nImages++;
    ledger.nNotFinite += survey.nNotFinite;
    if (survey.peak === 0) ledger.nEmpty++;

    let pixels: PixelArray;
    if (series.pixelType === 'complex64') {
      pixels = image.data;
    } else if (series.pixelType === 'float32') {
      pixels = values;
    } else {
      const quantised = quantise(values, 1 / series.rescaleSlope, series.pixelType);
      pixels = quantised.pixels;
      ledger.nClipped += quantised.nClipped;
      if (quantised.nClipped > 0) ledger.nClippedImages++;
    }
    return { image, series, imageIndex: ledger.nImages, pixels };
  }

  /** The image as an MRD message. @throws CONUS_ERR_IMAGE_SIZE */
  message(image: ReconImage): MrdImage {
    return mrdImage(this.place(image), this.#header, this.#settings);
  }

  /** What is to be said about the images so far, one notice a series and matter. */
  get notices(): readonly ReconNotice[] {
    const notices: ReconNotice[] = [];
    for (const { series, ...ledger } of this.#ledgers.values()) {
      const name = `series ${series.index} (${series.description})`;
      if (ledger.nClipped > 0) {
        const where = `${ledger.nClipped} pixels of ${ledger.nClippedImages} images in ${name} are beyond ${series.pixelType}`;
        notices.push(warning('CONUS_WARN_CLIPPED', `${where} at ${1 / series.rescaleSlope} stored values a unit`));
      }
      if (ledger.nNotFinite > 0) {
        notices.push(warning('CONUS_WARN_NOT_FINITE', `${ledger.nNotFinite} pixels in ${name} are not finite`));
      }
      if (ledger.nEmpty > 0) {
        notices.push(warning('CONUS_WARN_EMPTY_IMAGE', `${ledger.nEmpty} of ${ledger.nImages} images in ${name} are 0 throughout`));
      }
    }
    return notices;
  }

  /** Only floating-point pixels are the magnitude itself: else one place serves all images. */
  #magnitudeOf({ kind, data }: ReconImage): Float32Array {
    if (this.#pixelTypeOf(kind) === 'float32') return magnitudeOf(data);
    const nPixels = data.length / 2;
    if (this.#magnitude.length !== nPixels) this.#magnitude = new Float32Array(nPixels);
    return magnitudeOf(data, this.#magnitude);
  }

  #ledgerOf(image: ReconImage, values: Float32Array, peak: number): Ledger {
    const pixelType = this.#pixelTypeOf(image.kind);
    const { denoising } = image;
    const key = [image.kind, image.method, image.snrUnits, image.rows, image.columns, denoising?.strengthPercent, denoising?.modelSha256].join(' ');
    const known = this.#ledgers.get(key);
    if (known !== undefined) return known;
    const scale = chooseScale(image, pixelType, peak);
    const series = {
      index: this.#nextIndex(image.kind),
      description: this.#describe(image),
      pixelType,
      rescaleSlope: 1 / scale,
      window: chooseWindow(values, peak, scale, pixelType),
    };
    const ledger = { series, nImages: 0, nClipped: 0, nClippedImages: 0, nNotFinite: 0, nEmpty: 0 };
    this.#ledgers.set(key, ledger);
    return ledger;
  }

  #pixelTypeOf(kind: ReconImageKind): DeliveredPixelType {
    const { pixelType, openRecon } = this.#settings;
    if (pixelType === 'complex64' && !complexKinds.has(kind)) return 'float32';
    return pixelType === 'uint16' && openRecon ? 'int16' : pixelType;
  }

  #nextIndex(kind: ReconImageKind): number {
    const base = this.#settings.seriesIndexBase ?? 1;
    let index = base + seriesOffset[kind];
    if (this.#usedIndices.has(index)) index = base + Object.keys(seriesOffset).length;
    while (this.#usedIndices.has(index)) index++;
    this.#usedIndices.add(index);
    return index;
  }

  /** As long as DICOM allows, and never so long that the mark is cut off. */
  #describe(image: ReconImage): string {
    const information = this.#header?.measurementInformation;
    const name =
      this.#settings.seriesDescription ?? information?.seriesDescription ?? information?.protocolName ?? 'Conus';
    const mark = seriesMark(image);
    const before = isSimulated(this.#header) ? `${simulatedMark} ` : '';
    return `${before}${text(name, 63 - mark.length - before.length)} ${mark}`.trim();
  }
}
