/** A point-spread function: its profiles through the centre, and what they come down to. */
import { chart } from './chart.js';
import { html, type Markup } from './html.js';
import { tile } from './page.js';
import { colourBar, pictureUri, type Scale } from './pictures.js';

export interface PointSpreadPicture {
  readonly rows: number;
  readonly columns: number;
  /** |psf|, float32 [rows, columns] */
  readonly magnitude: Float32Array;
  readonly slice: number;
}

const floorDb = -60;
const scale: Scale = { low: floorDb, high: 0, paint: 'heat', unit: ' dB' };

export function pointSpreadSection({ rows, columns, magnitude, slice }: PointSpreadPicture): Markup {
  const [row, column] = [Math.floor(rows / 2), Math.floor(columns / 2)];
  const along = {
    phase: Array.from({ length: rows }, (_, r) => magnitude[r * columns + column]!),
    readout: Array.from({ length: columns }, (_, c) => magnitude[row * columns + c]!),
  };
  const decibels = magnitude.map((value) => decibelsOf(value, magnitude[row * columns + column]!));
  const curve = (profile: readonly number[], hue: number, name: string) => ({
    hue,
    isScatter: true,
    points: profile.map((value, at) => {
      const x = at - Math.floor(profile.length / 2);
      const y = decibelsOf(value, profile[Math.floor(profile.length / 2)]!);
      return { x, y, title: `${x} pixels along the ${name}: ${y.toFixed(1)} dB` };
    }),
  });
  return html`<p class="soft">What a point at the centre of slice ${slice} adds to the image, as bright as its brightest pixel. Blue: along the phase encoding; orange: along the readout.</p>
<div class="tiles">${[
    tile(`${widthOf(along.phase).toFixed(2)} x ${widthOf(along.readout).toFixed(2)}`, 'full width at half maximum, pixels (phase x readout)'),
    tile(`${(100 * largestBeside(along.phase)).toFixed(1)} %`, 'largest side lobe or ghost along the phase encoding'),
    tile(magnitude[row * columns + column]!.toFixed(3), 'height at the point'),
  ]}</div>
<div class="side"><div style="width:min(34rem,100%)">${chart({
    title: 'Profiles through the point', xLabel: 'pixels from the point', yLabel: 'dB', yIncludes: [floorDb, 0],
    curves: [curve(along.readout, 1, 'readout'), curve(along.phase, 0, 'phase encoding')],
  })}</div><figure style="width:20rem;margin:0">${colourBar(scale)}<img alt="point-spread function" src="${pictureUri(decibels, rows, columns, scale)}"></figure></div>`;
}

function decibelsOf(value: number, peak: number): number {
  return Math.max(floorDb, 20 * Math.log10(value / peak || Number.MIN_VALUE));
}

/** Full width at half of the middle's height, by linear interpolation, pixels. */
export function widthOf(profile: readonly number[]): number {
  const centre = Math.floor(profile.length / 2);
  const half = profile[centre]! / 2;
  const reach = (step: 1 | -1) => {
    for (let at = centre; profile[at + step] !== undefined; at += step) {
      const [inner, outer] = [profile[at]!, profile[at + step]!];
      if (outer < half) return Math.abs(at - centre) + (inner - half) / (inner - outer);
    }
    return Math.floor(profile.length / 2);
  };
  return reach(1) + reach(-1);
}

/** The largest value beyond the first minimum on either side of the middle, over that of the middle. */
export function largestBeside(profile: readonly number[]): number {
  const centre = Math.floor(profile.length / 2);
  let largest = 0;
  for (const step of [1, -1]) {
    let at = centre;
    while (profile[at + step] !== undefined && profile[at + step]! <= profile[at]!) at += step;
    for (; profile[at] !== undefined; at += step) largest = Math.max(largest, profile[at]!);
  }
  return largest / profile[centre]!;
}
