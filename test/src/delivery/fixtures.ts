/** Images, headers and settings for the delivery tests. */
import { parseHeader } from 'ismrmrd';
import type { MrdHeader } from 'ismrmrd';
import type { ImageGeometry, Vector3 } from '../../../imaging/index.js';
import { complexKinds, type ReconImage } from '../../../recon/index.js';
import type { DeliverySettings, SyntheticKind, SyntheticSeries } from '../../../src/delivery/index.js';

export const settings: DeliverySettings = {
  pixelType: 'uint16',
  openRecon: false,
  parameters: { combine: 'auto', grappaRegularization: 5e-4 },
  chain: 'grappa',
  softwareVersion: '0.1.0',
};

/** An oblique, non-square, asymmetric slice: rotated about all three axes, columns finer than rows. */
export function obliqueGeometry(columns: number, rows: number): ImageGeometry {
  const [a, b, c] = [0.4, -0.7, 1.1];
  const rotate = ([x, y, z]: Vector3): Vector3 => {
    const [x1, y1] = [x * Math.cos(a) - y * Math.sin(a), x * Math.sin(a) + y * Math.cos(a)];
    const [y2, z2] = [y1 * Math.cos(b) - z * Math.sin(b), y1 * Math.sin(b) + z * Math.cos(b)];
    return [x1 * Math.cos(c) + z2 * Math.sin(c), y2, -x1 * Math.sin(c) + z2 * Math.cos(c)];
  };
  return {
    centreMm: [12.5, -48.25, 103.75],
    rowDirection: rotate([1, 0, 0]),
    columnDirection: rotate([0, 1, 0]),
    sliceDirection: rotate([0, 0, 1]),
    fovMm: [260, 300, 4.5],
    matrixSize: [columns, rows, 1],
  };
}

/** A complex image of the given magnitudes with a phase ramp; by default a gradient up to 100. */
export function image(overrides: Partial<ReconImage> = {}, magnitudes?: ArrayLike<number>): ReconImage {
  const rows = overrides.rows ?? 12;
  const columns = overrides.columns ?? 10;
  const kind = overrides.kind ?? 'image';
  const values = Float32Array.from(
    magnitudes ?? Array.from({ length: rows * columns }, (_, i) => (100 * (i + 1)) / (rows * columns)),
  );
  return {
    kind,
    rows,
    columns,
    data: complexKinds.has(kind) ? withPhase(values) : values,
    hasPhase: true,
    counters: { slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0, average: 0 },
    geometry: obliqueGeometry(columns, rows),
    fovMm: [260, 300, 4.5],
    method: 'grappa',
    accelerationPhase: 2,
    accelerationSlice: 1,
    snrUnits: true,
    nCoils: 16,
    nVirtualCoils: 16,
    nCalibrationLines: 24,
    nMissingLines: 0,
    partialFourier: 'none',
    postProcessing: [],
    measurementUid: 7,
    acquisitionTimeStamp: 1234,
    physiologyTimeStamp: [1, 2, 3],
    patientTablePosition: [0, 0, -5],
    ...overrides,
  };
}

function withPhase(magnitudes: Float32Array): Float32Array {
  const complex = new Float32Array(2 * magnitudes.length);
  magnitudes.forEach((magnitude, i) => {
    complex[2 * i] = magnitude * Math.cos(0.1 * i);
    complex[2 * i + 1] = magnitude * Math.sin(0.1 * i);
  });
  return complex;
}

const encodingSpace = (name: string) =>
  `<${name}><matrixSize><x>10</x><y>12</y><z>1</z></matrixSize>` +
  `<fieldOfView_mm><x>260</x><y>300</y><z>4.5</z></fieldOfView_mm></${name}>`;

