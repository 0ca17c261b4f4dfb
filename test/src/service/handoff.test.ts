import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { readNifti } from '../../../imaging/index.js';
import { dicomSection } from '../../../src/config/dicom.js';
import { handoffSection } from '../../../src/config/handoff.js';
import { encodeDicom } from '../../../src/delivery/index.js';
import { CommitmentReports, parseDicom, readIdentity, StoreScu } from '../../../src/dicom/index.js';
import { examSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import type { Offer, OfferRecord } from '../../../src/handoff/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import type { Sender } from '../../../src/outbox/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { accepted, startStage, type RunningStage } from '../handoff/stage.js';
import { scanned, tinyExam } from './tinyExam.js';

const log: string[] = [];
let folder: string;
let stage: RunningStage;
let service: Service;
/** As the stage that watches a folder was offered it. */
let wholeExam: Offer;
const at = (...names: string[]) => join(folder, ...names);

const folderOf = (folder: string): Sender => ({
  async send(instances) {
    await mkdir(folder, { recursive: true });
    for (const one of instances) await writeFile(join(folder, one.sopInstanceUid), await one.bytes());
    return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' as const }));
  },
});
const archived = async (name: string, sopInstanceUid: string) => (await readdir(at(name)).catch(() => [] as string[])).includes(sopInstanceUid);

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
    ], priority: { level: 'soon', reason: 'a narrow canal' } }],
  });
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  await writeFile(at('short.json'), JSON.stringify({
    ...protocol, name: 'short', synthesise: [],
    series: protocol.series.filter(({ geometry }) => geometry.orientation === 'sagittal'),
    analyse: [{ task: 'grades', fromSeries: ['sag-t1w', 'sag-t2w'] }, { task: 'measurements', fromSeries: ['sag-t1w', 'sag-t2w'] }],
    whenComplete: [{ series: ['sag-stir'], actions: [{ kind: 'deliver', destinations: ['archive'] }] }],
  }));
  service = await startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1,
      http: { host: '127.0.0.1', port: 0 }, data: { folder: at('data') }, exams: { protocol: at('short.json') },
      delivery: {
        destinations: new Map(['archive', 'node', 't1w', 't2w', 'stir'].map((name) => [name, { parallel: 1, sender: folderOf(at(name)) }])),
        destinationsFor: ({ description, role }) => (description?.startsWith('results of') === true ? ['archive'] : role === undefined ? [] : [role]),
        policy: { firstDelayMs: 10, longestDelayMs: 100, maxAttempts: 10, maxAgeMs: 60_000 },
      },
      handoff: handoffSection.parse({ stages: {
        grader: { kind: 'http', url: stage.url, tasks: ['grades', 'measurements'] },
        watcher: { kind: 'folder', folder: at('stage'), takes: 'exams' },
        segmenter: { kind: 'dicom', destination: 'node', aeTitle: 'SEGMENTER', takes: 'exams' },
      } }),
      dicom: { config: dicomSection.parse({ receiver: { port: 0, quietTimeS: 0.2 } }), reports: new CommitmentReports() },
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

