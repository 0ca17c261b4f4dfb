/** What a source tells of the series that it sends, and of whom. */
import { hasFlag } from 'ismrmrd';
import type { AcquisitionHeader, MrdHeader, MrdLimit } from 'ismrmrd';
import { nearestPlane } from './orientation.js';
import type { Orientation } from '../../protocols/index.js';
import { isSimulated } from '../delivery/index.js';

export interface PatientFacts {
  readonly id?: string;
  readonly name?: string;
  /** As the source wrote it. */
  readonly birthDate?: string;
  readonly sex?: string;
}

/** Of one series; whatever the source does not tell is absent. */
export interface SourceFacts {
  readonly patient: PatientFacts;
  readonly studyInstanceUid?: string;
  readonly studyId?: string;
  readonly studyDescription?: string;
  readonly accessionNumber?: string;
  /** DICOM Body Part Examined. */
  readonly bodyPart?: string;
  readonly measurementId?: string;
  /** Measurements that this one depends on: noise, sensitivities. */
  readonly dependsOn?: readonly string[];
  readonly seriesNumber?: number;
  readonly seriesDescription?: string;
  readonly protocolName?: string;
  readonly modality?: string;
  readonly fieldStrengthT?: number;
  readonly station?: string;
  readonly orientation?: Orientation;
  readonly trMs?: number;
  /** The first one, of several. */
  readonly teMs?: number;
  readonly tiMs?: number;
  readonly inversion?: boolean;
  readonly acceleration?: number;
  /** Lines that are to come, calibration lines and noise not counted. */
  readonly nLines?: number;
  /** Images of each kind that are to come. */
  readonly nImages?: number;
  readonly isSimulated?: boolean;
}

export function factsOfHeader(header: MrdHeader): SourceFacts {
  const { subjectInformation: subject, studyInformation: study, measurementInformation: measurement } = header;
  const { acquisitionSystemInformation: system, sequenceParameters: sequence } = header;
  return withoutEmpty({
    patient: withoutEmpty({
      id: subject?.patientID, name: subject?.patientName, birthDate: subject?.patientBirthdate, sex: subject?.patientGender,
    }),
    studyInstanceUid: study?.studyInstanceUID,
    studyId: study?.studyID,
    studyDescription: study?.studyDescription,
    accessionNumber: study?.accessionNumber,
    bodyPart: study?.bodyPartExamined,
    measurementId: measurement?.measurementID,
    dependsOn: measurement?.measurementDependency.map(({ measurementID }) => measurementID),
    seriesNumber: measurement?.initialSeriesNumber,
    seriesDescription: measurement?.seriesDescription ?? measurement?.protocolName,
    protocolName: measurement?.protocolName,
    modality: 'MR',
    fieldStrengthT: system?.systemFieldStrength_T,
    station: system?.stationName,
    trMs: sequence?.TR[0],
    teMs: sequence?.TE[0],
    tiMs: sequence?.TI[0],
    inversion: sequence === undefined ? undefined : sequence.TI.length > 0,
    acceleration: header.encoding[0]?.parallelImaging?.accelerationFactor.kspace_encoding_step_1,
    ...expectedOf(header),
    isSimulated: isSimulated(header) ? true : undefined,
  });
}

/** The lattice of lines and partitions, times every loop; unknown where the header has no limits. */
function expectedOf(header: MrdHeader): { nLines?: number; nImages?: number } {
  const encoding = header.encoding[0];
  if (encoding === undefined) return {};
  const { encodingLimits: limits, parallelImaging, reconSpace } = encoding;
  const loops = [limits.contrast, limits.phase, limits.repetition, limits.set].map(countOf).reduce((product, count) => product * count, 1);
  const nSlices = countOf(limits.slice);
  const is3D = encoding.encodedSpace.matrixSize.z > 1;
  const nImages = loops * nSlices * (is3D ? reconSpace.matrixSize.z : 1);
  if (limits.kspace_encoding_step_1 === undefined) return { nImages };
  const factors = parallelImaging?.accelerationFactor;
  const lines = Math.ceil(countOf(limits.kspace_encoding_step_1) / Math.max(1, factors?.kspace_encoding_step_1 ?? 1));
  const partitions = Math.ceil(countOf(limits.kspace_encoding_step_2) / Math.max(1, factors?.kspace_encoding_step_2 ?? 1));
  return { nImages, nLines: lines * partitions * nSlices * loops * countOf(limits.average) };
}

function countOf(limit: MrdLimit | undefined): number {
  return limit === undefined ? 1 : Math.max(1, limit.maximum - limit.minimum + 1);
}

const apart = ['noiseMeasurement', 'parallelCalibration', 'navigation', 'phaseCorrection', 'hpFeedback', 'dummyScan', 'rtFeedback', 'surfaceCoilCorrection'] as const;

/** Whether a readout is one of the lines that `nLines` counts. */
export function isImagingLine({ flags, encodingSpaceRef }: AcquisitionHeader): boolean {
  return encodingSpaceRef === 0 && !apart.some((flag) => hasFlag(flags, flag));
}

export function orientationOf({ sliceDir }: Pick<AcquisitionHeader, 'sliceDir'>): Orientation | undefined {
  return nearestPlane(sliceDir);
}

type Filled<Facts> = { [Key in keyof Facts]: Exclude<Facts[Key], undefined> };

/** Without what is undefined, empty, or blanks only: archives and scanners write such for "unknown". */
export function withoutEmpty<Facts extends object>(facts: Facts): Filled<Facts> {
  const isTold = (value: unknown) =>
    value !== undefined && !(typeof value === 'string' && value.trim() === '') && !(Array.isArray(value) && value.length === 0);
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => isTold(value))) as Filled<Facts>;
}
