/** How series were reconstructed, over HTTP: GET /api/exams/ID/series/SID/record. docs/exams.md lists the paths. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { parameterFacts } from '../chain/index.js';
import type { ExamKeeper } from '../exams/index.js';
import { recordError } from '../records/index.js';
import type { RecordShelf, ToldRecord } from '../records/index.js';
import { httpError } from './errors.js';

const recordQuery = z.object({ attempt: z.coerce.number().int().min(1).max(1e6).optional() });

/** A plug-in of the HTTP application. */
export function recordRoutes(exams: ExamKeeper, shelf: Pick<RecordShelf, 'get'>) {
  const meanings = new Map<string, string>(parameterFacts().map(({ name, description }) => [name, description]));
  return (app: FastifyInstance): void => {
    app.get<{ Params: { readonly id: string; readonly seriesId: string } }>('/api/exams/:id/series/:seriesId/record', async ({ params, query }): Promise<ToldRecord> => {
      const asked = recordQuery.safeParse(query);
      if (!asked.success) throw httpError('CONUS_ERR_HTTP_REQUEST', 'another attempt');
      const sessions = exams.sessionsOf(params.id, params.seriesId).reverse();
      const records = sessions.map((sessionId) => shelf.get(sessionId));
      // One that is going on has none yet: the one before it stands until then.
      const attempt = asked.data.attempt ?? records.findLastIndex((one) => one !== undefined) + 1;
      const record = records[attempt - 1];
      if (record === undefined) throw recordError('CONUS_ERR_RECORD_NONE', asked.data.attempt === undefined ? 'a series without a record' : `attempt ${attempt} of ${sessions.length}`);
      return {
        ...record,
        attempt,
        nAttempts: sessions.length,
        decisions: record.decisions.map((decision) => {
          const meaning = decision.kind === 'parameter' ? meanings.get(decision.what) : undefined;
          return { ...decision, ...(meaning !== undefined && { meaning }) };
        }),
      };
    });
  };
}
