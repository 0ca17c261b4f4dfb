/** Which lines of k-space a scan acquired, and when, of one image. */
import { sampledImage, type LineUse, type ReadoutFacts, type SampledLine, type SamplingGrid } from '../raw/index.js';
import { chart, hues } from './chart.js';
import { html, type Markup } from './html.js';

const looks: Readonly<Record<LineUse, { readonly name: string; readonly colour: string }>> = {
  imaging: { name: 'imaging', colour: hues[0] },
  calibrationAndImaging: { name: 'imaging and calibration', colour: hues[2] },
  calibration: { name: 'calibration', colour: hues[1] },
};
const missingColour = '#eceff2';

/** Two pixels a line, so that a lattice of R = 2 is seen as one, within reason. */
const plotHeightOf = (nLines: number) => Math.min(640, Math.max(280, 2 * nLines));
const plotWidth = 200;

export function samplingSection(readouts: readonly ReadoutFacts[], grid: SamplingGrid): Markup {
  const image = sampledImage(readouts);
  if (image === undefined) return html`<p>No lines of k-space were acquired.</p>`;
  const { slice, readouts: ofImage, lines: sampled } = image;
  const nFull = (grid.lastLine - grid.firstLine + 1) * grid.nPartitions;
  const nAverages = new Set(ofImage.map(({ average }) => average)).size;
  const nReadouts = ofImage.length;
  return html`<p class="soft">Slice ${slice}: ${sampled.length} of ${nFull} lines${nAverages > 1 ? `, ${nAverages} averages` : ''}, ${nReadouts} readouts; lines ${grid.firstLine} to ${grid.lastLine}, the k-space centre in line ${grid.centreLine}.</p>
<p>${(Object.keys(looks) as LineUse[]).map((use) => legendOf(looks[use].colour, `${looks[use].name}: ${sampled.filter((line) => line.use === use).length}`))}${legendOf(missingColour, `not acquired: ${nFull - sampled.length}`)}</p>
<div class="side">${grid.nPartitions > 1 ? partitionPlot(sampled, grid) : linePlot(sampled, grid)}<div style="width:min(30rem,100%)">${orderPlot(ofImage)}</div></div>`;
}

function legendOf(colour: string, text: string): Markup {
  return html`<span style="margin-right:1.1rem;white-space:nowrap"><span class="swatch" style="background:${colour}"></span>${text}</span>`;
}

/** Lines from the top, the readout from left to right. */
function linePlot(sampled: readonly SampledLine[], { firstLine, lastLine, centreLine }: SamplingGrid): Markup {
  const nLines = lastLine - firstLine + 1;
  const plotHeight = plotHeightOf(nLines);
  const height = plotHeight / nLines;
  const top = (line: number) => ((line - firstLine) * height).toFixed(3);
  return html`<svg width="${plotWidth + 90}" height="${plotHeight + 24}" viewBox="0 0 ${plotWidth + 90} ${plotHeight + 24}" shape-rendering="crispEdges" role="img" aria-label="sampling pattern">
<rect width="${plotWidth}" height="${plotHeight}" fill="${missingColour}"/>
${sampled.map(({ line, use }) => html`<rect y="${top(line)}" width="${plotWidth}" height="${height.toFixed(3)}" fill="${looks[use].colour}"><title>line ${line}, ${looks[use].name}</title></rect>`)}
<line x1="${plotWidth}" x2="${plotWidth + 8}" y1="${top(centreLine)}" y2="${top(centreLine)}" stroke="#1c2733"/><text x="${plotWidth + 12}" y="${Number(top(centreLine)) + 4}">centre</text>
<text class="soft" x="${plotWidth / 2}" y="${plotHeight + 17}" text-anchor="middle">readout</text></svg>`;
}

/** Lines from left to right, partitions from the top. */
function partitionPlot(sampled: readonly SampledLine[], { firstLine, lastLine, nPartitions }: SamplingGrid): Markup {
  const nLines = lastLine - firstLine + 1;
  const dot = Math.max(1, Math.min(6, 560 / nLines));
  return html`<svg width="${nLines * dot}" height="${nPartitions * dot + 24}" role="img" aria-label="sampling pattern">
<rect width="${nLines * dot}" height="${nPartitions * dot}" fill="${missingColour}"/>
${sampled.map(({ line, partition, use }) => html`<rect x="${((line - firstLine) * dot).toFixed(2)}" y="${(partition * dot).toFixed(2)}" width="${(0.85 * dot).toFixed(2)}" height="${(0.85 * dot).toFixed(2)}" fill="${looks[use].colour}"/>`)}
<text class="soft" x="${(nLines * dot) / 2}" y="${nPartitions * dot + 17}" text-anchor="middle">lines across, partitions down</text></svg>`;
}

function orderPlot(readouts: readonly ReadoutFacts[]): Markup {
  const uses = Object.keys(looks) as LineUse[];
  const hueByUse: Readonly<Record<LineUse, number>> = { imaging: 0, calibrationAndImaging: 2, calibration: 1 };
  return chart({
    title: 'Order of acquisition',
    xLabel: 'readout of this image',
    yLabel: 'line',
    isFlipped: true,
    curves: uses.map((use) => ({
      hue: hueByUse[use],
      isScatter: true,
      points: readouts.flatMap((readout, x) => (readout.use === use ? [{ x, y: readout.line, title: `readout ${x}: line ${readout.line}, average ${readout.average}` }] : [])),
    })),
  });
}
