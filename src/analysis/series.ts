/**
 * Series as an analysis takes them: every regular stack of slices of its own, with the images that its slices are.
 * Axial blocks through single discs are stacks of one series, whether they differ in tilt or have gaps between them.
 */
import { CodedError } from 'ismrmrd';
import type { AnalysisSeries } from '../../analysis/index.js';
import { affineLps } from '../../imaging/index.js';
import type { ImageGeometry, Volume } from '../../imaging/index.js';
import { simulatedMark } from '../delivery/index.js';
import { parseDicom, readVolume, stacksOf } from '../dicom/index.js';
import type { DicomImage, Stack } from '../dicom/index.js';
import { analysisNotice } from './errors.js';
import type { ReconNotice } from '../../recon/index.js';
import { contrastOf, orientationOf } from './recognise.js';
import type { ContrastFacts } from './recognise.js';

export interface SourcedSeries {
  readonly series: AnalysisSeries;
  /** The images that its slices are; absent where they are no DICOM objects. */
  readonly stack?: Stack;
}

/** What is known of a series beside its files. */
export interface SeriesHints {
  readonly role?: string;
  readonly denoised?: boolean;
  readonly qualityLight?: 'green' | 'amber' | 'red';
}

export interface ReadStudy {
  readonly series: readonly SourcedSeries[];
  /** Of a computed CT that is another series: HU that each voxel is not below, or not above, in nine of ten. */
  readonly intervalEnds?: readonly { readonly end: 'low' | 'high'; readonly volume: Volume<Float32Array> }[];
  /** Attributes of patient and study by their keywords, of the first image. Never to be logged. */
  readonly patientAndStudy: Readonly<Record<string, unknown>>;
  readonly notices: readonly ReconNotice[];
}

/** @param files whole DICOM files of one series @throws CodedError DICOM_ERR_* */
export async function readSeriesForAnalysis(files: readonly Uint8Array[], hints: SeriesHints = {}): Promise<ReadStudy> {
  const images: DicomImage[] = [];
  for (const file of files) images.push(await parseDicom(file));
  return seriesForAnalysis(images, hints);
}

/** Images of one series. Stacks that cannot be used are told in the notices. */
export function seriesForAnalysis(images: readonly DicomImage[], hints: SeriesHints = {}): ReadStudy {
  const notices: ReconNotice[] = [];
  const series: SourcedSeries[] = [];
  const intervalEnds: { end: 'low' | 'high'; volume: Volume<Float32Array> }[] = [];
  for (const stack of stacksOf(images).flatMap(regularParts)) {
    const { facts, identity } = stack.slices[0]!.image;
    const description = facts.seriesDescription ?? facts.protocolName ?? '';
    const refuse = (why: string) => notices.push(analysisNotice('CONUS_WARN_ANALYSIS_SERIES', `series ${facts.seriesNumber ?? ''} (${stack.slices.length} slices) ${why}`));
    // A noise map or a localiser's distance map is no picture of a body.
    const end = facts.modality === 'CT' ? intervalEndOf(facts.imageType) : undefined;
    if (end === undefined && facts.imageType.some((value) => mapTypes.has(value.toUpperCase()))) continue;
    const volume = volumeOf(stack);
    if (volume instanceof CodedError) {
      refuse(`is left out: ${volume.code}, got ${volume.got}`);
      continue;
    }
    if (end !== undefined) {
      intervalEnds.push({ end, volume });
      continue;
    }
    const contrast = contrastOf(contrastFactsOf(stack, description, hints));
    if (contrast === undefined) {
      refuse('is left out: its contrast is not known');
      continue;
    }
    series.push({
      series: {
        volume, contrast, orientation: orientationOf(volume.geometry), synthetic: isComputed(stack), description,
        denoised: hints.denoised ?? facts.imageType.some((value) => value.toUpperCase() === 'DENOISED'),
        ...(hints.qualityLight !== undefined && { qualityLight: hints.qualityLight }),
        seriesInstanceUid: identity.seriesInstanceUid,
        ...(facts.fieldStrengthT !== undefined && { fieldStrengthT: facts.fieldStrengthT }),
        ...(facts.repetitionTimeMs !== undefined && { trMs: facts.repetitionTimeMs }),
        ...((stack.echoTimeMs ?? facts.echoTimeMs) !== undefined && { teMs: (stack.echoTimeMs ?? facts.echoTimeMs)! }),
        ...(facts.inversionTimeMs !== undefined && { tiMs: facts.inversionTimeMs }),
      },
      stack,
    });
  }
  const first = images[0];
  return { series, intervalEnds, patientAndStudy: { ...first?.patientAndStudy, ...(first?.facts.isSynthetic === true && { SyntheticData: 'YES' }) }, notices };
}

