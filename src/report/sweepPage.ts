/** What `conus sweep` found, on one page. */
import { backgroundThreshold } from '../../imaging/index.js';
import { hasLimits, limitTexts, settingText, type Limits, type SweepOutcome, type SweepResult } from '../sweep/index.js';
import { VERSION } from '../version.js';
import { chart, legendMark, type Chart, type Curve } from './chart.js';
import { html, type Markup } from './html.js';
import { page, table, tile, type Column } from './page.js';
import { colourBar, shortNumber } from './pictures.js';
import { sweepPictures } from './sweepPictures.js';

export function sweepPage(outcome: SweepOutcome): string {
  const title = `Acceleration sweep${nameOf(outcome)}`;
  return page(title, VERSION, [
    html`<h1>${title}</h1>`,
    facts(outcome),
    verdict(outcome),
    html`<h2>What acceleration costs</h2>`,
    legend(outcome),
    html`<div class="charts">${charts(outcome)}</div>`,
    html`<h2>Every setting</h2>`,
    settingsTable(outcome),
    html`<h2>Images, errors and g-factor</h2>`,
    pictures(outcome),
    html`<h2>How it was done</h2>`,
    method(outcome),
  ]);
}

function nameOf({ scan }: SweepOutcome): string {
  const name = scan.header.measurementInformation?.protocolName ?? '';
  return name === '' ? '' : `: ${name}`;
}

function facts({ scan, timing, baseline }: SweepOutcome): Markup {
  const { header, acceleration } = scan;
  const encoding = header.encoding[0]!;
  const { x, y } = encoding.reconSpace.matrixSize;
  const nSlices = new Set(scan.readouts.map(({ slice }) => slice)).size;
  return html`<p class="soft">Matrix ${x} x ${y}, ${nSlices} ${nSlices === 1 ? 'slice' : 'slices'}, ${header.acquisitionSystemInformation?.receiverChannels ?? 'unknown number of'} coils, ${
    header.acquisitionSystemInformation?.systemFieldStrength_T === undefined ? 'field strength unknown' : `${shortNumber(header.acquisitionSystemInformation.systemFieldStrength_T)} T`
  }; acquired with R = ${acceleration}, ${baseline.nLines} lines an image.
${timing === undefined ? 'Scan times are unknown: the header has no repetition time or no echo train length.' : `Repetition time ${shortNumber(timing.trMs)} ms, echo train length ${timing.echoTrainLength}, ${timing.concatenations} ${timing.concatenations === 1 ? 'concatenation' : 'concatenations'}.`}</p>`;
}

function verdict(outcome: SweepOutcome): Markup {
  const { limits, fastest, baseline, snrUnits } = outcome;
  if (!hasLimits(limits)) return html`<p>No limits were given, so no setting is judged.</p>`;
  const asked = html`<p class="soft">Limits: ${limitTexts(limits).join(', ')}.</p>`;
  if (fastest === undefined) return html`<div class="verdict none"><strong>No setting is within the limits.</strong>${asked}</div>`;
  const { figures, minutes, nLines } = fastest;
  return html`<div class="verdict"><strong>Fastest setting within the limits: ${settingText(fastest.setting)}</strong>${asked}
<div class="tiles">${[
    tile(minutes === undefined ? `${nLines} lines` : `${shortNumber(minutes)} min`, minutes === undefined ? 'an image' : `of ${shortNumber(baseline.minutes!)} min as acquired`),
    tile(shortNumber(figures!.nRmse), 'nRMSE'),
    tile(figures!.ssim.toFixed(3), 'SSIM'),
    figures!.g99 === undefined ? undefined : tile(`${figures!.gMean!.toFixed(2)} / ${figures!.g99.toFixed(2)}`, 'g-factor, mean / 99th percentile'),
    figures!.snr === undefined ? undefined : tile(shortNumber(figures!.snr), snrUnits ? 'median SNR' : 'median image over noise, a.u.'),
  ]}</div></div>`;
}

