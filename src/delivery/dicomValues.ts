/** Values as DICOM's value representations want them (PS3.5, 6.2). Empty where nothing valid is known. */
import { createHash, randomUUID } from 'node:crypto';

/** A new unique identifier: 2.25 and a random UUID as a decimal number (PS3.5, B.2). */
export function newUid(): string {
  return `2.25.${BigInt(`0x${randomUUID().replaceAll('-', '')}`)}`;
}

/**
 * The identifier of a content, the same wherever and whenever it is made: 2.25 and a UUID of version 8
 * (RFC 9562) whose other bits are the first ones of the SHA-256 over the parts and their lengths.
 */
export function contentUid(...parts: readonly (string | Uint8Array)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) {
    const bytes = typeof part === 'string' ? new TextEncoder().encode(part) : part;
    hash.update(`${bytes.length} `).update(bytes);
  }
  const uuid = hash.digest().subarray(0, 16);
  uuid[6] = (uuid[6]! & 0x0f) | 0x80;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return `2.25.${BigInt(`0x${uuid.toString('hex')}`)}`;
}

/** The identifier where it is one, else a new one. */
export function validUid(uid: string | undefined): string {
  const valid = uid !== undefined && uid.length <= 64 && /^(0|[1-9]\d*)(\.(0|[1-9]\d*))+$/.test(uid);
  return valid ? uid : newUid();
}

/** DS: a decimal number in at most 16 characters, as exact as they allow. */
export function decimalString(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '';
  let text = String(value);
  for (let digits = 15; text.length > 16; digits--) text = String(Number(value.toPrecision(digits)));
  return text;
}

/**
 * SH, LO, PN, ST: no control characters, no backslash (it separates values), cut to `limit` bytes of
 * UTF-8. The standard limits characters, but writers and validators count bytes.
 */
export function text(value: string | number | undefined, limit: number): string {
  const clean = String(value ?? '').replace(/\p{Cc}/gu, ' ').replaceAll('\\', '/').trim();
  const { read } = new TextEncoder().encodeInto(clean, new Uint8Array(limit));
  return clean.slice(0, read).trim();
}

/** CS: upper-case letters, digits, spaces and underscores, at most 16. */
export function codeString(value: string | undefined): string {
  const code = value?.trim().toUpperCase() ?? '';
  return /^[A-Z0-9 _]{1,16}$/.test(code) ? code : '';
}

/** DA from an XML date. */
export function dateString(date: string | undefined): string {
  const match = /^(\d{4})-(\d\d)-(\d\d)/.exec(date ?? '');
  return match === null ? '' : match.slice(1).join('');
}

/** TM from an XML time; a time zone is dropped. */
export function timeString(time: string | undefined): string {
  const match = /^(\d\d):(\d\d):(\d\d)(\.\d{1,6})?/.exec(time ?? '');
  return match === null ? '' : match.slice(1).join('');
}

/** DA and TM of a moment in local time, as a scanner's own dates are. */
export function dateAndTime(moment: Date): { date: string; time: string } {
  const two = (number: number) => String(number).padStart(2, '0');
  return {
    date: `${moment.getFullYear()}${two(moment.getMonth() + 1)}${two(moment.getDate())}`,
    time: `${two(moment.getHours())}${two(moment.getMinutes())}${two(moment.getSeconds())}`,
  };
}
