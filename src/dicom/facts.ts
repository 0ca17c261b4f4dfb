/** What an image says of how it was made. Nothing of a patient is among it. */
import type { Attributes, DicomHeader } from './header.js';

export interface ImageFacts {
  readonly modality: string;
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  readonly protocolName?: string;
  readonly bodyPart?: string;
  readonly manufacturer?: string;
  readonly manufacturerModelName?: string;
  readonly instanceNumber?: number;
  readonly acquisitionNumber?: number;
  /** How many images the acquisition has, where the scanner says so. */
  readonly imagesInAcquisition?: number;
  readonly imageType: readonly string[];
  /** SyntheticData (0008,001C) is YES. */
  readonly isSynthetic: boolean;
  readonly frameOfReferenceUid?: string;
  readonly patientPosition?: string;
  readonly rows: number;
  readonly columns: number;
  readonly nFrames: number;
  // MR
  readonly fieldStrengthT?: number;
  readonly sequenceName?: string;
  readonly scanningSequence?: readonly string[];
  readonly sequenceVariant?: readonly string[];
  readonly scanOptions?: readonly string[];
  /** By a pulse on its frequencies, as classic and as multi-frame objects say it. */
  readonly isFatSuppressed?: boolean;
  readonly acquisitionType?: string;
  readonly repetitionTimeMs?: number;
  readonly echoTimeMs?: number;
  readonly inversionTimeMs?: number;
  readonly flipAngleDeg?: number;
  readonly echoTrainLength?: number;
  // CT
  readonly tubeVoltageKv?: number;
  readonly convolutionKernel?: string;
  readonly gantryTiltDeg?: number;
}

/** @throws DICOM_ERR_VALUE */
export function factsOf({ attributes, storageClass }: Pick<DicomHeader, 'attributes' | 'storageClass'>): ImageFacts {
  const shared = storageClass.enhanced ? attributes.items('SharedFunctionalGroupsSequence')[0] : undefined;
  const first = storageClass.enhanced ? attributes.items('PerFrameFunctionalGroupsSequence')[0] : undefined;
  /** An attribute of a functional group: per frame, else shared (of the first frame). */
  const group = (sequence: string): Attributes | undefined => first?.items(sequence)[0] ?? shared?.items(sequence)[0];
  const timing = group('MRTimingAndRelatedParametersSequence');
  const list = (keyword: string) => {
    const values = attributes.texts(keyword).filter((value) => value !== '');
    return values.length === 0 ? undefined : values;
  };
  const found = {
    seriesNumber: attributes.number('SeriesNumber'),
    seriesDescription: attributes.text('SeriesDescription'),
    protocolName: attributes.text('ProtocolName'),
    bodyPart: attributes.text('BodyPartExamined'),
    manufacturer: attributes.text('Manufacturer'),
    manufacturerModelName: attributes.text('ManufacturerModelName'),
    instanceNumber: attributes.number('InstanceNumber'),
    acquisitionNumber: attributes.number('AcquisitionNumber'),
    imagesInAcquisition: attributes.number('ImagesInAcquisition'),
    frameOfReferenceUid: attributes.text('FrameOfReferenceUID'),
    patientPosition: attributes.text('PatientPosition'),
    fieldStrengthT: attributes.number('MagneticFieldStrength'),
    sequenceName: attributes.text('SequenceName') ?? attributes.text('PulseSequenceName'),
    scanningSequence: list('ScanningSequence'),
    sequenceVariant: list('SequenceVariant'),
    scanOptions: list('ScanOptions'),
    isFatSuppressed: list('ScanOptions')?.some((option) => option === 'FS' || option === 'SFS') === true
      || attributes.text('SpectrallySelectedSuppression')?.startsWith('FAT') === true || undefined,
    acquisitionType: attributes.text('MRAcquisitionType'),
    repetitionTimeMs: attributes.number('RepetitionTime') ?? timing?.number('RepetitionTime'),
    echoTimeMs: attributes.number('EchoTime') ?? group('MREchoSequence')?.number('EffectiveEchoTime'),
    inversionTimeMs: attributes.number('InversionTime') ?? group('MRModifierSequence')?.number('InversionTimes'),
    flipAngleDeg: attributes.number('FlipAngle') ?? timing?.number('FlipAngle'),
    echoTrainLength: attributes.number('EchoTrainLength') ?? timing?.number('EchoTrainLength'),
    tubeVoltageKv: attributes.number('KVP') ?? group('CTXRayDetailsSequence')?.number('KVP'),
    convolutionKernel: attributes.text('ConvolutionKernel') ?? group('CTReconstructionSequence')?.text('ConvolutionKernel'),
    gantryTiltDeg: attributes.number('GantryDetectorTilt'),
  };
  return {
    modality: attributes.text('Modality') ?? '',
    imageType: attributes.texts('ImageType'),
    isSynthetic: attributes.text('SyntheticData') === 'YES',
    rows: attributes.whole('Rows', 1, 65535),
    columns: attributes.whole('Columns', 1, 65535),
    nFrames: attributes.number('NumberOfFrames') === undefined ? 1 : attributes.whole('NumberOfFrames', 1, 100_000),
    ...(Object.fromEntries(Object.entries(found).filter(([, value]) => value !== undefined)) as Partial<ImageFacts>),
  };
}

/** Attributes of patient, study and equipment that a derived series has from its sources. Never to be logged. */
const carried = [
  'SpecificCharacterSet', 'PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex', 'PatientAge',
  'PatientSize', 'PatientWeight', 'StudyInstanceUID', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber',
  'ReferringPhysicianName', 'StudyDescription', 'FrameOfReferenceUID', 'PositionReferenceIndicator', 'PatientPosition', 'BodyPartExamined',
  'Manufacturer', 'ManufacturerModelName', 'InstitutionName', 'StationName', 'DeviceSerialNumber', 'ImagingFrequency',
] as const;

export function patientAndStudyOf({ dataset }: Attributes): Record<string, unknown> {
  return Object.fromEntries(carried.flatMap((keyword) => (dataset[keyword] === undefined ? [] : [[keyword, dataset[keyword]]])));
}
