/** The reader's word through the service: changed, in conflict, confirmed, delivered, after a restart, and after another analysis. */
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import dcmjs from 'dcmjs';
import type { NaturalDataset } from 'dcmjs';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { handoffSection } from '../../../src/config/handoff.js';
import { readIdentity } from '../../../src/dicom/index.js';
import { examSchema } from '../../../src/exams/index.js';
import type { ExamView } from '../../../src/exams/index.js';
import { createLog } from '../../../src/log.js';
import { Metrics } from '../../../src/metrics.js';
import type { Sender } from '../../../src/outbox/index.js';
import { loadUnresolvedProtocol } from '../../../src/protocols/index.js';
import { readingSchema } from '../../../src/reading/index.js';
import type { ReadingView } from '../../../src/reading/index.js';
import { startService } from '../../../src/service/index.js';
import type { Service } from '../../../src/service/index.js';
import { accepted, startStage, type RunningStage } from '../handoff/stage.js';
import { analysedAsBoxes } from './boxAnalysis.js';
import { scanned, tinyExam } from './tinyExam.js';

const log: string[] = [];
let folder: string;
let stage: RunningStage;
let service: Service;
const at = (...names: string[]) => join(folder, ...names);
const read = (file: Uint8Array): NaturalDataset => dcmjs.data.DicomMetaDictionary.naturalizeDataset(dcmjs.data.DicomMessage.readFile(file.slice().buffer).dict);

/** Takes nothing while it is shut. */
let isShut = false;
const archive: Sender = {
  async send(instances) {
    if (isShut) return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'failed' as const, code: 'DICOM_ERR_CONNECTION', detail: 'shut', retryable: true }));
    await mkdir(at('archive'), { recursive: true });
    for (const one of instances) {
      // Whole or not there: the test reads while this writes.
      await writeFile(at(`${one.sopInstanceUid}.part`), await one.bytes());
      await rename(at(`${one.sopInstanceUid}.part`), at('archive', one.sopInstanceUid));
    }
    return instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' as const }));
  },
};
const archived = async () => Promise.all((await readdir(at('archive')).catch(() => [] as string[])).map(async (name) => readFile(at('archive', name))));

async function start(): Promise<Service> {
  return startService(
    {
      host: '127.0.0.1', port: 0, maxSessions: 4, idleTimeoutS: 60, stallTimeoutS: 60, threads: 1,
      http: { host: '127.0.0.1', port: 0 }, data: { folder: at('data') }, exams: { protocol: at('short.json') },
      delivery: {
        destinations: new Map([['archive', { parallel: 1, sender: archive }]]),
        destinationsFor: ({ description }) => (description?.startsWith('results of') === true ? ['archive'] : []),
        policy: { firstDelayMs: 10, longestDelayMs: 100, maxAttempts: 100_000, maxAgeMs: 600_000 },
      },
      handoff: handoffSection.parse({ stages: { grader: { kind: 'http', url: stage.url } } }),
    },
    createLog('trace', { write: (line: string) => void log.push(line) }),
    new Metrics(),
  );
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'conus-reading-'));
  stage = await startStage({ answer: () => accepted, fetches: true, outcomes: (offer) => analysedAsBoxes(offer, stage.fetched) });
  const protocol = await loadUnresolvedProtocol('lumbar-standard');
  await writeFile(at('short.json'), JSON.stringify({
    ...protocol, name: 'short', synthesise: [], whenComplete: [],
    series: protocol.series.filter(({ geometry }) => geometry.orientation === 'sagittal'),
    // With one series more it is analysed anew.
    analyse: [...['structures', 'grades'].map((task) => ({ task, fromSeries: ['sag-t1w', 'sag-t2w'] })), { task: 'measurements', fromSeries: ['sag-t1w', 'sag-t2w', 'sag-stir'] }],
  }));
  service = await start();
});
afterAll(async () => {
  await service.close(0);
  await stage.close();
  await rm(folder, { recursive: true });
});

const url = (path: string) => `http://127.0.0.1:${service.httpAddress!.port}${path}`;
async function exam(holds: (exam: ExamView) => boolean): Promise<ExamView> {
  for (let n = 0; n < 2400; n++) {
    const { exams } = (await (await fetch(url('/api/exams'))).json()) as { exams: { id: string }[] };
    const found = exams[0] === undefined ? undefined : examSchema.parse(await (await fetch(url(`/api/exams/${exams[0].id}`))).json());
    if (found !== undefined && holds(found)) return found;
    await new Promise((resolve) => setTimeout(resolve, 80));
  }
  throw new Error('it never came');
}
let examId: string;
const reading = async (): Promise<ReadingView> => readingSchema.parse(await (await fetch(url(`/api/exams/${examId}/reading`))).json());
async function say(what: string, word: object | string, contentType = 'application/json'): Promise<{ status: number; code?: string; reading?: ReadingView }> {
  const answer = await fetch(url(`/api/exams/${examId}/reading/${what}`), { method: 'POST', headers: { 'content-type': contentType }, body: typeof word === 'string' ? word : JSON.stringify(word) });
  const body = (await answer.json()) as { error?: { code: string } };
  return body.error === undefined ? { status: answer.status, reading: readingSchema.parse(body) } : { status: answer.status, code: body.error.code };
}
const mild = { by: 'A. Reader', findingId: 'centralCanal/L4-L5', scale: 'centralCanal', value: 'mild' };

