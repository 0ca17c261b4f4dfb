/** The reading of an exam, and what its reader says: each word on the revision that he sees. */
import { useEffect, useRef, useState } from 'preact/hooks';
import { ApiError, examPath, getJson, sendJson } from '../api/index.js';
import type { ExamView, ReadingView } from '../api/index.js';
import { askOperatorName } from '../app/operator.js';

export interface ReadingHandle {
  readonly reading: ReadingView | undefined;
  /** What went wrong with the last word, or with asking. */
  readonly error: unknown;
  readonly isBusy: boolean;
  /** Each tells whether it was taken. */
  readonly grade: (findingId: string, scale: string, value: string) => Promise<boolean>;
  readonly sentence: (level: string | undefined, text: string) => Promise<boolean>;
  readonly confirm: () => Promise<boolean>;
}

const everyMs = 2000;

export const readingPath = (examId: string): string => `${examPath(examId)}/reading`;

export function useReading(exam: ExamView): ReadingHandle {
  const path = readingPath(exam.id);
  const [told, setTold] = useState<{ readonly of: string; readonly reading?: ReadingView; readonly error?: unknown }>({ of: '' });
  const [isBusy, setIsBusy] = useState(false);
  const current = useRef(path);
  current.current = path;
  // Whatever somebody else says, or becomes of the documents, is in the head of the exam.
  const { revision, state, at, delivery } = exam.reading ?? {};
  const analysis = exam.analyses.findLast(({ results }) => results.includes('report'))?.offerId;
  const load = async (error?: unknown) => {
    try {
      const reading = await getJson<ReadingView>(path);
      if (current.current === path) setTold({ of: path, reading, error });
    } catch (cause) {
      if (current.current === path) setTold((before) => ({ ...(before.of === path && before.reading !== undefined && { reading: before.reading }), of: path, error: cause }));
    }
  };
  useEffect(() => {
    void load();
  }, [path, revision, state, at, delivery, analysis]);

  const reading = told.of === path ? told.reading : undefined;
  // The head tells of the worst delivery only.
  const isUnderway = reading?.confirmed?.deliveries.some(({ state: its }) => its === 'queued') === true;
  useEffect(() => {
    if (!isUnderway) return undefined;
    const timer = setInterval(() => void load(), everyMs);
    return () => clearInterval(timer);
  }, [path, isUnderway]);

  const say = async (what: string, word: object): Promise<boolean> => {
    const by = await askOperatorName();
    if (by === undefined || reading === undefined) return false;
    setIsBusy(true);
    try {
      const next = await sendJson<ReadingView>('POST', `${path}/${what}`, { by, revision: reading.revision, ...word });
      if (current.current === path) setTold({ of: path, reading: next });
      return true;
    } catch (error) {
      // Somebody was faster: what he said is shown, and why this was not taken.
      if (error instanceof ApiError && error.status === 409) await load(error);
      else if (current.current === path) setTold({ of: path, reading, error });
      return false;
    } finally {
      setIsBusy(false);
    }
  };
  return {
    reading, isBusy,
    error: told.of === path ? told.error : undefined,
    grade: (findingId, scale, value) => say('grades', { findingId, scale, value }),
    sentence: (level, text) => say('sentences', { ...(level !== undefined && { level }), text }),
    confirm: () => say('confirm', {}),
  };
}
