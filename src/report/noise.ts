/** The noise of the coils, by name: how much each has, and how they share it. */
import type { NoiseStatistics } from '../../recon/index.js';
import { hues } from './chart.js';
import { html, type Markup } from './html.js';
import { table, type Column } from './page.js';
import { shortNumber } from './pictures.js';

type CoilNoise = NoiseStatistics['coils'][number];

const matrixPixels = 420;
/** More coils than this, and the cells are too small for numbers. */
const mostNumbered = 16;

export function noiseSection(noise: NoiseStatistics | undefined): Markup {
  if (noise === undefined) {
    return html`<p>There were no noise readouts, or prewhitening was off: the coils are not whitened, and pixel values are not in SNR units.</p>`;
  }
  const loudest = Math.max(...noise.coils.map(({ standardDeviation }) => standardDeviation));
  const columns: Column<CoilNoise>[] = [
    { heading: 'channel', of: ({ coil }) => coil, isNumber: true },
    { heading: 'coil', of: ({ name }) => name },
    { heading: 'standard deviation', of: ({ standardDeviation }) => standardDeviation.toPrecision(4), isNumber: true },
    { heading: '', of: ({ standardDeviation }) => html`<span class="meter" style="width:${((8 * standardDeviation) / loudest || 0).toFixed(2)}rem"></span>` },
    { heading: '', of: ({ fault }) => (fault === undefined ? '' : html`<span class="bad">✗ ${fault}</span>`) },
  ];
  return html`<p class="soft">${noise.nSamples} noise samples a coil${noise.enoughSamples ? '' : ', fewer than are wanted'}; standard deviations of the real part, in raw units; largest correlation between two coils ${Number.isNaN(noise.largestCorrelation) ? 'unknown' : noise.largestCorrelation.toFixed(3)}.</p>
<div class="side"><div><h3>Noise of each coil</h3>${table(columns, noise.coils, ({ fault }) => (fault === undefined ? '' : 'set'))}</div>
<div><h3>Correlation, |Ψ<sub>ab</sub>| / √(Ψ<sub>aa</sub> Ψ<sub>bb</sub>)</h3>${correlationMatrix(noise)}</div></div>`;
}

/** White is 0, full colour is 1. */
function correlationMatrix({ coils, correlation }: NoiseStatistics): Markup {
  const n = coils.length;
  const cell = Math.min(34, matrixPixels / n);
  const labels = 110;
  const cells = coils.flatMap((a, row) =>
    coils.map((b, column) => {
      const value = correlation[row * n + column]!;
      const title = `${a.name}, ${b.name}: ${Number.isNaN(value) ? 'unknown' : shortNumber(value)}`;
      const strength = Number.isNaN(value) ? 0 : Math.min(1, value);
      const number = n > mostNumbered || Number.isNaN(value) ? undefined : html`<text x="${labels + (column + 0.5) * cell}" y="${(row + 0.5) * cell + 4}" text-anchor="middle" style="font-size:${Math.min(11, cell / 2.6).toFixed(1)}px;fill:${strength > 0.6 ? '#fff' : '#1c2733'}">${value.toFixed(2)}</text>`;
      return html`<g><rect x="${(labels + column * cell).toFixed(2)}" y="${(row * cell).toFixed(2)}" width="${cell.toFixed(2)}" height="${cell.toFixed(2)}" fill="${hues[0]}" fill-opacity="${strength.toFixed(3)}" stroke="#e3e8ec"/><title>${title}</title>${number}</g>`;
    }),
  );
  const names = cell < 9 ? [] : coils.map(({ name }, row) => html`<text x="${labels - 6}" y="${(row + 0.5) * cell + 4}" text-anchor="end">${name.length > 16 ? `${name.slice(0, 15)}…` : name}</text>`);
  return html`<svg width="${labels + n * cell}" height="${n * cell}" viewBox="0 0 ${labels + n * cell} ${n * cell}" role="img" aria-label="noise correlation of the coils">${names}${cells}</svg>`;
}
