/**
 * Exports that name nobody: DICOM objects after the Basic Application Level Confidentiality Profile of PS3.15
 * (table E.1-1) with its Clean Descriptors Option, and MRD headers in the same way. Whoever has the key file makes the
 * same pseudonyms again; nobody else can tell whose they are.
 *
 *   pseudonym = first 80 bits of HMAC-SHA-256(key, patient)     patient: identifier, or name and birth date, or study
 *   uid       = 2.25.<128 bits of HMAC-SHA-256(key, uid)>       those of the standard stay
 *   date      = removed, or moved back by 1 to 3652 days of HMAC-SHA-256(key, patient)
 *
 * What is kept is listed, and all else is removed, private attributes first: a list of what to remove would miss what
 * nobody thought of. Numbers and code strings of the acquisition, the geometry and the pixels stay; free text goes, and
 * the description of a series is written anew from its code strings, so that marks (SYN, DENOISED) survive.
 */
import { createHmac } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { DicomElement, DicomElements } from 'dcmjs';
import type { MrdHeader } from 'ismrmrd';
import { text } from './dicomValues.js';
import { deliveryError } from './errors.js';
import type { DeliverySettings } from './types.js';

export type DatePolicy = 'remove' | 'shift';

const SHORTEST_KEY_BYTES = 32;
const LONGEST_SHIFT_DAYS = 3652;
const MS_A_DAY = 86_400_000;

/** Of group 0008, what says what the object is. */
const keptOf0008: ReadonlySet<string> = new Set([
  '00080005', '00080008', '00080016', '00080018', '0008001C', '00080060', '00080064', '00080070', '00081090', '00081140', '00081150', '00081155',
  '00081115', '00081160', '00081199', '00089007', '00082112', '00082218', '00089092', '00089121', '00089124', '00089154', '00089205', '00089206', '00089207', '00089208', '00089209', '00089215',
  // Codes.
  '00080100', '00080102', '00080103', '00080104', '00080119', '00080120',
]);

/** Elsewhere: whole groups, or what is listed. */
const keptGroups: ReadonlySet<string> = new Set(['0018', '0020', '0028', '5200', '7FE0']);
const keptElsewhere: ReadonlySet<string> = new Set([
  '20500020', '0040A170', '00400555',
  // Real world values.
  '00409096', '00409210', '00409211', '00409212', '00409213', '00409214', '00409216', '00409224', '00409225', '004008EA',
]);

/** Texts: removed, but for these, which name techniques and not people. */
const textVrs: ReadonlySet<string> = new Set(['AE', 'LO', 'LT', 'PN', 'SH', 'ST', 'UC', 'UR', 'UT', 'UN']);
const keptTexts: ReadonlySet<string> = new Set([
  '00080070', '00081090', '00080100', '00080102', '00080103', '00080104', '00080119', '00180024', '00181020', '00181210', '00189005', '00189041', '00189051',
  '00209056', '00209421', '00281054', '00201040', '00283003', '00409210',
]);

/** Attributes of type 1 or 2 that may not be missing, with what stands in place of a date that is removed. */
const emptied: ReadonlySet<string> = new Set(['00080020', '00080030', '00080023', '00080033']);

/** Identify a device rather than describe it (E.1-1: X). */
const removedDevices: ReadonlySet<string> = new Set(['00181000', '0018100A', '00181002', '00189074', '00189151']);

const dateVrs: ReadonlySet<string> = new Set(['DA', 'DT', 'TM']);

const CONTRIBUTING_EQUIPMENT = '0018A001';
const CONTRIBUTION_DESCRIPTION = '0018A003';
const BURNED_IN = '00280301';
const ENHANCED_CLASS = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(2|4)\.\d+$/;

export class Pseudonymiser {
  readonly #key: Uint8Array;
  readonly #dates: DatePolicy;

  /** @param key secret of the site, 32 bytes or more */
  constructor(key: Uint8Array, dates: DatePolicy) {
    if (key.length < SHORTEST_KEY_BYTES) throw deliveryError('CONUS_ERR_PSEUDONYM_KEY', `${key.length} bytes`);
    this.#key = key;
    this.#dates = dates;
  }

