/**
 * One synthesis from acquired series to series that can be delivered: reads, puts sequences and scales together, asks
 * the numerics, and describes what came of it. Plain data in and out, so that it runs on any thread.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodedError } from 'ismrmrd';
import type { Volume } from '../../imaging/index.js';
import type { Tensors } from '../../models/index.js';
import { parseCalibration, synthesise, synthesisError } from '../../synth/index.js';
import type { AcquiredSeries, Calibration, RunModel, SynthesisInput, SynthesisResult, TrafficLight, WantedContrast } from '../../synth/index.js';
import type { Derivation, ProcessingStage, SyntheticKind, SyntheticSeries } from '../delivery/index.js';
import { parseDicom } from '../dicom/index.js';
import { synthesisFlowError } from './errors.js';
import { levelsOf } from './levels.js';
import { relativeScale } from './relativeScale.js';
import type { ScanPhysics } from './relativeScale.js';
import { clinicalField, resolveSequence } from './sequence.js';
import type { AcquiredRole, KnownBy, KnownSequence, ResolvedSequence } from './sequence.js';
import { areOfTwoPatients, asFraction, fatFractionOfImages, readDicomSeries } from './series.js';
import type { ReadSeries } from './series.js';

/** An acquired series, as DICOM files or as what was read of other ones. */
export interface SourceSeries {
  readonly images: { readonly files: readonly Uint8Array[] } | ReadSeries;
  /** Noise map of the same images, DICOM. */
  readonly noiseFiles?: readonly Uint8Array[];
  /** Which of the images of a scan they are. */
  readonly variant: 'conventional' | 'denoised' | 'received';
  /** Who knows of the sequence beside the files, who knows best first. */
  readonly knownBefore?: readonly { readonly by: KnownBy; readonly known: KnownSequence }[];
  readonly knownAfter?: readonly { readonly by: KnownBy; readonly known: KnownSequence }[];
  readonly fieldStrengthT?: number;
  readonly physics?: ScanPhysics;
}

/** Hounsfield units, which no sequence scans. */
export interface WantedCt {
  readonly contrast: 'ct';
}

export interface WantedSeries {
  readonly contrast: WantedContrast | WantedCt;
  /** Of its series. */
  readonly description: string;
  /** Among all synthetic series of the exam, from 1; its maps have the numbers after it. */
  readonly number: number;
}

export interface UsableModel {
  readonly id: string;
  readonly version: string;
  readonly sha256: string;
  readonly folder: string;
}

export interface SynthesisJob {
  readonly sources: {
    readonly t1w: SourceSeries | undefined;
    readonly t2w: SourceSeries | undefined;
    readonly t2fs?: SourceSeries;
    /** Water and fat images, or fat fractions. */
    readonly dixon?: { readonly files: readonly Uint8Array[] } | { readonly fatFraction: Volume<Float32Array> };
  };
  readonly wanted: readonly WantedSeries[];
  /** Beside the images. */
  readonly maps: readonly Exclude<SyntheticKind, 'image'>[];
  readonly model: UsableModel;
  /** Where a CT is wanted. */
  readonly ctModel?: UsableModel;
  /** The network of structures, where there is one: reasons then name levels. */
  readonly levelModel?: UsableModel;
  /** Also of a pair that is not to be trusted. */
  readonly deliverRed: boolean;
  /** MR series as one multi-frame object each, in place of one object a slice. */
  readonly enhanced?: boolean | undefined;
  readonly softwareVersion: string;
}

export interface SynthesisReport {
  readonly light: TrafficLight;
  readonly reasons: readonly { readonly code: string; readonly light: TrafficLight; readonly text: string }[];
  readonly registration: SynthesisResult['registration'];
  /** Of T2w, how far its echo time is from the stated one; absent where nothing tells. */
  readonly echoTime?: SynthesisResult['echoTime'];
  /** What the sources are taken for, in words. */
  readonly inputs: readonly string[];
  /** Why the CT that is wanted is not there, beside what the light says. */
  readonly ctRefusal?: { readonly code: string; readonly got: string; readonly expected: string; readonly action: string };
}

