/**
 * A delivered image as a DICOM data set, by attribute keywords: MR Image Storage (PS3.3 A.4) where
 * the raw data say where the image lies. Where they do not, MR Image Storage is out of the question,
 * because its position and orientation may not be empty and are never invented: the image then
 * becomes Secondary Capture (PS3.3 A.8.1), which claims no place in the patient.
 */
import type { MrdHeader } from 'ismrmrd';
import type { PixelWindow } from '../../imaging/index.js';
import type { ReconImage, ReconMethod } from '../../recon/index.js';
import { contributingEquipment, qualityText, sourceImages, syntheticMark } from './derivation.js';
import type { Derivation, ProcessingStage } from './derivation.js';
import { derivationText, imageComments, imageTypeValues, unitOf } from './describe.js';
import { code, littleEndian, plane, type DicomDataset } from './dicomModules.js';
import { codeString, dateAndTime, dateString, decimalString, text, timeString } from './dicomValues.js';
import { acquisitionFacts, isSimulated, ofContrast, sequenceCodes } from './headerFacts.js';
import type { DeliveredImage } from './series.js';
import type { DeliverySettings } from './types.js';

export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
export const SECONDARY_CAPTURE_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.7';

/** The identifiers of an image and of what it shares with others. */
export interface ImageIdentity {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly sopInstanceUid: string;
  readonly frameOfReferenceUid: string;
}

/** What every part of the data set is made from. */
export interface ImageSource {
  /** With uint16 or int16 pixels. */
  readonly delivered: DeliveredImage;
  readonly header: MrdHeader | undefined;
  readonly settings: DeliverySettings;
  readonly derivation: Derivation | undefined;
  readonly identity: ImageIdentity;
  readonly instanceNumber: number;
  /** When this was written. */
  readonly created: Date;
}

/** Which object an image becomes. */
export function sopClassOf({ geometry }: Pick<ReconImage, 'geometry'>): string {
  return geometry === undefined ? SECONDARY_CAPTURE_IMAGE_STORAGE : MR_IMAGE_STORAGE;
}

export function dicomDataset(source: ImageSource): DicomDataset {
  const { image } = source.delivered;
  return {
    ...sopCommon(source),
    ...patientAndStudy(source),
    ...series(source),
    ...equipment(source),
    ...generalImage(source),
    ...pixels(source),
    ...(image.geometry === undefined
      ? secondaryCapture()
      : { ...mrAcquisition(source), ...plane(image.geometry, source.identity.frameOfReferenceUid) }),
  };
}

export function sopCommon({ delivered, header, identity, derivation, created, instanceNumber }: ImageSource): DicomDataset {
  const { date, time } = dateAndTime(created);
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: sopClassOf(delivered.image),
    SOPInstanceUID: identity.sopInstanceUid,
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    InstanceNumber: String(instanceNumber),
    ...((isSimulated(header) || derivation?.isSynthetic === true) && { SyntheticData: 'YES' }),
  };
}

export function patientAndStudy({ header, identity }: ImageSource): DicomDataset {
  const subject = header?.subjectInformation;
  const study = header?.studyInformation;
  return {
    PatientName: text(subject?.patientName, 64),
    PatientID: text(subject?.patientID, 64),
    PatientBirthDate: dateString(subject?.patientBirthdate),
    PatientSex: codeString(subject?.patientGender),
    ...(subject?.patientWeight_kg === undefined ? {} : { PatientWeight: decimalString(subject.patientWeight_kg) }),
    ...(subject?.patientHeight_m === undefined ? {} : { PatientSize: decimalString(subject.patientHeight_m) }),
    StudyInstanceUID: identity.studyInstanceUid,
    StudyDate: dateString(study?.studyDate),
    StudyTime: timeString(study?.studyTime),
    StudyID: text(study?.studyID, 16),
    AccessionNumber: text(study?.accessionNumber, 16),
    ReferringPhysicianName: text(study?.referringPhysicianName, 64),
    ...(study?.studyDescription === undefined ? {} : { StudyDescription: text(study.studyDescription, 64) }),
  };
}

/** Body parts that have no side; Laterality must then be absent, and present (if empty) for all others. */
export const unpairedBodyParts: ReadonlySet<string> = new Set([
  'SPINE', 'CSPINE', 'TSPINE', 'LSPINE', 'SSPINE', 'CTSPINE', 'TLSPINE', 'LSSPINE', 'COCCYX', 'WHOLEBODY', 'HEAD',
  'SKULL', 'BRAIN', 'NECK', 'CHEST', 'HEART', 'ABDOMEN', 'ABDOMENPELVIS', 'PELVIS', 'LIVER', 'PANCREAS', 'BLADDER',
  'UTERUS', 'PROSTATE',
]);

