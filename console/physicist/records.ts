/** The record of a series: asked for when its images are there, and again when more of it is. */
import { useEffect, useState } from 'preact/hooks';
import { getJson } from '../api/index.js';
import type { RecordView, SeriesView } from '../api/index.js';

/** @param attempt the latest where it is absent */
export function useRecord(examId: string | undefined, series: Pick<SeriesView, 'id' | 'state' | 'nAttempts'> | undefined, attempt?: number): { readonly record: RecordView | undefined; readonly error: unknown } {
  const of = examId === undefined || series === undefined ? '' : `${examId} ${series.id} ${attempt ?? 'latest'}`;
  const [told, setTold] = useState<{ readonly of: string; readonly record?: RecordView; readonly error?: unknown }>({ of: '' });
  useEffect(() => {
    if (examId === undefined || series === undefined) return undefined;
    const abort = new AbortController();
    const path = `api/exams/${encodeURIComponent(examId)}/series/${encodeURIComponent(series.id)}/record${attempt === undefined ? '' : `?attempt=${attempt}`}`;
    getJson<RecordView>(path, abort.signal).then(
      (record) => setTold({ of, record }),
      (error: unknown) => {
        if (!abort.signal.aborted) setTold({ of, error });
      },
    );
    return () => abort.abort();
  }, [of, series?.state, series?.nAttempts]);
  return told.of === of ? { record: told.record, error: told.error } : { record: undefined, error: undefined };
}
