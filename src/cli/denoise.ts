/** `conus denoise IN -o OUT`: CT images of DICOM files, denoised; each series beside its own, with what was done to it. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { CodedError } from 'ismrmrd';
import { CtSeries } from '../../recon/index.js';
import type { CtSliceImage, DenoisingRecord, LightFallbacks, QualityLight } from '../../recon/index.js';
import { denoisingDerivation, derivedDicom, dicomFileName, strengthMark } from '../delivery/index.js';
import { ctAcquisitionOf, ctNoiseByDose, ctScannerOf, Denoising } from '../denoising/index.js';
import type { CtScanner, DenoisingOptions } from '../denoising/index.js';
import { describeDicom, dicomFiles, parseDicom } from '../dicom/index.js';
import type { Plane } from '../dicom/index.js';
import { VERSION } from '../version.js';
import { cliError } from './errors.js';
import { ExitCode } from './exitCodes.js';
import { printJson } from './io.js';
import type { CliIo } from './io.js';

export interface DenoiseOptions {
  readonly output: string;
  /** 0 to 100. */
  readonly strengthPercent: number;
  readonly fallbacks: LightFallbacks;
  readonly denoising: DenoisingOptions;
  readonly ctScanners: readonly CtScanner[];
  /** Id of the network; the first one for CT that is in order where it is absent. */
  readonly model?: string;
  readonly json: boolean;
}

interface SliceFile {
  readonly path: string;
  readonly plane: Plane;
}

interface SeriesOfSlices {
  readonly uid: string;
  /** In names of files: as in the denoised images, but that no two are the same. */
  fileNumber: number;
  readonly description: string;
  readonly slices: SliceFile[];
}

interface SeriesResult {
  readonly seriesInstanceUid: string;
  readonly description: string;
  readonly nImages: number;
  readonly files: string[];
  readonly lights: Record<QualityLight, number>;
  /** Of the last image. */
  strengthPercent: number | undefined;
  noiseSource: DenoisingRecord['noiseSource'] | undefined;
  readonly remarks: string[];
}

/** Exit code 2 where no image was denoised, or a series was not to its end. @throws CodedError CONUS_ERR_INPUT, CONUS_ERR_OUTPUT, MODEL_ERR_FOLDER */
export async function denoise(input: string, options: DenoiseOptions, io: CliIo): Promise<ExitCode> {
  const { series, notRead } = await ctSeriesOf(input);
  if (series.length === 0) throw cliError('CONUS_ERR_INPUT', `${input}, which holds no CT slices as single DICOM images${notRead.length === 0 ? '' : ` (${notRead[0]!.path}: ${notRead[0]!.why})`}`);
  const denoising = await Denoising.open({ ...options.denoising, notice: ({ code, message }) => io.stderr.write(`WRN ${code}: ${message}\n`) });
  const results: SeriesResult[] = [];
  try {
    for (const one of series) results.push(await denoiseSeries(one, denoising, options, io));
  } finally {
    denoising.close();
  }
  if (options.json) printJson(io.stdout, { series: results, notRead });
  else {
    for (const { description, nImages, files, lights, strengthPercent, noiseSource, remarks } of results) {
      io.stdout.write(`${description}: ${files.length} of ${nImages} images${strengthPercent === undefined ? '' : ` at ${strengthPercent} %, noise ${noiseSource ?? ''}, lights ${lights.green} green, ${lights.amber} amber, ${lights.red} red`}\n`);
      for (const remark of remarks) io.stderr.write(`${description}: ${remark}\n`);
    }
    for (const { path, why } of notRead) io.stderr.write(`${path}: ${why}\n`);
  }
  return results.every(({ files, nImages }) => files.length === nImages) ? ExitCode.ok : ExitCode.input;
}

/** CT series of single images, each in the order of its slices. @throws CodedError CONUS_ERR_INPUT */
async function ctSeriesOf(input: string): Promise<{ series: SeriesOfSlices[]; notRead: { path: string; why: string }[] }> {
  const paths = await dicomFiles(input).catch((cause: NodeJS.ErrnoException) => {
    throw cliError('CONUS_ERR_INPUT', `${input} (${cause.code ?? 'unreadable'})`, { cause });
  });
  const series = new Map<string, SeriesOfSlices>();
  const notRead: { path: string; why: string }[] = [];
  for (const path of paths) {
    try {
      const { header: { identity }, facts, planes: [plane] } = describeDicom(await readFile(path));
      const why = facts.modality !== 'CT' ? `${facts.modality || 'no'} image, not CT` : facts.nFrames !== 1 ? 'an image of several frames' : plane === undefined ? 'an image without a place' : undefined;
      if (why !== undefined || plane === undefined) {
        notRead.push({ path, why: why! });
        continue;
      }
      const found = series.get(identity.seriesInstanceUid) ?? { uid: identity.seriesInstanceUid, fileNumber: 100 * (facts.seriesNumber ?? 0) + 1, description: facts.seriesDescription ?? 'CT', slices: [] };
      found.slices.push({ path, plane });
      series.set(found.uid, found);
    } catch (error) {
      if (!(error instanceof CodedError)) throw error;
      notRead.push({ path, why: error.message });
    }
  }
  const along = ({ plane: { firstMm, normal } }: SliceFile) => firstMm.reduce((sum, part, axis) => sum + part * normal[axis]!, 0);
  const sorted = [...series.values()].sort((a, b) => a.fileNumber - b.fileNumber);
  for (const [index, one] of sorted.entries()) {
    one.slices.sort((a, b) => along(a) - along(b));
    one.fileNumber = Math.max(one.fileNumber, (sorted[index - 1]?.fileNumber ?? 0) + 1);
  }
  return { series: sorted, notRead };
}

