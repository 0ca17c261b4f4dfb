/** Acquired series as a synthesis takes them: one volume each, with what is known of its sequence, place and patient. */
import { CodedError } from 'ismrmrd';
import type { Volume } from '../../imaging/index.js';
import type { SourceImage } from '../delivery/index.js';
import { parseDicom, readVolume, stacksOf } from '../dicom/index.js';
import type { DicomImage, ImageFacts, Stack } from '../dicom/index.js';
import { synthesisFlowError } from './errors.js';
import { refocusingOf } from './sequence.js';
import type { KnownSequence } from './sequence.js';

/** Attributes of patient, study, place and equipment by their keywords. Never to be logged. */
export type Subject = Readonly<Record<string, unknown>>;

/** What files of any kind tell of a series. */
export interface ReadSeries {
  readonly volume: Volume<Float32Array>;
  readonly known: KnownSequence;
  readonly fieldStrengthT?: number;
  readonly subject: Subject;
  /** Images of a DICOM series; none of other files. */
  readonly sources: readonly SourceImage[];
}

/** @param files whole DICOM files of one series @throws CodedError CONUS_ERR_SYNTHESIS_SOURCE, DICOM_ERR_* */
export async function readDicomSeries(files: readonly Uint8Array[], role: string): Promise<ReadSeries> {
  const images: DicomImage[] = [];
  for (const file of files) images.push(await parseDicom(file));
  return seriesOfImages(images, role);
}

/** @throws CodedError CONUS_ERR_SYNTHESIS_SOURCE */
export function seriesOfImages(images: readonly DicomImage[], role: string): ReadSeries {
  const stack = mainStack(stacksOf(images), role);
  const { facts, patientAndStudy } = stack.slices[0]!.image;
  return {
    volume: volumeOfStack(stack, role),
    known: sequenceOfFacts(facts, stack.echoTimeMs),
    ...(facts.fieldStrengthT !== undefined && { fieldStrengthT: facts.fieldStrengthT }),
    subject: { ...patientAndStudy, ...(facts.isSynthetic && { SyntheticData: 'YES' }) },
    sources: stack.slices.map(({ image: { identity } }) => ({ sopClassUid: identity.sopClassUid, sopInstanceUid: identity.sopInstanceUid, seriesInstanceUid: identity.seriesInstanceUid })),
  };
}

/**
 * Of a Dixon scan, fat over fat and water: from a stack of each, by their image types, or from a stack of fat fractions.
 * @throws CodedError CONUS_ERR_SYNTHESIS_SOURCE
 */
export function fatFractionOfImages(images: readonly DicomImage[]): Volume<Float32Array> {
  const stacks = stacksOf(images);
  const ofType = (...marks: string[]) => stacks.find(({ slices }) => slices[0]!.image.facts.imageType.some((value) => marks.includes(value.toUpperCase())));
  const fraction = ofType('FAT_FRACTION', 'FATFRACTION', 'FF');
  if (fraction !== undefined) return asFraction(volumeOfStack(fraction, 'dixon'));
  const [fat, water] = [ofType('FAT', 'F'), ofType('WATER', 'W')];
  if (fat === undefined || water === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', 'a Dixon series without images of type WATER and FAT, or FAT_FRACTION');
  return fatFractionOf(volumeOfStack(fat, 'dixon'), volumeOfStack(water, 'dixon'));
}

/** @throws CodedError CONUS_ERR_SYNTHESIS_SOURCE where they lie on two grids */
export function fatFractionOf(fat: Volume<Float32Array>, water: Volume<Float32Array>): Volume<Float32Array> {
  if (fat.data.length !== water.data.length) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', 'water and fat images of two sizes');
  return { geometry: fat.geometry, data: fat.data.map((value, index) => value / Math.max(value + water.data[index]!, Number.MIN_VALUE)) };
}

/** Fat fractions are stored from 0 to 1, or in per cent. */
export function asFraction({ geometry, data }: Volume<Float32Array>): Volume<Float32Array> {
  const largest = data.reduce((most, value) => Math.max(most, value), 0);
  const unit = largest > 1.5 ? 100 : 1;
  return { geometry, data: data.map((value) => Math.min(1, Math.max(0, value / unit))) };
}

/** The one with most slices; of several echoes, the one that weights as the role asks for. */
function mainStack(stacks: readonly Stack[], role: string): Stack {
  const most = Math.max(0, ...stacks.map(({ slices }) => slices.length));
  const candidates = stacks.filter(({ slices }) => slices.length === most);
  const byEcho = [...candidates].sort((a, b) => (a.echoTimeMs ?? 0) - (b.echoTimeMs ?? 0));
  const stack = role === 't1w' ? byEcho[0] : byEcho.at(-1);
  if (stack === undefined) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', `a series as ${role} whose images have no place`);
  return stack;
}

function volumeOfStack(stack: Stack, role: string): Volume<Float32Array> {
  try {
    return readVolume(stack);
  } catch (cause) {
    if (!(cause instanceof CodedError)) throw cause;
    throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', `a series as ${role} that is no regular stack (${cause.code}: ${cause.got})`, { cause });
  }
}

function sequenceOfFacts({ repetitionTimeMs, echoTimeMs, inversionTimeMs, echoTrainLength, flipAngleDeg, scanningSequence, isFatSuppressed }: ImageFacts, stackEchoMs: number | undefined): KnownSequence {
  const codes = scanningSequence ?? [];
  return {
    trMs: repetitionTimeMs,
    teMs: stackEchoMs ?? echoTimeMs,
    echoTrainLength,
    refocusingAngleDeg: refocusingOf(flipAngleDeg),
    // Research mode tells nothing; GRASE and the like have spin echoes among their gradient echoes.
    isGradientEcho: codes.includes('SE') ? false : codes.includes('GR') || codes.includes('EP') ? true : undefined,
    hasInversion: codes.includes('IR') || (inversionTimeMs ?? 0) > 0 ? true : undefined,
    isFatSuppressed,
  };
}

/** Whether two series are known to be of two people. */
export function areOfTwoPatients(a: Subject, b: Subject): boolean {
  const text = (subject: Subject, keyword: string) => JSON.stringify(subject[keyword] ?? '').toLowerCase().replace(/[^\p{L}\p{N}]/gu, '');
  const differ = (keyword: string) => text(a, keyword) !== '' && text(b, keyword) !== '' && text(a, keyword) !== text(b, keyword);
  if (text(a, 'PatientID') !== '' && text(b, 'PatientID') !== '') return differ('PatientID');
  return differ('PatientName') || differ('PatientBirthDate');
}
