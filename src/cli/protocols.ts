/** `conus protocols`: which exam protocols there are, what they hold, how long they take, what is wrong with one. */
import {
  acquiredLines, b1RmsUt, compareProtocols, echoTrainLengthOf, encodingOf, examTimingOf, nSlicesOf, phaseAxisOf, protocolJsonSchema, savedBySynthesis,
  synthesisId, synthesisSequence, timingOf,
} from '../../protocols/index.js';
import type { Protocol, ProtocolComparison, ProtocolFinding, Series, SeriesComparison, TimeComparison, UnscannedSeries } from '../../protocols/index.js';
import { checkProtocolFile, loadProtocol, protocolNames, protocolsPage } from '../protocols/index.js';
import { ExitCode } from './exitCodes.js';
import { printJson, printTable } from './io.js';
import type { CliIo } from './io.js';

interface JsonFlag {
  readonly json: boolean;
}

/** @throws CodedError PROTOCOL_ERR_* where one that comes with the program is broken */
export async function listProtocols({ json }: JsonFlag, io: CliIo): Promise<ExitCode> {
  const protocols = await Promise.all(protocolNames().map(loadProtocol));
  const rows = protocols.map((protocol) => ({
    name: protocol.name,
    title: protocol.title,
    region: protocol.region,
    fieldStrengthT: protocol.fieldStrengthT,
    nSeries: protocol.series.length,
    synthesised: protocol.synthesise.map(({ contrast }) => contrast),
    totalS: examTimingOf(protocol).totalMs / 1000,
  }));
  if (json) printJson(io.stdout, rows);
  else {
    printTable(
      io.stdout,
      ['name', 'region', 'field', 'series', 'synthesised', 'minutes', 'title'],
      rows.map((row) => [
        row.name, row.region, `${row.fieldStrengthT} T`, String(row.nSeries), [...new Set(row.synthesised)].join(', ') || '-', minutes(row.totalS * 1000), row.title,
      ]),
    );
  }
  return ExitCode.ok;
}

/** @throws CodedError PROTOCOL_ERR_* */
export async function showProtocol(nameOrPath: string, { json, against }: JsonFlag & { readonly against?: string }, io: CliIo): Promise<ExitCode> {
  const protocol = await loadProtocol(nameOrPath);
  if (against !== undefined) {
    const other = await loadProtocol(against);
    const comparison = compareProtocols(protocol, other);
    if (json) printJson(io.stdout, { protocol: protocol.name, against: other.name, ...comparison });
    else printComparison(protocol, other, comparison, io);
    return ExitCode.ok;
  }
  const parent = protocol.basedOn === undefined || !protocolNames().includes(protocol.basedOn) ? undefined : await loadProtocol(protocol.basedOn);
  const unscanned = parent === undefined ? protocol.synthesise.map((synthesis): UnscannedSeries => ({ synthesis })) : savedBySynthesis(protocol, parent);
  if (json) {
    const notScanned = unscanned.map(({ synthesis, standsFor }) => ({ id: synthesisId(synthesis), ...(standsFor !== undefined && { standsFor: standsFor.id, savedS: standsFor.ms / 1000 }) }));
    printJson(io.stdout, { ...protocol, timing: examTimingOf(protocol), notScanned });
  } else printProtocol(protocol, unscanned, io);
  return ExitCode.ok;
}

/** @throws CodedError PROTOCOL_ERR_FILE */
export async function checkProtocols(path: string, { json }: JsonFlag, io: CliIo): Promise<ExitCode> {
  const { protocol, errors, warnings } = await checkProtocolFile(path);
  if (json) printJson(io.stdout, { isValid: protocol !== undefined, errors, warnings });
  else {
    for (const finding of [...errors, ...warnings]) io.stdout.write(sentence(finding));
    if (protocol !== undefined) io.stdout.write(`${protocol.name}: valid, ${minutes(examTimingOf(protocol).totalMs)} min\n`);
  }
  return protocol === undefined ? ExitCode.input : ExitCode.ok;
}

export function printProtocolSchema({ markdown }: { readonly markdown?: boolean }, io: CliIo): ExitCode {
  if (markdown === true) io.stdout.write(protocolsPage());
  else printJson(io.stdout, protocolJsonSchema());
  return ExitCode.ok;
}

function sentence({ code, path, got, expected, action }: ProtocolFinding<string>): string {
  return `${code} at ${path === '' ? 'the protocol' : path}: got ${got}; expected ${expected}; ${action}\n`;
}

const wholeSeconds = (ms: number) => Math.round(ms / 1000);

