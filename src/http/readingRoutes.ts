/** The reader's word on the report of an exam, over HTTP. docs/exams.md lists the paths. */
import type { FastifyInstance } from 'fastify';
import { confirmWordSchema, gradeWordSchema, sentenceWordSchema } from '../reading/index.js';
import type { ConfirmWord, GradeWord, ReadingView, SentenceWord } from '../reading/index.js';
import { bodyOf } from './body.js';

/** Each throws or rejects with a CodedError: CONUS_ERR_EXAM_UNKNOWN, HANDOFF_ERR_NO_RESULT, ANALYSIS_ERR_*, CONUS_ERR_READING_*. */
export interface Readings {
  reading(examId: string): ReadingView;
  grade(examId: string, word: GradeWord): Promise<ReadingView>;
  sentence(examId: string, word: SentenceWord): Promise<ReadingView>;
  confirm(examId: string, word: ConfirmWord): Promise<ReadingView>;
}

interface Names {
  readonly id: string;
}

/** A sentence has 8000 characters at most, of four bytes at most, which JSON may write as twelve. */
const bodyLimit = 128 * 1024;

/** A plug-in of the HTTP application. */
export function readingRoutes(readings: Readings) {
  return (app: FastifyInstance): void => {
    app.get<{ Params: Names }>('/api/exams/:id/reading', async ({ params }) => readings.reading(params.id));
    app.post<{ Params: Names }>('/api/exams/:id/reading/grades', { bodyLimit }, async ({ params, body }) => readings.grade(params.id, bodyOf(gradeWordSchema, body)));
    app.post<{ Params: Names }>('/api/exams/:id/reading/sentences', { bodyLimit }, async ({ params, body }) => readings.sentence(params.id, bodyOf(sentenceWordSchema, body)));
    app.post<{ Params: Names }>('/api/exams/:id/reading/confirm', { bodyLimit }, async ({ params, body }) => readings.confirm(params.id, bodyOf(confirmWordSchema, body)));
  };
}
