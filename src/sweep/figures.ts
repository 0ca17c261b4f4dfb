/**
 * How good the images of a setting are, over the object: the pixels above a part of the reference's
 * brightest one. Magnitudes, in the units that they come in: undersampling keeps the scale of the signal.
 */
import {
  backgroundThreshold, meanOf, nRmse, percentileOf, sortedWithin, ssim, thresholdMask, valueRange,
} from '../../imaging/index.js';
import type { ImageCounters, ReconImage, ReconImageKind } from '../../recon/index.js';

export interface Figures {
  /** Over the object pixels of all images together. */
  readonly nRmse: number;
  /** Mean over the images. */
  readonly ssim: number;
  /** Of all object pixels; undefined where the method gives no g-factor. */
  readonly gMean: number | undefined;
  readonly g99: number | undefined;
  /** Median over the object; a signal-to-noise ratio in SNR units only. Undefined of denoised images, whose noise has no map. */
  readonly snr: number | undefined;
}

/** Images of one reconstruction that were delivered last, by what they show. */
export class ImageSet {
  readonly #images = new Map<string, ReconImage>();

  /** Takes an image in; a later delivery of the same replaces it. Its memory is the set's from then on. */
  add(image: ReconImage): void {
    this.#images.set(keyOf(image.kind, image.counters), image);
  }

  ofKind(kind: ReconImageKind): ReconImage[] {
    return [...this.#images.values()].filter((image) => image.kind === kind);
  }

  /** The map or image of another kind that belongs to an image. */
  beside(image: ReconImage, kind: ReconImageKind): ReconImage | undefined {
    return this.#images.get(keyOf(kind, image.counters));
  }
}

function keyOf(kind: ReconImageKind, { slice, contrast, phase, repetition, set }: ImageCounters): string {
  return [kind, slice, contrast, phase, repetition, set].join();
}

/** |z| of complex64 interleaved pixels. */
export function magnitudes({ data }: ReconImage): Float32Array {
  return Float32Array.from({ length: data.length / 2 }, (_, p) => Math.hypot(data[2 * p]!, data[2 * p + 1]!));
}

/**
 * @param references one for each image
 * @param kind which images; maps are those of the conventional ones
 * @throws IMG_ERR_EMPTY_MASK for a reference of zeros
 */
export function figuresOf(images: ImageSet, references: ImageSet, kind: 'image' | 'denoised' = 'image'): Figures {
  const errors: Float32Array[] = [];
  const truths: Float32Array[] = [];
  const similarities: number[] = [];
  const gFactors: Float64Array[] = [];
  const ratios: Float64Array[] = [];
  for (const reference of references.ofKind('image')) {
    const image = images.beside(reference, kind);
    const truth = magnitudes(reference);
    const mask = thresholdMask(truth, backgroundThreshold);
    const values = image === undefined ? new Float32Array(truth.length) : magnitudes(image);
    errors.push(values.filter((_, pixel) => mask[pixel] === 1));
    truths.push(truth.filter((_, pixel) => mask[pixel] === 1));
    similarities.push(ssim(values, truth, { rows: reference.rows, columns: reference.columns, dataRange: valueRange(truth), mask }));
    const gFactor = images.beside(reference, 'gFactor');
    const snr = images.beside(reference, 'snr');
    if (gFactor !== undefined) gFactors.push(sortedWithin(gFactor.data, mask));
    if (snr !== undefined && kind === 'image') ratios.push(sortedWithin(snr.data, mask));
  }
  const g = joined(gFactors)?.sort();
  const snr = joined(ratios)?.sort();
  return {
    nRmse: nRmse(joined(errors)!, joined(truths)!),
    ssim: meanOf(similarities),
    gMean: g && meanOf(g),
    g99: g && percentileOf(g, 99),
    snr: snr && percentileOf(snr, 50),
  };
}

function joined(parts: readonly (Float32Array | Float64Array)[]): Float64Array | undefined {
  if (parts.length === 0) return undefined;
  const all = new Float64Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
