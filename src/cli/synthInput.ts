/** Acquired series of `conus synth`: DICOM files, NIfTI volumes with their sidecars, MRD images. */
import { readFile, stat } from 'node:fs/promises';
import { MrdParser, parseHeader, parseMeta } from 'ismrmrd';
import type { MrdHeader, MrdImage } from 'ismrmrd';
import { readNifti, volumeOf } from '../../imaging/index.js';
import type { ImageGeometry, Vector3, Volume } from '../../imaging/index.js';
import { isSimulated } from '../delivery/index.js';
import { dicomFiles, readSeriesFiles } from '../dicom/index.js';
import type { DicomImage } from '../dicom/index.js';
import { asFraction, fatFractionOfImages, refocusingOf, sequenceOfHeader, seriesOfImages, synthesisFlowError } from '../synthesis/index.js';
import type { KnownSequence, ReadSeries, Subject } from '../synthesis/index.js';
import { cliError } from './errors.js';
import { slicesOf } from './imageFiles.js';
import type { CliIo } from './io.js';
import { openSource } from './source.js';

const NIFTI = /\.nii(\.gz)?$/i;
const MRD = /\.(mrd|h5)$/i;

/** @throws CodedError CONUS_ERR_INPUT, CONUS_ERR_SYNTHESIS_SOURCE, DICOM_ERR_*, IMG_ERR_*, MRD_ERR_* */
export async function readSeries(path: string, role: string, io: CliIo): Promise<ReadSeries> {
  if (NIFTI.test(path)) return readNiftiSeries(path);
  if (MRD.test(path)) return readMrdSeries(path, role, io);
  const series = await dicomSeries(path);
  if (series.length > 1) throw synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', `${series.length} DICOM series in ${path}`);
  return seriesOfImages(series[0]!, role);
}

/** Water and fat images, or fat fractions. */
export async function readFatFraction(path: string): Promise<Volume<Float32Array>> {
  if (NIFTI.test(path)) return asFraction(readNifti(await bytesOf(path)));
  return fatFractionOfImages((await dicomSeries(path)).flat());
}

/** The images of each series. */
async function dicomSeries(path: string): Promise<(readonly DicomImage[])[]> {
  const files = await stat(path).then(() => dicomFiles(path), unreadable(path));
  const { series } = await readSeriesFiles(files);
  if (series.length === 0) throw cliError('CONUS_ERR_INPUT', `${path}, which holds no DICOM images`);
  return series.map(({ images }) => images);
}

function unreadable(path: string) {
  return (cause: unknown): never => {
    throw cliError('CONUS_ERR_INPUT', `${path} (${(cause as Error).message})`, { cause });
  };
}

const bytesOf = (path: string) => readFile(path).catch(unreadable(path));

/** Beside NAME.nii.gz there may be NAME.json, as the converters of DICOM write it (BIDS): times in seconds. */
async function readNiftiSeries(path: string): Promise<ReadSeries> {
  const volume = readNifti(await bytesOf(path));
  const sidecar = await readFile(path.replace(NIFTI, '.json'), 'utf8').catch(() => '{}');
  let facts: Record<string, unknown>;
  try {
    facts = JSON.parse(sidecar) as Record<string, unknown>;
  } catch (cause) {
    throw cliError('CONUS_ERR_INPUT', `${path.replace(NIFTI, '.json')}, which is no JSON`, { cause });
  }
  const number = (key: string) => (typeof facts[key] === 'number' && Number.isFinite(facts[key]) ? facts[key] : undefined);
  const milliseconds = (key: string) => (number(key) === undefined ? undefined : 1000 * number(key)!);
  const codes = facts['ScanningSequence'] === undefined ? [] : [facts['ScanningSequence']].flat().flatMap((value) => String(value).split(/[\\_]/));
  const fieldStrengthT = number('MagneticFieldStrength');
  return {
    volume,
    known: {
      trMs: milliseconds('RepetitionTime'), teMs: milliseconds('EchoTime'), echoTrainLength: number('EchoTrainLength'), refocusingAngleDeg: refocusingOf(number('FlipAngle')),
      isGradientEcho: codes.includes('SE') ? false : codes.includes('GR') || codes.includes('EP') ? true : undefined,
      hasInversion: codes.includes('IR') || number('InversionTime') !== undefined ? true : undefined,
    },
    ...(fieldStrengthT !== undefined && { fieldStrengthT }),
    subject: {},
    sources: [],
  };
}

