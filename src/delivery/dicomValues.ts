/** Values as DICOM's value representations want them (PS3.5, 6.2). Empty where nothing valid is known. */
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
