/** MRD streams of a small Cartesian scan, made here, for tests of the service. */
import { encodeAcquisition, encodeClose, encodeConfigFile, encodeHeader, flagsOf } from 'ismrmrd';
import type { AcquisitionFlagName, AcquisitionHeader } from 'ismrmrd';

export interface ScanSize {
  readonly nLines?: number;
  readonly nSamples?: number;
  readonly nCoils?: number;
}

export function headerXml({ nLines = 16, nSamples = 32, nCoils = 4 }: ScanSize = {}): string {
  const limit = (name: string, maximum: number, center: number) =>
    `<${name}><minimum>0</minimum><maximum>${maximum}</maximum><center>${center}</center></${name}>`;
  const space = (name: string, x: number, fovX: number) =>
    `<${name}><matrixSize><x>${x}</x><y>${nLines}</y><z>1</z></matrixSize>` +
    `<fieldOfView_mm><x>${fovX}</x><y>240</y><z>4</z></fieldOfView_mm></${name}>`;
  return (
    '<?xml version="1.0"?><ismrmrdHeader xmlns="http://www.ismrm.org/ISMRMRD">' +
    `<acquisitionSystemInformation><receiverChannels>${nCoils}</receiverChannels></acquisitionSystemInformation>` +
    '<experimentalConditions><H1resonanceFrequency_Hz>123200000</H1resonanceFrequency_Hz></experimentalConditions>' +
    `<encoding>${space('encodedSpace', nSamples, 480)}${space('reconSpace', nSamples / 2, 240)}` +
    `<encodingLimits>${limit('kspace_encoding_step_1', nLines - 1, nLines / 2)}</encodingLimits>` +
    '<trajectory>cartesian</trajectory></encoding></ismrmrdHeader>'
  );
}

export function acquisitionHeader(
  line: number,
  { nSamples = 32, nCoils = 4 }: ScanSize = {},
  ...flags: AcquisitionFlagName[]
): AcquisitionHeader {
  return {
    version: 1,
    flags: flagsOf(...flags),
    measurementUid: 1,
    scanCounter: line,
    acquisitionTimeStamp: 1000 + line,
    physiologyTimeStamp: [0, 0, 0],
    nSamples,
    availableChannels: nCoils,
    nChannels: nCoils,
    channelMask: Array<bigint>(16).fill(0n),
    discardPre: 0,
    discardPost: 0,
    centerSample: nSamples / 2,
    encodingSpaceRef: 0,
    trajectoryDimensions: 0,
    sampleTimeUs: 5,
    position: [1, 2, 3],
    readDir: [1, 0, 0],
    phaseDir: [0, 1, 0],
    sliceDir: [0, 0, 1],
    patientTablePosition: [0, 0, 0],
    idx: {
      kspaceEncodeStep1: line, kspaceEncodeStep2: 0, average: 0, slice: 0, contrast: 0, phase: 0, repetition: 0, set: 0, segment: 0,
      user: [0, 0, 0, 0, 0, 0, 0, 0],
    },
    userInt: [0, 0, 0, 0, 0, 0, 0, 0],
    userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
  };
}

/** A blurred point: every coil sees the same smooth k-space at its own weight. */
export function sampleOf(coil: number, line: number, sample: number, { nLines = 16, nSamples = 32 }: ScanSize = {}): number {
  return (coil + 1) * Math.exp(-(((sample - nSamples / 2) / 8) ** 2) - ((line - nLines / 2) / 4) ** 2);
}

export function acquisition(line: number, size: ScanSize = {}, ...flags: AcquisitionFlagName[]): Uint8Array {
  const header = acquisitionHeader(line, size, ...flags);
  const { nSamples, nChannels } = header;
  const data = new Float32Array(2 * nChannels * nSamples);
  for (let coil = 0; coil < nChannels; coil++) {
    for (let sample = 0; sample < nSamples; sample++) data[2 * (coil * nSamples + sample)] = sampleOf(coil, line, sample, size);
  }
  return concat(encodeAcquisition({ header, trajectory: new Float32Array(0), data }));
}

export function lines(size: ScanSize = {}): Uint8Array[] {
  const nLines = size.nLines ?? 16;
  return Array.from({ length: nLines }, (_, line) => acquisition(line, size, ...(line === nLines - 1 ? (['lastInSlice'] as const) : [])));
}

/** Config, header, every line, CLOSE. */
export function scan(config = 'default', size: ScanSize = {}): Uint8Array {
  return concat([...encodeConfigFile(config), ...encodeHeader(headerXml(size)), ...lines(size), ...encodeClose()]);
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}