/** Series are numbered as Gadgetron does it: a hundred numbers for each series of the scanner. */
export function series({ delivered, header, identity, derivation }: ImageSource): DicomDataset {
  const information = header?.measurementInformation;
  const date = dateString(information?.seriesDate);
  const time = timeString(information?.seriesTime);
  const bodyPart = codeString(header?.studyInformation?.bodyPartExamined);
  return {
    Modality: 'MR',
    ...(unpairedBodyParts.has(bodyPart) ? {} : { Laterality: '' }),
    SeriesInstanceUID: identity.seriesInstanceUid,
    SeriesNumber: String(100 * (information?.initialSeriesNumber ?? 0) + delivered.series.index),
    SeriesDescription: seriesDescription(delivered.series.description, derivation),
    ...(date === '' ? {} : { SeriesDate: date }),
    ...(time === '' ? {} : { SeriesTime: time }),
    ...(bodyPart === '' ? {} : { BodyPartExamined: bodyPart }),
    ...(information?.protocolName === undefined ? {} : { ProtocolName: text(information.protocolName, 64) }),
  };
}

/** Never so long that a mark is cut off. */
function seriesDescription(name: string, derivation: Derivation | undefined): string {
  if (derivation === undefined) return text(name, 64);
  const before = derivation.isSynthetic ? `${syntheticMark} ` : '';
  const after = derivation.seriesMark === '' ? '' : ` ${derivation.seriesMark}`;
  return `${before}${text(name, 64 - before.length - after.length)}${after}`;
}

/** The scanner is the equipment; whatever software worked on what it measured is contributing equipment. */
export function equipment({ delivered, header, settings, derivation, created }: ImageSource): DicomDataset {
  const system = header?.acquisitionSystemInformation;
  const { date, time } = dateAndTime(created);
  return {
    Manufacturer: text(system?.systemVendor, 64),
    ...(system?.systemModel === undefined ? {} : { ManufacturerModelName: text(system.systemModel, 64) }),
    ...(system?.institutionName === undefined ? {} : { InstitutionName: text(system.institutionName, 64) }),
    ...(system?.stationName === undefined ? {} : { StationName: text(system.stationName, 16) }),
    ...(system?.deviceSerialNumber === undefined ? {} : { DeviceSerialNumber: text(system.deviceSerialNumber, 64) }),
    ContributingEquipmentSequence: contributingEquipment(
      [reconstructionStage(delivered.image, settings), ...(derivation?.stages ?? [])],
      `${date}${time}`,
    ),
  };
}

function reconstructionStage(image: ReconImage, settings: DeliverySettings): ProcessingStage {
  return {
    purpose: 'processing',
    manufacturer: 'Conus',
    modelName: 'Conus',
    softwareVersion: settings.softwareVersion,
    description: `MR image reconstruction from k-space: ${derivationText(image, settings)}`,
  };
}

/** The moment of the content is that of the scan, where it is known: making the object again does not move it. */
export function contentDateAndTime({ header, created }: Pick<ImageSource, 'header' | 'created'>): { date: string; time: string } {
  const { seriesDate, seriesTime } = header?.measurementInformation ?? {};
  const { studyDate, studyTime } = header?.studyInformation ?? {};
  const known = [[seriesDate, seriesTime], [studyDate, studyTime]]
    .map(([date, time]) => ({ date: dateString(date), time: timeString(time) }))
    .find(({ date, time }) => date !== '' && time !== '');
  return known ?? dateAndTime(created);
}

export function imageTypeOf({ delivered, derivation }: Pick<ImageSource, 'delivered' | 'derivation'>): string[] {
  const values = imageTypeValues(delivered.image);
  if (derivation === undefined) return values;
  const [, ...rest] = values;
  return ['DERIVED', ...rest, ...(rest.includes(derivation.imageTypeMark) ? [] : [derivation.imageTypeMark])];
}

/** What was done, to whom it may be shown, and what is not right with it. */
export function describedImage({ delivered: { image }, header, settings, derivation }: ImageSource): DicomDataset {
  // The last step comes first: it must not be cut off.
  const done = [...(derivation === undefined ? [] : [derivation.description]), derivationText(image, settings)].join('; ');
  const comments = [
    ...(derivation?.isSynthetic === true ? ['SYNTHETIC: computed, not measured'] : []),
    ...(derivation?.quality === undefined || image.denoising !== undefined ? [] : [qualityText(derivation.quality)]),
    imageComments(image, header, settings),
  ].join('; ');
  return {
    ContentQualification: 'RESEARCH',
    DerivationDescription: text(done, 1024),
    ImageComments: text(comments, 10240),
  };
}

function generalImage(source: ImageSource): DicomDataset {
  const { date, time } = contentDateAndTime(source);
  return {
    ImageType: imageTypeOf(source),
    AcquisitionNumber: String(source.delivered.image.counters.repetition + 1),
    ContentDate: date,
    ContentTime: time,
    BurnedInAnnotation: 'NO',
    ...describedImage(source),
    ...sourceImages(source.derivation?.sources ?? []),
  };
}

