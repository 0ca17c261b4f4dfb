/** The images that an analysis was made from, and what its objects have from them. */
import type { Stack } from '../../dicom/index.js';
import { code, codeString, contentUid, dateAndTime, text, type DicomDataset } from '../../delivery/index.js';

/** What all objects of one analysis share. */
export interface ObjectSetting {
  /** Names the analysis: equal keys give equal identifiers. */
  readonly key: string;
  readonly created: Date;
  readonly softwareVersion: string;
}

export interface ReferencedObject {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  /** From 1, of multi-frame objects. */
  readonly frameNumber?: number;
}

/** Of every slice, in the order of the stack. */
export function referencedSlices({ slices }: Stack): ReferencedObject[] {
  return slices.map(({ image: { identity, facts }, frame }) => ({
    sopClassUid: identity.sopClassUid, sopInstanceUid: identity.sopInstanceUid, seriesInstanceUid: identity.seriesInstanceUid,
    ...(facts.nFrames > 1 && { frameNumber: frame.number }),
  }));
}

/** Somebody or something that was not scanned: a simulation, or images that were computed. */
export function isSynthetic({ slices }: Stack): boolean {
  return slices.some(({ image: { facts } }) => facts.isSynthetic);
}

export function referenceItem({ sopClassUid, sopInstanceUid, frameNumber }: ReferencedObject): DicomDataset {
  return { ReferencedSOPClassUID: sopClassUid, ReferencedSOPInstanceUID: sopInstanceUid, ...(frameNumber !== undefined && { ReferencedFrameNumber: String(frameNumber) }) };
}

/** Instances by series, each once. */
export function bySeries(references: readonly ReferencedObject[], sequence: string): DicomDataset[] {
  const found = new Map<string, Map<string, DicomDataset>>();
  for (const reference of references) {
    const instances = found.get(reference.seriesInstanceUid) ?? new Map<string, DicomDataset>();
    found.set(reference.seriesInstanceUid, instances);
    instances.set(reference.sopInstanceUid, { ReferencedSOPClassUID: reference.sopClassUid, ReferencedSOPInstanceUID: reference.sopInstanceUid });
  }
  return [...found].map(([SeriesInstanceUID, instances]) => ({ SeriesInstanceUID, [sequence]: [...instances.values()] }));
}

const patientAndStudy = [
  'PatientName', 'PatientID', 'IssuerOfPatientID', 'PatientBirthDate', 'PatientSex', 'PatientAge', 'PatientSize', 'PatientWeight',
  'StudyInstanceUID', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'ReferringPhysicianName', 'StudyDescription',
] as const;
const required = ['PatientName', 'PatientID', 'PatientBirthDate', 'PatientSex', 'StudyDate', 'StudyTime', 'StudyID', 'AccessionNumber', 'ReferringPhysicianName'] as const;

export interface ObjectKind {
  /** Tells the object from the others of the analysis. */
  readonly name: string;
  readonly modality: string;
  readonly sopClassUid: string;
  readonly seriesNumber: number;
  readonly description: string;
  readonly isSynthetic: boolean;
}

/**
 * Patient and study as the images have them, a series of its own, Conus as the equipment.
 * @param source any of the images
 */
export function commonModules(source: Stack, { key, created, softwareVersion }: ObjectSetting, { name, modality, sopClassUid, seriesNumber, description, isSynthetic: synthetic }: ObjectKind): DicomDataset & { StudyInstanceUID: string; SeriesInstanceUID: string; SOPInstanceUID: string } {
  const { image } = source.slices[0]!;
  const known = Object.fromEntries(patientAndStudy.flatMap((keyword) => (image.patientAndStudy[keyword] === undefined ? [] : [[keyword, image.patientAndStudy[keyword]]])));
  const { date, time } = dateAndTime(created);
  return {
    ...Object.fromEntries(required.map((keyword) => [keyword, ''])),
    ...known,
    SpecificCharacterSet: 'ISO_IR 192',
    SOPClassUID: sopClassUid,
    SOPInstanceUID: contentUid('analysis object', key, name),
    StudyInstanceUID: image.identity.studyInstanceUid,
    SeriesInstanceUID: contentUid('analysis series', key, name),
    ...(synthetic && { SyntheticData: 'YES' }),
    InstanceCreationDate: date,
    InstanceCreationTime: time,
    ContentDate: date,
    ContentTime: time,
    SeriesDate: date,
    SeriesTime: time,
    Modality: modality,
    SeriesNumber: String(seriesNumber),
    InstanceNumber: '1',
    SeriesDescription: text(`${synthetic ? 'SYN ' : ''}${description}`, 64),
    // Documents have none.
    ...(modality !== 'SR' && { BodyPartExamined: codeString(image.facts.bodyPart) || 'SPINE' }),
    Manufacturer: 'Conus',
    ManufacturerModelName: 'Conus',
    // Software has no serial number, and here one has to be given.
    DeviceSerialNumber: 'NONE',
    SoftwareVersions: text(softwareVersion, 64),
  };
}

export const artificialIntelligence = code('123110', 'DCM', 'Artificial Intelligence');
