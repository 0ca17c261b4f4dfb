/**
 * A series of images as one Enhanced MR Image (PS3.3 A.36): a frame an image (multiFrame.ts).
 *
 * A frame may be called ORIGINAL here only with facts of the pulse sequence that MRD headers do not hold (suppression,
 * steady state, spin labelling ...). None is invented: frames are DERIVED, computed from k-space, and say so in
 * DerivationDescription; the classic object of the same image says ORIGINAL.
 */
import type { ImageGeometry } from '../../imaging/index.js';
import { contentDateAndTime, describedImage, equipment, imageTypeOf, mrAcquisition, patientAndStudy, pixels, series, sopCommon } from './dicomDataset.js';
import type { ImageSource } from './dicomDataset.js';
import type { DicomDataset } from './dicomModules.js';
import { codeString } from './dicomValues.js';
import { ofContrast } from './headerFacts.js';
import { multiFrameDataset, searchableOf } from './multiFrame.js';

/** An image with its geometry, as a frame needs it. */
export type PlacedSource = ImageSource & { readonly geometry: ImageGeometry };

/**
 * @param sources the images of one series and contrast, of one size and field of view, in any order; the first one
 *   gives the object its identity
 */
export function enhancedMrDataset(sources: readonly PlacedSource[]): DicomDataset {
  const [source] = sources;
  if (source === undefined) throw new Error('no frames');
  const { header, identity, delivered } = source;
  const { date, time } = contentDateAndTime(source);
  return multiFrameDataset({
    ...identity,
    attributes: {
      ...sopCommon(source),
      InstanceNumber: String(delivered.image.counters.contrast + 1),
      ...patientAndStudy(source),
      ...series(source),
      PatientPosition: codeString(header?.measurementInformation?.patientPosition),
      ...equipment(source),
      ...describedImage(source),
      ContentDate: date,
      ContentTime: time,
      AcquisitionNumber: String(delivered.image.counters.repetition + 1),
      ...searchableOf(mrAcquisition(source)),
    },
    pixelModule: pixels(source),
    mark: markOf(source),
    bodyPart: header?.studyInformation?.bodyPartExamined,
    slope: delivered.series.rescaleSlope,
    window: delivered.series.window,
    echoTimeMs: ofContrast(header?.sequenceParameters?.TE, delivered.image),
    frames: sources.map(({ geometry, derivation, delivered: { image: { counters: { repetition, phase, set, average } }, pixels: stored } }) => ({
      geometry, derivation, pixels: stored as Uint16Array, time: [repetition, phase, set, average],
    })),
    softwareVersion: source.settings.softwareVersion,
  });
}

function markOf(source: ImageSource): string {
  const what = source.derivation?.imageTypeMark ?? imageTypeOf(source)[2]!;
  return what === 'M' ? 'NONE' : what;
}
