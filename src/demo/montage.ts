/** The demo's picture: what was measured, what Conus makes of it, and what is left of the truth. */
import {
  captioned,
  cropped,
  enlarged,
  fitScale,
  greyPicture,
  heatPicture,
  montage,
  percentileWindow,
  scaled,
  thresholdMask,
  windowBetween,
  type Picture,
  type RealArray,
} from '../../imaging/index.js';
import type { DemoImage } from './images.js';

export interface MontageImages {
  readonly truth: DemoImage | undefined;
  readonly zeroFilled: DemoImage;
  readonly conus: DemoImage;
  readonly denoised: DemoImage | undefined;
  readonly gFactor: DemoImage | undefined;
}

/** Errors are drawn this many times as bright as images. */
const errorGain = 5;
/** Of the background round the body, pixels. */
const margin = 8;
/** Images of small matrices are enlarged until captions fit. */
const smallestColumns = 160;

/** All images at one scale and one window, cut to the body, side by side. */
export function demoMontage({ truth, zeroFilled, conus, denoised, gFactor }: MontageImages): Picture {
  const { rows, columns } = conus;
  const reference = (truth ?? conus).values;
  const body = bodyColumns(reference, columns);
  const zoom = Math.ceil(smallestColumns / body.columns);
  // Surface coils make the skin so bright that the spine would drown; so the brightest pixels are clipped.
  const window = percentileWindow(reference, 0, 95);
  const panel = (picture: Picture, caption: string) =>
    captioned(enlarged(cropped(picture, { row: 0, rows, ...body }), zoom), caption);
  const grey = (values: RealArray, caption: string) => panel(greyPicture(values, rows, columns, window), caption);
  const atScale = ({ values }: DemoImage) => scaled(values, fitScale(values, reference));

  const pictures: Picture[] = [];
  if (truth !== undefined) pictures.push(grey(reference, 'truth'));
  pictures.push(grey(atScale(zeroFilled), 'zero-filled'), grey(atScale(conus), 'Conus'));
  const denoisedName = `denoised ${denoised?.strengthPercent ?? ''} %`;
  if (denoised !== undefined) pictures.push(grey(atScale(denoised), denoisedName));
  if (truth !== undefined) {
    const error = (image: DemoImage) => atScale(image).map((value, pixel) => errorGain * Math.abs(value - reference[pixel]!));
    pictures.push(grey(error(conus), `${errorGain} x error`));
    if (denoised !== undefined) pictures.push(grey(error(denoised), `${errorGain} x its error`));
  }
  if (gFactor !== undefined) {
    pictures.push(panel(heatPicture(gFactor.values, rows, columns, windowBetween(1, 1.5)), 'g-factor 1-1.5'));
  }
  return montage(pictures);
}

/** The columns in which anything reaches a tenth of the brightest pixel, with a margin. */
function bodyColumns(values: Float32Array, columns: number): { column: number; columns: number } {
  const mask = thresholdMask(values, 0.1);
  let [first, last] = [columns - 1, 0];
  mask.forEach((isBody, pixel) => {
    if (isBody === 0) return;
    first = Math.min(first, pixel % columns);
    last = Math.max(last, pixel % columns);
  });
  const column = Math.max(0, first - margin);
  return { column, columns: Math.min(columns, last + 1 + margin) - column };
}
