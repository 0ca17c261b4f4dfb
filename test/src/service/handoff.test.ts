import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readNifti } from '../../../imaging/index.js';
import { handoffSection } from '../../../src/config/handoff.js';
import { parseDicom } from '../../../src/dicom/index.js';
import { examSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import type { Offer } from '../../../src/handoff/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { SimulatedExam } from '../../../src/simulation/index.js';
import { accepted, startStage, type RunningStage } from '../handoff/stage.js';
import { played, tinyExam } from './tinyExam.js';

const log: string[] = [];
let folder: string;
let stage: RunningStage;
let service: Service;
const at = (...names: string[]) => join(folder, ...names);

/** The stage sends an image of the exam back in place of a segmentation: what comes back is kept as it is. */
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-handoff-service-'));
  await mkdir(at('stage'));
  stage = await startStage({
    answer: () => accepted,
    fetches: true,
    outcomes: (offer) => [{ version: 1, offerId: offer.offerId, outcome: 'done', results: [
      { kind: 'json', name: 'grades', value: { canal: 'moderate' } },
      { kind: 'dicom', base64: stage.fetched.get(offer.series[0]!.dicom[0]!.location)!.toString('base64') },
    ] }],
  });
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  await writeFile(at('short.json'), JSON.stringify({
    ...protocol, name: 'short', synthesise: [],
    series: protocol.series.filter(({ geometry }) => geometry.orientation === 'sagittal'),
    analyse: [{ task: 'grades', fromSeries: ['sag-t1w', 'sag-t2w'] }],
  }));
  const archive = at('archive');
  service = await startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1,
      http: { host: '127.0.0.1', port: 0 }, data: { folder: at('data') }, exams: { protocol: at('short.json') },
      delivery: {
        destinations: new Map([['archive', { parallel: 1, sender: {
          async send(instances) {
            await mkdir(archive, { recursive: true });
            for (const one of instances) await writeFile(join(archive, one.sopInstanceUid), await one.bytes());
            return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' as const }));
          },
        } }]]),
        destinationsFor: ({ description }) => (description.startsWith('results of') ? ['archive'] : []),
        policy: { firstDelayMs: 10, longestDelayMs: 100, maxAttempts: 10, maxAgeMs: 60_000 },
      },
      handoff: handoffSection.parse({ stages: {
        grader: { kind: 'http', url: stage.url, tasks: ['grades'] },
        watcher: { kind: 'folder', folder: at('stage'), takes: 'exams' },
      } }),
    },
    createLog('trace', { write: (line: string) => void log.push(line) }),
    new Metrics(),
  );
});
afterAll(async () => {
  await service.close(0);
  await stage.close();
  await rm(folder, { recursive: true });
});

async function exam(holds: (exam: ExamView) => boolean): Promise<ExamView> {
  const url = `http://127.0.0.1:${service.httpAddress!.port}/api/exams`;
  for (let n = 0; n < 3000; n++) {
    const { exams } = (await (await fetch(url)).json()) as { exams: { id: string }[] };
    if (exams.length === 1) {
      const found = examSchema.parse(await (await fetch(`${url}/${exams[0]!.id}`)).json());
      if (holds(found)) return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error('it never came');
}

it('offers what the protocol wants analysed, takes the results, sends them to the archive, and tells the exam', async () => {
  const spec = await tinyExam();
  const simulated = new SimulatedExam(spec, 1);
  try {
    for (const { id } of spec.protocol.series) {
      const stream = await simulated.simulate(id);
      await played(service.address.port, [...stream.timed()].flatMap(({ parts }) => [...parts]));
    }
  } finally {
    await simulated.close();
  }
  const done = await exam(({ actions }) => actions.some(({ kind, state }) => kind === 'analyse' && state === 'done'));
  expect(stage.offers).toHaveLength(1);
  const [offer] = stage.offers;
  expect(offer).toMatchObject({ examId: done.id, protocol: 'short', tasks: ['grades'], bodyPart: 'LSPINE' });
  expect(offer!.series.map(({ role, modality, synthetic, denoised }) => ({ role, modality, synthetic, denoised }))).toEqual(
    ['t1w', 't2w'].map((role) => ({ role, modality: 'MR', synthetic: true, denoised: false })),
  );
  for (const { dicom, nifti } of offer!.series) {
    const images = await Promise.all(dicom.map(({ location }) => parseDicom(stage.fetched.get(location)!)));
    expect(images.map(({ identity }) => identity.studyInstanceUid)).toEqual([offer!.studyInstanceUid, offer!.studyInstanceUid]);
    const { geometry } = readNifti(gunzipSync(stage.fetched.get(nifti!)!));
    expect(geometry.matrixSize).toEqual([32, 32, 2]);
  }
  const sent = offer!.series[0]!.dicom[0]!.sopInstanceUid;
  for (let n = 0; n < 3000 && !(await readdir(at('archive')).catch(() => [] as string[])).includes(sent); n++) await new Promise((resolve) => setTimeout(resolve, 20));
  expect(await readFile(at('archive', sent))).toEqual(stage.fetched.get(offer!.series[0]!.dicom[0]!.location));
  expect(log.join('')).not.toMatch(/Simulated\^Spine/);
});

it('offers a whole exam once nothing more is awaited of it', async () => {
  const { id } = await exam(({ state }) => state === 'complete');
  let offers: string[] = [];
  for (let n = 0; n < 3000 && offers.length === 0; n++) {
    await new Promise((resolve) => setTimeout(resolve, 20));
    offers = (await readdir(at('stage'))).filter((name) => !name.endsWith('.part'));
  }
  expect(offers).toHaveLength(1);
  const offer = JSON.parse(await readFile(at('stage', offers[0]!, 'offer.json'), 'utf8')) as Offer;
  expect(offer.examId).toBe(id);
  expect(offer.series.map(({ role }) => role)).toEqual(['t1w', 't2w', 'stir']);
  const { geometry } = readNifti(gunzipSync(await readFile(at('stage', offers[0]!, offer.series[2]!.nifti!))));
  expect(geometry.matrixSize).toEqual([32, 32, 2]);
});
