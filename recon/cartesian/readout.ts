import type { AcquisitionHeader } from 'ismrmrd';

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
