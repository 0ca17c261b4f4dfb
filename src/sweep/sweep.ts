/**
 * A recorded scan at every setting that is asked for: undersampled retrospectively, reconstructed by a
 * session like any other, compared with the reconstruction of all lines.
 */
import type { MrdHeader } from 'ismrmrd';
import { coilMapEstimator, planCartesian, type ReconImage, type ReconNotice } from '../../recon/index.js';
import type { Choice, ChoiceOptions, ParameterName, Parameters, UnaliasMethod } from '../chain/index.js';
import { play, presentable, Session, type Denoisers, type Reconstructions, type SessionAnswer } from '../session/index.js';
import { sweepError } from './errors.js';
import { figuresOf, ImageSet, magnitudes, type Figures } from './figures.js';
import { violations, type Limits } from './limits.js';
import { readRecordedScan, type RecordedScan } from './recordedScan.js';
import { keptLinesOf, scanMinutes, sequenceTimingOf, type SequenceTiming } from './scanTime.js';
import { checkSampling, keptReadouts, rewrittenHeader, undersampledStream, type KeptReadouts, type Sampling } from './undersample.js';

/** One point of the sweep. */
export interface Setting {
  readonly acceleration: number;
  readonly calibrationLines: number;
  /** A value of the parameter `unalias`. */
  readonly method: UnaliasMethod;
  /** Strength of the denoiser; 0 for the conventional image. */
  readonly denoisePercent: number;
}

export interface SweepOptions extends ChoiceOptions {
  readonly accelerations: readonly number[];
  readonly calibrationLines: readonly number[];
  readonly methods: readonly UnaliasMethod[];
  /** 0 to 100; those above 0 need a denoiser. */
  readonly denoisePercents: readonly number[];
  readonly limits: Limits;
  /** In place of the header's. */
  readonly trMs?: number;
  readonly echoTrainLength?: number;
}

export interface SweepContext {
  /** The recorded stream from its beginning; it is read once for every setting. */
  open(): Promise<AsyncIterable<Uint8Array>>;
  readonly reconstructions: Reconstructions;
  readonly denoisers?: Denoisers;
  /** Told what is about to be reconstructed. */
  readonly progress?: (setting: string) => void;
}

/** The slice that is shown, float32 [rows, columns]. */
export interface SweepPicture {
  readonly rows: number;
  readonly columns: number;
  readonly slice: number;
  readonly image: Float32Array;
  /** |image| - |reference| */
  readonly error: Float32Array;
  readonly gFactor: Float32Array | undefined;
}

export interface SweepResult {
  /** Undefined for the data as they are. */
  readonly setting: Setting | undefined;
  /** Of one image in one average, calibration lines among them. */
  readonly nLines: number;
  readonly minutes: number | undefined;
  /** Undefined where there are no images. */
  readonly figures: Figures | undefined;
  /** Its SNR over that of the data as they are. */
  readonly relativeSnr: number | undefined;
  /** What is not within the limits, or went wrong. */
  readonly violations: readonly string[];
  /** Codes of what was remarked on the way, other than on the data themselves. */
  readonly remarks: readonly string[];
  readonly picture: SweepPicture | undefined;
}

export interface SweepOutcome {
  readonly scan: RecordedScan;
  readonly timing: SequenceTiming | undefined;
  /** True where values are in SNR units. */
  readonly snrUnits: boolean;
  readonly limits: Limits;
  /** The data as they are. */
  readonly baseline: SweepResult;
  readonly results: readonly SweepResult[];
  /** Within all limits, and the fastest; of equally fast ones that of the least error. */
  readonly fastest: SweepResult | undefined;
}

/** What a session of the sweep gave. */
interface Run {
  readonly images: ImageSet;
  readonly noticeCodes: readonly string[];
  readonly parameters: Parameters;
}

/** What a session of the sweep gets: the data as they are, or with less lines; parameters of its own. */
interface Variant {
  readonly sampled?: { readonly header: MrdHeader; readonly kept: KeptReadouts };
  readonly parameters?: Partial<Record<ParameterName, string>>;
}

