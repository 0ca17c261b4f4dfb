/** What a physicist looks at: how each scan was reconstructed, and sweeps; both in the data folder where there is one. */
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import { recordRoutes, sweepRoutes } from '../http/index.js';
import type { ExamKeeper } from '../exams/index.js';
import { reconstructionRecorder, RecordShelf } from '../records/index.js';
import type { SessionObserver } from '../session/index.js';
import type { Spool } from '../spool/index.js';
import { SweepFolder } from '../sweep/index.js';

export interface PhysicsPart {
  observe(sessionId: string): SessionObserver;
  routes(app: FastifyInstance): void;
}

export function openPhysics(exams: ExamKeeper, spool: Pick<Spool, 'table' | 'directory'> | undefined): PhysicsPart {
  const shelf = new RecordShelf(spool && { records: spool.table('records'), order: spool.table('records.order') });
  const plugins = [recordRoutes(exams, shelf), sweepRoutes(new SweepFolder(spool && join(spool.directory, 'sweeps')))];
  return {
    observe: (sessionId) => reconstructionRecorder((record) => shelf.put(sessionId, record)),
    routes: (app) => plugins.forEach((plugin) => plugin(app)),
  };
}
