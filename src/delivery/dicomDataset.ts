/**
 * A delivered image as a DICOM data set, by attribute keywords: MR Image Storage (PS3.3 A.4) where
 * the raw data say where the image lies. Where they do not, MR Image Storage is out of the question,
 * because its position and orientation may not be empty and are never invented: the image then
 * becomes Secondary Capture (PS3.3 A.8.1), which claims no place in the patient.
 */
import type { MrdHeader } from 'ismrmrd';
import type { ReconImage, ReconMethod } from '../../recon/index.js';
import { derivationText, imageComments, imageTypeValues, unitOf } from './describe.js';
import { code, littleEndian, plane, type DicomDataset } from './dicomModules.js';
import { codeString, dateAndTime, dateString, decimalString, newUid, text, timeString } from './dicomValues.js';
import { acquisitionFacts, isSimulated, ofContrast, sequenceCodes } from './headerFacts.js';
import type { DeliveredImage } from './series.js';
import type { DeliverySettings } from './types.js';

export const MR_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.4';
export const SECONDARY_CAPTURE_IMAGE_STORAGE = '1.2.840.10008.5.1.4.1.1.7';

/** The identifiers that an image shares with others. */
export interface DicomIdentity {
  readonly studyInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly frameOfReferenceUid: string;
}

/** What every part of the data set is made from. */
interface Source {
  readonly delivered: DeliveredImage;
  readonly image: ReconImage;
  readonly header: MrdHeader | undefined;
  readonly settings: DeliverySettings;
  readonly identity: DicomIdentity;
  readonly created: { date: string; time: string };
}

/**
 * @param delivered an image with uint16 or int16 pixels
 * @param created when this was written
 */
export function dicomDataset(
  delivered: DeliveredImage,
  header: MrdHeader | undefined,
  settings: DeliverySettings,
  identity: DicomIdentity,
  created: Date,
): DicomDataset {
  const { image } = delivered;
  const source = { delivered, image, header, settings, identity, created: dateAndTime(created) };
  return {
    SpecificCharacterSet: 'ISO_IR 192',
    SOPInstanceUID: newUid(),
    InstanceCreationDate: source.created.date,
    InstanceCreationTime: source.created.time,
    ...patientAndStudy(source),
    ...series(source),
    ...equipment(source),
    ...generalImage(source),
    ...pixels(source),
    ...(image.geometry === undefined
      ? secondaryCapture()
      : { ...mrImage(source), ...plane(image.geometry, identity.frameOfReferenceUid) }),
  };
}

