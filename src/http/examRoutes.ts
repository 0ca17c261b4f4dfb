/** Exams over HTTP: what there is, how each stands and why. docs/exams.md lists the paths. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { changeSchema, examRow, examRowSchema, examSchema, listedPictureSchema, settingsRequestSchema } from '../exams/index.js';
import type { ExamKeeper } from '../exams/index.js';
import { protocolListSchema } from './controlRoutes.js';
import { operationsSchema } from '../operations/index.js';
import { confirmWordSchema, gradeWordSchema, readingSchema, sentenceWordSchema } from '../reading/index.js';
import { toldRecordSchema } from '../records/index.js';
import { sweepFileSchema } from '../sweep/index.js';
import { httpError } from './errors.js';

/** What is told of the live channel, which has a page of its own. */
export interface LiveInfo {
  readonly path: string;
  readonly protocol: string;
  readonly epoch: string;
  readonly latestSequence: number;
}

/** The JSON Schemas (draft 2020-12) of the answers. */
export function examJsonSchemas(): Record<string, unknown> {
  const schemas = {
    examList: z.object({ exams: z.array(examRowSchema) }), exam: examSchema, change: changeSchema, imageList: z.object({ images: z.array(listedPictureSchema) }),
    protocolList: protocolListSchema, settingsRequest: settingsRequestSchema,
    reading: readingSchema, readingGrade: gradeWordSchema, readingSentence: sentenceWordSchema, readingConfirm: confirmWordSchema,
    operations: operationsSchema, record: toldRecordSchema, sweep: sweepFileSchema,
  };
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, z.toJSONSchema(schema)]));
}

interface ResultNames {
  readonly id: string;
  readonly name: string;
}

interface Names {
  readonly id: string;
}

/** A plug-in of the HTTP application. @param resultOf a JSON result of an analysis; absent where nothing is analysed */
export function examRoutes(exams: ExamKeeper, live: () => LiveInfo, resultOf?: (examId: string, name: string) => unknown) {
  return (app: FastifyInstance): void => {
    app.get('/api/exams', async () => ({ exams: exams.book.exams.map(examRow) }));
    app.get<{ Params: Names }>('/api/exams/:id', async ({ params }) => exams.exam(params.id));
    app.get<{ Params: ResultNames }>('/api/exams/:id/analysis/:name', async ({ params: { id, name } }) => {
      // An exam that is unknown is told as such.
      exams.exam(id);
      if (resultOf === undefined) throw httpError('CONUS_ERR_HTTP_REQUEST', 'a result where nothing is analysed');
      return resultOf(id, name);
    });
    app.get('/api/events', async () => live());
    app.get('/api/schema', async () => examJsonSchemas());
  };
}
