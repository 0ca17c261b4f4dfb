/** The images of the small spine as DICOM objects, read back as the service reads them. */
import { pointOf } from '../../../../imaging/index.js';
import { dicomObjects } from '../../../../src/delivery/index.js';
import { parseDicom, stacksOf, type Stack } from '../../../../src/dicom/index.js';
import { imageGeometry } from '../../../analysis/report/fixtures.js';
import { header, image, settings } from '../../delivery/fixtures.js';

/** @param isSynthetic whether the images say that they were computed */
export async function imagesOfSpine(isSynthetic = false, enhanced = false): Promise<{ stack: Stack; files: Uint8Array[] }> {
  const [columns, rows, slices] = imageGeometry.matrixSize;
  const step = imageGeometry.fovMm[2] / slices;
  const images = Array.from({ length: slices }, (_, slice) => image({
    rows, columns, counters: { slice, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 },
    geometry: { ...imageGeometry, centreMm: pointOf(imageGeometry, [columns / 2, rows / 2, slice]), fovMm: [imageGeometry.fovMm[0], imageGeometry.fovMm[1], step], matrixSize: [columns, rows, 1] },
    fovMm: [imageGeometry.fovMm[0], imageGeometry.fovMm[1], step],
  }));
  const derivation = { imageTypeMark: 'SYNTHETIC', isSynthetic: true, seriesMark: 'STIR', description: 'Synthetic STIR', stages: [], sources: [] };
  const objects = dicomObjects(images, header(), settings, { created: new Date(0), enhanced, ...(isSynthetic && { derivationOf: () => derivation }) });
  const files = objects.map(({ bytes }) => bytes);
  const [stack] = stacksOf(await Promise.all(files.map((file) => parseDicom(file))));
  return { stack: stack!, files };
}
