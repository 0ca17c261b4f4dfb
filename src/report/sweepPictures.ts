/** The pictures of a sweep, painted to one scale each: the image, its error, its g-factor. */
import { backgroundThreshold, percentileOf, sortedWithin, thresholdMask } from '../../imaging/index.js';
import type { SweepOutcome, SweepResult } from '../sweep/index.js';
import { pictureUri, type Scale } from './pictures.js';

/** Errors are shown up to this part of the bright pixels of the data as they are. */
const errorScale: Scale = { low: 0, high: 20, paint: 'heat', unit: ' %' };
const gScale: Scale = { low: 1, high: 3, paint: 'heat' };

/** As data URIs. */
export interface PaintedResult {
  readonly image: string;
  /** Absent for the data as they are. */
  readonly error?: string;
  /** Absent where the method gives none. */
  readonly gFactor?: string;
}

export interface SweepPictures {
  readonly slice: number;
  readonly rows: number;
  readonly columns: number;
  readonly scales: Readonly<Record<keyof PaintedResult, Scale>>;
  /** Undefined where the setting gave no images. */
  paint(result: SweepResult): PaintedResult | undefined;
}

/** Undefined where there are no images. */
export function sweepPictures({ baseline: { picture: reference } }: SweepOutcome): SweepPictures | undefined {
  if (reference === undefined) return undefined;
  const { rows, columns, slice } = reference;
  const mask = thresholdMask(reference.image, backgroundThreshold);
  const bright = percentileOf(sortedWithin(reference.image, mask), 99);
  const scales = { image: { low: 0, high: bright, paint: 'grey' }, error: errorScale, gFactor: gScale } as const;
  const painted = (values: Float32Array, of: keyof PaintedResult) => pictureUri(values, rows, columns, scales[of]);
  return {
    slice, rows, columns, scales,
    paint({ setting, figures, picture }) {
      if (picture === undefined || figures === undefined) return undefined;
      const { image, error, gFactor } = picture;
      return {
        image: painted(image, 'image'),
        ...(setting !== undefined && { error: painted(error.map((value) => (100 * Math.abs(value)) / bright), 'error') }),
        // A g-factor where there is no object tells nothing.
        ...(gFactor !== undefined && { gFactor: painted(gFactor.map((value, pixel) => (mask[pixel] === 1 ? value : 0)), 'gFactor') }),
      };
    },
  };
}
