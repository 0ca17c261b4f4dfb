/**
 * All of a DICOM file but its pixels. Only what the outline has found whole is given to dcmjs; what the attributes hold
 * is checked as it is taken. No error text quotes a value.
 */
import type { NaturalDataset } from 'dcmjs';
import { dicomError } from './errors.js';
import { asciiValue, outlineDataset, tagText } from './outline.js';
import type { DatasetOutline } from './outline.js';
import { readFileMeta } from './part10.js';
import type { FileMeta } from './part10.js';
import { dcmjs } from './quietDcmjs.js';
import { receivedClassOf } from './sopClasses.js';
import type { StorageClass } from './sopClasses.js';

export interface DicomHeader {
  readonly file: Uint8Array;
  readonly meta: FileMeta;
  readonly storageClass: StorageClass;
  readonly outline: DatasetOutline;
  readonly attributes: Attributes;
  readonly identity: InstanceIdentity;
}

export interface InstanceIdentity {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly transferSyntaxUid: string;
}

/** Attributes that decide how pixels are read, and the representation each must have. */
const decisive: Readonly<Record<number, string>> = {
  0x00080016: 'UI', 0x00080018: 'UI', 0x0020000d: 'UI', 0x0020000e: 'UI', 0x00200052: 'UI', 0x00080060: 'CS',
  0x00200032: 'DS', 0x00200037: 'DS', 0x00280030: 'DS', 0x00281052: 'DS', 0x00281053: 'DS', 0x00280008: 'IS',
  0x00280002: 'US', 0x00280004: 'CS', 0x00280010: 'US', 0x00280011: 'US', 0x00280100: 'US', 0x00280101: 'US',
  0x00280102: 'US', 0x00280103: 'US',
};

/**
 * @param file a whole DICOM file
 * @throws DICOM_ERR_NOT_DICOM, DICOM_ERR_TRUNCATED, DICOM_ERR_STRUCTURE, DICOM_ERR_TOO_LARGE, DICOM_ERR_TRANSFER_SYNTAX,
 *   DICOM_ERR_SOP_CLASS, DICOM_ERR_VALUE, DICOM_ERR_IDENTITY
 */
export function readHeader(file: Uint8Array): DicomHeader {
  const { datasetOffset, ...meta } = readFileMeta(file);
  const outline = outlineDataset(file, datasetOffset, meta.transferSyntaxUid);
  const storageClass = receivedClassOf.get(meta.sopClassUid);
  if (storageClass === undefined) throw dicomError('DICOM_ERR_SOP_CLASS', meta.sopClassUid);
  for (const [tag, { vr }] of outline.elements) {
    const expected = decisive[tag];
    if (expected !== undefined && vr !== expected && vr !== 'UN') {
      throw dicomError('DICOM_ERR_VALUE', `${tagText(tag)} as ${vr}, not ${expected}`);
    }
  }
  const attributes = new Attributes(datasetOf(file.subarray(0, outline.headerEnd)));
  return { file, meta, storageClass, outline, attributes, identity: identityOf(attributes, meta) };
}

function datasetOf(head: Uint8Array): NaturalDataset {
  // dcmjs wants a buffer of its own.
  const buffer = new Uint8Array(head).buffer;
  try {
    const { dict } = dcmjs.data.DicomMessage.readFile(buffer);
    return dcmjs.data.DicomMetaDictionary.naturalizeDataset(dict);
  } catch (cause) {
    throw dicomError('DICOM_ERR_STRUCTURE', 'a value that cannot be read', { cause });
  }
}

function identityOf(attributes: Attributes, meta: FileMeta): InstanceIdentity {
  const uid = (keyword: string) => {
    const value = attributes.text(keyword) ?? '';
    if (!isUid(value)) throw dicomError('DICOM_ERR_IDENTITY', `no valid ${keyword}`);
    return value;
  };
  const identity = {
    sopClassUid: uid('SOPClassUID'),
    sopInstanceUid: uid('SOPInstanceUID'),
    seriesInstanceUid: uid('SeriesInstanceUID'),
    studyInstanceUid: uid('StudyInstanceUID'),
    transferSyntaxUid: meta.transferSyntaxUid,
  };
  if (identity.sopClassUid !== meta.sopClassUid || identity.sopInstanceUid !== meta.sopInstanceUid) {
    throw dicomError('DICOM_ERR_IDENTITY', 'another SOP class or instance in the data set than was announced');
  }
  return identity;
}