/** The settings with images, by method and number of calibration lines, the data as they are first. */
interface Line {
  readonly method: string;
  readonly calibrationLines: number;
  readonly denoisePercent: number;
  readonly hue: number;
  readonly dash: number;
  readonly results: readonly SweepResult[];
}

function linesOf({ results }: SweepOutcome): Line[] {
  const settings = results.flatMap(({ setting }) => (setting === undefined ? [] : [setting]));
  const methods = [...new Set(settings.map(({ method: name }) => name))];
  const counts = [...new Set(settings.map(({ calibrationLines }) => calibrationLines))];
  const strengths = [...new Set(settings.map(({ denoisePercent }) => denoisePercent))];
  return methods.flatMap((name, method) =>
    strengths.flatMap((denoisePercent, strength) =>
      counts.map((calibrationLines, dash) => ({
        method: name, calibrationLines, denoisePercent, hue: method * strengths.length + strength, dash,
        results: results.filter(({ setting }) => setting?.method === name && setting.calibrationLines === calibrationLines && setting.denoisePercent === denoisePercent),
      })),
    ),
  );
}

function legend(outcome: SweepOutcome): Markup {
  return html`<p>${linesOf(outcome).map(({ method: name, calibrationLines, denoisePercent, hue, dash }) => html`<span style="margin-right:1.2rem;white-space:nowrap">${legendMark(hue, dash)} ${name}, ${calibrationLines} calibration lines${denoisePercent > 0 ? `, denoised at ${denoisePercent} %` : ''}</span>`)}</p>`;
}

function charts(outcome: SweepOutcome): Markup[] {
  const { baseline, limits, timing, snrUnits } = outcome;
  const xOf = ({ minutes, nLines }: SweepResult) => minutes ?? nLines;
  const xLabel = timing === undefined ? 'lines an image' : 'minutes of scan';
  const lines = linesOf(outcome);
  const curvesOf = (value: (result: SweepResult) => number | undefined): Curve[] =>
    lines.map(({ results, hue, dash }, index) => ({
      hue, dash,
      // A method without this figure has no curve, not even one to the data as they are.
      points: (results.some((result) => value(result) !== undefined) ? [baseline, ...results] : []).flatMap((result) => {
        const y = value(result);
        if (y === undefined) return [];
        const label = index === lines.length - 1 && result.setting !== undefined ? { label: `R ${result.setting.acceleration}` } : {};
        return [{ x: xOf(result), y, title: `${settingText(result.setting)}: ${shortNumber(y)} at ${shortNumber(xOf(result))} ${xLabel}`, ...label }];
      }),
    }));
  const of = (title: string, yLabel: string, value: (result: SweepResult) => number | undefined, yIncludes: number[], limit: keyof Limits): Markup | undefined => {
    const curves = curvesOf(value);
    if (curves.every(({ points }) => points.length === 0)) return undefined;
    const chosen = limits[limit];
    const described: Chart = { title, xLabel, yLabel, curves, yIncludes, xIncludes: [0], ...(chosen === undefined ? {} : { limit: { y: chosen, label: `limit ${chosen}` } }) };
    return chart(described);
  };
  return [
    of('Error against all lines', 'nRMSE', ({ figures }) => figures?.nRmse, [0], 'maxNRmse'),
    of('Structural similarity', 'SSIM', ({ figures }) => figures?.ssim, [1], 'minSsim'),
    of('g-factor, mean', 'g', ({ figures }) => figures?.gMean, [1], 'maxGMean'),
    of('g-factor, 99th percentile', 'g', ({ figures }) => figures?.g99, [1], 'maxG99'),
    of(snrUnits ? 'SNR, median' : 'Image over noise, median', snrUnits ? 'SNR' : 'arbitrary units', ({ figures }) => figures?.snr, [0], 'minSnr'),
  ].filter((one) => one !== undefined);
}

