import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { ModelEntry } from '../../../models/index.js';
import { modelError } from '../../../models/index.js';
import { dicomSection } from '../../../src/config/dicom.js';
import { spoolSection } from '../../../src/config/spool.js';
import { CommitmentReports, DicomReceiver } from '../../../src/dicom/index.js';
import { httpApp, operationsRoutes } from '../../../src/http/index.js';
import { EmbeddedJobs, FinalFailure } from '../../../src/jobs/index.js';
import { createLog } from '../../../src/log.js';
import { LogRing } from '../../../src/logRing.js';
import { Metrics } from '../../../src/metrics.js';
import { outboxError } from '../../../src/outbox/index.js';
import { echoSchema, logSchema, Operations, operationsSchema } from '../../../src/operations/index.js';
import type { EchoView, OperationsSources } from '../../../src/operations/index.js';
import { deliveryOf } from '../../../src/service/index.js';
import type { Spool } from '../../../src/spool/index.js';
import { newJob, soon, untilAborted, Work } from '../jobs/conformance.js';
import { testLimits } from '../jobs/testLimits.js';
import { spoolIn, storedSeries, temporaryFolder } from '../spool/data.js';

const health = () => [{ part: 'data' }, { part: 'outbox', trouble: 'jobs wait' }];

function service(more: Partial<OperationsSources> = {}) {
  const ring = new LogRing();
  const log = createLog('trace', ring);
  const models = { entries: [], health: () => ({ state: 'idle' as const, nStarts: 0, nQueued: 0, residentBytes: 5, models: [] }) };
  const operations = new Operations({ health, spool: undefined, queue: undefined, cluster: undefined, destinations: new Map(), models, picturesBytes: () => 7, sessionsOpen: () => 3, log, ...more });
  const app = httpApp({
    doors: { hostNames: [], tls: undefined, authorise: () => ({ isAdmitted: true }) }, metrics: new Metrics(), log: createLog('silent', { write: () => undefined }),
    health, plugins: [operationsRoutes(operations, ring)],
  });
  const json = async (method: 'GET' | 'POST' | 'DELETE', url: string, body?: object) => {
    const answer = await app.inject({ method, url, ...(body !== undefined && { payload: body }) });
    const value: unknown = answer.payload === '' ? undefined : answer.json();
    const { code } = (value as { error?: { code?: string } } | undefined)?.error ?? {};
    return { status: answer.statusCode, value, code };
  };
  return { json, app, log, view: async () => operationsSchema.parse((await json('GET', '/api/operations')).value) };
}

async function jobs(spool: Spool) {
  const add = async (series: string, destination = 'pacs') => {
    const instances = await storedSeries(spool, series, 2);
    return spool.transaction(() => spool.outbox.add({ destination, examId: `exam/${series}`, instances }));
  };
  const waiting = await add('2.25.1');
  const dead = await add('2.25.2');
  const sending = await add('2.25.3', 'other');
  await spool.outbox.begin(dead);
  await spool.outbox.settle(dead, { acknowledged: ['2.25.2.1'], refused: { '2.25.2.2': { code: 'DICOM_ERR_REFUSED', message: 'status A900' } }, uncertain: [] }, { maxAttempts: 9, maxAgeMs: 1e9 }, 0);
  await spool.outbox.begin(sending);
  return { waiting, dead, sending };
}

/** One job that runs, one that waits behind it, one that was given up. */
async function queued() {
  const spool = await spoolIn(temporaryFolder());
  const queue = new EmbeddedJobs({ records: spool.records, limits: testLimits(), log: createLog('silent', { write: () => undefined }), node: 'here' });
  onTestFinished(() => queue.close());
  const work = new Work();
  work.act = (run) => {
    if (run.job.kind === 'analyse') throw new FinalFailure(outboxError('OUTBOX_ERR_SENDER', 'nobody'));
    run.progress(0.25, 'half of a half');
    return untilAborted(run);
  };
  queue.perform('synthesise', work.perform, work.told);
  queue.perform('analyse', work.perform, work.told);
  queue.start();
  const secret = { payload: { patient: 'Geheim' } };
  const [running, waiting, dead] = [newJob({ priority: 1, examId: 'exam/2.25.7', ...secret }), newJob(secret), newJob({ kind: 'analyse', examId: 'exam', ...secret })];
  await Promise.all([running, waiting, dead].map((job) => queue.add(job)));
  await soon(async () => expect((await queue.list()).map(({ state }) => state)).toEqual(['active', 'waiting', 'dead']));
  return { queue, work, running: running.id, waiting: waiting.id, dead: dead.id };
}

