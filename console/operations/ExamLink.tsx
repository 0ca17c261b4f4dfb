/** What was worked for: an exam, or a series of one. */
import { hrefOf } from '../app/route.js';

export function ExamLink({ examId, seriesId }: { examId: string; seriesId?: string | undefined }) {
  // Results of a DICOM node are told by their study, which is no exam of ours.
  if (examId.includes('.')) return <span class="quiet">of a stage</span>;
  return <a href={hrefOf('exam', examId, ...(seriesId === undefined ? [] : ['series', seriesId]))}>{examId}</a>;
}
