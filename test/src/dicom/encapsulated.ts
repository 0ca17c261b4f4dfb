/** A DICOM file around one compressed frame that another program made. */
import type { DicomHeader } from '../../../src/dicom/header.js';
import { fileHead, readFileMeta } from '../../../src/dicom/part10.js';

export const JPEG_2000 = '1.2.840.10008.1.2.4.90';

/** The source's header, and the frame in place of its pixels. */
export function encapsulated({ file, meta, outline }: DicomHeader, transferSyntaxUid: string, frame: Uint8Array): Uint8Array {
  const item = (bytes: Uint8Array) => {
    const head = Buffer.from([0xfe, 0xff, 0x00, 0xe0, 0, 0, 0, 0]);
    head.writeUInt32LE(bytes.length + (bytes.length % 2), 4);
    return Buffer.concat([head, bytes, Buffer.alloc(bytes.length % 2)]);
  };
  const pixelData = Buffer.from([0xe0, 0x7f, 0x10, 0x00, 0x4f, 0x42, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  const end = Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]);
  const header = file.subarray(readFileMeta(file).datasetOffset, outline.headerEnd);
  return Buffer.concat([fileHead({ ...meta, transferSyntaxUid }), header, pixelData, item(new Uint8Array(0)), item(frame), end]);
}
