/**
 * Where the elements of a data set lie (PS3.5, 7): a walk over all lengths, nested ones too, before any library
 * reads the bytes. What it lets through is whole: ascending tags, known value representations, every element within
 * its parent. It allocates nothing for values, so a gigabyte of zeros ends at its second element.
 */
import { dicomError } from './errors.js';
import { dcmjs } from './quietDcmjs.js';
import { IMPLICIT_LITTLE_ENDIAN, transferSyntaxOf } from './sopClasses.js';

export interface OutlinedElement {
  /** As the data set says it, or as the dictionary does for implicit ones; '' where neither knows. */
  readonly vr: string;
  /** Of the value, from the start of the bytes. */
  readonly offset: number;
  readonly length: number;
}

/** Bytes of one value or fragment. */
export interface Extent {
  readonly offset: number;
  readonly length: number;
}

export interface DatasetOutline {
  /** Elements of the top level before PixelData, by tag. */
  readonly elements: ReadonlyMap<number, OutlinedElement>;
  /** Where PixelData's element begins, or the end of the data set where there is none. */
  readonly headerEnd: number;
  readonly pixelData?: PixelDataOutline;
}

export interface PixelDataOutline {
  /** Native pixels: one extent. Compressed ones: the fragments. */
  readonly fragments: readonly Extent[];
  /** Where each frame's first fragment begins, counted from the first fragment's item; empty where it is not told. */
  readonly frameOffsets: readonly number[];
  readonly encapsulated: boolean;
}

const PIXEL_DATA = 0x7fe00010;
const ITEM = 0xfffee000;
const ITEM_END = 0xfffee00d;
const SEQUENCE_END = 0xfffee0dd;
const UNDEFINED_LENGTH = 0xffffffff;
const MAX_DEPTH = 16;
const MAX_HEADER_BYTES = 64 * 2 ** 20;

/** Value representations with a 32-bit length in explicit data sets (PS3.5, 7.1.2). */
export const longVrs: ReadonlySet<string> = new Set(['OB', 'OD', 'OF', 'OL', 'OV', 'OW', 'SQ', 'SV', 'UC', 'UN', 'UR', 'UT', 'UV']);
export const shortVrs: ReadonlySet<string> = new Set([
  'AE', 'AS', 'AT', 'CS', 'DA', 'DS', 'DT', 'FD', 'FL', 'IS', 'LO', 'LT', 'PN', 'SH', 'SL', 'SS', 'ST', 'TM', 'UI', 'UL', 'US',
]);

interface Cursor {
  position: number;
}

/**
 * @param bytes a data set, which begins at `start` and ends with the bytes
 * @throws DICOM_ERR_TRUNCATED, DICOM_ERR_STRUCTURE, DICOM_ERR_TOO_LARGE (header), DICOM_ERR_TRANSFER_SYNTAX
 */
export function outlineDataset(bytes: Uint8Array, start: number, transferSyntaxUid: string): DatasetOutline {
  const syntax = transferSyntaxOf.get(transferSyntaxUid);
  if (syntax === undefined) throw dicomError('DICOM_ERR_TRANSFER_SYNTAX', transferSyntaxUid);
  const walk = new Walk(bytes, transferSyntaxUid !== IMPLICIT_LITTLE_ENDIAN);
  const cursor = { position: start };
  const elements = new Map<number, OutlinedElement>();
  let previous = -1;
  while (cursor.position < bytes.length) {
    const headerEnd = cursor.position;
    const { tag, vr, length } = walk.elementHead(cursor, bytes.length);
    if (tag <= previous) throw dicomError('DICOM_ERR_STRUCTURE', `element ${tagText(tag)} after ${tagText(previous)}`);
    previous = tag;
    if (tag === PIXEL_DATA) {
      if (headerEnd - start > MAX_HEADER_BYTES) throw tooLarge(headerEnd - start);
      const pixelData = walk.pixelData(cursor, length, syntax.codec !== undefined);
      return { elements, headerEnd, pixelData };
    }
    const offset = cursor.position;
    walk.skipValue(cursor, tag, vr, length, bytes.length, 0);
    elements.set(tag, { vr, offset, length: cursor.position - offset });
    if (cursor.position - start > MAX_HEADER_BYTES) throw tooLarge(cursor.position - start);
  }
  return { elements, headerEnd: bytes.length };
}

const tooLarge = (nBytes: number) => dicomError('DICOM_ERR_TOO_LARGE', `a header of ${nBytes} bytes`);

/** `(0028,0010)` */
export function tagText(tag: number): string {
  const hex = tag.toString(16).padStart(8, '0').toUpperCase();
  return `(${hex.slice(0, 4)},${hex.slice(4)})`;
}

class Walk {
  readonly #view: DataView;
  readonly #explicit: boolean;

