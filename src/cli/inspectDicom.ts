/** `conus inspect` of DICOM files: series, stacks and what is to be said of them; nothing of the patient. */
import { voxelSizeMm } from '../../imaging/index.js';
import { readSeriesFiles } from '../dicom/index.js';
import type { SeriesOfFiles, Stack } from '../dicom/index.js';

/** @returns a summary without a patient's name, number or dates */
export async function inspectDicom(paths: readonly string[]): Promise<Record<string, unknown>> {
  const { series, refused } = await readSeriesFiles(paths);
  return { files: paths.length, series: series.map(summaryOf), notRead: refused };
}

/** Facts that differ from image to image, or that the stacks tell better. */
const ofOneImage: ReadonlySet<string> = new Set(['rows', 'columns', 'nFrames', 'instanceNumber', 'frameOfReferenceUid']);

function summaryOf({ images, stacks }: SeriesOfFiles): Record<string, unknown> {
  const { facts, identity } = images[0]!;
  return {
    seriesInstanceUid: identity.seriesInstanceUid,
    sopClassUids: [...new Set(images.map((image) => image.identity.sopClassUid))],
    transferSyntaxUids: [...new Set(images.map((image) => image.identity.transferSyntaxUid))],
    images: images.length,
    ...Object.fromEntries(Object.entries(facts).filter(([name]) => !ofOneImage.has(name))),
    values: [...new Set(images.flatMap(({ frames }) => frames.map(({ scaling }) => `${scaling.source}${scaling.unit === undefined ? '' : ` (${scaling.unit})`}`)))],
    stacks: stacks.map(stackSummary),
  };
}

function stackSummary({ slices, geometry, refusal, findings, echoTimeMs }: Stack): Record<string, unknown> {
  return {
    slices: slices.length,
    echoTimeMs,
    ...(geometry !== undefined && {
      matrix: geometry.matrixSize,
      voxelMm: voxelSizeMm(geometry).map((size) => Number(size.toFixed(4))),
      centreMm: geometry.centreMm.map((coordinate) => Number(coordinate.toFixed(3))),
      sliceDirection: geometry.sliceDirection.map((component) => Number(component.toFixed(5))),
    }),
    notAVolume: refusal === undefined ? undefined : `${refusal.code}: ${refusal.got}`,
    findings: findings.map(({ code, message }) => `${code}: ${message}`),
  };
}