/** The images of the lowest series index. */
async function readMrdSeries(path: string, role: string, io: CliIo): Promise<ReadSeries> {
  const all: MrdImage[] = [];
  let header: MrdHeader | undefined;
  const parser = new MrdParser({ image: (image) => all.push(image), header: (xml) => (header = parseHeader(xml)), configFile: () => undefined });
  const { bytes } = await openSource(path, io);
  for await (const chunk of bytes) parser.write(chunk);
  const index = Math.min(...all.map((image) => image.header.imageSeriesIndex));
  const images = all.filter((image) => image.header.imageSeriesIndex === index);
  if (images.length === 0) throw cliError('CONUS_ERR_IMAGE_FILE', `${path} without images`);
  const meta = images[0]!.attributes === '' ? new Map<string, readonly string[]>() : parseMeta(images[0]!.attributes);
  const attribute = (name: string) => (Number.isFinite(Number(meta.get(name)?.[0])) ? Number(meta.get(name)![0]) : undefined);
  const known: KnownSequence = header === undefined ? {} : sequenceOfHeader(header);
  const fieldStrengthT = header?.acquisitionSystemInformation?.systemFieldStrength_T;
  return {
    volume: volumeOfImages(images, attribute('RescaleSlope') ?? 1, role),
    known: { ...known, teMs: known.teMs ?? attribute('EchoTime'), hasInversion: known.hasInversion ?? (attribute('InversionTime') === undefined ? undefined : true) },
    ...(fieldStrengthT !== undefined && { fieldStrengthT }),
    subject: subjectOf(header, meta.get('ConusSimulated')?.[0] === 'true'),
    sources: [],
  };
}

function subjectOf(header: MrdHeader | undefined, saysSimulated: boolean): Subject {
  const { subjectInformation: patient, studyInformation: study, measurementInformation: measurement } = header ?? {};
  const facts = {
    PatientID: patient?.patientID, PatientName: patient?.patientName, StudyInstanceUID: study?.studyInstanceUID, StudyID: study?.studyID,
    BodyPartExamined: study?.bodyPartExamined, FrameOfReferenceUID: measurement?.frameOfReferenceUID, PatientPosition: measurement?.patientPosition,
    Manufacturer: header?.acquisitionSystemInformation?.systemVendor, SyntheticData: saysSimulated || isSimulated(header) ? 'YES' : undefined,
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
}

const relativeTolerance = 0.02;
const toleranceMm = 0.01;

/** Slices of one size and direction, evenly spaced. @throws CodedError CONUS_ERR_SYNTHESIS_SOURCE */
function volumeOfImages(images: readonly MrdImage[], slope: number, role: string): Volume<Float32Array> {
  const refuse = (why: string) => synthesisFlowError('CONUS_ERR_SYNTHESIS_SOURCE', `MRD images as ${role} ${why}`);
  const { readDir, phaseDir, matrixSize, fovMm } = images[0]!.header;
  const normal: Vector3 = [
    readDir[1] * phaseDir[2] - readDir[2] * phaseDir[1], readDir[2] * phaseDir[0] - readDir[0] * phaseDir[2], readDir[0] * phaseDir[1] - readDir[1] * phaseDir[0],
  ];
  if (Math.abs(Math.hypot(...normal) - 1) > relativeTolerance) throw refuse('without directions');
  const heightOf = ({ header: { position } }: MrdImage) => position[0] * normal[0] + position[1] * normal[1] + position[2] * normal[2];
  const sorted = [...images].sort((a, b) => heightOf(a) - heightOf(b));
  const isOneKind = sorted.every(({ header }) => header.matrixSize.join() === matrixSize.join() && header.readDir.every((value, axis) => Math.abs(value - readDir[axis]!) < relativeTolerance));
  if (!isOneKind || matrixSize[2] !== 1) throw refuse('of several sizes or directions');
  const steps = sorted.slice(1).map((image, index) => heightOf(image) - heightOf(sorted[index]!));
  const stepMm = steps.length === 0 ? fovMm[2] : steps.reduce((sum, step) => sum + step, 0) / steps.length;
  if (!(stepMm > toleranceMm) || steps.some((step) => Math.abs(step - stepMm) > Math.max(toleranceMm, relativeTolerance * stepMm))) throw refuse('that are no regular stack');
  const [columns, rows] = matrixSize;
  const geometry: ImageGeometry = {
    centreMm: sorted[Math.floor(sorted.length / 2)]!.header.position, rowDirection: readDir, columnDirection: phaseDir, sliceDirection: normal,
    fovMm: [fovMm[0], fovMm[1], stepMm * sorted.length], matrixSize: [columns, rows, sorted.length],
  };
  const data = new Float32Array(columns * rows * sorted.length);
  sorted.forEach((image, slice) => data.set(slicesOf(image)[0]!.values.map((value) => value * slope), slice * columns * rows));
  return volumeOf(geometry, data);
}