  /** @throws CodedError CONUS_ERR_PSEUDONYM_KEY */
  static async fromKeyFile(path: string, dates: DatePolicy): Promise<Pseudonymiser> {
    const key = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
      throw deliveryError('CONUS_ERR_PSEUDONYM_KEY', `${path} (${cause.code ?? 'unreadable'})`, { cause });
    });
    return new Pseudonymiser(key, dates);
  }

  /** The same for the same identifier under the same key. Standard identifiers (classes, syntaxes) stay. */
  uid(uid: string): string {
    if (uid === '' || uid.startsWith('1.2.840.10008.')) return uid;
    const uuid = this.#digest('uid', uid).subarray(0, 16);
    uuid[6] = (uuid[6]! & 0x0f) | 0x80;
    uuid[8] = (uuid[8]! & 0x3f) | 0x80;
    return `2.25.${BigInt(`0x${uuid.toString('hex')}`)}`;
  }

  /**
   * The elements of a data set, by tags.
   * @param method what DeidentificationMethod names, such as a version of this program
   * @throws CodedError CONUS_ERR_BURNED_IN where the pixels are said to hold writing
   */
  elements(elements: DicomElements, method: string): DicomElements {
    if (firstOf(elements[BURNED_IN]) === 'YES') throw deliveryError('CONUS_ERR_BURNED_IN', 'an image with BurnedInAnnotation YES');
    const patient = patientKey(firstOf(elements['00100020']), firstOf(elements['00100010']), firstOf(elements['00100030']), firstOf(elements['0020000D']));
    const isEnhanced = ENHANCED_CLASS.test(firstOf(elements['00080016']));
    const kept = this.#kept(elements, this.#shiftDays(patient), isEnhanced);
    const pseudonym = this.#pseudonym(patient);
    const set = (tag: string, vr: string, ...values: unknown[]) => {
      kept[tag] = { vr, Value: values };
    };
    set('00100010', 'PN', pseudonym);
    set('00100020', 'LO', pseudonym);
    set('00100030', 'DA');
    set('00100040', 'CS');
    set('00080090', 'PN');
    set('00080050', 'SH', ...this.#short('accession', firstOf(elements['00080050'])));
    set('00200010', 'SH', ...this.#short('study', firstOf(elements['00200010'])));
    set('0008103E', 'LO', cleanDescription(elements));
    set('00120062', 'CS', 'YES');
    set('00120063', 'LO', text(`${method}: PS3.15 basic profile, keyed pseudonyms`, 64), `dates ${this.#dates === 'shift' ? 'shifted' : 'removed'}`);
    set('00120064', 'SQ', ...[
      ['113100', 'Basic Application Confidentiality Profile'],
      ['113105', 'Clean Descriptors Option'],
      ...(this.#dates === 'shift' ? [['113107', 'Retain Longitudinal Temporal Information Modified Dates Option']] : []),
    ].map(([value, meaning]) => codeItem(value!, meaning!)));
    set('00280303', 'CS', this.#dates === 'shift' ? 'MODIFIED' : 'REMOVED');
    if (isEnhanced && kept['00181000'] === undefined) set('00181000', 'LO', 'REMOVED');
    return kept;
  }

  /** The header of raw data; free text, serial numbers, and what the schema does not know are gone. */
  header(header: MrdHeader): MrdHeader {
    const { subjectInformation: subject, studyInformation: study, measurementInformation: measurement, acquisitionSystemInformation: system } = header;
    const patient = patientKey(text(subject?.patientID, 64), text(subject?.patientName, 64), (subject?.patientBirthdate ?? '').replaceAll('-', ''), study?.studyInstanceUID ?? measurement?.measurementID ?? '');
    const pseudonym = this.#pseudonym(patient);
    const days = this.#shiftDays(patient);
    const date = (value: string | undefined) => (days === undefined || value === undefined || !/^\d{4}-\d\d-\d\d/.test(value) ? undefined : shiftedDate(value.slice(0, 10), days));
    const time = (value: string | undefined) => (days === undefined ? undefined : value);
    const uid = (value: string | undefined) => (value === undefined ? undefined : this.uid(value));
    const [accessionNumber] = this.#short('accession', text(study?.accessionNumber, 16));
    const [studyID] = this.#short('study', text(study?.studyID, 16));
    const referenced = measurement?.referencedImageSequence?.referencedSOPInstanceUID;
    const pseudonymised: MrdHeader = {
      ...header,
      subjectInformation: { patientName: pseudonym, patientID: pseudonym },
      studyInformation: defined({
        studyDate: date(study?.studyDate), studyTime: time(study?.studyTime), studyInstanceUID: uid(study?.studyInstanceUID), bodyPartExamined: study?.bodyPartExamined, accessionNumber, studyID,
      }),
      ...(measurement && {
        measurementInformation: {
          patientPosition: measurement.patientPosition,
          measurementDependency: measurement.measurementDependency.map(({ dependencyType, measurementID }) => ({ dependencyType, measurementID: this.#short('measurement', measurementID)[0] ?? '' })),
          ...defined({
            measurementID: measurement.measurementID === undefined ? undefined : this.#short('measurement', measurement.measurementID)[0],
            seriesDate: date(measurement.seriesDate), seriesTime: time(measurement.seriesTime), relativeTablePosition: measurement.relativeTablePosition,
            initialSeriesNumber: measurement.initialSeriesNumber, sequenceName: measurement.sequenceName, frameOfReferenceUID: uid(measurement.frameOfReferenceUID),
            referencedImageSequence: referenced === undefined ? undefined : { referencedSOPInstanceUID: referenced.map((one) => this.uid(one)) },
          }),
        },
      }),
      ...(system && {
        acquisitionSystemInformation: {
          coilLabel: system.coilLabel,
          ...defined({
            systemVendor: system.systemVendor, systemModel: system.systemModel, systemFieldStrength_T: system.systemFieldStrength_T,
            relativeReceiverNoiseBandwidth: system.relativeReceiverNoiseBandwidth, receiverChannels: system.receiverChannels,
          }),
        },
      }),
      ...(header.userParameters && {
        userParameters: {
          ...header.userParameters,
          userParameterString: header.userParameters.userParameterString.filter(({ name }) => name === 'ConusSimulated'),
          userParameterBase64: [],
        },
      }),
      waveformInformation: [],
    };
    return withoutUnknown(pseudonymised);
  }

  /** Without the names that a client may have given. */
  settings(settings: DeliverySettings): DeliverySettings {
    return withoutNames({ ...settings, parameters: withoutNames(settings.parameters) });
  }

  #kept(elements: DicomElements, days: number | undefined, isEnhanced: boolean): DicomElements {
    const kept: DicomElements = {};
    for (const [tag, element] of Object.entries(elements)) {
      const cleaned = this.#cleaned(tag.toUpperCase(), element, days, isEnhanced);
      if (cleaned !== undefined) kept[tag] = cleaned;
    }
    return kept;
  }

  /** What becomes of an element; undefined where it goes. */
  #cleaned(tag: string, element: DicomElement, days: number | undefined, isEnhanced: boolean): DicomElement | undefined {
    const { vr, Value } = element;
    // Private ones.
    if (parseInt(tag.slice(3, 4), 16) % 2 === 1) return undefined;
    if (dateVrs.has(vr)) return dateElement(tag, element, days, isEnhanced);
    if (tag === CONTRIBUTION_DESCRIPTION) return digestOnly(Value);
    if (!isKept(tag) || removedDevices.has(tag) || (textVrs.has(vr) && !keptTexts.has(tag))) return undefined;
    if (vr === 'UI') return { vr, Value: Value.map((value) => this.uid(String(value))) };
    if (vr === 'SQ') return { vr, Value: Value.map((item) => this.#kept(item as DicomElements, tag === CONTRIBUTING_EQUIPMENT ? undefined : days, isEnhanced)) };
    return element;
  }

  #pseudonym(patient: string): string {
    return `CONUS-${this.#digest('patient', patient).subarray(0, 10).toString('hex').toUpperCase()}`;
  }

  #shiftDays(patient: string): number | undefined {
    return this.#dates === 'remove' ? undefined : 1 + (this.#digest('days', patient).readUInt32BE() % LONGEST_SHIFT_DAYS);
  }

  /** A short identifier for another; nothing for nothing. */
  #short(what: string, value: string): string[] {
    return value === '' ? [] : [this.#digest(what, value).subarray(0, 8).toString('hex').toUpperCase()];
  }

  #digest(what: string, value: string): Buffer {
    return createHmac('sha256', this.#key).update(`${what}\0${value}`).digest();
  }
}

function isKept(tag: string): boolean {
  const group = tag.slice(0, 4);
  return group === '0008' ? keptOf0008.has(tag) : keptGroups.has(group) || keptElsewhere.has(tag);
}

/** Two people without identifiers are one only where name and birth date are the same; who has no name is one a study. */
function patientKey(id: string, name: string, birthDate: string, study: string): string {
  if (id !== '') return `id ${id}`;
  return name !== '' ? `name ${name} ${birthDate}` : `study ${study}`;
}

function firstOf(element: DicomElement | undefined): string {
  const value = element?.Value[0];
  if (value === undefined || value === null) return '';
  // dcmjs gives a person's name as a String of its own making, or as component groups.
  const isGroups = typeof value === 'object' && !(value instanceof String);
  return String(isGroups ? ((value as { Alphabetic?: unknown }).Alphabetic ?? '') : value).trim();
}

function dateElement(tag: string, { vr, Value }: DicomElement, days: number | undefined, isEnhanced: boolean): DicomElement | undefined {
  if (tag === '00100030' || tag === '00100032') return undefined;
  if (days !== undefined) return vr === 'TM' ? { vr, Value } : { vr, Value: Value.map((value) => shiftedDicomDate(String(value), days)) };
  if (!emptied.has(tag)) return undefined;
  // Of the multi-frame objects, ContentDate and ContentTime may not be empty.
  const isContent = tag === '00080023' || tag === '00080033';
  return { vr, Value: isEnhanced && isContent ? [vr === 'DA' ? '19000101' : '000000'] : [] };
}

/** DA or DT; what does not begin with a date is emptied. */
function shiftedDicomDate(value: string, days: number): string {
  const match = /^(\d{4})(\d\d)(\d\d)(.*)$/.exec(value);
  if (match === null) return '';
  const [, year, month, day, rest] = match;
  return shiftedDate(`${year!}-${month!}-${day!}`, days).replaceAll('-', '') + rest!;
}

function shiftedDate(date: string, days: number): string {
  const moment = Date.parse(`${date}T00:00:00Z`);
  return Number.isNaN(moment) ? '' : new Date(moment - days * MS_A_DAY).toISOString().slice(0, 10);
}

/** What the code strings say: MR DENOISED, SYN MR. */
function cleanDescription(elements: DicomElements): string {
  const imageType = (elements['00080008']?.Value ?? []).map(String).slice(2);
  const isMarked = imageType.includes('SYNTHETIC');
  const isSynthetic = firstOf(elements['0008001C']) === 'YES';
  const before = isMarked ? 'SYN ' : isSynthetic ? 'SIMULATED ' : '';
  return text(`${before}${firstOf(elements['00080060'])} ${imageType.join(' ')}`, 64);
}

/** Of a description, the digest of a network and nothing else. */
function digestOnly(values: readonly unknown[]): DicomElement | undefined {
  const digest = /model SHA-256 [0-9a-f]{64}/.exec(String(values[0] ?? ''))?.[0];
  return digest === undefined ? undefined : { vr: 'ST', Value: [digest] };
}

function codeItem(value: string, meaning: string): DicomElements {
  return { '00080100': { vr: 'SH', Value: [value] }, '00080102': { vr: 'SH', Value: ['DCM'] }, '00080104': { vr: 'LO', Value: [meaning] } };
}

function withoutNames<Value extends object>(value: Value): Value {
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'seriesDescription')) as Value;
}

function defined<Value extends object>(value: Value): { [Key in keyof Value]: Exclude<Value[Key], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as { [Key in keyof Value]: Exclude<Value[Key], undefined> };
}

function withoutUnknown<Value>(value: Value): Value {
  if (Array.isArray(value)) return value.map(withoutUnknown) as Value;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== 'unknown').map(([key, inner]) => [key, withoutUnknown(inner)])) as Value;
}
