import { hasFlag, type AcquisitionFlagName, type AcquisitionHeader } from 'ismrmrd';

/** What reconstruction needs to know of a readout: the part of its header that steers. */
export type Readout = Pick<
  AcquisitionHeader,
  | 'flags'
  | 'measurementUid'
  | 'acquisitionTimeStamp'
  | 'physiologyTimeStamp'
  | 'nSamples'
  | 'nChannels'
  | 'discardPre'
  | 'discardPost'
  | 'centerSample'
  | 'encodingSpaceRef'
  | 'sampleTimeUs'
  | 'position'
  | 'readDir'
  | 'phaseDir'
  | 'sliceDir'
  | 'patientTablePosition'
  | 'idx'
>;

/** What a readout is for; the flags decide, the most special use first. */
export type ReadoutUse = 'noise' | 'ignored' | WaitingUse;

/** Uses of readouts that wait until their coils can be compressed. */
export type WaitingUse = 'phaseCorrection' | LineUse;

/** What a line of k-space is for. */
export type LineUse = 'calibration' | 'calibrationAndImaging' | 'imaging';

/** @param correctsGhosts phase-correction readouts are used */
export function useOf(flags: bigint, correctsGhosts = false): ReadoutUse {
  if (hasFlag(flags, 'noiseMeasurement')) return 'noise';
  if (correctsGhosts && hasFlag(flags, 'phaseCorrection')) return 'phaseCorrection';
  if (ignoredBy(flags) !== undefined) return 'ignored';
  if (hasFlag(flags, 'parallelCalibrationAndImaging')) return 'calibrationAndImaging';
  return hasFlag(flags, 'parallelCalibration') ? 'calibration' : 'imaging';
}

/** The flag by which a readout is no line of an image. */
export function ignoredBy(flags: bigint): AcquisitionFlagName | undefined {
  return ignoredFlags.find((name) => hasFlag(flags, name));
}

const ignoredFlags = [
  'navigation',
  'phaseCorrection',
  'hpFeedback',
  'dummyScan',
  'rtFeedback',
  'surfaceCoilCorrection',
  'phaseStabilizationReference',
  'phaseStabilization',
] as const;