/** A header as a scanner sends it. `center` is the phase encoding line at the k-space centre. */
export function headerXml({ center = 6, sequenceType = 'TurboSpinEcho' } = {}): string {
  return `<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">
<subjectInformation><patientName>Müller^Änne</patientName><patientWeight_kg>71.25</patientWeight_kg>
<patientID>P-17</patientID><patientBirthdate>1961-02-03</patientBirthdate><patientGender>F</patientGender></subjectInformation>
<studyInformation><studyDate>2024-05-06</studyDate><studyTime>07:08:09</studyTime><studyID>S1</studyID>
<accessionNumber>4711</accessionNumber><studyDescription>LWS</studyDescription>
<studyInstanceUID>1.2.826.0.1.3680043.8.498.1</studyInstanceUID></studyInformation>
<measurementInformation><seriesDate>2024-05-06</seriesDate><seriesTime>07:20:00</seriesTime>
<patientPosition>HFS</patientPosition><initialSeriesNumber>4</initialSeriesNumber><protocolName>t2_tse_sag</protocolName>
<frameOfReferenceUID>1.2.826.0.1.3680043.8.498.2</frameOfReferenceUID></measurementInformation>
<acquisitionSystemInformation><systemVendor>ACME</systemVendor><systemModel>Magnet 3</systemModel>
<systemFieldStrength_T>2.89362</systemFieldStrength_T><institutionName>Clinic</institutionName></acquisitionSystemInformation>
<experimentalConditions><H1resonanceFrequency_Hz>123194105</H1resonanceFrequency_Hz></experimentalConditions>
<encoding>${encodingSpace('encodedSpace')}${encodingSpace('reconSpace')}
<encodingLimits><kspace_encoding_step_1><minimum>0</minimum><maximum>11</maximum><center>${center}</center></kspace_encoding_step_1></encodingLimits>
<trajectory>cartesian</trajectory>
<parallelImaging><accelerationFactor><kspace_encoding_step_1>2</kspace_encoding_step_1><kspace_encoding_step_2>1</kspace_encoding_step_2></accelerationFactor>
<calibrationMode>separate</calibrationMode></parallelImaging><echoTrainLength>12</echoTrainLength></encoding>
<sequenceParameters><TR>3500</TR><TE>82.1</TE><TE>120</TE><TI>160</TI><flipAngle_deg>150</flipAngle_deg>
<sequence_type>${sequenceType}</sequence_type></sequenceParameters></ismrmrdHeader>`;
}

export function header(options?: Parameters<typeof headerXml>[0]): MrdHeader {
  return parseHeader(headerXml(options));
}

/** Patient and study as they are known of a source: all of it, hardly anything. */
export const subjects: readonly SyntheticSeries['subject'][] = [
  {
    PatientName: [{ Alphabetic: 'Müller^Änne' }], PatientID: '4711', PatientBirthDate: '19700101', PatientSex: 'F', StudyInstanceUID: '1.2.3.4', StudyDate: '20260101', StudyTime: '120000',
    StudyID: '7', AccessionNumber: '8', BodyPartExamined: 'LSPINE', FrameOfReferenceUID: '1.2.3.5', PatientPosition: 'HFS', Manufacturer: 'ACME', SyntheticData: 'YES',
  },
  {},
];

/** Three oblique slices of a ramp. */
export function syntheticSeries(kind: SyntheticKind, subject: SyntheticSeries['subject']): SyntheticSeries {
  const geometry = { ...obliqueGeometry(10, 12), matrixSize: [12, 10, 3] as const };
  const [columnMm, rowMm] = [geometry.fovMm[0], geometry.fovMm[1]];
  return {
    kind, modality: 'MR', subject, description: 'STIR sag', number: 1, fieldStrengthT: 1.5, softwareVersion: '0.0.0',
    volume: { geometry: { ...geometry, fovMm: [columnMm, rowMm, 13.2] }, data: Float32Array.from({ length: 360 }, (_, index) => index / 360 - 0.1) },
    ...(kind === 'image' && { sequence: { trMs: 5500, teMs: 54, tiMs: 165, echoTrainLength: 16, echoSpacingMs: 9, isFatSaturated: false } }),
    derivation: {
      imageTypeMark: 'SYNTHETIC', isSynthetic: true, seriesMark: '', description: 'Synthetic STIR',
      stages: [{ purpose: 'synthesizing', manufacturer: 'Conus', modelName: 'synthesis-maps', softwareVersion: '1.0.0', modelSha256: 'ab'.repeat(32), description: 'Synthesis' }],
      sources: [1, 2].map((n) => ({ sopClassUid: '1.2.840.10008.5.1.4.1.1.4', sopInstanceUid: `2.25.${n}`, seriesInstanceUid: '2.25.9' })),
      quality: { light: 'amber', reasons: ['L3: cannot tell'] },
    },
  };
}
