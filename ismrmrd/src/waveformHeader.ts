/**
 * The 40 bytes before a waveform's samples. The C++ library writes the struct as it lies in memory,
 * so that the fields have their natural alignment: 6 bytes of padding after the version, 2 at the end.
 */
import type { WaveformHeader } from './types.js';

export const WAVEFORM_HEADER_BYTES = 40;

/** Reads the header at byte `at` of the view. */
export function decodeWaveformHeader(view: DataView, at = 0): WaveformHeader {
  return {
    version: view.getUint16(at, true),
    flags: view.getBigUint64(at + 8, true),
    measurementUid: view.getUint32(at + 16, true),
    scanCounter: view.getUint32(at + 20, true),
    timeStamp: view.getUint32(at + 24, true),
    nSamples: view.getUint16(at + 28, true),
    nChannels: view.getUint16(at + 30, true),
    sampleTimeUs: view.getFloat32(at + 32, true),
    waveformId: view.getUint16(at + 36, true),
  };
}

/** Writes the header at byte `at` of the view, whose padding bytes are left as they are. */
export function encodeWaveformHeader(header: WaveformHeader, view: DataView, at = 0): void {
  view.setUint16(at, header.version, true);
  view.setBigUint64(at + 8, header.flags, true);
  view.setUint32(at + 16, header.measurementUid, true);
  view.setUint32(at + 20, header.scanCounter, true);
  view.setUint32(at + 24, header.timeStamp, true);
  view.setUint16(at + 28, header.nSamples, true);
  view.setUint16(at + 30, header.nChannels, true);
  view.setFloat32(at + 32, header.sampleTimeUs, true);
  view.setUint16(at + 36, header.waveformId, true);
}