describe('operations', () => {
  it('tell how the service is doing', async () => {
    const { view } = service();
    const { memory, ...found } = await view();
    expect(found).toMatchObject({ health: health(), sessionsOpen: 3, outbox: { destinations: [], jobs: [], nJobs: 0 }, models: [], destinations: [] });
    expect(found.disk).toBeUndefined();
    expect(memory).toMatchObject({ picturesBytes: 7, modelHostBytes: 5 });
    expect(memory.rssBytes).toBeGreaterThan(memory.heapUsedBytes);
  });

  it('tell of the outbox: what was given up first, with its reason, and nothing of what is in it', async () => {
    const spool = await spoolIn(temporaryFolder());
    const { waiting, dead, sending } = await jobs(spool);
    const { outbox, disk } = await service({ spool }).view();
    expect(outbox.nJobs).toBe(3);
    expect(outbox.jobs.map(({ id }) => id)[0]).toBe(dead);
    expect(new Set(outbox.jobs.map(({ id }) => id))).toEqual(new Set([waiting, dead, sending]));
    expect(outbox.jobs[0]).toMatchObject({
      destination: 'pacs', examId: 'exam', seriesId: '2.25.2', state: 'dead', attempts: 1, nInstances: 2, nAcknowledged: 1, lastError: { code: 'DICOM_ERR_REFUSED', text: 'status A900' },
    });
    expect(outbox.destinations).toMatchObject([{ destination: 'other', sending: 1 }, { destination: 'pacs', waiting: 1, dead: 1, instancesDelivered: 1, jobsDead: 1 }]);
    expect(disk).toMatchObject({ usedBytes: 600, isFull: false });
    expect(disk!.freeBytes).toBeGreaterThan(0);
  });

  it('tell of 200 jobs at most, however many there are, and of all that were given up before the others', async () => {
    const spool = await spoolIn(temporaryFolder());
    const instances = await storedSeries(spool, '2.25.9', 1);
    await spool.transaction(() => {
      for (let n = 0; n < 260; n++) spool.outbox.add({ destination: `d${n}`, examId: 'e', instances });
    });
    const given = spool.outbox.list().slice(0, 5).map(({ id }) => id);
    for (const id of given) {
      await spool.outbox.begin(id);
      await spool.outbox.settle(id, { acknowledged: [], refused: {}, uncertain: [] }, { maxAttempts: 1, maxAgeMs: 1e9 }, 0);
    }
    const { outbox } = await service({ spool }).view();
    expect([outbox.jobs.length, outbox.nJobs]).toEqual([200, 260]);
    expect(new Set(outbox.jobs.slice(0, 5).map(({ id }) => id))).toEqual(new Set(given));
  });

  it('try a job again and drop one that was given up, for somebody who says who he is, and the log has it', async () => {
    const spool = await spoolIn(temporaryFolder());
    const { waiting, dead, sending } = await jobs(spool);
    const { json } = service({ spool });
    const by = { by: 'Tech One' };
    const refused = [
      await json('POST', `/api/outbox/${dead}/retry`), await json('POST', '/api/outbox/none/retry', by), await json('POST', `/api/outbox/${sending}/retry`, by),
      await json('DELETE', `/api/outbox/${waiting}`, by), await json('DELETE', `/api/outbox/${sending}`, by), await json('DELETE', `/api/outbox/${dead}`, { by: '' }),
    ];
    expect(refused.map(({ status, code }) => `${status} ${code!}`)).toEqual([
      '400 CONUS_ERR_HTTP_REQUEST', '404 OUTBOX_ERR_UNKNOWN_JOB', '409 CONUS_ERR_JOB_STATE', '409 CONUS_ERR_JOB_STATE', '409 CONUS_ERR_JOB_STATE', '400 CONUS_ERR_HTTP_REQUEST',
    ]);
    expect(spool.outbox.list()).toHaveLength(3);

    const told: string[] = [];
    spool.outbox.on('added', ({ id }) => told.push(id));
    expect((await json('POST', `/api/outbox/${dead}/retry`, by)).value).toMatchObject({ id: dead, state: 'waiting', attempts: 0 });
    expect(told).toEqual([dead]);
    await spool.outbox.begin(dead);
    await spool.outbox.settle(dead, { acknowledged: [], refused: {}, uncertain: [] }, { maxAttempts: 1, maxAgeMs: 1e9 }, 0);
    expect(await json('DELETE', `/api/outbox/${dead}`, by)).toMatchObject({ status: 204 });
    expect(spool.outbox.get(dead)).toBeUndefined();
    const { entries } = logSchema.parse((await json('GET', '/api/log?text=as was asked')).value);
    expect(entries.map(({ fields }) => [fields['job'], fields['by']])).toEqual([[dead, 'Tech One'], [dead, 'Tech One']]);
  });

  it('tell of the queue: what was given up first, then what runs and how far it is, and no payload', async () => {
    const { queue, running, waiting, dead } = await queued();
    const { view, json } = service({ queue });
    const { jobs } = await view();
    expect(jobs!.nJobs).toBe(3);
    expect(jobs!.latest).toMatchObject([
      { id: dead, kind: 'analyse', examId: 'exam', state: 'dead', attempts: 1, lastError: { code: 'OUTBOX_ERR_SENDER' } },
      { id: running, kind: 'synthesise', examId: 'exam', seriesId: '2.25.7', state: 'active', node: 'here', progress: { fraction: 0.25, text: 'half of a half' } },
      { id: waiting, state: 'waiting', attempts: 0, isCancelled: false },
    ]);
    expect(jobs!.kinds.map(({ kind }) => kind)).toEqual(['synthesise', 'analyse', 'deliver', 'reconstruct']);
    expect(jobs!.kinds.slice(0, 2)).toMatchObject([{ waiting: 1, active: 1, dead: 0 }, { waiting: 0, dead: 1, tally: { failed: 1, dead: 1 } }]);
    expect(jobs!.kinds[1]!.oldestAt).toBeUndefined();
    expect(JSON.stringify((await json('GET', '/api/operations')).value)).not.toContain('Geheim');
  });

  it('tell of 200 jobs of the queue at most', async () => {
    const { queue, dead } = await queued();
    await Promise.all(Array.from({ length: 260 }, () => queue.add(newJob())));
    const { jobs } = await service({ queue }).view();
    expect([jobs!.latest.length, jobs!.nJobs, jobs!.latest[0]!.id]).toEqual([200, 263, dead]);
  });

  it('tell all the rest while the queue does not answer', async () => {
    const nothing = () => Promise.resolve(0);
    for (const list of [() => new Promise<never>(() => undefined), () => Promise.reject(new Error('away'))]) {
      const queue = { list, stats: () => Promise.resolve([]), get: () => Promise.resolve(undefined), retry: nothing, cancel: nothing, drop: nothing };
      const { jobs, sessionsOpen } = await service({ queue }).view();
      expect([jobs, sessionsOpen]).toEqual([undefined, 3]);
    }
  });

  it('try a job again, cancel one and drop one that was given up, for somebody who says who he is, and the log has it', async () => {
    const { queue, work, running, waiting, dead } = await queued();
    const { json } = service({ queue });
    const by = { by: 'Tech One' };
    const pathOf = (id: string) => `/api/jobs/${encodeURIComponent(id)}`;
    const refused = [
      await json('POST', `${pathOf(dead)}/retry`), await json('POST', '/api/jobs/none/retry', by), await json('POST', '/api/jobs/none/cancel', by), await json('DELETE', '/api/jobs/none', by),
      await json('POST', `${pathOf(running)}/retry`, by), await json('POST', `${pathOf(dead)}/cancel`, by), await json('DELETE', pathOf(running), by), await json('DELETE', pathOf(waiting), by),
    ];
    expect(refused.map(({ status, code }) => `${status} ${code!}`)).toEqual([
      '400 CONUS_ERR_HTTP_REQUEST', ...Array<string>(3).fill('404 JOB_ERR_UNKNOWN'), ...Array<string>(4).fill('409 CONUS_ERR_JOB_STATE'),
    ]);
    expect(await queue.list()).toHaveLength(3);

    expect(await json('POST', `${pathOf(dead)}/retry`, by)).toMatchObject({ status: 200, value: { id: dead, kind: 'analyse' } });
    await soon(async () => expect([work.runs.filter(({ job }) => job.id === dead).length, (await queue.get(dead))?.state]).toEqual([2, 'dead']));
    expect(await json('DELETE', pathOf(dead), by)).toMatchObject({ status: 204 });
    expect(await queue.get(dead)).toBeUndefined();
    expect(await json('POST', `${pathOf(waiting)}/cancel`, by)).toMatchObject({ status: 204 });
    expect(await json('POST', `${pathOf(running)}/cancel`, by)).toMatchObject({ status: 204 });
    await soon(async () => expect(await queue.list()).toEqual([]));
    expect(new Set(work.gaveUp.filter(({ why }) => why.code === 'JOB_ERR_CANCELLED').map(({ id }) => id))).toEqual(new Set([running, waiting]));
    const { entries } = logSchema.parse((await json('GET', '/api/log?text=as was asked')).value);
    expect(entries.map(({ fields }) => [fields['job'], fields['by']])).toEqual([running, waiting, dead, dead].map((id) => [id, 'Tech One']));
  });

  it('tell which nodes there are, where there are several', async () => {
    const node = (name: string, startedAt: number) => ({ boot: `${name}-1`, name, version: '1', startedAt, settingsSha256: 'ab' });
    const { nodes } = await service({ cluster: { boot: 'b-1', nodes: [node('a', 1), node('b', 2)] } }).view();
    expect(nodes).toEqual([{ name: 'a', version: '1', startedAt: 1, isOwn: false }, { name: 'b', version: '1', startedAt: 2, isOwn: true }]);
    expect((await service().view()).nodes).toBeUndefined();
  });

  it('ask destinations of every kind whether they answer, within a time, and name no secrets', async () => {
    const folder = temporaryFolder();
    const receiver = new DicomReceiver(
      { host: '127.0.0.1', port: 0, aeTitles: ['PACS'], maxAssociations: 4, maxObjectBytes: 2 ** 20, idleTimeoutMs: 20_000 },
      { received: () => Promise.resolve(), associationClosed: () => undefined }, createLog('silent', { write: () => undefined }),
    );
    const { port } = await receiver.listen();
    const web = createServer((request, response) => response.writeHead(request.url?.startsWith('/good') === true ? 200 : 404).end('[]')).listen(0, '127.0.0.1');
    await once(web, 'listening');
    onTestFinished(async () => {
      await receiver.close(0);
      web.close();
    });
    const webHost = `127.0.0.1:${(web.address() as AddressInfo).port}`;
    await writeFile(join(folder, 'file'), '');
    const peer = { kind: 'dicom', host: '127.0.0.1', aeTitle: 'PACS' };
    const { destinations } = await deliveryOf(dicomSection.parse({ destinations: {
      pacs: { ...peer, port }, stranger: { ...peer, port, aeTitle: 'OTHER' }, away: { ...peer, port: 1 },
      web: { kind: 'stow', url: `http://user:geheim@${webHost}/good/studies` }, wrong: { kind: 'stow', url: `http://${webHost}/bad/studies` },
      folder: { kind: 'folder', folder: join(folder, 'out') }, file: { kind: 'folder', folder: join(folder, 'file') },
    } }), spoolSection.parse({}), [], new CommitmentReports());
    const { json, view } = service({ destinations });
    const echo = async (name: string): Promise<EchoView> => echoSchema.parse((await json('POST', `/api/destinations/${name}/echo`)).value);
    const answers = Object.fromEntries(await Promise.all([...destinations.keys()].map(async (name) => [name, await echo(name)] as const)));
    expect(Object.fromEntries(Object.entries(answers).map(([name, { ok, error }]) => [name, ok || error!.code]))).toMatchObject({
      pacs: true, stranger: 'DICOM_ERR_REJECTED', away: 'DICOM_ERR_CONNECTION', wrong: 'DICOM_ERR_HTTP', folder: true, file: 'DICOM_ERR_CONNECTION',
    });
    // What was tried with is gone.
    expect(readdirSync(join(folder, 'out'))).toEqual([]);
    const told = (await view()).destinations;
    expect(told.find(({ name }) => name === 'pacs')).toEqual({ name: 'pacs', kind: 'dicom', host: `127.0.0.1:${port}`, canEcho: true });
    expect(told.find(({ name }) => name === 'web')).toEqual({ name: 'web', kind: 'stow', host: webHost, canEcho: true });
    expect(JSON.stringify([told, answers])).not.toContain('geheim');
    expect(await json('POST', '/api/destinations/none/echo')).toMatchObject({ status: 404, code: 'CONUS_ERR_DESTINATION_UNKNOWN' });
  });

  it('show the models, why one is refused, and their cards, and no other file', async () => {
    const folder = temporaryFolder();
    await mkdir(join(folder, 'good'));
    await writeFile(join(folder, 'good', 'card.md'), '# Good');
    await writeFile(join(folder, 'card.md'), 'secret');
    const entry = (id: string, more: Partial<ModelEntry> = {}): ModelEntry => ({ id, folder: join(folder, id), manifest: undefined, sha256: 'ab', state: 'ready', ...more });
    const entries = [entry('good'), entry('bad', { state: 'refused', reason: modelError('MODEL_ERR_DUPLICATE', 'a second one') })];
    const health = () => ({ state: 'idle' as const, nStarts: 1, nQueued: 0, residentBytes: 0, models: [{ id: 'good', state: 'ready' as const, nRuns: 12, nFailures: 1, totalRunMs: 3 }] });
    const { view, app, json } = service({ models: { entries, health } });
    expect((await view()).models).toMatchObject([{ id: 'good', state: 'ready', nRuns: 12, nFailures: 1 }, { id: 'bad', state: 'refused', reason: { code: 'MODEL_ERR_DUPLICATE' }, nRuns: 0 }]);
    const card = await app.inject('/api/models/good/card');
    expect([card.payload, card.headers['content-type']]).toEqual(['# Good', 'text/plain; charset=utf-8']);
    for (const id of ['bad', 'none', '..', '%2e%2e', 'good%2f..']) expect((await json('GET', `/api/models/${id}/card`)).status).toBe(404);
  });

  it('give the log by level and text, and refuse another question', async () => {
    const { json, log } = service();
    log.info('one');
    log.error({ code: 'X' }, 'two');
    const texts = async (query: string) => logSchema.parse((await json('GET', `/api/log${query}`)).value).entries.map(({ text }) => text);
    expect(await texts('')).toEqual(['two', 'one']);
    expect(await texts('?level=error')).toEqual(['two']);
    expect(await texts('?text=ONE')).toEqual(['one']);
    expect(await texts('?limit=1')).toEqual(['two']);
    for (const query of ['?level=loud', '?limit=0', '?limit=100000']) expect(await json('GET', `/api/log${query}`)).toMatchObject({ status: 400, code: 'CONUS_ERR_HTTP_REQUEST' });
  });
});
