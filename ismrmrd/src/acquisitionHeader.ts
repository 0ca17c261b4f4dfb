/** The 340 packed bytes before an acquisition's trajectory and samples. */
import {
  readFloat32s,
  readInt32s,
  readUint16s,
  readUint32s,
  readVector,
  writeFloat32s,
  writeUint16s,
  writeUint32s,
} from './binary.js';
import type { AcquisitionHeader } from './types.js';

export const ACQUISITION_HEADER_BYTES = 340;
const N_MASK_WORDS = 16;

/** Reads the header at byte `at` of the view. Nothing is checked: every bit pattern is a header. */
export function decodeAcquisitionHeader(view: DataView, at = 0): AcquisitionHeader {
  return {
    version: view.getUint16(at, true),
    flags: view.getBigUint64(at + 2, true),
    measurementUid: view.getUint32(at + 10, true),
    scanCounter: view.getUint32(at + 14, true),
    acquisitionTimeStamp: view.getUint32(at + 18, true),
    physiologyTimeStamp: readUint32s(view, at + 22, 3),
    nSamples: view.getUint16(at + 34, true),
    availableChannels: view.getUint16(at + 36, true),
    nChannels: view.getUint16(at + 38, true),
    channelMask: readMask(view, at + 40),
    discardPre: view.getUint16(at + 168, true),
    discardPost: view.getUint16(at + 170, true),
    centerSample: view.getUint16(at + 172, true),
    encodingSpaceRef: view.getUint16(at + 174, true),
    trajectoryDimensions: view.getUint16(at + 176, true),
    sampleTimeUs: view.getFloat32(at + 178, true),
    position: readVector(view, at + 182),
    readDir: readVector(view, at + 194),
    phaseDir: readVector(view, at + 206),
    sliceDir: readVector(view, at + 218),
    patientTablePosition: readVector(view, at + 230),
    idx: {
      kspaceEncodeStep1: view.getUint16(at + 242, true),
      kspaceEncodeStep2: view.getUint16(at + 244, true),
      average: view.getUint16(at + 246, true),
      slice: view.getUint16(at + 248, true),
      contrast: view.getUint16(at + 250, true),
      phase: view.getUint16(at + 252, true),
      repetition: view.getUint16(at + 254, true),
      set: view.getUint16(at + 256, true),
      segment: view.getUint16(at + 258, true),
      user: readUint16s(view, at + 260, 8),
    },
    userInt: readInt32s(view, at + 276, 8),
    userFloat: readFloat32s(view, at + 308, 8),
  };
}

/** Writes the header at byte `at` of the view. */
export function encodeAcquisitionHeader(header: AcquisitionHeader, view: DataView, at = 0): void {
  view.setUint16(at, header.version, true);
  view.setBigUint64(at + 2, header.flags, true);
  view.setUint32(at + 10, header.measurementUid, true);
  view.setUint32(at + 14, header.scanCounter, true);
  view.setUint32(at + 18, header.acquisitionTimeStamp, true);
  writeUint32s(view, at + 22, header.physiologyTimeStamp, 3);
  view.setUint16(at + 34, header.nSamples, true);
  view.setUint16(at + 36, header.availableChannels, true);
  view.setUint16(at + 38, header.nChannels, true);
  for (let word = 0; word < N_MASK_WORDS; word++) {
    view.setBigUint64(at + 40 + 8 * word, header.channelMask[word] ?? 0n, true);
  }
  view.setUint16(at + 168, header.discardPre, true);
  view.setUint16(at + 170, header.discardPost, true);
  view.setUint16(at + 172, header.centerSample, true);
  view.setUint16(at + 174, header.encodingSpaceRef, true);
  view.setUint16(at + 176, header.trajectoryDimensions, true);
  view.setFloat32(at + 178, header.sampleTimeUs, true);
  writeFloat32s(view, at + 182, header.position, 3);
  writeFloat32s(view, at + 194, header.readDir, 3);
  writeFloat32s(view, at + 206, header.phaseDir, 3);
  writeFloat32s(view, at + 218, header.sliceDir, 3);
  writeFloat32s(view, at + 230, header.patientTablePosition, 3);
  const { idx } = header;
  view.setUint16(at + 242, idx.kspaceEncodeStep1, true);
  view.setUint16(at + 244, idx.kspaceEncodeStep2, true);
  view.setUint16(at + 246, idx.average, true);
  view.setUint16(at + 248, idx.slice, true);
  view.setUint16(at + 250, idx.contrast, true);
  view.setUint16(at + 252, idx.phase, true);
  view.setUint16(at + 254, idx.repetition, true);
  view.setUint16(at + 256, idx.set, true);
  view.setUint16(at + 258, idx.segment, true);
  writeUint16s(view, at + 260, idx.user, 8);
  writeUint32s(view, at + 276, header.userInt, 8);
  writeFloat32s(view, at + 308, header.userFloat, 8);
}

function readMask(view: DataView, at: number): bigint[] {
  const words: bigint[] = [];
  for (let word = 0; word < N_MASK_WORDS; word++) words.push(view.getBigUint64(at + 8 * word, true));
  return words;
}
