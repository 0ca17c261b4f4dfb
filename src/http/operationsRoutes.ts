/** The running service over HTTP, for whoever looks after it. docs/operations.md lists the paths. */
import type { FastifyInstance } from 'fastify';
import type { LogRing } from '../logRing.js';
import { askedBySchema, logQuerySchema } from '../operations/index.js';
import type { Operations } from '../operations/index.js';
import { bodyOf } from './body.js';
import { httpError } from './errors.js';

interface Names {
  readonly id: string;
  readonly name: string;
}

/** A plug-in of the HTTP application. @param logRing absent where nobody keeps the log; then it is empty */
export function operationsRoutes(operations: Operations, logRing: LogRing | undefined) {
  return (app: FastifyInstance): void => {
    app.get('/api/operations', async () => operations.view());
    app.post<{ Params: Names }>('/api/outbox/:id/retry', async ({ params, body }) => operations.retryDelivery(params.id, bodyOf(askedBySchema, body).by));
    app.delete<{ Params: Names }>('/api/outbox/:id', async ({ params, body }, reply) => {
      await operations.dropDelivery(params.id, bodyOf(askedBySchema, body).by);
      return reply.code(204).send();
    });
    app.post<{ Params: Names }>('/api/jobs/:id/retry', async ({ params, body }) => operations.retryJob(params.id, bodyOf(askedBySchema, body).by));
    app.post<{ Params: Names }>('/api/jobs/:id/cancel', async ({ params, body }, reply) => {
      await operations.cancelJob(params.id, bodyOf(askedBySchema, body).by);
      return reply.code(204).send();
    });
    app.delete<{ Params: Names }>('/api/jobs/:id', async ({ params, body }, reply) => {
      await operations.dropJob(params.id, bodyOf(askedBySchema, body).by);
      return reply.code(204).send();
    });
    app.post<{ Params: Names }>('/api/destinations/:name/echo', async ({ params }) => operations.echo(params.name));
    app.get<{ Params: Names }>('/api/models/:id/card', async ({ params }, reply) => reply.type('text/plain; charset=utf-8').send(await operations.card(params.id)));
    app.get('/api/log', async ({ query }) => {
      const asked = logQuerySchema.safeParse(query);
      if (!asked.success) throw httpError('CONUS_ERR_HTTP_REQUEST', 'another level, text or limit');
      return { entries: logRing?.entries(asked.data) ?? [] };
    });
  };
}
