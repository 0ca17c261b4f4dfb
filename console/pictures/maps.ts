/** Pictures that are maps: in which colours, with which bar beside them, and how they are laid over images. */
import type { PixelWindow } from '../api/index.js';
import { number } from '../parts/index.js';
import type { PictureData } from './store.js';
import type { Overlay } from './viewport.js';
import { palettes, windowed } from './window.js';
import type { PaletteName } from './window.js';

interface MapFacts {
  readonly palette: PaletteName;
  /** What the numbers of the bar are. */
  readonly unit: string;
}

const maps: Readonly<Record<string, MapFacts>> = {
  gFactor: { palette: 'heat', unit: 'g' },
  noise: { palette: 'heat', unit: 'noise' },
  snr: { palette: 'heat', unit: 'SNR' },
  residual: { palette: 'signed', unit: 'taken out' },
  fatFraction: { palette: 'heat', unit: 'fat' },
  pairResidual: { palette: 'heat', unit: 'standard deviations' },
};

/** Undefined for images. */
export const mapOf = (output: string | undefined): MapFacts | undefined => (output === undefined ? undefined : maps[output]);

/** A bar of the colours with its numbers, drawn into the picture, so that no screenshot is without it. */
export function colourBar(palette: PaletteName, window: () => PixelWindow | undefined, unit: string): Overlay {
  return (context, { width, height }, picture) => {
    const { centre, width: range } = window() ?? picture.window;
    const [barWidth, top] = [12, 40];
    const barHeight = Math.max(40, Math.min(220, height / 2 - 70));
    const left = width - barWidth - 10;
    const colours = palettes[palette];
    for (let y = 0; y < barHeight; y++) {
      const at = 3 * Math.round(255 * (1 - y / (barHeight - 1)));
      context.fillStyle = `rgb(${colours[at]!} ${colours[at + 1]!} ${colours[at + 2]!})`;
      context.fillRect(left, top + y, barWidth, 1.5);
    }
    context.strokeStyle = '#9fb2c3';
    context.strokeRect(left - 0.5, top - 0.5, barWidth + 1, barHeight + 1);
    context.font = '12px system-ui, sans-serif';
    context.textAlign = 'right';
    context.textBaseline = 'middle';
    const put = (text: string, y: number) => {
      context.lineWidth = 3;
      context.strokeStyle = '#000c';
      context.strokeText(text, left - 5, y);
      context.fillStyle = '#dfe7ee';
      context.fillText(text, left - 5, y);
    };
    for (const share of [0, 0.5, 1]) put(number(centre + (share - 0.5) * range), top + barHeight * (1 - share));
    put(unit, top + barHeight + 16);
  };
}

/**
 * A map over the image of the same matrix: the more there is of it, the more it covers.
 * @param range of the values, from invisible to the brightest colour
 */
export function mapOverlay(map: PictureData | undefined, range: PixelWindow, palette: PaletteName = 'heat'): Overlay | undefined {
  if (map === undefined) return undefined;
  let painted: HTMLCanvasElement | undefined;
  return (context, placing, picture) => {
    if (map.rows !== picture.rows || map.columns !== picture.columns) return;
    painted ??= paintedMap(map, range, palette);
    const [left, top] = [placing.x(-0.5, 0), placing.y(0, -0.5)];
    context.drawImage(painted, left, top, placing.x(map.columns - 0.5, 0) - left, placing.y(0, map.rows - 0.5) - top);
  };
}

/** Of the brightest colour, of 255. */
const mostCover = 190;

function paintedMap({ rows, columns, values }: PictureData, range: PixelWindow, palette: PaletteName): HTMLCanvasElement {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = [columns, rows];
  const context = canvas.getContext('2d')!;
  const image = context.createImageData(columns, rows);
  windowed(values, range, palettes[palette], image.data);
  const low = range.centre - range.width / 2;
  for (let pixel = 0; pixel < values.length; pixel++) {
    const share = Math.min(1, Math.max(0, (values[pixel]! - low) / range.width));
    // A little of it must not tint everything.
    image.data[4 * pixel + 3] = mostCover * share * share;
  }
  context.putImageData(image, 0, 0);
  return canvas;
}

/** a - b, pixel by pixel, [rows, columns] in the unit of the values; undefined where they are not of one matrix. */
export function subtracted(a: PictureData, b: PictureData): Float32Array | undefined {
  return a.rows === b.rows && a.columns === b.columns ? Float32Array.from(a.values, (value, pixel) => value - b.values[pixel]!) : undefined;
}

/** What is in `a` and not in `b`, in a window that is symmetric about nothing; undefined where they are not of one matrix. */
export function difference(a: PictureData, b: PictureData, output: string): PictureData | undefined {
  const values = subtracted(a, b);
  if (values === undefined) return undefined;
  const sizes = values.map(Math.abs).filter((value) => value > 0).sort();
  const most = sizes[Math.floor(0.995 * (sizes.length - 1))] ?? 1;
  return { ...a, output, values, window: { centre: 0, width: 2 * most }, at: undefined };
}

/** How wide the interval is at each pixel, in per cent of what the image shows as white. */
export function intervalWidth(low: PictureData, high: PictureData): PictureData | undefined {
  const width = subtracted(high, low);
  if (width === undefined) return undefined;
  const white = low.window.centre + low.window.width / 2;
  return { ...high, output: 'interval', values: width.map((value) => (100 * value) / white), window: { centre: 25, width: 50 }, at: undefined };
}
