/** One series of a reconstruction on one page: what came out, how good it is, and why it is as it is. */
import type { MrdHeader } from 'ismrmrd';
import { backgroundThreshold, meanOf } from '../../imaging/index.js';
import type { Decision, NoiseStatistics } from '../../recon/index.js';
import { samplingGridOf, type ReadoutFacts } from '../raw/index.js';
import { VERSION } from '../version.js';
import { html, type Markup } from './html.js';
import { noiseSection } from './noise.js';
import { page, table, tile } from './page.js';
import { decisionsSection, parametersSection } from './parameters.js';
import { colourBar, shortNumber } from './pictures.js';
import { pointSpreadSection } from './pointSpread.js';
import { samplingSection } from './sampling.js';
import type { ColumnKind, ImageRow, SeriesContent } from './seriesReports.js';

/** What the pages of all series of a scan share. */
export interface ScanContent {
  readonly header: MrdHeader;
  /** Of chain and parameters. */
  readonly choices: readonly Decision[];
  /** How the header was read. */
  readonly planning: readonly Decision[];
  readonly readouts: readonly ReadoutFacts[];
  readonly noise: NoiseStatistics | undefined;
  readonly stageMs: Readonly<Record<string, number>>;
  readonly durationMs: number;
  readonly lastReadoutToLastImageMs: number | undefined;
  /** What was remarked, as the client reads it. */
  readonly remarks: readonly string[];
}

const columnNames: Readonly<Record<ColumnKind, string>> = { image: 'Image', gFactor: 'g-factor', snr: 'SNR', noise: 'Noise' };
const methodNames = { full: 'all lines measured', grappa: 'GRAPPA', sense: 'SENSE', l1: 'compressed sensing', zeroFilled: 'zero-filled' } as const;

export function seriesPage(series: SeriesContent, scan: ScanContent): string {
  const title = `Series ${series.index}: ${series.description}`;
  return page(title, VERSION, [
    html`<h1>${title}</h1>`,
    facts(series, scan),
    figures(series, scan),
    scan.remarks.length === 0 ? undefined : html`<h2>Remarks</h2><ul>${scan.remarks.map((remark) => html`<li>${remark}</li>`)}</ul>`,
    html`<h2>Images and maps</h2>`,
    images(series),
    series.coilMaps.length === 0 ? undefined : html`<h2>Coil maps</h2>${coilMaps(series, scan)}`,
    series.pointSpread === undefined ? undefined : html`<h2>Point spread</h2>${pointSpreadSection(series.pointSpread)}`,
    html`<h2>Noise of the coils</h2>`,
    noiseSection(scan.noise),
    html`<h2>Sampling</h2>`,
    sampling(scan),
    html`<h2>Time of each stage</h2>`,
    stages(scan),
    html`<h2>Parameters and their origin</h2>`,
    parametersSection(scan.choices),
    html`<h2>How the header was read</h2>`,
    decisionsSection(scan.planning),
  ]);
}

/** Of the scan, never of the patient. */
function facts({ first }: SeriesContent, { header }: ScanContent): Markup {
  const system = header.acquisitionSystemInformation;
  const sequence = header.sequenceParameters;
  const times = (['TR', 'TE', 'TI'] as const).flatMap((name) => {
    const values = sequence?.[name] ?? [];
    return values.length === 0 ? [] : [`${name} ${values.map(shortNumber).join(', ')} ms`];
  });
  const parts = [
    [system?.systemVendor, system?.systemModel].filter(Boolean).join(' '),
    system?.systemFieldStrength_T === undefined ? '' : `${shortNumber(system.systemFieldStrength_T)} T`,
    header.measurementInformation?.protocolName ?? '',
    sequence?.sequence_type ?? '',
    ...times,
    `${first.columns} x ${first.rows} pixels of ${shortNumber(first.fovMm[0] / first.columns)} x ${shortNumber(first.fovMm[1] / first.rows)} mm`,
    first.nVirtualCoils < first.nCoils ? `${first.nCoils} coils, ${first.nVirtualCoils} virtual` : `${first.nCoils} coils`,
  ];
  return html`<p class="soft">${parts.filter((part) => part !== '').join('; ')}.</p>`;
}

