/** Exams as the changes of the live channel leave them. */
import type { ExamChange, ExamView, SeriesView } from './types.js';

/** @param exams is changed; what is in it is not */
export function applyChange(exams: Map<string, ExamView>, change: ExamChange): void {
  const known = exams.get(change.examId);
  if (change.kind === 'gone') exams.delete(change.examId);
  else if (change.kind === 'exam') exams.set(change.examId, { series: [], promises: [], actions: [], ...known, ...change.exam });
  else if (known !== undefined) exams.set(change.examId, withPart(known, change));
}

function withPart(exam: ExamView, change: Exclude<ExamChange, { kind: 'exam' | 'gone' }>): ExamView {
  switch (change.kind) {
    case 'series':
      return { ...exam, series: inOrder([...exam.series.filter(({ id }) => id !== change.series.id), change.series]) };
    case 'promises':
      return { ...exam, promises: change.promises };
    case 'actions':
      return { ...exam, actions: change.actions };
    case 'notify':
      return exam;
  }
}

/** As they began. */
function inOrder(series: SeriesView[]): SeriesView[] {
  return series.sort((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1));
}
