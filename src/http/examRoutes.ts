/** Exams over HTTP: what there is, how each stands and why, and the latest images. docs/exams.md lists the paths. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { encodePng, greyPicture } from '../../imaging/index.js';
import { changeSchema, examRow, examRowSchema, examSchema } from '../exams/index.js';
import type { ExamKeeper, ExamPicture } from '../exams/index.js';
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
  const schemas = { examList: z.object({ exams: z.array(examRowSchema) }), exam: examSchema, change: changeSchema };
  return Object.fromEntries(Object.entries(schemas).map(([name, schema]) => [name, z.toJSONSchema(schema)]));
}

const imageQuery = z.object({
  output: z.string().max(32).default('image'),
  as: z.enum(['png', 'float32']).default('png'),
});

interface ResultNames {
  readonly id: string;
  readonly name: string;
}

interface Names {
  readonly id: string;
  readonly seriesId: string;
  readonly number: string;
}

/** A plug-in of the HTTP application. @param resultOf a JSON result of an analysis; absent where nothing is analysed */
export function examRoutes(exams: ExamKeeper, live: () => LiveInfo, resultOf?: (examId: string, name: string) => unknown) {
  return (app: FastifyInstance): void => {
    app.get('/api/exams', async () => ({ exams: exams.book.exams.map(examRow) }));
    app.get<{ Params: Names }>('/api/exams/:id', async ({ params }) => exams.exam(params.id));
    app.get<{ Params: Names }>('/api/exams/:id/series/:seriesId/images', async ({ params }) => ({
      images: exams.pictures(params.id, params.seriesId).map(describe),
    }));
    app.get<{ Params: Names }>('/api/exams/:id/series/:seriesId/images/:number', async ({ params, query }, reply) => {
      const asked = imageQuery.safeParse(query);
      const number = Number(params.number);
      if (!asked.success || !Number.isInteger(number) || number < 1) throw httpError('CONUS_ERR_HTTP_REQUEST', 'another image number, output or form');
      return sendPicture(reply, exams.picture(params.id, params.seriesId, asked.data.output, number), asked.data.as);
    });
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

function describe({ output, number, slice, contrast, repetition, rows, columns, window }: ExamPicture) {
  return { output, number, slice, contrast, repetition, rows, columns, window };
}

/** `float32`: the values themselves, [rows, columns], little-endian; what they are is in the headers. */
function sendPicture(reply: FastifyReply, { rows, columns, window, values, slice, output }: ExamPicture, as: 'png' | 'float32'): FastifyReply {
  reply.headers({
    'x-conus-rows': rows, 'x-conus-columns': columns, 'x-conus-slice': slice, 'x-conus-output': output,
    'x-conus-window-centre': window.centre, 'x-conus-window-width': window.width,
  });
  if (as === 'float32') return reply.type('application/octet-stream').send(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
  return reply.type('image/png').send(Buffer.from(encodePng(greyPicture(values, rows, columns, window))));
}