function figures({ first, rows, nLeftOut }: SeriesContent, { durationMs, lastReadoutToLastImageMs }: ScanContent): Markup {
  const of = (value: (row: ImageRow) => number | undefined) => rows.map(value).filter((one) => one !== undefined);
  const [gMeans, g99s, snrs] = [of(({ gMean }) => gMean), of(({ g99 }) => g99), of(({ snrMedian }) => snrMedian)];
  const acceleration = first.accelerationSlice > 1 ? `R ${first.accelerationPhase} x ${first.accelerationSlice}` : `R ${first.accelerationPhase}`;
  return html`<div class="tiles">${[
    tile(acceleration, `${methodNames[first.method]}${first.nCalibrationLines > 0 ? `, ${first.nCalibrationLines} calibration lines` : ''}`),
    tile(String(rows.length + nLeftOut), rows.length + nLeftOut === 1 ? 'image' : 'images'),
    gMeans.length === 0 ? undefined : tile(`${meanOf(gMeans).toFixed(2)} / ${Math.max(...g99s).toFixed(2)}`, 'g-factor: mean / 99th percentile of the worst image'),
    snrs.length === 0 ? undefined : tile(shortNumber(meanOf(snrs)), first.snrUnits ? 'median SNR in the object' : 'median image over noise, arbitrary units'),
    first.partialFourier === 'none' ? undefined : tile(first.partialFourier, 'partial Fourier'),
    tile(`${(durationMs / 1000).toFixed(2)} s`, 'whole session'),
    lastReadoutToLastImageMs === undefined ? undefined : tile(`${lastReadoutToLastImageMs.toFixed(0)} ms`, 'last readout to last image'),
  ]}</div>`;
}

function images({ rows, scales, nLeftOut, first }: SeriesContent): Markup {
  const kinds = (Object.keys(columnNames) as ColumnKind[]).filter((kind) => scales[kind] !== undefined);
  const unit = first.snrUnits ? 'in units of the noise' : 'in arbitrary units';
  return html`<p class="soft">One scale a series, ${unit}. Figures count the object: pixels above ${100 * backgroundThreshold} % of the brightest.${nLeftOut > 0 ? ` ${nLeftOut} more images are not shown.` : ''}${
    kinds.length === 1 ? ' There are no maps: coils were combined by root-sum-of-squares, or the method has none.' : ''
  }</p>
<div class="pictures" style="grid-template-columns: repeat(${kinds.length}, minmax(0, 22rem))">
${kinds.map((kind) => html`<div><h3>${kind === 'snr' && !first.snrUnits ? 'Image over noise, arbitrary units' : columnNames[kind]}</h3>${colourBar(scales[kind]!)}</div>`)}
${rows.map((row) => kinds.map((kind) => cell(row, kind)))}
</div>`;
}

function cell(row: ImageRow, kind: ColumnKind): Markup {
  const uri = row.pictures[kind];
  const caption = captionOf(row, kind);
  return uri === undefined ? html`<p class="soft">none</p>` : html`<figure><img alt="${columnNames[kind]}, ${caption}" src="${uri}"><figcaption>${caption}</figcaption></figure>`;
}

function captionOf({ counters, gMean, g99, snrMedian }: ImageRow, kind: ColumnKind): string {
  if (kind === 'gFactor') return gMean === undefined ? '' : `mean ${gMean.toFixed(2)}, 99th percentile ${g99!.toFixed(2)}`;
  if (kind === 'snr') return snrMedian === undefined ? '' : `median ${shortNumber(snrMedian)}`;
  if (kind === 'noise') return 'standard deviation';
  const { slice, ...loops } = counters;
  const others = Object.entries(loops).flatMap(([name, value]) => (value > 0 ? [`${name} ${value}`] : []));
  return [`slice ${slice}`, ...others].join(', ');
}

function coilMaps({ coilMaps: uris, first }: SeriesContent, { header }: ScanContent): Markup {
  const isVirtual = first.nVirtualCoils < first.nCoils;
  const names = new Map(header.acquisitionSystemInformation?.coilLabel.map(({ coilNumber, coilName }) => [coilNumber, coilName]));
  const nameOf = (coil: number) => (isVirtual ? `virtual coil ${coil}` : (names.get(coil) ?? `coil ${coil}`));
  return html`<p class="soft">Magnitudes, from 0 to 1, of whitened ${isVirtual ? 'virtual ' : ''}coils, first image.</p>
<div class="strip">${uris.map((uri, coil) => html`<figure><img alt="map of ${nameOf(coil)}" src="${uri}"><figcaption>${nameOf(coil)}</figcaption></figure>`)}</div>`;
}

function sampling({ header, readouts }: ScanContent): Markup {
  const grid = samplingGridOf(header);
  return grid === undefined ? html`<p>The header has no encoding.</p>` : samplingSection(readouts, grid);
}

function stages({ stageMs }: ScanContent): Markup {
  const rows = Object.entries(stageMs).sort(([, a], [, b]) => b - a);
  const total = rows.reduce((sum, [, ms]) => sum + ms, 0);
  return html`<p class="soft">Over all threads, so that stages which ran side by side add up to more than the session took.</p>${table(
    [
      { heading: 'stage', of: ([stage]) => stage },
      { heading: 'ms', of: ([, ms]) => ms.toFixed(1), isNumber: true },
      { heading: 'share', of: ([, ms]) => `${((100 * ms) / total).toFixed(0)} %`, isNumber: true },
      { heading: '', of: ([, ms]) => html`<span class="meter" style="width:${((16 * ms) / total || 0).toFixed(2)}rem"></span>` },
    ],
    rows,
  )}`;
}