/** Figures that are missing say it as well. */
const expectedRemarks: ReadonlySet<string> = new Set(['RECON_WARN_NO_MAPS']);
/** A setting says itself whether it is denoised. */
const common: Partial<Record<ParameterName, string>> = { gFactorMap: 'true', snrMap: 'true', denoise: '0' };

/**
 * @throws CodedError CONUS_ERR_SWEEP_*, and what ends the session of the data as they are; a setting whose
 *   session fails is a result like any other
 */
export async function sweep(options: SweepOptions, context: SweepContext): Promise<SweepOutcome> {
  const scan = await readRecordedScan(await context.open());
  const settings = settingsOf(scan, options);
  const timing = sequenceTimingOf(scan, options);
  const run = async (name: string, variant: Variant) => {
    context.progress?.(name);
    return reconstruct(options, context, variant);
  };
  const sampledAs = (sampling: Sampling) => ({
    header: rewrittenHeader(scan, sampling.acceleration),
    kept: keptReadouts(scan, sampling),
  });

  const everything = scan.readouts.map(({ flags }) => flags);
  const own = await run('as acquired', {});
  const resultOf = (images: ImageSet, references: ImageSet, kept: KeptReadouts, kind: 'image' | 'denoised' = 'image') => {
    const lines = keptLinesOf(scan, kept);
    const minutes = timing && scanMinutes(timing, lines);
    const figures = figuresOf(images, references, kind);
    // What could not be unaliased is no setting to scan with, whatever its figures.
    const isZeroFilled = images.ofKind('image').some((image) => image.method === 'zeroFilled');
    const nImages = images.ofKind(kind).length;
    const nWanted = references.ofKind('image').length;
    // One series has no gaps: what was not denoised is not there.
    const isWhole = nImages >= nWanted;
    const shortcomings = [
      ...(isZeroFilled ? ['zero-filled'] : []), ...(isWhole ? [] : [`${nImages} of ${nWanted} images denoised`]), ...violations({ ...figures, minutes }, options.limits),
    ];
    const picture = pictureOf(images, references, kind);
    return { nLines: lines.nLines, minutes, figures: isWhole ? figures : undefined, violations: shortcomings, picture };
  };
  const baseline: SweepResult = { setting: undefined, ...resultOf(own.images, own.images, everything), relativeSnr: 1, remarks: [] };

  const references = new Map<string, ImageSet>();
  const referenceOf = async ({ acceleration, calibrationLines, method }: Setting): Promise<ImageSet> => {
    const { plan } = planCartesian(rewrittenHeader(scan, acceleration), { ...own.parameters, unalias: method });
    const coilMapMethod = coilMapEstimator(plan.parameters, plan.iterative);
    const name = `reference, ${calibrationLines} calibration lines, ${coilMapMethod} coil maps`;
    const known = references.get(name);
    if (known !== undefined) return known;
    // Lines are missing by the header only: so the calibration lines make the coil maps, as they do at every setting.
    const sampled = sampledAs({ acceleration: Math.max(2, scan.acceleration), calibrationLines, keepsAllLines: true });
    const { images } = await run(name, { sampled, parameters: { unalias: 'grappa', coilMapMethod } });
    references.set(name, images);
    return images;
  };

  const results: SweepResult[] = [];
  for (const setting of settings) {
    const sampled = sampledAs({ ...setting, keepsAllLines: false });
    const reference = await referenceOf(setting);
    try {
      const { images, noticeCodes } = await run(settingText(setting), { sampled, parameters: { unalias: setting.method, denoise: String(setting.denoisePercent) } });
      const result = resultOf(images, reference, sampled.kept, setting.denoisePercent > 0 ? 'denoised' : 'image');
      results.push({
        setting,
        ...result,
        relativeSnr: ratio(result.figures?.snr, baseline.figures?.snr),
        remarks: noticeCodes.filter((code) => code.includes('_WARN_') && !expectedRemarks.has(code) && !own.noticeCodes.includes(code)),
      });
    } catch (error) {
      const lines = keptLinesOf(scan, sampled.kept);
      results.push({
        setting, nLines: lines.nLines, minutes: timing && scanMinutes(timing, lines), figures: undefined, relativeSnr: undefined,
        violations: [presentable(error).message], remarks: [], picture: undefined,
      });
    }
  }
  const snrUnits = own.images.ofKind('image').every((image) => image.snrUnits);
  return { scan, timing, snrUnits, limits: options.limits, baseline, results, fastest: fastestOf([baseline, ...results]) };
}

