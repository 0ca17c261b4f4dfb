/** The page of a report as a Secondary Capture (PS3.3, A.8.1), for viewers that show pictures and nothing else. */
import type { Report } from '../../../analysis/index.js';
import type { Picture } from '../../../imaging/index.js';
import { code, SECONDARY_CAPTURE_IMAGE_STORAGE, text, unpairedBodyParts, type DicomDataset } from '../../delivery/index.js';
import type { Stack } from '../../dicom/index.js';
import { commonModules, isSynthetic, referencedSlices, referenceItem, type ObjectSetting } from './sources.js';

/** @param page of the report @param confirmedAt where a reader stands behind it; who is in the structured report */
export function summaryCapture(page: Picture, report: Report, sources: readonly Stack[], seriesNumber: number, setting: ObjectSetting, confirmedAt?: Date): DicomDataset {
  const synthetic = report.syntheticData || sources.some(isSynthetic);
  const common = commonModules(sources[0]!, setting, {
    name: 'summary', modality: 'OT', sopClassUid: SECONDARY_CAPTURE_IMAGE_STORAGE, seriesNumber, description: `Spine analysis, summary${confirmedAt === undefined ? '' : ', confirmed by reader'}`, isSynthetic: synthetic,
  });
  const once = new Map(sources.flatMap(referencedSlices).map((slice) => [slice.sopInstanceUid, slice]));
  return {
    ...common,
    ...(unpairedBodyParts.has(String(common.BodyPartExamined)) ? {} : { Laterality: '' }),
    ImageType: ['DERIVED', 'SECONDARY', 'OTHER'],
    // Computed on a workstation. No patient is named on it.
    ConversionType: 'WSD',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    PatientOrientation: '',
    ContentQualification: 'RESEARCH',
    DerivationDescription: text(`Summary of an analysis by ${report.software.name} ${report.software.version}${synthetic ? ', in part of SYNTHETIC images' : ''}`, 1024),
    ImageComments: text(report.statement, 10240),
    SourceImageSequence: [...once.values()].map((slice) => ({
      ...referenceItem(slice), PurposeOfReferenceCodeSequence: [code('121322', 'DCM', 'Source image for image processing operation')],
    })),
    SamplesPerPixel: 3,
    PhotometricInterpretation: 'RGB',
    PlanarConfiguration: 0,
    Rows: page.rows,
    Columns: page.columns,
    BitsAllocated: 8,
    BitsStored: 8,
    HighBit: 7,
    PixelRepresentation: 0,
    PixelData: evenBytes(page.data as Uint8Array),
    _vrMap: { PixelData: 'OB' },
  };
}

function evenBytes(data: Uint8Array): ArrayBuffer {
  const bytes = new Uint8Array(data.length + (data.length % 2));
  bytes.set(data);
  return bytes.buffer;
}