const intervalEndOf = (imageType: readonly string[]) => imageType.includes('INTERVALLOW') ? 'low' : imageType.includes('INTERVALHIGH') ? 'high' : undefined;

/** What was read of all series of an examination, computed CT with its interval where both ends of it are among them. */
export function sourcedSeriesOf(studies: readonly ReadStudy[]): SourcedSeries[] {
  const ends = studies.flatMap(({ intervalEnds = [] }) => intervalEnds);
  return studies.flatMap((study) => study.series).map((sourced) => {
    const { series } = sourced;
    if (series.contrast !== 'syntheticCt') return sourced;
    const endOf = (end: 'low' | 'high') => ends.find((one) => one.end === end && isOneGrid(one.volume.geometry, series.volume.geometry))?.volume;
    const [low, high] = [endOf('low'), endOf('high')];
    return low === undefined || high === undefined ? sourced : { ...sourced, series: { ...series, interval: { low, high } } };
  });
}

function isOneGrid(a: ImageGeometry, b: ImageGeometry): boolean {
  const [first, second] = [affineLps(a), affineLps(b)];
  return a.matrixSize.every((size, axis) => size === b.matrixSize[axis]) && first.every((value, at) => Math.abs(value - second[at]!) < 0.01);
}

const mapTypes: ReadonlySet<string> = new Set(['NOISE', 'SNR', 'G_FACTOR', 'GFACTOR', 'FAT_FRACTION', 'LOW', 'HIGH', 'RESIDUAL', 'INTERVALLOW', 'INTERVALHIGH', 'FATFRACTION', 'PAIRRESIDUAL']);

function contrastFactsOf(stack: Stack, description: string, { role }: SeriesHints): ContrastFacts {
  const { slices, echoTimeMs } = stack;
  const { facts } = slices[0]!.image;
  const codes = facts.scanningSequence ?? [];
  return {
    modality: facts.modality === 'CT' ? 'CT' : 'MR',
    isSynthetic: isComputed(stack),
    ...(role !== undefined && { role }),
    known: {
      trMs: facts.repetitionTimeMs,
      teMs: echoTimeMs ?? facts.echoTimeMs,
      isGradientEcho: codes.includes('SE') ? false : codes.includes('GR') || codes.includes('EP') ? true : undefined,
      hasInversion: codes.includes('IR') || (facts.inversionTimeMs ?? 0) > 0 ? true : undefined,
      isFatSuppressed: facts.isFatSuppressed,
    },
    description,
  };
}

/**
 * Computed from other images. Scans of the simulator are SyntheticData as well, of nobody, but they were scanned: their
 * reports carry the mark, and tell them from what was computed.
 */
function isComputed({ slices }: Stack): boolean {
  const { facts } = slices[0]!.image;
  if (facts.imageType.some((value) => value.toUpperCase() === 'SYNTHETIC')) return true;
  const isSimulatedScan = facts.seriesDescription?.startsWith(simulatedMark) === true || facts.manufacturerModelName?.includes('simulator') === true;
  return facts.isSynthetic && !isSimulatedScan;
}

/** A stack with gaps is cut at them. */
function regularParts(stack: Stack): Stack[] {
  if (stack.geometry !== undefined || stack.slices.length < 2) return [stack];
  const { normal } = stack.slices[0]!.plane;
  const heightOf = ({ plane: { firstMm } }: Stack['slices'][number]) => firstMm.reduce((sum, value, axis) => sum + value * normal[axis]!, 0);
  const steps = stack.slices.slice(1).map((slice, index) => heightOf(slice) - heightOf(stack.slices[index]!));
  const usualMm = [...steps].sort((a, b) => a - b)[steps.length >> 1]!;
  const starts = [0, ...steps.flatMap((step, index) => (step > 1.5 * usualMm ? [index + 1] : [])), stack.slices.length];
  return starts.slice(1).flatMap((end, index) => stacksOfSlices(stack.slices.slice(starts[index], end)));
}

function stacksOfSlices(slices: Stack['slices']): Stack[] {
  return stacksOf(slices.map(({ image, frame }) => ({ ...image, frames: [frame] })));
}

function volumeOf(stack: Stack): Volume<Float32Array> | CodedError {
  try {
    return readVolume(stack);
  } catch (error) {
    if (error instanceof CodedError) return error;
    throw error;
  }
}
