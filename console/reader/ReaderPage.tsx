import type { ExamView } from '../api/index.js';
export function ReaderPage({ exam }: { exam: ExamView }) {
  return <p class="quiet">Exam {exam.id}</p>;
}
