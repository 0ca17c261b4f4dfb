/** A series of any exam, as one part of an address. */

/** In no id of an exam, which are base64url. */
const separator = '~';

export const seriesAddress = (examId: string, seriesId: string): string => `${examId}${separator}${seriesId}`;

export function seriesOfAddress(address: string | undefined): { readonly examId: string; readonly seriesId: string } | undefined {
  const at = address?.indexOf(separator) ?? -1;
  return address === undefined || at <= 0 ? undefined : { examId: address.slice(0, at), seriesId: address.slice(at + 1) };
}
