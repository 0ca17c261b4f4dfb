/** A series of any exam, as one part of an address; and which of its attempts, where it is not the latest. */

/** In no id of an exam, which are base64url. */
const separator = '~';

export interface SeriesPlace {
  readonly examId: string;
  readonly seriesId: string;
  /** 1 is the first. */
  readonly attempt?: number | undefined;
}

export const seriesAddress = ({ examId, seriesId, attempt }: SeriesPlace): string => [examId, attempt ?? '', seriesId].join(separator);

export function seriesOfAddress(address: string | undefined): SeriesPlace | undefined {
  const [examId, attempt, ...rest] = address?.split(separator) ?? [];
  if (examId === undefined || examId === '' || attempt === undefined || !/^\d{0,6}$/.test(attempt) || rest.length === 0) return undefined;
  return { examId, seriesId: rest.join(separator), ...(Number(attempt) > 0 && { attempt: Number(attempt) }) };
}
