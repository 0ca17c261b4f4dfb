import { mkdir, mkdtemp, readFile, rm, writeFile, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Fastify, { type FastifyInstance } from 'fastify';
import { afterEach, describe, expect, it } from 'vitest';
import type { StoredInstance } from '../../../src/spool/index.js';
import { createLog } from '../../../src/log.js';
import {
  defaultOfferLimits, dicomNodeTransport, folderTransport, HandoffDesk, handoffRoutes, httpTransport, offerIdOf, tokenOfOffer,
} from '../../../src/handoff/index.js';
import type { ExamForHandoff, HandoffStage, KeptOffer, Material, OfferLimits, OfferStore, Outcome, Transport } from '../../../src/handoff/index.js';
import { accepted, done, startStage, type RunningStage, type StageBehaviour } from './stage.js';

const secret = new Uint8Array(32).fill(7);
const quick: OfferLimits = { ...defaultOfferLimits, firstPauseMs: 10, longestPauseMs: 20, mostAttempts: 3 };
/** For stages that are silent on purpose; a loaded machine may take this long for a real answer, too. */
const impatient: OfferLimits = { ...quick, answerTimeoutMs: 150, outcomeTimeoutMs: 150 };
const instance = (seriesInstanceUid: string, n: number): StoredInstance => ({
  studyInstanceUid: '1.2.3', seriesInstanceUid, sopInstanceUid: `${seriesInstanceUid}.${n}`, sopClassUid: '1.2', transferSyntaxUid: '1.2.840.10008.1.2.1', ref: '', nBytes: 1,
});
const exam: ExamForHandoff = {
  examId: 'e1',
  studyInstanceUid: '1.2.3',
  protocol: 'lumbar-fast',
  tasks: ['structures'],
  series: [
    { seriesInstanceUid: '1.2.3.1', role: 't2w', description: 'T2W', modality: 'MR', synthetic: false, denoised: false, instances: [instance('1.2.3.1', 1), instance('1.2.3.1', 2)] },
    { seriesInstanceUid: '1.2.3.2', role: 'stir', description: 'SYN STIR', modality: 'MR', synthetic: true, denoised: false, qualityLight: 'amber', instances: [instance('1.2.3.2', 1)] },
  ],
};
const material: Material = {
  dicom: ({ seriesInstanceUid, sopInstanceUid }) => Promise.resolve(Buffer.from(`dicom ${seriesInstanceUid} ${sopInstanceUid}`)),
  nifti: ({ seriesInstanceUid }) => Promise.resolve(Buffer.from(`nifti ${seriesInstanceUid}`)),
};

class MemoryStore implements OfferStore {
  readonly kept = new Map<string, string>();
  *all(): Iterable<KeptOffer> {
    for (const text of this.kept.values()) yield JSON.parse(text) as KeptOffer;
  }
  get(offerId: string): KeptOffer | undefined {
    const text = this.kept.get(offerId);
    return text === undefined ? undefined : (JSON.parse(text) as KeptOffer);
  }
  async put(offer: KeptOffer): Promise<void> {
    await Promise.resolve();
    this.kept.set(offer.record.offerId, JSON.stringify(offer));
  }
}

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

interface Desk {
  readonly desk: HandoffDesk;
  readonly store: MemoryStore;
  readonly taken: Outcome[];
  readonly logLines: string[];
  readonly app: FastifyInstance;
}

async function openDesk(transportOf: (ownUrl: string) => Transport, limits = quick, store = new MemoryStore()): Promise<Desk> {
  const app = Fastify();
  const taken: Outcome[] = [];
  const logLines: string[] = [];
  // The address is known when the app listens, the routes before.
  const real: { transport?: Transport } = {};
  const late: Transport = {
    locations: (...values) => real.transport!.locations(...values),
    callback: (...values) => real.transport!.callback(...values),
    offer: (...values) => real.transport!.offer(...values),
    outcome: async (...values) => real.transport!.outcome?.(...values),
    settled: async (...values) => real.transport!.settled?.(...values),
  };
  const stages: HandoffStage[] = [{ name: 'stage', transport: late, limits }];
  const desk = new HandoffDesk({
    stages, store, material, secret, tickMs: 5,
    takeResults: (_offer, outcome) => {
      taken.push(outcome);
      return Promise.resolve();
    },
    log: createLog('trace', { write: (line: string) => void logLines.push(line) }),
  });
  handoffRoutes(desk, material)(app);
  real.transport = transportOf(await app.listen({ port: 0, host: '127.0.0.1' }));
  desk.start();
  cleanUps.push(() => app.close(), () => desk.close());
  return { desk, store, taken, logLines, app };
}

async function withStage(behaviour: StageBehaviour, limits = quick): Promise<Desk & { readonly stage: RunningStage }> {
  const stage = await startStage(behaviour);
  cleanUps.push(() => stage.close());
  const desk = await openDesk((ownUrl) => httpTransport({ url: stage.url, token: 'of-the-stage', ownUrl: () => ownUrl }, (offerId) => tokenOfOffer(secret, offerId)), limits);
  return { ...desk, stage };
}

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let n = 0; n < 5000; n++) {
    if (await holds()) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error('it never came');
}

