/**
 * A slice of the simulated CT scanner as a DICOM data set, by attribute keywords: CT Image Storage (PS3.3
 * A.3). Nobody may take it for a patient's: name and identifier say SIMULATED, SyntheticData and
 * QualityControlImage are YES, the comments and the derivation say what it is.
 *
 *   HU = stored - 1024, stored in 12 bits
 *
 * Identifiers come from the content and there are no dates: the same seed gives the same bytes.
 */
import { fieldRadiusMm, type CtOptions, type CtSlice, type ReconstructionKernel } from '../../simulator/index.js';
import { littleEndian, plane, type DicomDataset } from './dicomModules.js';
import { codeString, decimalString, text } from './dicomValues.js';
import { contentUid, instanceUid } from './uids.js';

export const CT_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.2';

/** Who was simulated. */
export interface SimulatedSubject {
  /** Names the person within all that are simulated, such as the seed; equal keys share a study. */
  readonly key: string;
  /** What is to be seen, in a few words. */
  readonly description: string;
  /** A defined term of DICOM, such as LSPINE. */
  readonly bodyPart: string;
}

const RESCALE_INTERCEPT = -1024;
const LARGEST_STORED = 4095;

/** Usual windows of a spine: soft tissue and bone, HU. */
const windows: Readonly<Record<ReconstructionKernel, { readonly centre: number; readonly width: number }>> = {
  soft: { centre: 40, width: 400 },
  ramLak: { centre: 40, width: 400 },
  bone: { centre: 400, width: 1800 },
};

/** @param options those of the scan that the slice comes from */
export function ctDataset(
  slice: CtSlice,
  options: CtOptions,
  subject: SimulatedSubject,
  softwareVersion: string,
): DicomDataset {
  const pixels = storedPixels(slice.hounsfield);
  const studyInstanceUid = contentUid('study', subject.key);
  const seriesInstanceUid = contentUid('series', studyInstanceUid, seriesKey(slice, options));
  const pixelBytes = littleEndian(pixels);
  const number = seriesNumber(slice, options);
  const isNoiseFree = slice.doseFraction === Infinity;
  const window = windows[slice.kernel];
  const what = `Simulated phantom, not a patient: ${subject.description}`;
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: CT_IMAGE_STORAGE,
    SOPInstanceUID: instanceUid(seriesInstanceUid, String(slice.sliceIndex), new Uint8Array(pixelBytes)),
    SyntheticData: 'YES',

    PatientName: 'SIMULATED^PHANTOM',
    PatientID: text(`SIMULATED-${subject.key}`, 64),
    PatientBirthDate: '',
    PatientSex: '',
    PatientComments: text(what, 10240),
    StudyInstanceUID: studyInstanceUid,
    StudyDate: '',
    StudyTime: '',
    StudyID: '',
    AccessionNumber: '',
    ReferringPhysicianName: '',
    StudyDescription: text(`SIMULATED ${subject.description}`, 64),

    Modality: 'CT',
    SeriesInstanceUID: seriesInstanceUid,
    SeriesNumber: String(number),
    SeriesDescription: text(`SIMULATED CT ${slice.kernel}, ${doseText(slice)}`, 64),
    BodyPartExamined: codeString(subject.bodyPart),
    PatientPosition: 'HFS',

    Manufacturer: 'Conus',
    ManufacturerModelName: 'Conus CT simulator',
    SoftwareVersions: text(softwareVersion, 64),

    ImageType: ['ORIGINAL', 'PRIMARY', 'AXIAL'],
    InstanceNumber: String(slice.sliceIndex + 1),
    AcquisitionNumber: '1',
    ContentQualification: 'RESEARCH',
    QualityControlImage: 'YES',
    BurnedInAnnotation: 'NO',
    LossyImageCompression: '00',
    DerivationDescription: text(derivation(slice, options), 1024),
    ImageComments: text(`${what}. Not for diagnosis.`, 10240),
    ...plane(slice.geometry, contentUid('frame of reference', studyInstanceUid, 'CT')),

    KVP: decimalString(options.tubeVoltageKv),
    ...(isNoiseFree ? {} : exposure(options.tubeCurrentTimeMas * slice.doseFraction)),
    DataCollectionDiameter: decimalString(2 * fieldRadiusMm(options.beam)),
    ReconstructionDiameter: decimalString(options.fovMm),
    ...(options.beam.kind === 'fan'
      ? {
          DistanceSourceToDetector: decimalString(options.beam.sourceDetectorMm),
          DistanceSourceToPatient: decimalString(options.beam.sourceIsocentreMm),
        }
      : {}),
    GantryDetectorTilt: '0',
    ConvolutionKernel: text(slice.kernel.toUpperCase(), 16),

    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: slice.geometry.matrixSize[1],
    Columns: slice.geometry.matrixSize[0],
    BitsAllocated: 16,
    BitsStored: 12,
    HighBit: 11,
    PixelRepresentation: 0,
    RescaleIntercept: String(RESCALE_INTERCEPT),
    RescaleSlope: '1',
    RescaleType: 'HU',
    WindowCenter: decimalString(window.centre),
    WindowWidth: decimalString(window.width),
    PixelData: pixelBytes,
    _vrMap: { PixelData: 'OW' },
  };
}

/** Series are numbered by dose and kernel, in the order of the options. */
export function seriesNumber(slice: CtSlice, { doseFractions, kernels }: CtOptions): number {
  return 1 + doseFractions.indexOf(slice.doseFraction) * kernels.length + kernels.indexOf(slice.kernel);
}

function storedPixels(hounsfield: Float32Array): Uint16Array {
  return Uint16Array.from(hounsfield, (value) =>
    Math.min(LARGEST_STORED, Math.max(0, Math.round(value - RESCALE_INTERCEPT))),
  );
}

/** All that made the series, apart from its sisters. */
function seriesKey({ doseFraction, kernel }: CtSlice, options: CtOptions): string {
  return JSON.stringify({ ...options, doseFractions: [String(doseFraction)], kernels: [kernel] });
}

function exposure(mas: number): DicomDataset {
  return { Exposure: String(Math.round(mas)), ExposureInuAs: String(Math.round(1000 * mas)) };
}

function doseText({ doseFraction }: CtSlice): string {
  return doseFraction === Infinity ? 'without noise' : `${Number((100 * doseFraction).toPrecision(4))} % dose`;
}

function derivation(slice: CtSlice, options: CtOptions): string {
  return (
    `Simulated CT of a digital phantom by Conus, research software: ${options.beam.kind} beam, ${options.beam.nViews} views, ` +
    `${options.beam.nChannels} channels, one colour (water ${options.waterPerMm}/mm), ${doseText(slice)} of ` +
    `${options.tubeCurrentTimeMas} mAs, filtered backprojection (${slice.kernel}), seed ${options.seed}`
  );
}