  constructor(bytes: Uint8Array, explicit: boolean) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#explicit = explicit;
  }

  elementHead(cursor: Cursor, end: number): { tag: number; vr: string; length: number } {
    const tag = this.#tag(cursor, end);
    if (tag >>> 16 === 0xfffe || !this.#explicit) {
      return { tag, vr: this.#explicit ? '' : impliedVr(tag), length: this.#uint32(cursor, end) };
    }
    mustBe(cursor.position + 4 <= end, cursor.position);
    const vr = String.fromCharCode(this.#view.getUint8(cursor.position), this.#view.getUint8(cursor.position + 1));
    if (longVrs.has(vr)) {
      cursor.position += 4;
      return { tag, vr, length: this.#uint32(cursor, end) };
    }
    if (!shortVrs.has(vr)) throw dicomError('DICOM_ERR_STRUCTURE', `no value representation at ${tagText(tag)}`);
    const length = this.#view.getUint16(cursor.position + 2, true);
    cursor.position += 4;
    return { tag, vr, length };
  }

  skipValue(cursor: Cursor, tag: number, vr: string, length: number, end: number, depth: number): void {
    if (tag >>> 16 === 0xfffe) throw dicomError('DICOM_ERR_STRUCTURE', `an item ${tagText(tag)} outside a sequence`);
    if (length === UNDEFINED_LENGTH) {
      if (this.#explicit && vr !== 'SQ' && vr !== 'UN') {
        throw dicomError('DICOM_ERR_STRUCTURE', `${vr} of undefined length at ${tagText(tag)}`);
      }
      // A sequence of unknown representation is implicit inside (PS3.5, 6.2.2).
      const inner = vr === 'UN' && this.#explicit ? new Walk(this.#bytes(), false) : this;
      inner.#skipItems(cursor, end, depth + 1, true);
      return;
    }
    if (cursor.position + length > end) throw truncated(tag);
    if (vr === 'SQ') this.#skipItems(cursor, cursor.position + length, depth + 1, false);
    else cursor.position += length;
  }

  /** @throws where compression and form of the pixel data do not agree */
  pixelData(cursor: Cursor, length: number, compressed: boolean): PixelDataOutline {
    const end = this.#view.byteLength;
    if (compressed !== (length === UNDEFINED_LENGTH)) {
      throw dicomError('DICOM_ERR_STRUCTURE', `${compressed ? 'native' : 'encapsulated'} pixel data in the transfer syntax`);
    }
    if (!compressed) {
      if (cursor.position + length > end) throw truncated(PIXEL_DATA);
      return { fragments: [{ offset: cursor.position, length }], frameOffsets: [], encapsulated: false };
    }
    const fragments: Extent[] = [];
    for (;;) {
      const tag = this.#tag(cursor, end);
      const itemLength = this.#uint32(cursor, end);
      if (tag === SEQUENCE_END) break;
      if (tag !== ITEM) throw dicomError('DICOM_ERR_STRUCTURE', `${tagText(tag)} among the fragments of the pixel data`);
      if (cursor.position + itemLength > end) throw truncated(PIXEL_DATA);
      fragments.push({ offset: cursor.position, length: itemLength });
      cursor.position += itemLength;
    }
    const [table, ...frames] = fragments;
    const frameOffsets = Array.from({ length: Math.floor((table?.length ?? 0) / 4) }, (_, i) =>
      this.#view.getUint32(table!.offset + 4 * i, true),
    );
    return { fragments: frames, frameOffsets, encapsulated: true };
  }

  #skipItems(cursor: Cursor, end: number, depth: number, delimited: boolean): void {
    if (depth > MAX_DEPTH) throw dicomError('DICOM_ERR_STRUCTURE', `sequences more than ${MAX_DEPTH} deep`);
    while (delimited || cursor.position < end) {
      const tag = this.#tag(cursor, end);
      const length = this.#uint32(cursor, end);
      if (delimited && tag === SEQUENCE_END) return;
      if (tag !== ITEM) throw dicomError('DICOM_ERR_STRUCTURE', `${tagText(tag)} in place of an item`);
      this.#skipItem(cursor, length, end, depth);
    }
  }

  #skipItem(cursor: Cursor, length: number, parentEnd: number, depth: number): void {
    const delimited = length === UNDEFINED_LENGTH;
    const end = delimited ? parentEnd : cursor.position + length;
    if (end > parentEnd) throw truncated(ITEM);
    let previous = -1;
    while (delimited || cursor.position < end) {
      const { tag, vr, length: valueLength } = this.elementHead(cursor, end);
      if (delimited && tag === ITEM_END) return;
      if (tag <= previous) throw dicomError('DICOM_ERR_STRUCTURE', `element ${tagText(tag)} after ${tagText(previous)}`);
      previous = tag;
      this.skipValue(cursor, tag, vr, valueLength, end, depth);
    }
  }

  #bytes(): Uint8Array {
    return new Uint8Array(this.#view.buffer, this.#view.byteOffset, this.#view.byteLength);
  }

  #tag(cursor: Cursor, end: number): number {
    mustBe(cursor.position + 4 <= end, cursor.position);
    const tag = this.#view.getUint16(cursor.position, true) * 0x10000 + this.#view.getUint16(cursor.position + 2, true);
    cursor.position += 4;
    return tag;
  }

  #uint32(cursor: Cursor, end: number): number {
    mustBe(cursor.position + 4 <= end, cursor.position);
    const value = this.#view.getUint32(cursor.position, true);
    cursor.position += 4;
    return value;
  }
}

function mustBe(isThere: boolean, position: number): void {
  if (!isThere) throw dicomError('DICOM_ERR_TRUNCATED', `an element that is cut short at byte ${position}`);
}

const truncated = (tag: number) => dicomError('DICOM_ERR_TRUNCATED', `${tagText(tag)}, longer than what is left`);

/** What the dictionary says of a tag in an implicit data set. */
function impliedVr(tag: number): string {
  return dcmjs.data.DicomMetaDictionary.dictionary[tagText(tag)]?.vr ?? '';
}

/** The text of an element's value without its padding: identifiers and codes, which are ASCII. */
export function asciiValue(bytes: Uint8Array, outline: DatasetOutline, tag: number): string | undefined {
  const element = outline.elements.get(tag);
  if (element === undefined) return undefined;
  const value = bytes.subarray(element.offset, element.offset + Math.min(element.length, 4096));
  return String.fromCharCode(...value).replace(/[\0 ]+$/, '').trimStart();
}
