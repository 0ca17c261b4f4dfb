import type { ExamView } from '../api/index.js';
export function PhysicsPage({ exam, seriesId }: { exam: ExamView; seriesId: string | undefined }) {
  return <p class="quiet">Exam {exam.id} {seriesId}</p>;
}
