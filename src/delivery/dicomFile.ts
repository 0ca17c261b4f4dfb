/**
 * The file of a data set (PS3.10): preamble, meta information, elements.
 *
 *   sequence = tag SQ 0 FFFFFFFF, for each item FFFEE000 FFFFFFFF elements FFFEE00D 0, FFFEE0DD 0      (PS3.5, 7.5.2)
 *
 * dcmjs writes every element into a buffer of its own, which each level of sequences and the file copy again in pieces of 256
 * bytes: with hundreds of frames that took longer than all else. Sequences and pixels are therefore put together here, in
 * Explicit VR Little Endian, and dcmjs writes what stands between them.
 */
import dcmjs from 'dcmjs';
import type { DicomElement, DicomElements } from 'dcmjs';
import { IMPLEMENTATION_CLASS_UID } from '../version.js';
import { text } from './dicomValues.js';

export const EXPLICIT_VR_LITTLE_ENDIAN = '1.2.840.10008.1.2.1';

/** @param elements with class and instance */
export function fileOf(elements: DicomElements, transferSyntaxUid: string, softwareVersion: string): Uint8Array {
  const meta: DicomElements = {
    '00020001': { vr: 'OB', Value: [new Uint8Array([0, 1]).buffer] },
    '00020002': { vr: 'UI', Value: elements['00080016']?.Value ?? [] },
    '00020003': { vr: 'UI', Value: elements['00080018']?.Value ?? [] },
    '00020010': { vr: 'UI', Value: [transferSyntaxUid] },
    '00020012': { vr: 'UI', Value: [IMPLEMENTATION_CLASS_UID] },
    '00020013': { vr: 'SH', Value: [text(`CONUS_${softwareVersion}`, 16)] },
  };
  const isExplicit = transferSyntaxUid === EXPLICIT_VR_LITTLE_ENDIAN;
  const file = new dcmjs.data.DicomDict(meta);
  file.dict = isExplicit ? {} : elements;
  const parts = [new Uint8Array(file.write())];
  if (isExplicit) addElements(elements, parts);
  return new Uint8Array(Buffer.concat(parts));
}

/** Elements that were written already: what the objects of a series share. */
const writtenBefore = new WeakMap<DicomElement, Uint8Array>();

/** Writes elements of many files in Explicit VR Little Endian once; each file is then given these very elements. */
export function writeShared(elements: DicomElements): DicomElements {
  for (const [tag, element] of Object.entries(elements)) {
    const parts: Uint8Array[] = [];
    addElements({ [tag]: element }, parts);
    writtenBefore.set(element, new Uint8Array(Buffer.concat(parts)));
  }
  return elements;
}

const undefinedLength = 0xffffffff;
const itemBegin = delimiter(0xe000, undefinedLength);
const itemEnd = delimiter(0xe00d, 0);
const sequenceEnd = delimiter(0xe0dd, 0);

function addElements(elements: DicomElements, parts: Uint8Array[]): void {
  let between: DicomElements = {};
  const addBetween = () => {
    if (Object.keys(between).length > 0) parts.push(writtenByDcmjs(between));
    between = {};
  };
  for (const tag of Object.keys(elements).sort()) {
    const element = elements[tag]!;
    const before = writtenBefore.get(element);
    const pixels = before === undefined ? bytesOf(element) : undefined;
    if (before !== undefined) {
      addBetween();
      parts.push(before);
    } else if (pixels !== undefined) {
      addBetween();
      parts.push(head(tag, element.vr, pixels.length), pixels);
    } else if (element.vr === 'SQ') {
      addBetween();
      parts.push(head(tag, 'SQ', undefinedLength));
      for (const item of (element.Value ?? []) as DicomElements[]) {
        parts.push(itemBegin);
        addElements(item, parts);
        parts.push(itemEnd);
      }
      parts.push(sequenceEnd);
    } else between[tag] = element;
  }
  addBetween();
}

function writtenByDcmjs(elements: DicomElements): Uint8Array {
  const stream = new dcmjs.data.WriteBufferStream(1024, true);
  dcmjs.data.DicomMessage.write(elements, stream, EXPLICIT_VR_LITTLE_ENDIAN, { allowInvalidVRLength: false });
  return new Uint8Array(stream.getBuffer());
}

/** Of an element that is one row of bytes or words and needs no padding. */
function bytesOf({ vr, Value }: DicomElement): Uint8Array | undefined {
  const [bytes, ...others] = vr === 'OB' || vr === 'OW' ? (Value ?? []) : [];
  return bytes instanceof ArrayBuffer && bytes.byteLength % 2 === 0 && others.length === 0 ? new Uint8Array(bytes) : undefined;
}

/** Of elements whose length takes 32 bits (PS3.5, 7.1.2). */
function head(tag: string, vr: string, length: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(12));
  view.setUint16(0, parseInt(tag.slice(0, 4), 16), true);
  view.setUint16(2, parseInt(tag.slice(4), 16), true);
  view.setUint8(4, vr.charCodeAt(0));
  view.setUint8(5, vr.charCodeAt(1));
  view.setUint32(8, length, true);
  return new Uint8Array(view.buffer);
}

function delimiter(element: number, length: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  view.setUint16(0, 0xfffe, true);
  view.setUint16(2, element, true);
  view.setUint32(4, length, true);
  return new Uint8Array(view.buffer);
}