function settingsTable({ scan, baseline, results, fastest, limits, snrUnits }: SweepOutcome): Markup {
  const number = (heading: string, of: (result: SweepResult) => number | undefined, digits: number): Column<SweepResult> => ({
    heading, isNumber: true, of: (result) => of(result)?.toFixed(digits) ?? '–',
  });
  const columns: Column<SweepResult>[] = [
    number('R', ({ setting }) => setting?.acceleration ?? scan.acceleration, 0),
    number('ACS', ({ setting }) => setting?.calibrationLines, 0),
    { heading: 'method', of: ({ setting }) => setting?.method ?? 'as acquired' },
    number('denoised, %', ({ setting }) => setting?.denoisePercent, 0),
    number('lines', ({ nLines }) => nLines, 0),
    number('minutes', ({ minutes }) => minutes, 2),
    number('nRMSE', ({ figures }) => figures?.nRmse, 4),
    number('SSIM', ({ figures }) => figures?.ssim, 4),
    number('g mean', ({ figures }) => figures?.gMean, 2),
    number('g 99 %', ({ figures }) => figures?.g99, 2),
    number(snrUnits ? 'SNR' : 'SNR, a.u.', ({ figures }) => figures?.snr, 1),
    number('SNR kept', ({ relativeSnr }) => relativeSnr, 2),
    {
      heading: hasLimits(limits) ? 'verdict' : 'remarks',
      of: ({ violations, remarks }) => {
        if (violations.length > 0) return html`<span class="bad">✗ ${violations.join('; ')}</span>`;
        return [hasLimits(limits) ? html`<span class="good">✓ passes</span> ` : '', html`<code>${remarks.join(' ')}</code>`];
      },
    },
  ];
  return table(columns, [baseline, ...results], (result) => (result === fastest && hasLimits(limits) ? 'best' : ''));
}

function pictures(outcome: SweepOutcome): Markup {
  const painted = sweepPictures(outcome);
  if (painted === undefined) return html`<p>There are no images.</p>`;
  const { scales } = painted;
  const figure = (uri: string, caption: string) => html`<figure><img alt="${caption}" src="${uri}"><figcaption>${caption}</figcaption></figure>`;
  const ofResult = (result: SweepResult): Markup[] => {
    const { figures } = result;
    const of = painted.paint(result);
    if (of === undefined || figures === undefined) return [];
    return [
      figure(of.image, settingText(result.setting)),
      of.error === undefined ? html`<p class="soft">All lines: nothing to compare.</p>` : figure(of.error, `error, nRMSE ${shortNumber(figures.nRmse)}`),
      of.gFactor === undefined ? html`<p class="soft">No g-factor.</p>` : figure(of.gFactor, `g-factor, mean ${figures.gMean!.toFixed(2)}`),
    ];
  };
  return html`<p class="soft">Slice ${painted.slice}. Errors are magnitudes of the difference, in parts of the bright pixels (99th percentile) of the data as acquired; g-factors are shown within the object.</p>
<div class="pictures" style="grid-template-columns: repeat(3, minmax(0, 20rem))">
${[colourBar(scales.image), colourBar(scales.error), colourBar(scales.gFactor)]}
${[outcome.baseline, ...outcome.results].map(ofResult)}
</div>`;
}

function method({ snrUnits }: SweepOutcome): Markup {
  return html`<p>Of the lines that were acquired, each setting keeps those of its lattice through the k-space centre and its calibration lines; header and flags say what a scan that was acquired so would say. Each is reconstructed by a session of its own, as <code>conus recon</code> does it.</p>
<p>The reference is the reconstruction of all lines, combined with coil maps from the same calibration lines. nRMSE, SSIM, g-factor and SNR count the object: pixels above ${100 * backgroundThreshold} % of the brightest of the reference. The noise of the lines that both have is common to both, so the error of a conventional image tells aliasing and what the missing lines add to the noise, not the noise of the data. A denoised image has less of that common noise, which counts as error: compare strengths with one another, and by the pictures. Its SNR is not told, because its noise has no map; g is that of the acquisition.</p>
<p>g counts against the net acceleration, with the calibration lines in it. SNR is the median of |image| over noise${snrUnits ? '' : '; there was no noise scan, so it compares settings only'}. Motion, relaxation along another echo train and everything else that a shorter scan would change is not in these data.</p>`;
}