/** Every combination; of fully sampled data R = 1 is what they are, whatever the calibration. @throws CodedError CONUS_ERR_SWEEP_* */
function settingsOf(scan: RecordedScan, { accelerations, calibrationLines, methods, denoisePercents }: SweepOptions): Setting[] {
  const settings: Setting[] = [];
  for (const acceleration of accelerations) {
    for (const lines of calibrationLines) checkSampling(scan, { acceleration, calibrationLines: lines });
    if (acceleration === 1) continue;
    for (const method of methods) {
      for (const lines of calibrationLines) for (const denoisePercent of denoisePercents) settings.push({ acceleration, calibrationLines: lines, method, denoisePercent });
    }
  }
  return settings;
}

export function settingText(setting: Setting | undefined): string {
  if (setting === undefined) return 'as acquired';
  const { acceleration, calibrationLines, method, denoisePercent } = setting;
  return `R = ${acceleration}, ${calibrationLines} calibration lines, ${method}${denoisePercent > 0 ? `, denoised at ${denoisePercent} %` : ''}`;
}

function fastestOf(results: readonly SweepResult[]): SweepResult | undefined {
  const cost = ({ minutes, nLines }: SweepResult) => minutes ?? nLines;
  return results
    .filter((result) => result.figures !== undefined && result.violations.length === 0)
    .sort((a, b) => cost(a) - cost(b) || a.figures!.nRmse - b.figures!.nRmse)[0];
}

function ratio(value: number | undefined, reference: number | undefined): number | undefined {
  return value === undefined || reference === undefined ? undefined : value / reference;
}

/** The middle image of the reference, and the same one here. */
function pictureOf(images: ImageSet, references: ImageSet, kind: 'image' | 'denoised'): SweepPicture | undefined {
  const all = references.ofKind('image');
  const reference = all[Math.floor(all.length / 2)];
  const image = reference && images.beside(reference, kind);
  if (reference === undefined || image === undefined) return undefined;
  const values = magnitudes(image);
  const truth = magnitudes(reference);
  return {
    rows: image.rows,
    columns: image.columns,
    slice: image.counters.slice,
    image: values,
    error: values.map((value, pixel) => value - truth[pixel]!),
    gFactor: images.beside(image, 'gFactor')?.data,
  };
}

/** @throws what ended the session */
async function reconstruct(options: ChoiceOptions, context: SweepContext, { sampled, parameters }: Variant): Promise<Run> {
  const answer = new Gathered();
  let choice: Choice | undefined;
  const session = new Session({
    id: 'sweep',
    ...(options.chain === undefined ? {} : { chain: options.chain }),
    overrides: { ...options.overrides, ...common, ...parameters },
    reconstructions: context.reconstructions,
    ...(context.denoisers !== undefined && { denoisers: context.denoisers }),
    answer,
    observer: {
      chosen: (chosen) => {
        choice = chosen;
      },
    },
  });
  const bytes = await context.open();
  const summary = await play(sampled === undefined ? bytes : undersampledStream(bytes, sampled.header, sampled.kept), session);
  if (summary.error !== undefined) throw summary.error;
  if (choice === undefined) throw sweepError('CONUS_ERR_SWEEP_DATA', 'a stream whose chain reconstructs nothing');
  return { images: answer.images, noticeCodes: summary.noticeCodes, parameters: choice.parameters };
}

/** Keeps images and says nothing. */
class Gathered implements SessionAnswer {
  readonly images = new ImageSet();

  begin(): void {
    // The settings of a delivery are nobody's business here.
  }
  image(image: ReconImage): void {
    this.images.add(image);
  }
  returned(): void {
    // Images of the input are no images of a setting.
  }
  text(): void {
    // Remarks are told by their codes.
  }
  response(): void {
    // Nobody asked.
  }
  dependency(): void {
    // Nobody asked.
  }
  ready(): Promise<void> | undefined {
    return undefined;
  }
  notices(): readonly ReconNotice[] {
    return [];
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}
