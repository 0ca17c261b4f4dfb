/**
 * Unique identifiers that follow from what they name. A scan that is reconstructed again by the same
 * software with the same parameters and networks gets the identifiers that it had, so that an archive
 * holds each instance once; other pixels get other ones.
 *
 *   2.25.<number>, the number of a UUID of version 8 (PS3.5 B.2, RFC 9562) whose free bits are the
 *   first ones of a SHA-256
 *
 *   scan      <- raw data, software version, chain, parameters
 *   study     <- the header's own; else patient, study and date where these name one; else the scan
 *   series    <- study, scan, kind of image and of object, networks
 *   instance  <- series, place in the scan, stored pixels
 */
import { createHash } from 'node:crypto';
import type { AcquisitionHeader, MrdHeader } from 'ismrmrd';
import type { DeliverySettings } from './types.js';

/** The identifier of a content, the same wherever and whenever it is made: over the parts and their lengths. */
export function contentUid(...parts: readonly (string | Uint8Array)[]): string {
  const uuid = digest(parts).subarray(0, 16);
  uuid[6] = (uuid[6]! & 0x0f) | 0x80;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${uuid.toString('hex')}`)}`;
}

/** SHA-256 over the parts and their lengths, in hexadecimal. */
export function contentDigest(...parts: readonly (string | Uint8Array)[]): string {
  return digest(parts).toString('hex');
}

function digest(parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part;
    hash.update(`${bytes.length} `).update(bytes);
  }
  return hash.digest();
}

/** The identifier where it is one (PS3.5, 9.1). */
export function validUid(uid: string | undefined): string | undefined {
  return uid !== undefined && uid.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(uid) ? uid : undefined;
}

/**
 * Names raw data by their header and their first readout, whose noise no other scan has.
 * @param samples of the readout, [nChannels, nSamples] complex64
 */
export function rawDataIdentity(header: MrdHeader, { measurementUid, acquisitionTimeStamp }: AcquisitionHeader, samples: Float32Array): string {
  // A copy: the samples may lie in shared memory.
  const bytes = new Uint8Array(samples.slice().buffer);
  return contentDigest('raw data', JSON.stringify(header), `${measurementUid} ${acquisitionTimeStamp}`, bytes);
}

/** What all objects of a scan share. */
export interface ScanIdentity {
  readonly studyInstanceUid: string;
  readonly frameOfReferenceUid: string;
  /** Digest of the raw data and of all that was done with them. */
  readonly scan: string;
}

export function scanIdentity(header: MrdHeader | undefined, settings: DeliverySettings): ScanIdentity {
  const rawData = settings.rawDataIdentity ?? contentDigest('header', JSON.stringify(header ?? null));
  const studyInstanceUid = validUid(header?.studyInformation?.studyInstanceUID) ?? contentUid('study', studyKey(header) ?? rawData);
  return {
    studyInstanceUid,
    // Two scans lie in one frame only where the scanner says so.
    frameOfReferenceUid: validUid(header?.measurementInformation?.frameOfReferenceUID) ?? contentUid('frame of reference', studyInstanceUid, rawData),
    scan: contentDigest(rawData, settings.softwareVersion, settings.chain, JSON.stringify(Object.entries(settings.parameters).sort())),
  };
}

/** What names a study without its identifier; undefined where two patients, or two visits, could share it. */
function studyKey(header: MrdHeader | undefined): string | undefined {
  const { patientID, patientName, patientBirthdate } = header?.subjectInformation ?? {};
  const { accessionNumber, studyID, studyDate, studyTime } = header?.studyInformation ?? {};
  const isNamed = Boolean(accessionNumber) || (Boolean(studyDate) && (Boolean(studyID) || Boolean(studyTime)));
  if (!patientID || !isNamed) return undefined;
  return JSON.stringify([patientID, patientName, patientBirthdate, accessionNumber, studyID, studyDate, studyTime]);
}

/** @param facts whatever tells the series from its sisters of the same scan */
export function seriesUid({ studyInstanceUid, scan }: ScanIdentity, ...facts: readonly string[]): string {
  return contentUid('series', studyInstanceUid, scan, ...facts);
}

/**
 * @param place of the image in the scan
 * @param content stored pixels, and whatever else makes the image what it is
 */
export function instanceUid(seriesInstanceUid: string, place: string, ...content: readonly (string | Uint8Array)[]): string {
  return contentUid('image', seriesInstanceUid, place, ...content);
}