const settled = async (store: MemoryStore, offerId: string, state: string): Promise<KeptOffer> => {
  await until(() => store.get(offerId)?.record.state === state);
  return store.get(offerId)!;
};

describe('a stage over HTTP', () => {
  it('gets the offer and its images, and its results are taken', async () => {
    const { desk, store, taken, stage } = await withStage({ answer: () => accepted, outcomes: (offer) => [done(offer)], fetches: true });
    const offerId = await desk.offer('stage', exam);
    const { record } = await settled(store, offerId, 'done');
    await until(() => stage.replies.length === 1);
    expect(record).toMatchObject({ attempts: 1, nDuplicates: 0, outcomeIsLate: false });
    expect(taken).toEqual([done(stage.offers[0]!)]);
    expect(stage.headers[0]).toMatchObject({ authorization: 'Bearer of-the-stage', 'idempotency-key': offerId });
    expect(stage.offers[0]!.series.map(({ role, synthetic, qualityLight }) => ({ role, synthetic, qualityLight }))).toEqual([
      { role: 't2w', synthetic: false, qualityLight: undefined },
      { role: 'stir', synthetic: true, qualityLight: 'amber' },
    ]);
    expect([...stage.fetched.values()].map(String)).toEqual([
      'dicom 1.2.3.1 1.2.3.1.1', 'dicom 1.2.3.1 1.2.3.1.2', 'nifti 1.2.3.1', 'dicom 1.2.3.2 1.2.3.2.1', 'nifti 1.2.3.2',
    ]);
  });

  it('is offered the same exam once, however often it is asked for', async () => {
    const { desk, store, stage } = await withStage({ answer: () => accepted, outcomes: (offer) => [done(offer)] });
    const ids = await Promise.all([desk.offer('stage', exam), desk.offer('stage', exam), desk.offer('stage', { ...exam, series: [...exam.series].reverse() })]);
    expect(new Set(ids).size).toBe(1);
    await settled(store, ids[0]!, 'done');
    await desk.offer('stage', exam);
    await desk.tick();
    expect(stage.offers).toHaveLength(1);
  });

  it('may answer late', async () => {
    const { desk, store, taken, stage } = await withStage({ answer: (_offer, nth) => (nth < 3 ? 'silence' : accepted), outcomes: (offer) => [done(offer)] }, { ...impatient, mostAttempts: 1000 });
    const offerId = await desk.offer('stage', exam);
    expect((await settled(store, offerId, 'done')).record.attempts).toBeGreaterThanOrEqual(3);
    expect(stage.offers.slice(0, 3).map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(stage.offers.map((offer) => offer.offerId)).size).toBe(1);
    expect(taken).toHaveLength(1);
  });

  it('may send the outcome before it answers', async () => {
    const { desk, store, taken } = await withStage({ answer: () => accepted, outcomes: (offer) => [done(offer)], outcomeFirst: true });
    await settled(store, await desk.offer('stage', exam), 'done');
    await desk.tick();
    expect(taken).toHaveLength(1);
  });

  it('may say it twice: the results are taken once', async () => {
    const { desk, store, taken, stage } = await withStage({ answer: () => accepted, outcomes: (offer) => [done(offer), done(offer), done(offer)] });
    const offerId = await desk.offer('stage', exam);
    await until(() => stage.replies.length === 3);
    expect(stage.replies.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(store.get(offerId)!.record.nDuplicates).toBe(2);
    expect(taken).toHaveLength(1);
  });

  it('is told of a contradiction: the first outcome stands', async () => {
    const { desk, store, taken, stage } = await withStage({ answer: () => accepted, outcomes: (offer) => [done(offer, 1), done(offer, 2)] });
    const offerId = await desk.offer('stage', exam);
    await until(() => stage.replies.length === 2);
    expect(stage.replies[1]).toMatchObject({ status: 409 });
    expect(stage.replies[1]!.body).toContain('HANDOFF_ERR_CONFLICT');
    expect(store.get(offerId)!.record.state).toBe('done');
    expect(taken).toHaveLength(1);
  });

  it('is told of a wrong outcome, and may correct it', async () => {
    const { desk, store, stage } = await withStage({
      answer: () => accepted,
      outcomes: (offer) => ['{', '{"outcome":"done"}', JSON.stringify({ ...done(offer), offerId: 'f'.repeat(32) }), done(offer)],
    });
    await settled(store, await desk.offer('stage', exam), 'done');
    await until(() => stage.replies.length === 4);
    expect(stage.replies.map(({ status }) => status)).toEqual([422, 422, 422, 200]);
    expect(stage.replies[1]!.body).toContain('offerId');
  });

  it.each([
    { name: 'no JSON', answer: { status: 200, text: 'yes' }, code: 'HANDOFF_ERR_ANSWER' },
    { name: 'another word', answer: { status: 200, text: '{"answer":"maybe"}' }, code: 'HANDOFF_ERR_ANSWER' },
    { name: 'an error', answer: { status: 500, text: '' }, code: 'HANDOFF_ERR_ANSWER' },
    { name: 'far too much', answer: { status: 200, text: ' '.repeat(100_000) }, code: 'HANDOFF_ERR_ANSWER' },
  ])('that answers wrongly ($name) is asked again, then given up', async ({ answer, code }) => {
    const { desk, store, stage } = await withStage({ answer: () => answer, outcomes: () => [] });
    const { record } = await settled(store, await desk.offer('stage', exam), 'failed');
    expect(record).toMatchObject({ attempts: 3, lastError: { code } });
    expect(stage.offers).toHaveLength(3);
  });

  it('that never answers, or never sends an outcome, is given up, and may still come late', async () => {
    const silent = await withStage({ answer: () => 'silence', outcomes: () => [] }, impatient);
    const silentId = await silent.desk.offer('stage', exam);
    const idle = await withStage({ answer: () => accepted, outcomes: () => [] }, { ...quick, outcomeTimeoutMs: 150 });
    const idleId = await idle.desk.offer('stage', exam);
    expect((await settled(silent.store, silentId, 'failed')).record.lastError?.code).toBe('HANDOFF_ERR_NO_ANSWER');
    expect((await settled(idle.store, idleId, 'failed')).record.lastError?.code).toBe('HANDOFF_ERR_NO_OUTCOME');
    const late = done(idle.stage.offers[0]!);
    await idle.desk.outcome(idleId, tokenOfOffer(secret, idleId), JSON.stringify(late));
    expect(idle.store.get(idleId)!.record).toMatchObject({ state: 'done', outcomeIsLate: true });
    expect(idle.taken).toEqual([late]);
  });

  it('may be busy, by word or by status', async () => {
    const { desk, store, stage } = await withStage({
      answer: (_offer, nth) => (nth === 1 ? { answer: 'busy', retryAfterS: 0 } : nth === 2 ? { status: 503, text: '', retryAfter: '0' } : accepted),
      outcomes: (offer) => [done(offer)],
    });
    const { record } = await settled(store, await desk.offer('stage', exam), 'done');
    expect(stage.offers).toHaveLength(3);
    expect(record.attempts).toBe(1);
  });

  it('may refuse, or fail, with a reason that no log line repeats', async () => {
    const refusing = await withStage({ answer: () => ({ answer: 'refused', reason: 'SMITH^JOHN has no axial series' }), outcomes: () => [] });
    const refused = await settled(refusing.store, await refusing.desk.offer('stage', exam), 'refused');
    const failing = await withStage({ answer: () => accepted, outcomes: (offer) => [{ version: 1, offerId: offer.offerId, outcome: 'failed', reason: 'SMITH^JOHN moved' }] });
    const failed = await settled(failing.store, await failing.desk.offer('stage', exam), 'failed');
    expect(refused.record).toMatchObject({ stageReason: 'SMITH^JOHN has no axial series', lastError: { code: 'HANDOFF_ERR_STAGE_REFUSED' } });
    expect(failed.record).toMatchObject({ stageReason: 'SMITH^JOHN moved', lastError: { code: 'HANDOFF_ERR_STAGE_FAILED' } });
    for (const { lastError } of [refused.record, failed.record]) expect(lastError!.message).not.toContain('SMITH');
    expect([...refusing.logLines, ...failing.logLines].join('')).not.toContain('SMITH');
  });

  it('that cannot be reached is asked again when the server comes back with the same store', async () => {
    const gone = await startStage({ answer: () => accepted, outcomes: () => [] });
    await gone.close();
    const patient = { ...quick, mostAttempts: 1000 };
    const transport = (url: string) => (ownUrl: string) => httpTransport({ url, ownUrl: () => ownUrl }, (offerId) => tokenOfOffer(secret, offerId));
    const before = await openDesk(transport(gone.url), patient);
    const offerId = await before.desk.offer('stage', exam);
    await until(() => before.store.get(offerId)!.record.attempts > 1);
    expect(before.store.get(offerId)!.record.lastError).toMatchObject({ code: 'HANDOFF_ERR_NO_ANSWER' });
    await before.desk.close();
    const stage = await startStage({ answer: () => accepted, outcomes: (offer) => [done(offer)] });
    cleanUps.push(() => stage.close());
    const after = await openDesk(transport(stage.url), patient, before.store);
    await settled(after.store, offerId, 'done');
    expect(after.taken).toHaveLength(1);
  });
});

describe('the doors of an offer', () => {
  it('open with its own token only', async () => {
    const { desk, store, app, stage } = await withStage({ answer: () => accepted, outcomes: () => [] });
    const offerId = await desk.offer('stage', exam);
    const otherId = await desk.offer('stage', { ...exam, studyInstanceUid: '9.9' });
    await until(() => stage.offers.length === 2);
    const get = (id: string, path: string, token?: string) =>
      app.inject({ url: `/handoff/${id}/${path}`, headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
    const path = 'series/1.2.3.1/instances/1.2.3.1.1';
    const token = tokenOfOffer(secret, offerId);
    expect((await get(offerId, path, token)).statusCode).toBe(200);
    expect((await get(offerId, path)).statusCode).toBe(401);
    expect((await get(offerId, path, tokenOfOffer(secret, otherId))).statusCode).toBe(401);
    expect((await get(offerId, 'series/1.2.3.1/instances/1.2.3.2.1', token)).statusCode).toBe(404);
    expect((await get(offerId, 'series/7.7/nifti', token)).statusCode).toBe(404);
    const unknown = 'a'.repeat(32);
    expect((await get(unknown, path, tokenOfOffer(secret, unknown))).statusCode).toBe(404);
    const post = await app.inject({ method: 'POST', url: `/handoff/${offerId}/outcome`, payload: JSON.stringify(done(stage.offers[0]!)) });
    expect(post.statusCode).toBe(401);
    expect(store.kept.size).toBe(2);
  });
});

describe('a stage that watches a folder', () => {
  async function folderDesk() {
    const folder = await mkdtemp(join(tmpdir(), 'conus-handoff-'));
    cleanUps.push(() => rm(folder, { recursive: true }));
    return { folder, ...(await openDesk(() => folderTransport({ folder }))) };
  }
  const isThere = (path: string) => stat(path).then(() => true, () => false);

  it('finds the offer with its images when READY is there, and its results are taken when DONE is', async () => {
    const { folder, desk, store, taken } = await folderDesk();
    const offerId = await desk.offer('stage', exam);
    const at = (name: string) => join(folder, offerId, name);
    await until(() => isThere(at('READY')));
    const offer = JSON.parse(await readFile(at('offer.json'), 'utf8')) as { series: { dicom: { location: string }[]; nifti: string }[] };
    expect(await readFile(at(offer.series[0]!.dicom[1]!.location), 'utf8')).toBe('dicom 1.2.3.1 1.2.3.1.2');
    expect(await readFile(at(offer.series[1]!.nifti), 'utf8')).toBe('nifti 1.2.3.2');
    await mkdir(at('results'));
    await writeFile(at('results/seg.dcm'), 'a segmentation');
    await writeFile(at('outcome.json'), JSON.stringify({ version: 1, offerId, outcome: 'done', results: [{ kind: 'dicom', file: 'results/seg.dcm' }] }));
    await desk.tick();
    expect(taken).toEqual([]);
    await writeFile(at('DONE'), '');
    await settled(store, offerId, 'done');
    expect(taken).toEqual([{ version: 1, offerId, outcome: 'done', results: [{ kind: 'dicom', base64: Buffer.from('a segmentation').toString('base64') }] }]);
    await until(async () => !(await isThere(join(folder, offerId))));
  });

  it('names no file outside its offer', async () => {
    const { folder, desk, taken, logLines } = await folderDesk();
    const offerId = await desk.offer('stage', exam);
    await until(() => isThere(join(folder, offerId, 'READY')));
    await writeFile(join(folder, 'secret'), 'not for you');
    await writeFile(join(folder, offerId, 'outcome.json'), JSON.stringify({ version: 1, offerId, outcome: 'done', results: [{ kind: 'dicom', file: '../secret' }] }));
    await writeFile(join(folder, offerId, 'DONE'), '');
    await until(() => logLines.some((line) => line.includes('HANDOFF_ERR_OUTCOME')));
    expect(taken).toEqual([]);
  });

  it('may refuse', async () => {
    const { folder, desk, store } = await folderDesk();
    const offerId = offerIdOf('stage', exam);
    await mkdir(join(folder, offerId));
    await writeFile(join(folder, offerId, 'READY'), '');
    await writeFile(join(folder, offerId, 'answer.json'), '{"answer":"refused","reason":"no"}');
    await desk.offer('stage', exam);
    await settled(store, offerId, 'refused');
  });
});

describe('a stage that is a DICOM node', () => {
  it('has accepted when all is stored, and is done when objects of the study come back', async () => {
    const stored: string[] = [];
    let isAway = true;
    const { desk, store } = await openDesk(() =>
      dicomNodeTransport(async (series, images) => {
        if (isAway) {
          isAway = false;
          return series.instances.map(({ sopInstanceUid }) => sopInstanceUid);
        }
        for (const item of series.instances) stored.push(String(await images.dicom(item)));
        return [];
      }),
    );
    const offerId = await desk.offer('stage', exam);
    expect((await settled(store, offerId, 'accepted')).record).toMatchObject({ attempts: 2 });
    expect(stored).toHaveLength(3);
    await desk.resultsReceived('stage', '9.9');
    await desk.resultsReceived('another', exam.studyInstanceUid);
    expect(store.get(offerId)!.record.state).toBe('accepted');
    await desk.resultsReceived('stage', exam.studyInstanceUid);
    expect(store.get(offerId)!.record.state).toBe('done');
  });
});
