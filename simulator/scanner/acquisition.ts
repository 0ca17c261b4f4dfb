/** A readout with the header that a scanner would give it. */
import { flagsOf, type Acquisition, type AcquisitionFlagName, type EncodingCounters } from 'ismrmrd';
import type { SlicePlane } from './paintedSlice.js';

/** The tick of acquisition time stamps, as Siemens has it. */
export const tickMs = 2.5;

export interface ReadoutDetails extends SlicePlane {
  readonly sampleTimeUs: number;
  readonly nChannels: number;
  /** The middle of the readout where it is left out. */
  readonly centerSample?: number;
  readonly counters?: Partial<EncodingCounters>;
  readonly scanCounter?: number;
  readonly acquisitionTimeStamp?: number;
}

/** @param data complex64 interleaved [nChannels, nSamples] */
export function acquisitionOf(data: Float32Array, flags: readonly AcquisitionFlagName[], details: ReadoutDetails): Acquisition {
  const { nChannels } = details;
  const nSamples = data.length / (2 * nChannels);
  return {
    trajectory: new Float32Array(0),
    data,
    header: {
      version: 1,
      flags: flagsOf(...flags),
      measurementUid: 1,
      scanCounter: details.scanCounter ?? 0,
      acquisitionTimeStamp: details.acquisitionTimeStamp ?? 0,
      physiologyTimeStamp: [0, 0, 0],
      nSamples,
      availableChannels: nChannels,
      nChannels,
      channelMask: channelMask(nChannels),
      discardPre: 0,
      discardPost: 0,
      centerSample: details.centerSample ?? Math.floor(nSamples / 2),
      encodingSpaceRef: 0,
      trajectoryDimensions: 0,
      sampleTimeUs: details.sampleTimeUs,
      position: details.centreMm,
      readDir: details.readDirection,
      phaseDir: details.phaseDirection,
      sliceDir: details.sliceDirection,
      patientTablePosition: [0, 0, 0],
      idx: {
        kspaceEncodeStep1: 0,
        kspaceEncodeStep2: 0,
        average: 0,
        slice: 0,
        contrast: 0,
        phase: 0,
        repetition: 0,
        set: 0,
        segment: 0,
        user: [0, 0, 0, 0, 0, 0, 0, 0],
        ...details.counters,
      },
      userInt: [0, 0, 0, 0, 0, 0, 0, 0],
      userFloat: [0, 0, 0, 0, 0, 0, 0, 0],
    },
  };
}

/** 16 words of 64 bits with one bit a channel. */
function channelMask(nChannels: number): bigint[] {
  return Array.from({ length: 16 }, (_, word) => {
    const bits = Math.min(Math.max(nChannels - 64 * word, 0), 64);
    return (1n << BigInt(bits)) - 1n;
  });
}