export interface PerformedSynthesis extends SynthesisReport {
  /** Of each wanted series, by its place among them: its images, then its maps. */
  readonly series: readonly (readonly SyntheticSeries[])[];
}

const isCt = (contrast: WantedSeries['contrast']): contrast is WantedCt => contrast.contrast === 'ct';

/**
 * @param run one run of the model of that id
 * @throws CodedError SYNTH_ERR_*, CONUS_ERR_SYNTHESIS_SOURCE, CONUS_ERR_SYNTHESIS_MODEL, DICOM_ERR_*; what the run throws
 */
export async function performSynthesis(job: SynthesisJob, run: (inputs: Tensors, modelId: string) => Promise<Tensors>): Promise<PerformedSynthesis> {
  const { sources, model, ctModel, levelModel } = job;
  const wantsCt = job.wanted.some(({ contrast }) => isCt(contrast));
  if (wantsCt && ctModel === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_MODEL', 'no model for a synthetic CT');
  const runOf = (id: string): RunModel => (inputs) => run(inputs, id);
  const missing = (['t1w', 't2w'] as const).filter((role) => sources[role] === undefined);
  if (missing.length > 0) throw synthesisError('SYNTH_ERR_SERIES_MISSING', `no ${missing.join(' and no ')}`);
  const t1w = await read('t1w', sources.t1w!);
  const t2w = await read('t2w', sources.t2w!);
  const t2fs = sources.t2fs === undefined ? undefined : await read('t2fs', sources.t2fs);
  const all = [t1w, t2w, ...(t2fs === undefined ? [] : [t2fs])];
  if (all.some(({ series }) => areOfTwoPatients(t2w.series.subject, series.subject))) throw synthesisError('SYNTH_ERR_PATIENTS', 'series of two patients');
  const fieldStrengthT = clinicalField(t2w.fieldStrengthT ?? t1w.fieldStrengthT);
  const scale = relativeScale(all.map(({ source }) => source.physics));
  const scaleOf = (one: Read) => ('scales' in scale ? { relativeScale: scale.scales[all.indexOf(one)]! } : {});
  const acquired = (one: Read): AcquiredSeries => ({ volume: one.series.volume, sequence: one.resolved.sequence, ...scaleOf(one), ...(one.noise !== undefined && { noise: one.noise }) });
  const fatFraction = await fatFractionFrom(sources.dixon);
  const input: SynthesisInput = {
    t1w: acquired(t1w), t2w: acquired(t2w), fieldStrengthT,
    ...(t2fs !== undefined && { fatSuppressed: acquired(t2fs) }),
    ...(fatFraction !== undefined && { fatFraction }),
  };
  const contrasts = job.wanted.flatMap(({ contrast }) => (isCt(contrast) ? [] : [contrast]));
  const result = await synthesise(input, contrasts, runOf(model.id), {
    calibration: await calibrationOf(model.folder), deliverRed: job.deliverRed, ...(wantsCt && { runCt: runOf(ctModel!.id) }),
    ...(levelModel !== undefined && { findRegions: () => levelsOf(t2w.series.volume, runOf(levelModel.id)) }),
  });
  const inputs = [...all.map(inputText), 'scales' in scale ? 'relative scale known from the scans' : `relative scale estimated: ${scale.unknown}`, ...(fatFraction === undefined ? [] : ['fat fraction of a Dixon scan'])];
  const report: SynthesisReport = {
    light: result.light,
    reasons: result.reasons.map(({ code, light, message }) => ({ code, light, text: message })),
    registration: result.registration,
    ...(result.echoTime !== undefined && { echoTime: result.echoTime }),
    inputs,
    ...(result.ctRefusal !== undefined && { ctRefusal: plainError(result.ctRefusal) }),
  };
  const about = { subject: { ...t2w.series.subject, ...(isOfNobody(all) && { SyntheticData: 'YES' }) }, fieldStrengthT, sources: all.flatMap(({ series }) => series.sources) };
  // Fat fractions and residuals are of the pair: once is enough, and beside MR where there is some.
  const withMaps = Math.max(0, job.wanted.findIndex(({ contrast }) => !isCt(contrast)));
  let nth = 0;
  const series = job.wanted.map((wanted, index) => {
    const made = isCt(wanted.contrast) ? madeCt(result, report, job) : madeContrast(wanted.contrast, result.series[nth++], report, job);
    return made === undefined ? [] : seriesOf(job, wanted, made, index === withMaps, result, report, about);
  });
  return { ...report, series };
}

const plainError = ({ code, got, expected, action }: CodedError) => ({ code, got, expected, action });

/** @throws CodedError SYNTH_ERR_CALIBRATION: without one the light would mean nothing */
async function calibrationOf(folder: string): Promise<Calibration> {
  let json: unknown;
  try {
    json = JSON.parse(await readFile(join(folder, 'calibration.json'), 'utf8'));
  } catch (cause) {
    throw synthesisError('SYNTH_ERR_CALIBRATION', `none that can be read (${(cause as NodeJS.ErrnoException).code ?? 'no JSON'})`, { cause });
  }
  return parseCalibration(json);
}

interface Read {
  readonly role: AcquiredRole;
  readonly source: SourceSeries;
  readonly series: ReadSeries;
  readonly resolved: ResolvedSequence;
  readonly fieldStrengthT: number | undefined;
  readonly noise: Float32Array | undefined;
}

async function read(role: AcquiredRole, source: SourceSeries): Promise<Read> {
  const { images, noiseFiles, knownBefore = [], knownAfter = [] } = source;
  const series = 'files' in images ? await readDicomSeries(images.files, role) : images;
  const resolved = resolveSequence(role, [...knownBefore, { by: 'header', known: series.known }, ...knownAfter]);
  const noise = noiseFiles === undefined ? undefined : (await readDicomSeries(noiseFiles, role)).volume.data;
  return {
    role, source, series, resolved, fieldStrengthT: source.fieldStrengthT ?? series.fieldStrengthT,
    noise: noise?.length === series.volume.data.length ? noise : undefined,
  };
}

async function fatFractionFrom(dixon: SynthesisJob['sources']['dixon']): Promise<Volume<Float32Array> | undefined> {
  if (dixon === undefined) return undefined;
  if ('fatFraction' in dixon) return asFraction(dixon.fatFraction);
  const images = [];
  for (const file of dixon.files) images.push(await parseDicom(file));
  return fatFractionOfImages(images);
}

const isOfNobody = (all: readonly Read[]) => all.some(({ series }) => series.subject['SyntheticData'] === 'YES');

function inputText({ role, source, resolved: { sequence, origins } }: Read): string {
  const { trMs, teMs, echoTrainLength, echoSpacingMs } = sequence;
  const told = (key: keyof ResolvedSequence['origins']) => (origins[key] === 'header' ? '' : ` (${origins[key]})`);
  const number = (value: number) => String(Number(value.toFixed(1)));
  return `${role} ${source.variant}, TR ${number(trMs)} ms${told('trMs')}, TE ${number(teMs)} ms${told('teMs')}, ${echoTrainLength} echoes${told('echoTrainLength')} every ${number(echoSpacingMs)} ms${told('echoSpacingMs')}`;
}

interface About {
  readonly subject: Readonly<Record<string, unknown>>;
  readonly fieldStrengthT: number;
  readonly sources: Derivation['sources'];
}

/** A wanted series as far as it is one of its own. */
interface Made {
  readonly volumes: Readonly<Record<'image' | 'low' | 'high', Volume<Float32Array>>>;
  readonly modality: SyntheticSeries['modality'];
  readonly sequence?: NonNullable<SyntheticSeries['sequence']>;
  readonly text: string;
  /** Who computed it, one after the other. */
  readonly models: readonly UsableModel[];
  readonly reasons: SynthesisReport['reasons'];
}

/** Nothing where a light that is red was not to be delivered. */
function madeContrast({ contrast, sequence, output }: WantedContrast, made: SynthesisResult['series'][number] | undefined, { inputs, reasons }: SynthesisReport, { model }: SynthesisJob): Made | undefined {
  if (made === undefined) return undefined;
  const tiMs = contrast === 'stir' ? made.tiMs : undefined;
  const times = `TR ${sequence.trMs} ms, TE ${sequence.teMs} ms${tiMs === undefined ? '' : `, TI ${Number(tiMs.toFixed(1))} ms`}, ${sequence.echoTrainLength} echoes every ${sequence.echoSpacingMs} ms`;
  const sign = output === 'real' ? ' with its sign' : '';
  const { geometry } = made.volume;
  return {
    volumes: { image: made.volume, low: { geometry, data: made.low }, high: { geometry, data: made.high } },
    modality: 'MR', models: [model], reasons: reasons.filter(({ code }) => code !== ofCtAlone),
    sequence: { ...sequence, ...(tiMs !== undefined && { tiMs }), isFatSaturated: contrast !== 'stir' },
    text: `${names[contrast]}${sign} (${times}) ${ways[made.madeBy](`${model.id} ${model.version}`)}; ${inputs.join('; ')}`,
  };
}

/** Of what is to be known of a CT alone. */
const ofCtAlone = 'SYNTH_WARN_CT_PLANES';

function madeCt({ ct }: SynthesisResult, { inputs, reasons }: SynthesisReport, { model, ctModel }: SynthesisJob): Made | undefined {
  if (ct === undefined) return undefined;
  const { volume: { geometry, data }, uncertainty } = ct;
  const end = (sign: number) => ({ geometry, data: data.map((value, voxel) => value + sign * uncertainty.data[voxel]!) });
  return {
    volumes: { image: ct.volume, low: end(-1), high: end(1) },
    modality: 'CT', models: [model, ctModel!], reasons,
    text: `CT in Hounsfield units that ${ctModel!.id} ${ctModel!.version} estimated from both images and from tissue parameters that ${model.id} ${model.version} estimated; no X-ray was measured; ${ct.planes.note}; ${inputs.join('; ')}`,
  };
}

function seriesOf({ maps, softwareVersion }: SynthesisJob, { description, number }: WantedSeries, made: Made, withMapsOfPair: boolean, result: SynthesisResult, report: SynthesisReport, about: About): SyntheticSeries[] {
  const { text, models, modality, sequence, reasons } = made;
  const stages = models.map(({ id, version, sha256 }): ProcessingStage => (
    { purpose: 'synthesizing', manufacturer: 'Conus', modelName: id, softwareVersion: version, modelSha256: sha256, description: `Synthesis of ${text}` }));
  const derivation: Derivation = {
    imageTypeMark: 'SYNTHETIC', isSynthetic: true, seriesMark: '', description: `Synthetic ${text}`, stages, sources: about.sources,
    quality: { light: report.light, reasons: reasons.map((reason) => reason.text) },
  };
  const volumes: Readonly<Record<SyntheticKind, Volume<Float32Array>>> = { ...made.volumes, fatFraction: result.fatFraction, pairResidual: result.pairResidual };
  const ofContrast = maps.filter((kind) => withMapsOfPair || !mapsOfPair.has(kind));
  return (['image', ...ofContrast] as const).map((kind): SyntheticSeries => ({
    kind, description, derivation, softwareVersion, volume: volumes[kind], modality: mapsOfPair.has(kind) ? 'MR' : modality,
    ...(kind === 'image' && sequence !== undefined && { sequence }),
    fieldStrengthT: about.fieldStrengthT, number: number + places[kind], subject: about.subject,
  }));
}

const mapsOfPair: ReadonlySet<SyntheticKind> = new Set(['fatFraction', 'pairResidual']);
/** Of the series of one contrast. */
const places: Readonly<Record<SyntheticKind, number>> = { image: 0, low: 1, high: 2, fatFraction: 3, pairResidual: 4 };

const ways: Readonly<Record<SynthesisResult['series'][number]['madeBy'], (model: string) => string>> = {
  equation: (model) => `by its signal equation from tissue parameters that ${model} estimated`,
  mean: (model) => `as the mean of two images: by its signal equation from tissue parameters that ${model} estimated, and straight from the acquired images by its image network`,
};
const names: Readonly<Record<WantedContrast['contrast'], string>> = {
  stir: 'STIR', t2fs: 'fat-saturated T2w', pdfs: 'fat-saturated PDw', t1fs: 'fat-saturated T1w',
};