it('is a draft as soon as there is a report', async () => {
  await scanned(await tinyExam(), service.address.port, ['sag-t1w', 'sag-t2w']);
  const found = await exam(({ analyses }) => analyses.length === 1);
  examId = found.id;
  expect(found.reading).toMatchObject({ state: 'draft', revision: 0, at: found.analyses[0]!.at });
  const draft = await reading();
  expect(draft).toMatchObject({ state: 'draft', revision: 0, steps: [], stage: 'grader', scales: { centralCanal: ['normal', 'mild', 'moderate', 'severe'] } });
  expect(draft.confirmed).toBeUndefined();
  expect(draft.images).toEqual(['t1w', 't2w'].map((role) => ({ seriesId: found.series.find((one) => one.role === role)!.id, output: 'image' })));
  expect(draft.words).toMatchObject({ kinds: { modic: 'Modic changes' }, names: { sacArea: 'sac area', genant: 'Genant' } });
}, 120_000);

it('takes a grade and a sentence, with who said it, and the exam tells it', async () => {
  const { reading: graded } = await say('grades', { ...mild, revision: 0 });
  expect(graded).toMatchObject({ state: 'changed', revision: 1, steps: [{ what: 'grade', by: 'A. Reader', from: 'severe', to: 'mild', revision: 1 }] });
  expect(graded!.report.changes).toMatchObject([{ by: 'A. Reader', from: 'severe', to: 'mild' }]);
  const { reading: worded } = await say('sentences', { by: 'A. Reader', revision: 1, level: 'L4-L5', text: 'No stenosis to speak of.' });
  expect(worded!.report.sentences.find(({ level }) => level === 'L4-L5')!.edited).toMatchObject({ text: 'No stenosis to speak of.', by: 'A. Reader' });
  expect((await exam(() => true)).reading).toMatchObject({ state: 'changed', revision: 2, by: 'A. Reader' });
  expect((await exam(() => true)).priority).toEqual((await reading()).report.priority);
});

it('lets nobody overwrite what he has not seen: of two words on one revision one is taken', async () => {
  const words = await Promise.all(['moderate', 'normal'].map((value) => say('grades', { ...mild, by: value, revision: 2, value })));
  expect(words.map(({ status }) => status).sort()).toEqual([200, 409]);
  expect(words.find(({ status }) => status === 409)!.code).toBe('CONUS_ERR_READING_REVISION');
  const { steps, revision, report } = await reading();
  const taken = words.find(({ status }) => status === 200)!.reading!;
  expect({ steps, revision, report }).toEqual({ steps: taken.steps, revision: 3, report: taken.report });
});

it('refuses what is wrong with a code, and nothing has changed', async () => {
  const before = await reading();
  const refused = [
    await say('grades', { ...mild, revision: 3, value: 'dreadful' }), await say('grades', { ...mild, revision: 3, findingId: 'none' }),
    await say('grades', { ...mild, revision: 3, by: ' ' }), await say('grades', { ...mild, revision: 3, extra: true }),
    await say('sentences', { by: 'A', revision: 3, level: 'T3', text: 'x' }), await say('sentences', { by: 'A', revision: 3, text: 'x'.repeat(200_000) }),
    await say('confirm', JSON.stringify({ by: 'A', revision: 3 }), 'text/plain'), await say('confirm', { by: 'A', revision: 1 }),
  ];
  expect(refused.map(({ status, code }) => `${status} ${code!}`)).toEqual([
    '422 ANALYSIS_ERR_CHANGE_VALUE', '422 ANALYSIS_ERR_CHANGE_FINDING', '400 CONUS_ERR_HTTP_REQUEST', '400 CONUS_ERR_HTTP_REQUEST',
    '422 ANALYSIS_ERR_CHANGE_FINDING', '413 CONUS_ERR_HTTP_REQUEST', '400 CONUS_ERR_HTTP_REQUEST', '409 CONUS_ERR_READING_REVISION',
  ]);
  expect(await reading()).toEqual(before);
  const unknown = await fetch(url('/api/exams/none/reading'));
  expect([unknown.status, ((await unknown.json()) as { error: { code: string } }).error.code]).toEqual([404, 'CONUS_ERR_EXAM_UNKNOWN']);
});