let latest: unknown;
async function exam(holds: (exam: ExamView) => boolean): Promise<ExamView> {
  const url = `http://127.0.0.1:${service.httpAddress!.port}/api/exams`;
  for (let n = 0; n < 1500; n++) {
    const { exams } = (await (await fetch(url)).json()) as { exams: { id: string }[] };
    if (exams.length === 1) {
      const found = examSchema.parse(await (await fetch(`${url}/${exams[0]!.id}`)).json());
      latest = { state: found.state, actions: found.actions, series: found.series.map(({ state, deliveries }) => ({ state, deliveries })) };
      if (holds(found)) return found;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`it never came: ${JSON.stringify(latest)}`);
}

it('offers what the protocol wants analysed, takes the results, sends them to the archive, and tells the exam', async () => {
  await scanned(await tinyExam(), service.address.port);
  const done = await exam(({ actions }) => actions.filter(({ kind, state }) => kind === 'analyse' && state === 'done').length === 2);
  // Two tasks on the same series are one look at the images.
  expect(stage.offers).toHaveLength(1);
  const [offer] = stage.offers;
  expect(offer).toMatchObject({ examId: done.id, protocol: 'short', tasks: ['grades', 'measurements'], bodyPart: 'LSPINE' });
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
  await expect.poll(() => archived('archive', sent), { timeout: 60_000 }).toBe(true);
  expect(await readFile(at('archive', sent))).toEqual(stage.fetched.get(offer!.series[0]!.dicom[0]!.location));
  expect(log.join('')).not.toMatch(/Simulated\^Spine/);
});

it('tells which analyses there are and how soon somebody should look, and gives their results', async () => {
  const { id, analyses, priority } = await exam((found) => found.analyses.length > 0);
  expect(analyses).toMatchObject([{ stage: 'grader', tasks: ['grades', 'measurements'], results: ['grades', 'dicom'] }]);
  expect(priority).toEqual({ level: 'soon', reason: 'a narrow canal' });
  const result = (name: string) => fetch(`http://127.0.0.1:${service.httpAddress!.port}/api/exams/${id}/analysis/${name}`);
  expect(await (await result('grades')).json()).toEqual({ canal: 'moderate' });
  const missing = await result('report');
  expect([missing.status, ((await missing.json()) as { error: { code: string } }).error.code]).toEqual([404, 'HANDOFF_ERR_NO_RESULT']);
});

it('offers a whole exam once nothing more is awaited of it', async () => {
  const { id } = await exam(({ state }) => state === 'complete');
  const offers = async () => (await readdir(at('stage'))).filter((name) => !name.endsWith('.part'));
  await expect.poll(offers, { timeout: 60_000 }).toHaveLength(1);
  const folderOfOffer = at('stage', (await offers())[0]!);
  await expect.poll(() => readdir(folderOfOffer), { timeout: 60_000 }).toContain('READY');
  const offer = (wholeExam = JSON.parse(await readFile(join(folderOfOffer, 'offer.json'), 'utf8')) as Offer);
  expect(offer.examId).toBe(id);
  expect(offer.series.map(({ role }) => role)).toEqual(['t1w', 't2w', 'stir']);
  const { geometry } = readNifti(gunzipSync(await readFile(join(folderOfOffer, offer.series[2]!.nifti!))));
  expect(geometry.matrixSize).toEqual([32, 32, 2]);
});

it('delivers series by their roles', async () => {
  for (const { role, dicom } of wholeExam.series) {
    for (const { sopInstanceUid } of dicom) await expect.poll(() => archived(role, sopInstanceUid), { timeout: 60_000 }).toBe(true);
    expect(await readdir(at(role))).toHaveLength(dicom.length);
  }
});

it('delivers what the protocol wants delivered, when it is complete', async () => {
  const { actions } = await exam(({ actions }) => actions.some(({ kind, state }) => kind === 'deliver' && state === 'done'));
  expect(actions.find(({ kind }) => kind === 'deliver')).toMatchObject({ what: 'archive', series: ['sag-stir'] });
  const stir = wholeExam.series.find(({ role }) => role === 'stir')!;
  expect(stir.dicom).toHaveLength(2);
  for (const { sopInstanceUid } of stir.dicom) await expect.poll(() => archived('archive', sopInstanceUid), { timeout: 60_000 }).toBe(true);
});

it('takes segmentations from the DICOM node of a stage, and from nobody else', async () => {
  await expect.poll(async () => (await offerAt('segmenter')).state, { timeout: 60_000, interval: 500 }).toBe('accepted');
  const { studyInstanceUid, series } = wholeExam;
  for (const { sopInstanceUid } of series.flatMap(({ dicom }) => dicom)) expect(await archived('node', sopInstanceUid)).toBe(true);
  const identity = { sopClassUid: '1.2.840.10008.5.1.4.1.1.66.4', sopInstanceUid: '2.25.11', seriesInstanceUid: '2.25.12', studyInstanceUid, transferSyntaxUid: '1.2.840.10008.1.2.1' };
  const file = encodeDicom({
    SOPClassUID: identity.sopClassUid, SOPInstanceUID: identity.sopInstanceUid, SeriesInstanceUID: identity.seriesInstanceUid,
    StudyInstanceUID: studyInstanceUid, Modality: 'SEG', PatientName: 'Simulated^Spine^7', PatientID: 'SIMULATED-7',
  }, 'test');
  const from = (callingAe: string) => {
    const scu = new StoreScu({ host: '127.0.0.1', port: service.dicomAddress!.port, callingAe, calledAe: 'CONUS', timeoutMs: 20_000, maxAssociations: 1 });
    return scu.send([{ ...identity, ref: '', nBytes: file.length, bytes: () => Promise.resolve(file) }], new AbortController().signal);
  };
  expect((await from('STRANGER'))[0]).toMatchObject({ outcome: 'failed' });
  expect(await archived('archive', '2.25.11')).toBe(false);
  expect((await from('SEGMENTER'))[0]).toMatchObject({ outcome: 'stored' });
  await expect.poll(async () => (await offerAt('segmenter')).state, { timeout: 60_000, interval: 500 }).toBe('done');
  await expect.poll(() => archived('archive', '2.25.11'), { timeout: 60_000 }).toBe(true);
  // The receiver writes the head of the file anew.
  const kept = await readFile(at('archive', '2.25.11'));
  expect(readIdentity(kept)).toEqual(identity);
  expect(kept.includes(Buffer.from('SIMULATED-7'))).toBe(true);
  expect(log.join('')).not.toMatch(/Simulated\^Spine/);
});

/** As a command beside the service tells it: lmdb must not be opened twice in one process. */
async function offerAt(stageName: string): Promise<OfferRecord> {
  const command = fileURLToPath(new URL('../../../dist/src/main.js', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [command, 'handoff', 'list', '--data', at('data'), '--json']);
  return (JSON.parse(stdout) as OfferRecord[]).find(({ stage: name }) => name === stageName)!;
}