async function denoiseSeries({ uid, fileNumber, description, slices }: SeriesOfSlices, denoising: Denoising, options: DenoiseOptions, io: CliIo): Promise<SeriesResult> {
  const { strengthPercent, fallbacks, ctScanners, output } = options;
  const result: SeriesResult = { seriesInstanceUid: uid, description, nImages: slices.length, files: [], lights: { green: 0, amber: 0, red: 0 }, strengthPercent: undefined, noiseSource: undefined, remarks: [] };
  const denoiser = denoising.denoiser('denoise-ct', options.model);
  if (denoiser === undefined) {
    result.remarks.push('there is no denoiser for CT');
    return result;
  }
  const series = new CtSeries({ denoiser, strengthPercent, fallbacks });
  const created = new Date();
  for (const [index, { path, plane }] of slices.entries()) {
    if (io.stop.aborted) break;
    const name = `slice ${index + 1}`;
    const end = (reason: string) => result.remarks.push(`${reason}; the denoised series ends before it`);
    try {
      const source = await readFile(path);
      const { facts: { rows, columns }, frames: [frame] } = await parseDicom(source);
      if (!isSquare(plane)) {
        end(`${name} has pixels that are not square`);
        break;
      }
      const slice = { rows, columns, pixelMm: plane.pixelSpacingMm[1], hounsfield: frame!.values() };
      const step = await series.next(slice, name, noiseByDose(source, plane, slice, ctScanners), io.stop);
      if (step.kind !== 'denoised') {
        end(step.reason);
        break;
      }
      const { record, isLowered, doubt } = step;
      if (doubt !== undefined && result.remarks.length === 0) result.remarks.push(`${name}: ${doubt}; its noise is estimated from the image`);
      if (isLowered) result.remarks.push(`from ${name} on at ${record.strengthPercent} %, in a series of its own: ${record.reasons.join('; ')}`);
      const derivation = { ...denoisingDerivation('DENOISED', record, []), seriesMark: strengthMark(record) };
      const { bytes } = derivedDicom({ source, values: step.hounsfield, derivation, softwareVersion: VERSION, created });
      result.files.push(await written(output, dicomFileName(fileNumber, index + 1), bytes, path));
      result.lights[record.light]++;
      result.strengthPercent = record.strengthPercent;
      result.noiseSource = record.noiseSource;
    } catch (error) {
      // What is wrong with one file is no reason to leave the other series; a folder that cannot be written is.
      if (!(error instanceof CodedError) || error.code === 'CONUS_ERR_OUTPUT') throw error;
      end(`${name}: ${error.message}`);
      break;
    }
  }
  return result;
}

/**
 * @param source is not written over
 * @returns the path. @throws CodedError (as a rejection) CONUS_ERR_OUTPUT
 */
async function written(folder: string, name: string, bytes: Uint8Array, source: string): Promise<string> {
  const path = join(folder, name);
  if (dirname(resolve(source)) === resolve(folder)) throw cliError('CONUS_ERR_OUTPUT', `${folder}, where the images lie that are to be denoised`);
  try {
    await mkdir(folder, { recursive: true });
    await writeFile(path, bytes);
  } catch (cause) {
    throw cliError('CONUS_ERR_OUTPUT', `${folder} (${(cause as Error).message})`, { cause });
  }
  return path;
}

function isSquare({ pixelSpacingMm: [betweenRows, betweenColumns] }: Plane): boolean {
  return Math.abs(betweenRows - betweenColumns) <= 0.01 * betweenColumns;
}

/** @throws CodedError DICOM_ERR_VALUE where what is asked for is no number */
function noiseByDose(source: Uint8Array, { firstMm, rowDirection, columnDirection, thicknessMm }: Plane, slice: CtSliceImage, scanners: readonly CtScanner[]) {
  if (scanners.length === 0) return undefined;
  const { attributes } = describeDicom(source).header;
  const scanner = ctScannerOf([attributes.text('StationName'), attributes.text('DeviceSerialNumber')], scanners);
  if (scanner === undefined) return undefined;
  const { rows, columns, pixelMm } = slice;
  const centre = (axis: 0 | 1 | 2) => firstMm[axis] + pixelMm * (Math.floor(columns / 2) * rowDirection[axis] + Math.floor(rows / 2) * columnDirection[axis]);
  return ctNoiseByDose(scanner, ctAcquisitionOf(attributes, { centreMm: [centre(0), centre(1), centre(2)], rowDirection, columnDirection }, thicknessMm), slice);
}