/** min:s */
function minutes(ms: number): string {
  const seconds = Math.abs(wholeSeconds(ms));
  return `${wholeSeconds(ms) < 0 ? '-' : ''}${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

function printComparison(protocol: Protocol, against: Protocol, { series, total, bothScanned }: ProtocolComparison, io: CliIo): void {
  // Saved is what the row's own numbers differ by.
  const savedMs = ({ againstMs, ms }: TimeComparison) => 1000 * (wholeSeconds(againstMs) - wholeSeconds(ms));
  const timeCells = ({ againstMs, ms }: TimeComparison) => [
    minutes(againstMs), minutes(ms), minutes(savedMs({ againstMs, ms })), againstMs > 0 ? `${((100 * (againstMs - ms)) / againstMs).toFixed(0)} %` : '-',
  ];
  printTable(
    io.stdout,
    ['series', against.name, protocol.name, 'saved', 'saved', 'SNR', ''],
    [
      ...series.map((one) => [one.id, ...timeCells(one), one.snrRatio?.toFixed(2) ?? '-', fateOf(one)]),
      ['all series', ...timeCells(total), '', ''],
      ['scanned by both', ...timeCells(bothScanned), '', ''],
    ],
  );
  io.stdout.write('\nMinutes with adjustments and noise scans. SNR: ratio for the same signal, before the g-factor and without denoising.\n');
}

function fateOf({ fate, synthesis, ms }: SeriesComparison): string {
  if (synthesis !== undefined) return `not scanned: synthesised from ${synthesis.fromSeries.join(' and ')}`;
  if (fate === 'leftOut') return 'not scanned';
  return fate === 'added' && ms > 0 ? 'added' : '';
}

/** A column a series. */
function printProtocol(protocol: Protocol, unscanned: readonly UnscannedSeries[], io: CliIo): void {
  const { series, analyse, chain } = protocol;
  io.stdout.write(`${protocol.name}: ${protocol.title}\n`);
  const variant = protocol.basedOn === undefined ? '' : `, a variant of ${protocol.basedOn}`;
  io.stdout.write(`${protocol.bodyPart} (${protocol.region}), ${protocol.fieldStrengthT} T, ${protocol.coil.nChannels} channels${variant}\n\n`);
  printTable(io.stdout, ['', ...series.map(({ id }) => id)], attributes(protocol).map(([name, read]) => [name, ...series.map(read)]));
  const { adjustmentsS, noiseScanS } = protocol.preparation;
  io.stdout.write(`\ntotal ${minutes(examTimingOf(protocol).totalMs)} min; ${adjustmentsS} s of adjustments and ${noiseScanS} s of noise scan a series\n`);
  for (const one of unscanned) io.stdout.write(`synthesised: ${synthesisText(one)}\n`);
  const savedMs = unscanned.reduce((sum, { standsFor }) => sum + (standsFor?.ms ?? 0), 0);
  if (savedMs > 0) io.stdout.write(`not scanned against ${protocol.basedOn!}: ${minutes(savedMs)} min\n`);
  for (const { task, fromSeries } of analyse) io.stdout.write(`analysed: ${task} from ${fromSeries.join(', ')}\n`);
  if (chain !== undefined) io.stdout.write(`chain: ${chainText(chain)}\n`);
  if (protocol.notes !== undefined) io.stdout.write(`notes: ${protocol.notes}\n`);
  for (const { id, notes } of series) if (notes !== undefined) io.stdout.write(`notes on ${id}: ${notes}\n`);
  for (const source of protocol.source) io.stdout.write(`source: ${source}\n`);
}

function synthesisText({ synthesis, standsFor }: UnscannedSeries): string {
  const { contrast, seriesDescription, fromSeries, tiMs, output } = synthesis;
  const sequence = synthesisSequence(synthesis);
  const times = Object.entries({ TR: sequence?.trMs, TE: sequence?.teMs, TI: contrast === 'stir' ? (tiMs ?? 'auto') : undefined }).flatMap(([name, value]) => {
    if (value === undefined) return [];
    return [`${name} ${value}${value === 'auto' ? '' : ' ms'}`];
  });
  return [
    `${contrast} from ${fromSeries.join(', ')}`, ...times,
    ...(sequence === undefined ? [] : [`${sequence.echoTrainLength} echoes every ${sequence.echoSpacingMs} ms`]),
    ...(contrast === 'stir' && output === 'real' ? ['with its sign'] : []),
    ...(seriesDescription === undefined ? [] : [`as "${seriesDescription}"`]),
    ...(standsFor === undefined ? [] : [`in place of ${standsFor.id} of ${minutes(standsFor.ms)} min`]),
  ].join(', ');
}

function chainText({ chain, parameters }: NonNullable<Protocol['chain']>): string {
  return [...(chain === undefined ? [] : [chain]), ...Object.entries(parameters).map(([name, value]) => `${name}=${String(value)}`)].join(' ');
}

const axisNames = { leftRight: 'left-right', anteriorPosterior: 'anterior-posterior', headFeet: 'head-feet' } as const;

function attributes({ preparation }: Protocol): [name: string, read: (series: Series) => string][] {
  const timing = (series: Series) => timingOf(series, preparation);
  return [
    ['series description', ({ seriesDescription }) => seriesDescription],
    ['role', ({ role }) => role],
    ['sequence', ({ sequence }) => sequence.kind],
    ['TR / ms', ({ sequence }) => String(sequence.trMs)],
    ['TE / ms', ({ sequence }) => [sequence.teMs].flat().join(', ')],
    ['TI / ms', ({ sequence }) => (sequence.kind === 'stirTse' ? String(sequence.tiMs) : '-')],
    ['echo train', ({ sequence }) => ('echoSpacingMs' in sequence ? `${sequence.echoTrainLength} every ${sequence.echoSpacingMs} ms` : '-')],
    ['flip angle / deg', ({ sequence }) => `${sequence.flipAngleDeg}${'refocusingAngleDeg' in sequence ? `, refocused by ${sequence.refocusingAngleDeg}` : ''}`],
    ['fat suppression', ({ sequence }) => ('fatSuppression' in sequence ? sequence.fatSuppression : 'none')],
    ['bandwidth / (Hz/pixel)', ({ sequence }) => String(sequence.bandwidthHzPerPixel)],
    ['plane', planeText],
    ['phase encoding', ({ geometry }) => axisNames[phaseAxisOf(geometry)!]],
    ['slices', slicesText],
    ['field of view / mm', (series) => encodingOf(series).imageFovMm.map((mm) => String(Number(mm.toFixed(1)))).join(' x ')],
    ['matrix', (series) => encodingOf(series).imageMatrix.join(' x ')],
    ['phase resolution, oversampling', ({ geometry }) => `${percent(geometry.phaseResolution)}, ${percent(geometry.phaseOversampling)}`],
    ['acceleration', accelerationText],
    ['partial Fourier, echo', ({ partialFourier, echoFraction }) => `${partialFourier}, ${percent(echoFraction)}`],
    ['lines acquired', (series) => `${acquiredLines(series).lines.length} of ${encodingOf(series).nLines}`],
    ['averages', ({ averages }) => String(averages)],
    ['shots + dummies', (series) => `${timing(series).shots * series.averages} + ${series.dummies}, ${echoTrainLengthOf(series.sequence)} lines each`],
    ['concatenations', (series) => `${timing(series).concatenations}, ${timing(series).slicesPerRepetition} slices fit in TR`],
    ['B1+rms, estimated / µT', (series) => b1RmsUt(series, preparation).toFixed(1)],
    ['chain', ({ chain }) => (chain === undefined ? '-' : chainText(chain))],
    ['known by', recognitionText],
    ['minutes', (series) => minutes(timing(series).totalMs)],
  ];
}

const percent = (fraction: number) => `${Number((100 * fraction).toFixed(1))} %`;

function planeText({ geometry }: Series): string {
  const tilts = Object.entries(geometry.tiltDeg).flatMap(([axis, angle]) => (angle === 0 ? [] : [`${angle} deg about ${axisNames[axis as keyof typeof axisNames]}`]));
  const centre = geometry.centreMm.some((value) => value !== 0) ? [`centre ${geometry.centreMm.join(', ')} mm`] : [];
  return [geometry.orientation, ...tilts, ...centre].join(', ');
}

function slicesText(series: Series): string {
  const { count, thicknessMm, gapMm, interleaved } = series.geometry.slices;
  const { discLevels } = series.geometry;
  const blocks = discLevels === undefined ? String(count) : `${nSlicesOf(series)} (${count} at ${discLevels.join(', ')})`;
  return `${blocks}, ${thicknessMm} mm + ${gapMm} mm${interleaved ? ', interleaved' : ''}`;
}

function accelerationText({ acceleration: { factor, calibration, calibrationLines } }: Series): string {
  if (factor === 1) return 'R = 1';
  return `R = ${factor}, ${calibration === 'none' ? 'no calibration' : `${calibrationLines} ${calibration} lines`}`;
}

function recognitionText({ recognise: rules }: Series): string {
  const ranges = Object.entries({ TR: rules.trMs, TE: rules.teMs, TI: rules.tiMs }).flatMap(([name, range]) => (range === undefined ? [] : [`${name} ${range.join('-')}`]));
  const inversion = rules.inversion === undefined ? [] : [rules.inversion ? 'inversion' : 'no inversion'];
  return [...rules.namePatterns, ...[rules.orientation, rules.contrast].filter((word) => word !== undefined), ...ranges, ...inversion].join(' ');
}
