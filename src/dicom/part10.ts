/** The head of a DICOM file (PS3.10, 7.1): preamble and meta information, which is Explicit VR Little Endian always. */
import { IMPLEMENTATION_CLASS_UID, VERSION } from '../version.js';
import { dicomError } from './errors.js';
import { longVrs, shortVrs } from './outline.js';

export const IMPLEMENTATION_VERSION = `CONUS_${VERSION}`.slice(0, 16);
export { IMPLEMENTATION_CLASS_UID };

export interface FileMeta {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntaxUid: string;
}

const PREAMBLE_BYTES = 128;
const MAGIC = 'DICM';

/**
 * What the meta information says, and where the data set begins.
 * @throws DICOM_ERR_NOT_DICOM
 */
export function readFileMeta(file: Uint8Array): FileMeta & { readonly datasetOffset: number } {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const ascii = (offset: number, length: number) => String.fromCharCode(...file.subarray(offset, offset + length));
  let position = PREAMBLE_BYTES + MAGIC.length;
  if (file.length < position || ascii(PREAMBLE_BYTES, MAGIC.length) !== MAGIC) {
    throw dicomError('DICOM_ERR_NOT_DICOM', `${file.length} bytes without DICM at byte ${PREAMBLE_BYTES}`);
  }
  const uids = new Map<number, string>();
  while (position + 8 <= file.length && view.getUint16(position, true) === 2) {
    const element = view.getUint16(position + 2, true);
    const vr = ascii(position + 4, 2);
    const isLong = longVrs.has(vr);
    if (!isLong && !shortVrs.has(vr)) throw dicomError('DICOM_ERR_NOT_DICOM', 'meta information without value representations');
    if (isLong && position + 12 > file.length) break;
    const length = isLong ? view.getUint32(position + 8, true) : view.getUint16(position + 6, true);
    position += isLong ? 12 : 8;
    if (position + length > file.length) throw dicomError('DICOM_ERR_NOT_DICOM', 'meta information that is cut short');
    if (length <= 64) uids.set(element, ascii(position, length).replace(/[\0 ]+$/, ''));
    position += length;
  }
  const [sopClassUid, sopInstanceUid, transferSyntaxUid] = [0x02, 0x03, 0x10].map((element) => uids.get(element));
  if (sopClassUid === undefined || sopInstanceUid === undefined || transferSyntaxUid === undefined) {
    throw dicomError('DICOM_ERR_NOT_DICOM', 'meta information without SOP class, SOP instance or transfer syntax');
  }
  return { sopClassUid, sopInstanceUid, transferSyntaxUid, datasetOffset: position };
}

/** The head of a file whose data set comes behind it. */
export function fileHead(meta: FileMeta, sourceAeTitle?: string): Uint8Array {
  const padded = (value: string, pad: string) => (value.length % 2 === 0 ? value : value + pad);
  const elements = [
    longElement(0x01, 'OB', '\0\x01'),
    shortElement(0x02, 'UI', padded(meta.sopClassUid, '\0')),
    shortElement(0x03, 'UI', padded(meta.sopInstanceUid, '\0')),
    shortElement(0x10, 'UI', padded(meta.transferSyntaxUid, '\0')),
    shortElement(0x12, 'UI', padded(IMPLEMENTATION_CLASS_UID, '\0')),
    shortElement(0x13, 'SH', padded(IMPLEMENTATION_VERSION, ' ')),
    ...(sourceAeTitle === undefined ? [] : [shortElement(0x16, 'AE', padded(sourceAeTitle, ' '))]),
  ];
  const group = Buffer.concat(elements);
  const groupLength = Buffer.alloc(4);
  groupLength.writeUInt32LE(group.length);
  const head = shortElement(0x00, 'UL', groupLength.toString('latin1'));
  return Buffer.concat([Buffer.alloc(PREAMBLE_BYTES), Buffer.from(MAGIC), head, group]);
}

function shortElement(element: number, vr: string, value: string): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(2, 0);
  head.writeUInt16LE(element, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(value.length, 6);
  return Buffer.concat([head, Buffer.from(value, 'latin1')]);
}

function longElement(element: number, vr: string, value: string): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt16LE(2, 0);
  head.writeUInt16LE(element, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt32LE(value.length, 8);
  return Buffer.concat([head, Buffer.from(value, 'latin1')]);
}
