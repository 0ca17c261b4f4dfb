/** Sweeps over HTTP: which there are with their figures, and one with its pictures. docs/exams.md lists the paths. */
import type { FastifyInstance } from 'fastify';
import type { SweepFolder } from '../sweep/index.js';

/** A plug-in of the HTTP application. */
export function sweepRoutes(folder: Pick<SweepFolder, 'entries' | 'read'>) {
  return (app: FastifyInstance): void => {
    app.get('/api/sweeps', async () => ({ sweeps: await folder.entries() }));
    app.get<{ Params: { readonly name: string } }>('/api/sweeps/:name', async ({ params }) => folder.read(params.name));
  };
}
