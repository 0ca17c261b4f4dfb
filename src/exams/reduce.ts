/** Changes put together again: what a subscriber does to have what the book has. */
import type { ExamChange, ExamView } from './schema.js';

export type ExamsById = ReadonlyMap<string, ExamView>;

export function applyChange(exams: ExamsById, change: ExamChange): ExamsById {
  const next = new Map(exams);
  const exam = exams.get(change.examId);
  switch (change.kind) {
    case 'exam':
      next.set(change.examId, { series: [], promises: [], actions: [], ...exam, ...change.exam });
      break;
    case 'gone':
      next.delete(change.examId);
      break;
    case 'notify':
      break;
    case 'series':
    case 'promises':
    case 'actions':
      if (exam !== undefined) next.set(change.examId, withPart(exam, change));
  }
  return next;
}

function withPart(exam: ExamView, change: Extract<ExamChange, { kind: 'series' | 'promises' | 'actions' }>): ExamView {
  if (change.kind === 'promises') return { ...exam, promises: change.promises };
  if (change.kind === 'actions') return { ...exam, actions: change.actions };
  const series = [...exam.series.filter(({ id }) => id !== change.series.id), change.series];
  return { ...exam, series: series.sort((a, b) => a.openedAt - b.openedAt || (a.id < b.id ? -1 : 1)) };
}
