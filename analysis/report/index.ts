export { makeReport, parseReport, type ReportOptions } from './report.js';
export { REPORT_VERSION, reportJsonSchema, reportSchema, researchStatement, type Priority, type Report, type ReportedFinding, type Sentence } from './schema.js';
export { changeGrade, editSentence, sentenceText, type GradeChange, type SentenceEdit } from './changes.js';
export { priorityOf, worstSeverity } from './priority.js';
export { evidencePicture, evidencePictures, type EvidencePicture } from './evidence.js';
export { OUTLINES_VERSION, outlinesOf, outlinesSchema, type Outlines } from './outlines.js';
export { summaryPage } from './summaryPage.js';
export { kindWords, measureWords } from './words.js';
