/** DICOM files for the tests, made by the generator here, classic and enhanced, with oblique planes. */
import dcmjs from 'dcmjs';
import { pointOf } from '../../../imaging/index.js';
import type { ImageGeometry, Vector3 } from '../../../imaging/index.js';
import type { LoadedInstance } from '../../../src/dicom/index.js';
import { obliqueGeometry } from '../delivery/fixtures.js';

export const MR = '1.2.840.10008.5.1.4.1.1.4';
export const ENHANCED_MR = '1.2.840.10008.5.1.4.1.1.4.1';
export const CT = '1.2.840.10008.5.1.4.1.1.2';
export const EXPLICIT = '1.2.840.10008.1.2.1';
export const IMPLICIT = '1.2.840.10008.1.2';

/** What no log, error or metric may ever have. */
export const PATIENT = 'Geheim^Gerda';
export const PATIENT_ID = 'PID-4711-SECRET';

export const STUDY = '2.25.1001';
export const SERIES = '2.25.2002';

/** Slices of an oblique, non-square, asymmetric volume. */
export function obliqueVolume(columns = 10, rows = 12, slices = 5): ImageGeometry {
  const plane = obliqueGeometry(columns, rows);
  return { ...plane, fovMm: [plane.fovMm[0], plane.fovMm[1], 4.5 * slices], matrixSize: [columns, rows, slices] };
}

/** A pattern that no mirroring or turning leaves as it is; up to `most`. */
export function pattern(columns: number, rows: number, slice: number, most = 4000): Uint16Array {
  return Uint16Array.from({ length: columns * rows }, (_, i) => (i * 37 + slice * 101 + (i % columns) * 5) % most);
}

export type Overrides = Readonly<Record<string, unknown>>;

/** Attributes of one classic slice; undefined leaves one out. */
export function classicSlice(geometry: ImageGeometry, slice: number, overrides: Overrides = {}): Record<string, unknown> {
  const [columns, rows] = geometry.matrixSize;
  const dataset: Record<string, unknown> = {
    SOPClassUID: MR, SOPInstanceUID: `2.25.3003${slice + 1}`, StudyInstanceUID: STUDY, SeriesInstanceUID: SERIES,
    FrameOfReferenceUID: '2.25.5005', Modality: 'MR', PatientName: PATIENT, PatientID: PATIENT_ID, PatientBirthDate: '19610203',
    PatientSex: 'F', StudyDate: '20240506', StudyTime: '070809', StudyID: 'S1', AccessionNumber: '4711', ReferringPhysicianName: '',
    SeriesNumber: '3', SeriesDescription: 't2_tse_sag', InstanceNumber: String(slice + 1), Manufacturer: 'ACME',
    PositionReferenceIndicator: '', PatientPosition: 'HFS', ImageType: ['ORIGINAL', 'PRIMARY', 'M'], ScanningSequence: 'SE', SequenceVariant: 'SK',
    ScanOptions: '', MRAcquisitionType: '2D', EchoTrainLength: '12', RepetitionTime: '3500', EchoTime: '82.1', FlipAngle: '150',
    MagneticFieldStrength: '2.89362', Laterality: '',
    ImagePositionPatient: ds(pointOf(geometry, [0, 0, slice])),
    ImageOrientationPatient: ds([...geometry.rowDirection, ...geometry.columnDirection]),
    PixelSpacing: ds([geometry.fovMm[1] / rows, geometry.fovMm[0] / columns]),
    SliceThickness: ds([geometry.fovMm[2] / geometry.matrixSize[2]]),
    SamplesPerPixel: 1, PhotometricInterpretation: 'MONOCHROME2', Rows: rows, Columns: columns,
    BitsAllocated: 16, BitsStored: 12, HighBit: 11, PixelRepresentation: 0,
    PixelData: pixelBytes(pattern(columns, rows, slice)), _vrMap: { PixelData: 'OW' },
    ...overrides,
  };
  return Object.fromEntries(Object.entries(dataset).filter(([, value]) => value !== undefined));
}

