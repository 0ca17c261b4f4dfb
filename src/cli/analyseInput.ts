/** What `conus analyse` is given: DICOM folders, NIfTI volumes, MRD images, and single pictures with their pixel size. */
import { stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import type { Contrast } from '../../analysis/index.js';
import { volumeOf } from '../../imaging/index.js';
import { analysisFlowError, contrastOf, orientationOf, seriesForAnalysis } from '../analysis/index.js';
import type { ReadStudy, SourcedSeries } from '../analysis/index.js';
import { dicomFiles, readSeriesFiles } from '../dicom/index.js';
import type { ReadSeries } from '../synthesis/index.js';
import { cliError } from './errors.js';
import { readImages } from './imageFiles.js';
import type { CliIo } from './io.js';
import { readSeries } from './synthInput.js';

export const contrasts: readonly Contrast[] = ['t1w', 't2w', 'pdw', 'stir', 't2fs', 't1fs', 'pdfs', 'ct'];

/** `t1w=PATH` names the contrast; else it is told from the file. */
export interface NamedInput {
  readonly path: string;
  readonly contrast?: Contrast;
}

export function namedInput(text: string): NamedInput {
  const [, name, path] = /^([a-z0-9]+)=(.+)$/i.exec(text) ?? [];
  const contrast = contrasts.find((one) => one === name);
  return contrast === undefined ? { path: text } : { path: path!, contrast };
}

/** @throws CodedError CONUS_ERR_INPUT, CONUS_ERR_ANALYSIS_*, DICOM_ERR_*, IMG_ERR_*, MRD_ERR_* */
export async function readStudies({ path, contrast }: NamedInput, spacingMm: readonly [number, number] | undefined, io: CliIo): Promise<ReadStudy[]> {
  const name = basename(path);
  if (extname(path).toLowerCase() === '.png') return [await pictureStudy(path, contrast, spacingMm, io)];
  if (/\.(nii(\.gz)?|mrd|h5)$/i.test(path)) {
    const series = await readSeries(path, contrast ?? 't2w', io);
    return [{ series: [sourced(series, contrast ?? contrastIn(series, name), name)], patientAndStudy: series.subject, notices: [] }];
  }
  const files = await stat(path).then(() => dicomFiles(path), (cause: Error) => {
    throw cliError('CONUS_ERR_INPUT', `${path} (${cause.message})`, { cause });
  });
  const { series } = await readSeriesFiles(files);
  if (series.length === 0) throw cliError('CONUS_ERR_INPUT', `${path}, which holds no DICOM images`);
  return series.map(({ images }) => seriesForAnalysis(images, contrast === undefined ? {} : { role: contrast }));
}

function contrastIn({ known }: ReadSeries, name: string): Contrast {
  const contrast = contrastOf({ modality: 'MR', isSynthetic: /synth|(^|[^a-z])syn/i.test(name), known, description: name });
  if (contrast === undefined) throw analysisFlowError('CONUS_ERR_ANALYSIS_CONTRAST', `${name}, which does not tell`);
  return contrast;
}

function sourced({ volume, known, fieldStrengthT }: ReadSeries, contrast: Contrast, name: string): SourcedSeries {
  return {
    series: {
      volume, contrast, orientation: orientationOf(volume.geometry), description: name, denoised: false,
      synthetic: /synth|(^|[^a-z])syn/i.test(name),
      ...(fieldStrengthT !== undefined && { fieldStrengthT }), ...(known.trMs !== undefined && { trMs: known.trMs }), ...(known.teMs !== undefined && { teMs: known.teMs }),
    },
  };
}

/** A picture tells no place: it is taken for a sagittal slice, the head up and the front to the left. */
async function pictureStudy(path: string, contrast: Contrast | undefined, spacingMm: readonly [number, number] | undefined, io: CliIo): Promise<ReadStudy> {
  if (spacingMm === undefined) throw analysisFlowError('CONUS_ERR_ANALYSIS_SOURCE', `${basename(path)}, a picture without --spacing`);
  if (contrast === undefined) throw analysisFlowError('CONUS_ERR_ANALYSIS_CONTRAST', `${basename(path)}, a picture`);
  const [{ rows, columns, values }] = (await readImages(path, undefined, io)) as [Awaited<ReturnType<typeof readImages>>[number]];
  const volume = volumeOf(
    {
      centreMm: [0, 0, 0], rowDirection: [0, 1, 0], columnDirection: [0, 0, -1], sliceDirection: [-1, 0, 0],
      fovMm: [columns * spacingMm[1], rows * spacingMm[0], thicknessOfPictureMm], matrixSize: [columns, rows, 1],
    },
    Float32Array.from(values),
  );
  return { series: [{ series: { volume, contrast, orientation: 'sagittal', synthetic: false, denoised: false, description: basename(path) } }], patientAndStudy: {}, notices: [] };
}

/** Of a usual sagittal slice: it only says which voxels a picture fills. */
const thicknessOfPictureMm = 4;
