/** The 198 packed bytes before an image's attributes and pixels. */
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
import { mrdError } from './errors.js';
import { dataTypeName } from './pixels.js';
import { ImageDataType, type ImageHeader, type Vector3 } from './types.js';

export const IMAGE_HEADER_BYTES = 198;

/**
 * Reads the header at byte `at` of the view. The attribute length that the header repeats as a
 * uint32 is not read: senders leave it 0, and the uint64 behind the header is what counts.
 * @throws MRD_ERR_IMAGE_DATA_TYPE
 */
export function decodeImageHeader(view: DataView, at = 0): ImageHeader {
  const dataTypeNumber = view.getUint16(at + 2, true);
  const dataType = dataTypeName(dataTypeNumber);
  if (dataType === undefined) throw mrdError('MRD_ERR_IMAGE_DATA_TYPE', `data type ${dataTypeNumber}`);
  return {
    version: view.getUint16(at, true),
    dataType,
    flags: view.getBigUint64(at + 4, true),
    measurementUid: view.getUint32(at + 12, true),
    matrixSize: readUint16s(view, at + 16, 3) as unknown as Vector3,
    fovMm: readVector(view, at + 22),
    nChannels: view.getUint16(at + 34, true),
    position: readVector(view, at + 36),
    readDir: readVector(view, at + 48),
    phaseDir: readVector(view, at + 60),
    sliceDir: readVector(view, at + 72),
    patientTablePosition: readVector(view, at + 84),
    average: view.getUint16(at + 96, true),
    slice: view.getUint16(at + 98, true),
    contrast: view.getUint16(at + 100, true),
    phase: view.getUint16(at + 102, true),
    repetition: view.getUint16(at + 104, true),
    set: view.getUint16(at + 106, true),
    acquisitionTimeStamp: view.getUint32(at + 108, true),
    physiologyTimeStamp: readUint32s(view, at + 112, 3),
    imageType: view.getUint16(at + 124, true),
    imageIndex: view.getUint16(at + 126, true),
    imageSeriesIndex: view.getUint16(at + 128, true),
    userInt: readInt32s(view, at + 130, 8),
    userFloat: readFloat32s(view, at + 162, 8),
  };
}

/** Writes the header of an image with `attributeBytes` of attributes at byte `at` of the view. */
export function encodeImageHeader(header: ImageHeader, attributeBytes: number, view: DataView, at = 0): void {
  view.setUint16(at, header.version, true);
  view.setUint16(at + 2, ImageDataType[header.dataType], true);
  view.setBigUint64(at + 4, header.flags, true);
  view.setUint32(at + 12, header.measurementUid, true);
  writeUint16s(view, at + 16, header.matrixSize, 3);
  writeFloat32s(view, at + 22, header.fovMm, 3);
  view.setUint16(at + 34, header.nChannels, true);
  writeFloat32s(view, at + 36, header.position, 3);
  writeFloat32s(view, at + 48, header.readDir, 3);
  writeFloat32s(view, at + 60, header.phaseDir, 3);
  writeFloat32s(view, at + 72, header.sliceDir, 3);
  writeFloat32s(view, at + 84, header.patientTablePosition, 3);
  view.setUint16(at + 96, header.average, true);
  view.setUint16(at + 98, header.slice, true);
  view.setUint16(at + 100, header.contrast, true);
  view.setUint16(at + 102, header.phase, true);
  view.setUint16(at + 104, header.repetition, true);
  view.setUint16(at + 106, header.set, true);
  view.setUint32(at + 108, header.acquisitionTimeStamp, true);
  writeUint32s(view, at + 112, header.physiologyTimeStamp, 3);
  view.setUint16(at + 124, header.imageType, true);
  view.setUint16(at + 126, header.imageIndex, true);
  view.setUint16(at + 128, header.imageSeriesIndex, true);
  writeUint32s(view, at + 130, header.userInt, 8);
  writeFloat32s(view, at + 162, header.userFloat, 8);
  view.setUint32(at + 194, attributeBytes, true);
}
