/** The record of a series: asked for when its images are there, and again when more of it is. */
import { useEffect, useState } from 'preact/hooks';
import { getJson, seriesPath } from '../api/index.js';
import type { RecordView, SeriesView } from '../api/index.js';

/** Whether the first record is still to come: it comes with the images. */
export const isToCome = ({ state, nAttempts }: Pick<SeriesView, 'state' | 'nAttempts'>): boolean => nAttempts === 1 && (state === 'scanning' || state === 'reconstructing');

/** @param attempt the latest where it is absent */
export function useRecord(examId: string | undefined, series: Pick<SeriesView, 'id' | 'state' | 'nAttempts' | 'endedAt'> | undefined, attempt?: number): { readonly record: RecordView | undefined; readonly error: unknown } {
  const of = examId === undefined || series === undefined ? '' : `${examId} ${series.id} ${attempt ?? 'latest'}`;
  const [told, setTold] = useState<{ readonly of: string; readonly record?: RecordView; readonly error?: unknown }>({ of: '' });
  useEffect(() => {
    if (examId === undefined || series === undefined || isToCome(series)) return undefined;
    const abort = new AbortController();
    const path = `${seriesPath(examId, series.id)}/record${attempt === undefined ? '' : `?attempt=${attempt}`}`;
    getJson<RecordView>(path, abort.signal).then(
      (record) => setTold({ of, record }),
      (error: unknown) => {
        if (!abort.signal.aborted) setTold({ of, error });
      },
    );
    return () => abort.abort();
  }, [of, series?.state, series?.nAttempts, series?.endedAt]);
  return told.of === of ? { record: told.record, error: told.error } : { record: undefined, error: undefined };
}
