/** Line charts as SVG. Curves differ in shape and dash as well as in colour: nobody has to tell colours apart. */
import { html, type Markup } from './html.js';
import { shortNumber } from './pictures.js';

export interface ChartPoint {
  readonly x: number;
  readonly y: number;
  /** Shown when the pointer rests on it. */
  readonly title: string;
  /** Beside it. */
  readonly label?: string;
}

export interface Curve {
  readonly points: readonly ChartPoint[];
  /** Which colour and shape, counted from 0. */
  readonly hue: number;
  /** Which dash, counted from 0. */
  readonly dash?: number;
  /** Small dots without a line. */
  readonly isScatter?: boolean;
}

export interface Chart {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly curves: readonly Curve[];
  /** What the axis reaches at least. */
  readonly yIncludes?: readonly number[];
  readonly xIncludes?: readonly number[];
  /** A line across, e.g. a limit. */
  readonly limit?: { readonly y: number; readonly label: string };
  /** y grows downwards, as lines of k-space are drawn. */
  readonly isFlipped?: boolean;
}

/** Okabe M, Ito K. Color Universal Design, 2008: told apart with every kind of colour vision. */
export const hues = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9', '#000000'] as const;
const dashes = ['none', '7 4', '2 4', '9 3 2 3', '12 3'] as const;

const width = 460;
const height = 300;
const margin = { left: 58, right: 18, top: 30, bottom: 44 };

export function hueOf(index: number): string {
  return hues[index % hues.length]!;
}

export function chart({ title, xLabel, yLabel, curves, yIncludes = [], xIncludes = [], limit, isFlipped = false }: Chart): Markup {
  const points = curves.flatMap((curve) => curve.points);
  const xTicks = ticksOver([...points.map(({ x }) => x), ...xIncludes]);
  const yTicks = ticksOver([...points.map(({ y }) => y), ...yIncludes, ...(limit === undefined ? [] : [limit.y])]);
  const xAt = placeOn(xTicks, margin.left, width - margin.right);
  const yAt = isFlipped ? placeOn(yTicks, margin.top, height - margin.bottom) : placeOn(yTicks, height - margin.bottom, margin.top);
  return html`<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${title}">
<text x="${margin.left}" y="18" font-weight="600">${title}</text>
${yTicks.map((y) => html`<line x1="${margin.left}" x2="${width - margin.right}" y1="${yAt(y)}" y2="${yAt(y)}" stroke="#e3e8ec"/><text class="soft" x="${margin.left - 6}" y="${yAt(y) + 4}" text-anchor="end">${shortNumber(y)}</text>`)}
${xTicks.map((x) => html`<line x1="${xAt(x)}" x2="${xAt(x)}" y1="${height - margin.bottom}" y2="${height - margin.bottom + 4}" stroke="#9aa7b2"/><text class="soft" x="${xAt(x)}" y="${height - margin.bottom + 17}" text-anchor="middle">${shortNumber(x)}</text>`)}
<line x1="${margin.left}" x2="${width - margin.right}" y1="${height - margin.bottom}" y2="${height - margin.bottom}" stroke="#9aa7b2"/>
<text class="soft" x="${(margin.left + width - margin.right) / 2}" y="${height - 8}" text-anchor="middle">${xLabel}</text>
<text class="soft" transform="translate(14 ${(margin.top + height - margin.bottom) / 2}) rotate(-90)" text-anchor="middle">${yLabel}</text>
${limit === undefined ? undefined : html`<line x1="${margin.left}" x2="${width - margin.right}" y1="${yAt(limit.y)}" y2="${yAt(limit.y)}" stroke="#b3440a" stroke-dasharray="3 3"/><text x="${width - margin.right}" y="${yAt(limit.y) - 4}" text-anchor="end" fill="#b3440a">${limit.label}</text>`}
${curves.map((curve) => drawn(curve, xAt, yAt))}
</svg>`;
}

function drawn({ points, hue, dash = 0, isScatter = false }: Curve, xAt: (x: number) => number, yAt: (y: number) => number): Markup {
  const colour = hueOf(hue);
  if (isScatter) {
    return html`<g fill="${colour}">${points.map(({ x, y, title }) => html`<circle cx="${xAt(x)}" cy="${yAt(y)}" r="1.6"><title>${title}</title></circle>`)}</g>`;
  }
  const path = points.map(({ x, y }) => `${xAt(x)},${yAt(y)}`).join(' ');
  return html`<g><polyline points="${path}" fill="none" stroke="${colour}" stroke-width="1.6" stroke-dasharray="${dashes[dash % dashes.length]}"/>
${points.map((point) => html`<g>${marker(hue, xAt(point.x), yAt(point.y))}<title>${point.title}</title></g>${point.label === undefined ? undefined : html`<text class="soft" x="${xAt(point.x) + 7}" y="${yAt(point.y) - 5}">${point.label}</text>`}`)}</g>`;
}

/** Circle, square, triangle, diamond, and so on anew. */
export function marker(hue: number, x: number, y: number): Markup {
  const colour = hueOf(hue);
  switch (hue % 4) {
    case 0:
      return html`<circle cx="${x}" cy="${y}" r="4" fill="${colour}"/>`;
    case 1:
      return html`<rect x="${x - 3.8}" y="${y - 3.8}" width="7.6" height="7.6" fill="${colour}"/>`;
    case 2:
      return html`<path d="M${x} ${y - 5} l5 9 h-10 z" fill="${colour}"/>`;
    default:
      return html`<path d="M${x} ${y - 5.5} l5 5.5 l-5 5.5 l-5 -5.5 z" fill="${colour}"/>`;
  }
}

/** What a curve looks like, for a legend. */
export function legendMark(hue: number, dash = 0): Markup {
  return html`<svg width="34" height="14" viewBox="0 0 34 14" aria-hidden="true"><line x1="1" x2="33" y1="7" y2="7" stroke="${hueOf(hue)}" stroke-width="1.6" stroke-dasharray="${dashes[dash % dashes.length]}"/>${marker(hue, 17, 7)}</svg>`;
}

/** Four to eight round numbers that span the values. */
export function ticksOver(values: readonly number[]): number[] {
  const finite = values.filter(Number.isFinite);
  const low = finite.length === 0 ? 0 : Math.min(...finite);
  const high = finite.length === 0 ? 1 : Math.max(...finite);
  // Values that are all but equal get ticks that can be told apart.
  const size = Math.max(Math.abs(low), Math.abs(high));
  const span = size < 1e-300 ? 1 : high - low > 1e-9 * size ? high - low : size;
  const power = 10 ** Math.floor(Math.log10(span / 4));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((candidate) => span / candidate <= 6)!;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function placeOn(ticks: readonly number[], from: number, to: number): (value: number) => number {
  const low = ticks[0]!;
  const high = ticks.at(-1)!;
  return (value) => Number((from + ((value - low) / (high - low)) * (to - from)).toFixed(2));
}
