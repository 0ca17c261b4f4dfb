/** An exam as it goes on, or as it is kept. */
import { useEffect, useMemo, useState } from 'preact/hooks';
import { connection, examOf, isKnown } from './exams.js';
import { getJson } from './http.js';
import { examPath } from './paths.js';
import type { ExamView } from './types.js';

/** Undefined until it is known; with the error where it cannot be had. */
export function useExam(examId: string): { readonly exam: ExamView | undefined; readonly error: unknown } {
  const live = useMemo(() => examOf(examId), [examId]).value;
  const [kept, setKept] = useState<{ readonly examId: string; readonly exam?: ExamView; readonly error?: unknown }>({ examId: '' });
  // Exams that are over leave the memory of the service, and can still be asked for.
  const isToBeAsked = examId !== '' && live === undefined && isKnown.value && connection.value === 'live';
  useEffect(() => {
    if (!isToBeAsked) return;
    getJson<ExamView>(examPath(examId)).then(
      (exam) => setKept({ examId, exam }),
      (error: unknown) => setKept({ examId, error }),
    );
  }, [examId, isToBeAsked]);
  const told = kept.examId === examId ? kept : undefined;
  return { exam: live ?? told?.exam, error: live === undefined ? told?.error : undefined };
}
