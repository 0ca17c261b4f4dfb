/**
 * CT images that a client sends, denoised beside those that go back as they came: a second series, one slice after
 * the other (`CtSeries`); where its strength falls, a series of its own goes on with less. Images that
 * are no CT images are none of its business and are passed over.
 */
import { parseMeta, serializeMeta } from 'ismrmrd';
import type { MetaValue, MrdImage } from 'ismrmrd';
import { CtSeries } from '../../recon/index.js';
import type { CtNoiseByDose, CtSeriesOptions, CtSliceImage, DenoisingRecord, ReconNotice } from '../../recon/index.js';
import { denoisingAttributes, strengthMark } from '../delivery/index.js';
import { sessionWarning } from './errors.js';
import { lessStrength } from './quality.js';

export interface IncomingCtOptions extends CtSeriesOptions {
  /** Of an image; its noise is estimated where the scanner is not described. */
  readonly noiseByDose?: ((image: MrdImage, meta: ReadonlyMap<string, readonly string[]>, slice: CtSliceImage) => CtNoiseByDose) | undefined;
  /** A denoised image, in the order of those that came; its series index is still that of the one that it was made of. */
  readonly image: (image: MrdImage, record: DenoisingRecord) => void;
  readonly say: (notice: ReconNotice) => void;
  /** The series ends before an image, and why. */
  readonly ended: (reason: string) => void;
}

/** Images beyond this are not held: the series ends. */
const mostHeldBytes = 512 * 2 ** 20;
/** A scale of integer pixels as DICOM names it; without it, values are Hounsfield units. */
const [slopeName, interceptName] = ['RescaleSlope', 'RescaleIntercept'];

const integerRange: { readonly [Type in MrdImage['header']['dataType']]?: readonly [least: number, most: number] } = {
  int16: [-32_768, 32_767],
  uint16: [0, 65_535],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

export class IncomingCt {
  readonly #options: IncomingCtOptions;
  readonly #abort = new AbortController();
  #queue: Promise<void> = Promise.resolve();
  #heldBytes = 0;
  #hasEnded = false;
  #nTaken = 0;
  readonly #series: CtSeries;
  #saidEstimated = false;

  constructor(options: IncomingCtOptions) {
    this.#options = options;
    this.#series = new CtSeries(options);
  }

  /** Returns at once; never throws. */
  take(image: MrdImage): void {
    if (this.#hasEnded || !isSlice(image)) return;
    const { byteLength } = image.data;
    if (this.#heldBytes + byteLength > mostHeldBytes) {
      this.#end(`more than ${mostHeldBytes / 2 ** 20} MiB of images wait for the denoiser`);
      return;
    }
    this.#heldBytes += byteLength;
    const index = this.#nTaken++;
    this.#queue = this.#queue.then(() => this.#denoise(image, index)).finally(() => (this.#heldBytes -= byteLength));
  }

  /** Resolves when every image that was taken has its answer. Never rejects. */
  done(): Promise<void> {
    return this.#queue;
  }

  /** Whether no image was one for it. */
  get isUnused(): boolean {
    return this.#series.nDenoised === 0 && !this.#hasEnded;
  }

  /** Nobody waits any more. */
  abort(): void {
    this.#hasEnded = true;
    this.#abort.abort();
  }

  async #denoise(image: MrdImage, index: number): Promise<void> {
    if (this.#hasEnded) return;
    try {
      const scale = scaleOf(image);
      const [columns, rows] = image.header.matrixSize;
      const hounsfield = Float32Array.from(image.data as ArrayLike<number>, (value) => value * scale.slope + scale.intercept);
      const slice = { rows, columns, pixelMm: image.header.fovMm[0] / columns, hounsfield };
      const step = await this.#series.next(slice, `image ${index + 1}`, this.#options.noiseByDose?.(image, scale.meta, slice), this.#abort.signal);
      if (this.#abort.signal.aborted || step.kind === 'passed') return;
      if (step.kind === 'ended') {
        this.#end(step.reason);
        return;
      }
      const { record, isLowered, doubt } = step;
      if (isLowered) this.#options.say(lessStrength(`image ${index + 1}`, record));
      this.#sayEstimated(doubt, index);
      this.#options.image(this.#answer(image, step.hounsfield, scale, record), record);
    } catch (error) {
      this.#end(`image ${index + 1} could not be denoised: ${String(error)}`);
    }
  }

  /** Once a session: of a described scanner, noise by dose was to be expected. */
  #sayEstimated(reason: string | undefined, index: number): void {
    if (reason === undefined || this.#saidEstimated) return;
    this.#saidEstimated = true;
    this.#options.say(sessionWarning('CONUS_WARN_CT_NOISE_ESTIMATED', `image ${index + 1}: ${reason}; its noise is estimated from the image`));
  }

  #end(reason: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#options.ended(reason);
  }

  /** With the pixel type and the scale that it came with. */
  #answer(image: MrdImage, hounsfield: Float32Array, { slope, intercept, meta }: Scale, record: DenoisingRecord): MrdImage {
    const data = image.data.slice();
    const range = integerRange[image.header.dataType];
    hounsfield.forEach((value, pixel) => {
      const stored = (value - intercept) / slope;
      data[pixel] = range === undefined ? stored : Math.min(range[1], Math.max(range[0], Math.round(stored)));
    });
    const description = meta.get('SeriesDescription')?.[0] ?? 'CT';
    const attributes = new Map<string, MetaValue>([...meta, ['SeriesDescription', `${description} ${strengthMark(record)}`], ...Object.entries(denoisingAttributes({ denoising: record }))]);
    return {
      header: image.header,
      attributes: serializeMeta(Object.fromEntries(attributes)),
      data,
    };
  }
}

interface Scale {
  readonly slope: number;
  readonly intercept: number;
  readonly meta: ReadonlyMap<string, readonly string[]>;
}

/** One real slice of square pixels. */
function isSlice({ header: { matrixSize, nChannels, dataType, fovMm } }: MrdImage): boolean {
  const [columns, rows, nSlices] = matrixSize;
  const isReal = dataType !== 'complex64' && dataType !== 'complex128';
  const isSquare = Math.abs(fovMm[0] / columns - fovMm[1] / rows) <= 0.01 * (fovMm[0] / columns);
  return isReal && nChannels === 1 && nSlices === 1 && fovMm[0] > 0 && isSquare;
}

function scaleOf({ attributes }: MrdImage): Scale {
  const meta = parseMeta(attributes);
  const number = (name: string, otherwise: number) => {
    const value = Number(meta.get(name)?.[0] ?? otherwise);
    return Number.isFinite(value) ? value : otherwise;
  };
  return { slope: number(slopeName!, 1) || 1, intercept: number(interceptName!, 0), meta };
}