/** The same volume as one Enhanced MR object; frames in the order of `order`. */
export function enhancedVolume(geometry: ImageGeometry, order: readonly number[], overrides: Overrides = {}): Record<string, unknown> {
  const [columns, rows, slices] = geometry.matrixSize;
  const classic = classicSlice(geometry, 0);
  const pixels = new Uint16Array(columns * rows * slices);
  order.forEach((slice, frame) => pixels.set(pattern(columns, rows, slice), frame * columns * rows));
  const { ImageOrientationPatient, PixelSpacing, SliceThickness } = classic;
  const grouped = new Set(['ImagePositionPatient', 'ImageOrientationPatient', 'PixelSpacing', 'SliceThickness', 'RepetitionTime', 'EchoTime', 'FlipAngle']);
  const general = Object.fromEntries(Object.entries(classic).filter(([keyword]) => !grouped.has(keyword)));
  return {
    ...general,
    SOPClassUID: ENHANCED_MR, SOPInstanceUID: '2.25.60061', NumberOfFrames: String(slices),
    SharedFunctionalGroupsSequence: [{
      PixelMeasuresSequence: [{ PixelSpacing, SliceThickness }],
      PlaneOrientationSequence: [{ ImageOrientationPatient }],
      MREchoSequence: [{ EffectiveEchoTime: 82.1 }],
      MRTimingAndRelatedParametersSequence: [{ RepetitionTime: '3500', FlipAngle: '150', EchoTrainLength: '12' }],
      PixelValueTransformationSequence: [{ RescaleIntercept: '-5', RescaleSlope: '2', RescaleType: 'US' }],
    }],
    PerFrameFunctionalGroupsSequence: order.map((slice) => ({
      PlanePositionSequence: [{ ImagePositionPatient: ds(pointOf(geometry, [0, 0, slice])) }],
      FrameContentSequence: [{ StackID: '1', InStackPositionNumber: slice + 1 }],
    })),
    PixelData: pixelBytes(pixels), _vrMap: { PixelData: 'OW' },
    ...overrides,
  };
}

/** A file in Explicit or Implicit VR Little Endian. */
export function encode(dataset: Record<string, unknown>, transferSyntaxUid = EXPLICIT): Uint8Array {
  const file = new dcmjs.data.DicomDict({
    '00020001': { vr: 'OB', Value: [new Uint8Array([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: [dataset['SOPClassUID']] },
    '00020003': { vr: 'UI', Value: [dataset['SOPInstanceUID']] },
    '00020010': { vr: 'UI', Value: [transferSyntaxUid] },
    '00020012': { vr: 'UI', Value: ['2.25.7007'] },
  });
  file.dict = dcmjs.data.DicomMetaDictionary.denaturalizeDataset(dataset);
  return new Uint8Array(file.write());
}

export function classicSeries(geometry = obliqueVolume(), overrides: Overrides = {}): Uint8Array[] {
  return Array.from({ length: geometry.matrixSize[2] }, (_, slice) => encode(classicSlice(geometry, slice, overrides)));
}

export function loaded(files: readonly Uint8Array[], slices = files.map((_, i) => i), overrides: Partial<LoadedInstance> = {}): LoadedInstance[] {
  return files.map((file, i) => ({
    sopClassUid: MR, sopInstanceUid: `2.25.3003${slices[i]! + 1}`, seriesInstanceUid: SERIES, studyInstanceUid: STUDY,
    transferSyntaxUid: EXPLICIT, ref: `ref-${i}`, nBytes: file.length, bytes: () => Promise.resolve(file), ...overrides,
  }));
}

export function pixelBytes(values: Uint16Array | Int16Array): ArrayBuffer {
  return values.slice().buffer as ArrayBuffer;
}

const ds = (values: readonly number[] | Vector3) => values.map((value) => String(Number(value.toPrecision(12))).slice(0, 16));