it('is confirmed once: a document of its own goes where results go, and the exam tells when it is there', async () => {
  await expect.poll(async () => (await archived()).length, { timeout: 60_000 }).toBe(4);
  const drafts = (await archived()).map(readIdentity);
  isShut = true;
  const both = await Promise.all(['B. Reader', 'C. Reader'].map((by) => say('confirm', { by, revision: 3 })));
  expect(both.map(({ status, code }) => `${status} ${code ?? ''}`).sort()).toEqual(['200 ', '409 CONUS_ERR_READING_CONFIRMED']);
  const { confirmed, state } = both.find(({ status }) => status === 200)!.reading!;
  expect({ state, deliveries: confirmed!.deliveries.map(({ destination, state: its }) => [destination, its]) }).toEqual({ state: 'confirmed', deliveries: [['archive', 'queued']] });
  expect((await exam(() => true)).reading).toMatchObject({ state: 'confirmed', revision: 3, by: confirmed!.by, delivery: 'queued' });
  expect((await archived()).length).toBe(drafts.length);

  isShut = false;
  const told = await exam((found) => found.reading?.delivery === 'delivered');
  expect(told.reading).toMatchObject({ state: 'confirmed', by: confirmed!.by });
  expect((await reading()).confirmed!.deliveries).toEqual([{ destination: 'archive', state: 'delivered' }]);
  const made = (await archived()).filter((file) => !drafts.some(({ sopInstanceUid }) => sopInstanceUid === readIdentity(file).sopInstanceUid)).map(read);
  expect(made.map(({ Modality }) => Modality).sort()).toEqual(['OT', 'SR']);
  const document = made.find(({ Modality }) => Modality === 'SR')!;
  expect(document).toMatchObject({ VerificationFlag: 'UNVERIFIED', PatientID: 'SIMULATED-7', SyntheticData: 'YES' });
  const predecessor = JSON.stringify(document.PredecessorDocumentsSequence);
  const draft = drafts.find(({ sopClassUid }) => sopClassUid === document.SOPClassUID)!;
  expect(predecessor).toContain(draft.sopInstanceUid);
  expect(JSON.stringify(document.ContentSequence)).toContain(confirmed!.by);
  expect(JSON.stringify(document.ContentSequence)).toContain('No stenosis to speak of.');
  expect(log.join('')).not.toMatch(/Simulated\^Spine|SIMULATED-7/);
}, 120_000);

it('is as it was after a restart', async () => {
  const before = { reading: await reading(), exam: (await exam(() => true)).reading };
  await service.close(0);
  service = await start();
  expect({ reading: await reading(), exam: (await exam(() => true)).reading }).toEqual(before);
  expect(await say('confirm', { by: 'D', revision: 3 })).toEqual({ status: 409, code: 'CONUS_ERR_READING_CONFIRMED' });
}, 60_000);

it('is confirmed as a whole or not at all when the service ends meanwhile', async () => {
  expect((await say('grades', { ...mild, revision: 3, value: 'normal' })).status).toBe(200);
  const known = (await archived()).length;
  const word = say('confirm', { by: 'E. Reader', revision: 4 }).catch(() => ({ status: 0 }));
  await new Promise((resolve) => setTimeout(resolve, 50));
  await service.close(0);
  const { status } = await word;
  service = await start();
  const { state, confirmed } = await reading();
  expect({ state, revision: confirmed!.revision }).toEqual(status === 200 ? { state: 'confirmed', revision: 4 } : { state: 'changed', revision: 3 });
  if (status !== 200) {
    expect((await archived()).length).toBe(known);
    expect((await say('confirm', { by: 'E. Reader', revision: 4 })).status).toBe(200);
  }
  await exam((found) => found.reading?.delivery === 'delivered' && found.reading.revision === 4);
  expect((await archived()).length).toBe(known + 2);
}, 60_000);

it('takes the place of its own document when it is changed and confirmed again', async () => {
  const known = (await archived()).map((file) => readIdentity(file).sopInstanceUid);
  const before = (await archived()).map(read).find(({ Modality, ContentSequence }) => Modality === 'SR' && JSON.stringify(ContentSequence).includes('Confirmed by E. Reader'))!;
  expect((await say('grades', { ...mild, revision: 4 })).reading).toMatchObject({ state: 'changed', revision: 5, confirmed: { revision: 4 } });
  expect((await say('confirm', { by: 'B. Reader', revision: 5 })).reading).toMatchObject({ state: 'confirmed', confirmed: { revision: 5 } });
  await exam((found) => found.reading?.delivery === 'delivered' && found.reading.revision === 5);
  const [latest] = (await archived()).map(read).filter(({ Modality, SOPInstanceUID }) => Modality === 'SR' && !known.includes(String(SOPInstanceUID)));
  expect(JSON.stringify(latest!.PredecessorDocumentsSequence)).toContain(String(before.SOPInstanceUID));
}, 60_000);

it('is a new draft when the exam is analysed again, and says what became of the one before', async () => {
  await scanned(await tinyExam(), service.address.port, ['sag-stir']);
  const found = await exam(({ analyses }) => analyses.length === 2);
  expect(found.reading).toMatchObject({ state: 'draft', revision: 0, earlier: { state: 'confirmed', by: 'B. Reader' } });
  const fresh = await reading();
  expect(fresh).toMatchObject({ state: 'draft', revision: 0, steps: [], earlier: { state: 'confirmed', by: 'B. Reader' } });
  expect(fresh.report.series).toHaveLength(3);
  expect((await say('grades', { ...mild, revision: 0 })).status).toBe(200);
}, 120_000);
