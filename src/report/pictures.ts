/** Images and maps as pictures within a page, and the bars that tell what their colours mean. */
import { encodePng, greyPicture, heatPicture, windowBetween, type Picture, type PixelWindow, type RealArray } from '../../imaging/index.js';
import { html, type Markup } from './html.js';

export type Paint = 'grey' | 'heat';

/** How the pictures of a map are painted: black at `low`, white at `high`. */
export interface Scale {
  readonly low: number;
  readonly high: number;
  readonly paint: Paint;
  /** After the numbers of the bar. */
  readonly unit?: string;
}

const barPixels = 256;

/** The picture as a data URI. */
export function pictureUri(values: RealArray, rows: number, columns: number, { low, high, paint }: Scale): string {
  return uriOf(painted(values, rows, columns, windowBetween(low, high), paint));
}

function painted(values: RealArray, rows: number, columns: number, window: PixelWindow, paint: Paint): Picture {
  return (paint === 'grey' ? greyPicture : heatPicture)(values, rows, columns, window);
}

function uriOf(picture: Picture): string {
  return `data:image/png;base64,${Buffer.from(encodePng(picture)).toString('base64')}`;
}

/** The colours from the lowest to the highest value, one pixel high, as a data URI. */
export function rampUri(scale: Scale): string {
  const { low, high } = scale;
  const ramp = Float64Array.from({ length: barPixels }, (_, i) => low + ((high - low) * i) / (barPixels - 1));
  return pictureUri(ramp, 1, barPixels, scale);
}

/** The colours and what they mean; what lies beyond is painted as the ends. */
export function colourBar(scale: Scale): Markup {
  const { low, high, unit = '' } = scale;
  const labels = [0, 0.25, 0.5, 0.75, 1].map((part) => `${shortNumber(low + part * (high - low))}${unit}`);
  return html`<div class="bar"><img alt="colour bar from ${labels[0]} to ${labels[4]}" src="${rampUri(scale)}"><div>${labels.map((label) => html`<span>${label}</span>`)}</div></div>`;
}

/** Three significant digits, without zeros at the end. */
export function shortNumber(value: number): string {
  if (value === 0) return '0';
  const size = Math.abs(value);
  return size >= 1e5 || size < 1e-3 ? value.toExponential(2) : String(Number(value.toPrecision(3)));
}

/** The smallest of 1, 1.5, 2, 2.5, 3, 4, 5, 6, 8 times a power of ten that is not below the value. */
export function niceCeiling(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  const step = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].find((candidate) => candidate * power >= value * (1 - 1e-9))!;
  return step * power;
}
