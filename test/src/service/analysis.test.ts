/** The stage of the house: an exam in which no spine is to be found is delivered all the same, and says why nothing was analysed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { examSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { scanned, tinyExam } from './tinyExam.js';

let folder: string;
let service: Service;
const log: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-analysis-service-'));
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  await writeFile(join(folder, 'short.json'), JSON.stringify({
    ...protocol, name: 'short', synthesise: [], whenComplete: [],
    series: protocol.series.filter(({ geometry }) => geometry.orientation === 'sagittal'),
    analyse: ['structures', 'grades'].map((task) => ({ task, fromSeries: ['sag-t1w', 'sag-t2w'] })),
  }));
  service = await startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1,
      http: { host: '127.0.0.1', port: 0 }, data: { folder: join(folder, 'data') }, exams: { protocol: join(folder, 'short.json') },
    },
    createLog('trace', { write: (line: string) => void log.push(line) }),
    new Metrics(),
  );
});
afterAll(async () => {
  await service.close(0);
  await rm(folder, { recursive: true });
});

async function exam(holds: (exam: ExamView) => boolean): Promise<ExamView> {
  const url = `http://127.0.0.1:${service.httpAddress!.port}/api/exams`;
  for (;;) {
    const { exams } = (await (await fetch(url)).json()) as { exams: { id: string }[] };
    const found = exams[0] === undefined ? undefined : examSchema.parse(await (await fetch(`${url}/${exams[0].id}`)).json());
    if (found !== undefined && holds(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it('fails with its reason, once for both tasks, and the acquired series are where they were', async () => {
  await scanned(await tinyExam(), service.address.port);
  const { actions, series, analyses } = await exam((found) => found.actions.every(({ state }) => state === 'failed'));
  expect(actions.map(({ kind, reason }) => [kind, reason?.code])).toEqual([['analyse', 'HANDOFF_ERR_STAGE_FAILED'], ['analyse', 'HANDOFF_ERR_STAGE_FAILED']]);
  expect(series.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete']);
  expect(analyses).toEqual([]);
  expect(log.join('')).not.toMatch(/Simulated\^Spine/);
}, 240_000);