export function pixels({ delivered }: Pick<ImageSource, 'delivered'>): DicomDataset {
  const { image, series, pixels: stored } = delivered;
  return rescaledPixels({ rows: image.rows, columns: image.columns, pixels: stored, window: series.window, slope: series.rescaleSlope, unit: unitOf(image) });
}

export interface ScaledPixels {
  readonly rows: number;
  readonly columns: number;
  /** Signed where they are an Int16Array. */
  readonly pixels: ArrayLike<number>;
  /** In stored values. */
  readonly window: PixelWindow;
  /** value = stored * slope */
  readonly slope: number;
  /** UCUM. */
  readonly unit: { readonly code: string; readonly meaning: string };
}

/**
 * MR Image Storage has no RescaleSlope: the series' scale is recorded as a real-world value mapping,
 * value = stored * slope, so that measurements have a unit and the display stays in stored values.
 */
export function rescaledPixels({ rows, columns, pixels: stored, window, slope, unit }: ScaledPixels): DicomDataset {
  const signed = stored instanceof Int16Array;
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: rows,
    Columns: columns,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: signed ? 1 : 0,
    WindowCenter: decimalString(window.centre),
    WindowWidth: decimalString(window.width),
    RealWorldValueMappingSequence: [
      {
        RealWorldValueFirstValueMapped: signed ? -32768 : 0,
        RealWorldValueLastValueMapped: signed ? 32767 : 65535,
        RealWorldValueIntercept: 0,
        RealWorldValueSlope: slope,
        LUTExplanation: 'stored value to pixel value',
        LUTLabel: 'CONUS',
        MeasurementUnitsCodeSequence: [code(unit.code, 'UCUM', unit.meaning)],
        _vrMap: {
          RealWorldValueFirstValueMapped: signed ? 'SS' : 'US',
          RealWorldValueLastValueMapped: signed ? 'SS' : 'US',
        },
      },
    ],
    PixelData: littleEndian(stored),
    _vrMap: { PixelData: 'OW' },
  };
}

function secondaryCapture(): DicomDataset {
  return {
    // Neither digitised nor drawn: computed on a workstation.
    ConversionType: 'WSD',
    PatientOrientation: '',
  };
}

export function mrAcquisition({ delivered: { image }, header }: ImageSource): DicomDataset {
  const sequence = header?.sequenceParameters;
  const sequenceName = header?.measurementInformation?.sequenceName ?? sequence?.sequence_type;
  const encoding = header?.encoding[0];
  const inversionTimeMs = ofContrast(sequence?.TI, image);
  const flipAngleDeg = ofContrast(sequence?.flipAngle_deg, image);
  const fieldStrengthT = header?.acquisitionSystemInformation?.systemFieldStrength_T;
  const frequencyHz = header?.experimentalConditions.H1resonanceFrequency_Hz;
  const codes = sequenceCodes(sequence?.sequence_type, (inversionTimeMs ?? 0) > 0);
  const facts = acquisitionFacts(encoding, image);
  const technique = ({ grappa: 'GRAPPA', sense: 'SENSE', l1: 'SENSE' } as Partial<Record<ReconMethod, string>>)[image.method];
  return {
    PatientPosition: codeString(header?.measurementInformation?.patientPosition),
    ScanningSequence: codes.scanningSequence,
    SequenceVariant: codes.sequenceVariant,
    ...(sequenceName === undefined ? {} : { SequenceName: text(sequenceName, 16) }),
    ScanOptions: facts.partialFourierPhase === true ? 'PFP' : '',
    MRAcquisitionType: (encoding?.encodedSpace.matrixSize.z ?? 1) > 1 ? '3D' : '2D',
    RepetitionTime: decimalString(ofContrast(sequence?.TR, image)),
    EchoTime: decimalString(ofContrast(sequence?.TE, image)),
    EchoTrainLength: encoding?.echoTrainLength === undefined ? '' : String(encoding.echoTrainLength),
    EchoNumbers: String(image.counters.contrast + 1),
    ...(inversionTimeMs === undefined ? {} : { InversionTime: decimalString(inversionTimeMs) }),
    ...(flipAngleDeg === undefined ? {} : { FlipAngle: decimalString(flipAngleDeg) }),
    ...(fieldStrengthT === undefined ? {} : { MagneticFieldStrength: decimalString(fieldStrengthT) }),
    ...(frequencyHz === undefined ? {} : { ImagingFrequency: decimalString(frequencyHz / 1e6) }),
    InPlanePhaseEncodingDirection: 'COL',
    ParallelAcquisition: image.accelerationPhase * image.accelerationSlice > 1 ? 'YES' : 'NO',
    ParallelReductionFactorInPlane: image.accelerationPhase,
    ...(image.accelerationSlice > 1 && { ParallelReductionFactorOutOfPlane: image.accelerationSlice }),
    ...(technique === undefined ? {} : { ParallelAcquisitionTechnique: technique }),
    ...(facts.partialFourier === undefined ? {} : { PartialFourier: facts.partialFourier ? 'YES' : 'NO' }),
  };
}