function patientAndStudy({ header, identity }: Source): DicomDataset {
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
const unpairedBodyParts: ReadonlySet<string> = new Set([
  'SPINE', 'CSPINE', 'TSPINE', 'LSPINE', 'SSPINE', 'CTSPINE', 'TLSPINE', 'LSSPINE', 'COCCYX', 'WHOLEBODY', 'HEAD',
  'SKULL', 'BRAIN', 'NECK', 'CHEST', 'HEART', 'ABDOMEN', 'ABDOMENPELVIS', 'PELVIS', 'LIVER', 'PANCREAS', 'BLADDER',
  'UTERUS', 'PROSTATE',
]);

/** Series are numbered as Gadgetron does it: a hundred numbers for each series of the scanner. */
function series({ delivered, header, identity }: Source): DicomDataset {
  const information = header?.measurementInformation;
  const date = dateString(information?.seriesDate);
  const time = timeString(information?.seriesTime);
  const bodyPart = codeString(header?.studyInformation?.bodyPartExamined);
  return {
    Modality: 'MR',
    ...(unpairedBodyParts.has(bodyPart) ? {} : { Laterality: '' }),
    SeriesInstanceUID: identity.seriesInstanceUid,
    SeriesNumber: String(100 * (information?.initialSeriesNumber ?? 0) + delivered.series.index),
    SeriesDescription: text(delivered.series.description, 64),
    ...(date === '' ? {} : { SeriesDate: date }),
    ...(time === '' ? {} : { SeriesTime: time }),
    ...(bodyPart === '' ? {} : { BodyPartExamined: bodyPart }),
    ...(information?.protocolName === undefined ? {} : { ProtocolName: text(information.protocolName, 64) }),
  };
}

/** The scanner is the equipment; Conus is contributing equipment that processed what it measured. */
function equipment({ header, settings, image, created }: Source): DicomDataset {
  const system = header?.acquisitionSystemInformation;
  return {
    Manufacturer: text(system?.systemVendor, 64),
    ...(system?.systemModel === undefined ? {} : { ManufacturerModelName: text(system.systemModel, 64) }),
    ...(system?.institutionName === undefined ? {} : { InstitutionName: text(system.institutionName, 64) }),
    ...(system?.stationName === undefined ? {} : { StationName: text(system.stationName, 16) }),
    ...(system?.deviceSerialNumber === undefined ? {} : { DeviceSerialNumber: text(system.deviceSerialNumber, 64) }),
    ContributingEquipmentSequence: [
      {
        PurposeOfReferenceCodeSequence: [code('109102', 'DCM', 'Processing Equipment')],
        Manufacturer: 'Conus',
        ManufacturerModelName: 'Conus',
        SoftwareVersions: text(settings.softwareVersion, 64),
        ContributionDateTime: `${created.date}${created.time}`,
        ContributionDescription: text(`MR image reconstruction from k-space: ${derivationText(image, settings)}`, 1024),
      },
    ],
  };
}

function generalImage({ delivered, image, header, settings, created }: Source): DicomDataset {
  return {
    ImageType: imageTypeValues(image),
    InstanceNumber: String(delivered.imageIndex),
    AcquisitionNumber: String(image.counters.repetition + 1),
    ContentDate: created.date,
    ContentTime: created.time,
    ContentQualification: 'RESEARCH',
    ...(isSimulated(header) && { SyntheticData: 'YES' }),
    DerivationDescription: text(derivationText(image, settings), 1024),
    ImageComments: text(imageComments(image, header, settings), 10240),
  };
}

/**
 * MR Image Storage has no RescaleSlope: the series' scale is recorded as a real-world value mapping,
 * value = stored * slope, so that measurements have a unit and the display stays in stored values.
 */
function pixels({ delivered, image }: Source): DicomDataset {
  const { series, pixels: stored } = delivered;
  const signed = stored instanceof Int16Array;
  const unit = unitOf(image);
  return {
    SamplesPerPixel: 1,
    PhotometricInterpretation: 'MONOCHROME2',
    Rows: image.rows,
    Columns: image.columns,
    BitsAllocated: 16,
    BitsStored: 16,
    HighBit: 15,
    PixelRepresentation: signed ? 1 : 0,
    WindowCenter: decimalString(series.window.centre),
    WindowWidth: decimalString(series.window.width),
    RealWorldValueMappingSequence: [
      {
        RealWorldValueFirstValueMapped: signed ? -32768 : 0,
        RealWorldValueLastValueMapped: signed ? 32767 : 65535,
        RealWorldValueIntercept: 0,
        RealWorldValueSlope: series.rescaleSlope,
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
    SOPClassUID: SECONDARY_CAPTURE_IMAGE_STORAGE,
    // Neither digitised nor drawn: computed on a workstation.
    ConversionType: 'WSD',
    PatientOrientation: '',
    BurnedInAnnotation: 'NO',
  };
}

function mrImage({ image, header }: Source): DicomDataset {
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
    SOPClassUID: MR_IMAGE_STORAGE,
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
    ParallelAcquisition: image.accelerationPhase > 1 ? 'YES' : 'NO',
    ParallelReductionFactorInPlane: image.accelerationPhase,
    ...(technique === undefined ? {} : { ParallelAcquisitionTechnique: technique }),
    ...(facts.partialFourier === undefined ? {} : { PartialFourier: facts.partialFourier ? 'YES' : 'NO' }),
  };
}