/**
 * Who an object of any SOP class is, without reading more of it.
 * @throws DICOM_ERR_NOT_DICOM, DICOM_ERR_TRUNCATED, DICOM_ERR_STRUCTURE, DICOM_ERR_TRANSFER_SYNTAX, DICOM_ERR_IDENTITY
 */
export function readIdentity(file: Uint8Array): InstanceIdentity {
  const { datasetOffset, ...meta } = readFileMeta(file);
  const outline = outlineDataset(file, datasetOffset, meta.transferSyntaxUid);
  const [studyInstanceUid, seriesInstanceUid] = [0x0020000d, 0x0020000e].map((tag) => asciiValue(file, outline, tag) ?? '');
  const identity = { ...meta, studyInstanceUid: studyInstanceUid!, seriesInstanceUid: seriesInstanceUid! };
  const invalid = Object.entries(identity).find(([, uid]) => !isUid(uid));
  if (invalid !== undefined) throw dicomError('DICOM_ERR_IDENTITY', `no valid ${invalid[0]}`);
  return identity;
}

/**
 * An object of any SOP class: its attributes, and its pixels as they lie in the file where they are not compressed.
 * @throws those of readHeader, but DICOM_ERR_SOP_CLASS
 */
export function readObject(file: Uint8Array): { readonly identity: InstanceIdentity; readonly attributes: Attributes; readonly pixels: Uint8Array | undefined } {
  const { datasetOffset, ...meta } = readFileMeta(file);
  const { headerEnd, pixelData } = outlineDataset(file, datasetOffset, meta.transferSyntaxUid);
  const attributes = new Attributes(datasetOf(file.subarray(0, headerEnd)));
  const [extent] = pixelData === undefined || pixelData.encapsulated ? [] : pixelData.fragments;
  return { identity: identityOf(attributes, meta), attributes, pixels: extent === undefined ? undefined : file.subarray(extent.offset, extent.offset + extent.length) };
}

export function isUid(value: string): boolean {
  return value.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(value);
}

/** Values by keyword, as what they are meant to be. Undefined where an attribute is absent or empty. */
export class Attributes {
  readonly dataset: NaturalDataset;

  constructor(dataset: NaturalDataset) {
    this.dataset = dataset;
  }

  /** @throws DICOM_ERR_VALUE where it is not a text */
  text(keyword: string): string | undefined {
    const [value] = this.#values(keyword);
    if (value === undefined || value === null || value === '') return undefined;
    if (typeof value !== 'string' && typeof value !== 'number') throw wrong(keyword);
    return String(value).trim();
  }

  texts(keyword: string): string[] {
    return this.#values(keyword).map((value) => String(value).trim());
  }

  /** @throws DICOM_ERR_VALUE where there is a value that is not a finite number */
  number(keyword: string): number | undefined {
    return this.numbers(keyword)?.[0];
  }

  /** @throws DICOM_ERR_VALUE where there are values and one is not a finite number, or their number is not `count` */
  numbers(keyword: string, count?: number): number[] | undefined {
    const values = this.#values(keyword).filter((value) => value !== '' && value !== null && value !== undefined);
    if (values.length === 0) return undefined;
    const numbers = values.map((value) => (typeof value === 'string' ? Number(value.trim() || NaN) : value));
    if (!numbers.every((value): value is number => typeof value === 'number' && Number.isFinite(value))) throw wrong(keyword);
    if (count !== undefined && numbers.length !== count) throw wrong(keyword, `${numbers.length} values, not ${count}`);
    return numbers;
  }

  /** @throws DICOM_ERR_VALUE where it is absent or no whole number within the range */
  whole(keyword: string, least: number, most: number): number {
    const value = this.number(keyword);
    if (value === undefined || !Number.isInteger(value) || value < least || value > most) throw wrong(keyword);
    return value;
  }

  /** Items of a sequence. */
  items(keyword: string): Attributes[] {
    const items = this.#values(keyword).filter((item) => typeof item === 'object' && item !== null);
    return items.map((item) => new Attributes(item as NaturalDataset));
  }

  #values(keyword: string): unknown[] {
    const value = this.dataset[keyword];
    if (value === undefined || value === null) return [];
    return Array.isArray(value) ? value : [value];
  }
}

const wrong = (keyword: string, what = 'a value that cannot be read') => dicomError('DICOM_ERR_VALUE', `${keyword}: ${what}`);
