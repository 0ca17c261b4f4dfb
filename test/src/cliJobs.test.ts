import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ExitCode, main } from '../../src/cli/index.js';
import { EmbeddedJobs, FinalFailure, jobError, openBullJobs } from '../../src/jobs/index.js';
import type { JobQueue } from '../../src/jobs/index.js';
import { createLog } from '../../src/log.js';
import { newJob, soon, untilAborted } from './jobs/conformance.js';
import { hasRedis, startRedis } from './cluster/redisServer.js';
import { testLimits } from './jobs/testLimits.js';
import { spoolIn, temporaryFolder } from './spool/data.js';

const log = createLog('silent', { write: () => undefined });

async function conus(...parameters: readonly string[]): Promise<{ code: ExitCode; out: string; err: string }> {
  const said = { out: '', err: '' };
  const into = (name: 'out' | 'err') =>
    new Writable({
      write(chunk: Buffer, _encoding, done) {
        said[name] += chunk.toString();
        done();
      },
    });
  const code = await main(parameters, { stdin: Readable.from([]), stdout: into('out'), stderr: into('err'), showsProgress: false, stop: new AbortController().signal });
  return { code, ...said };
}

/** With a job that runs, one that waits and one that was given up. */
async function withJobs(queue: JobQueue): Promise<void> {
  queue.perform('synthesise', (run) => {
    run.progress(0.5, 'half');
    return untilAborted(run);
  });
  queue.perform('analyse', () => Promise.reject(new FinalFailure(jobError('JOB_ERR_UNKNOWN', 'no such exam'))));
  queue.start();
  await queue.add(newJob({ id: 'aa11', examId: 'e1' }));
  await soon(async () => expect(await queue.get('aa11')).toMatchObject({ state: 'active', progress: { fraction: 0.5 } }));
  await queue.add(newJob({ id: 'aa22', examId: 'e2' }));
  await queue.add(newJob({ id: 'bb33', kind: 'analyse' }));
  await soon(async () => expect(await queue.list({ state: 'dead' })).toHaveLength(1));
}

async function behaves(queue: JobQueue, where: readonly string[]): Promise<void> {
  const listed = await conus('jobs', 'list', ...where);
  expect(listed).toMatchObject({ code: ExitCode.ok, err: '' });
  expect(listed.out).toMatch(/^aa11 +synthesise +active +50 +0 +\S+Z +here +50 %, half$/m);
  expect(listed.out).toMatch(/^aa22 +synthesise +waiting +50 +0 +\S+Z *$/m);
  expect(listed.out).toMatch(/^bb33 +analyse +dead +50 +1 +\S+Z +JOB_ERR_UNKNOWN: got no such exam/m);
  expect(listed.out).toContain('analyse: 0 done, 1 attempts failed, 1 given up, 0 cancelled\n');
  const json = JSON.parse((await conus('jobs', 'list', '--exam', 'e2', '--json', ...where)).out) as unknown;
  expect(json).toMatchObject({ jobs: [{ id: 'aa22', examId: 'e2', state: 'waiting' }] });
  expect((await conus('jobs', 'show', 'b', ...where)).out).toMatch(/^state +dead$/m);
  expect(await conus('jobs', 'show', 'aa', ...where)).toMatchObject({ code: ExitCode.usage });
  expect((await conus('jobs', 'show', 'aa', ...where)).err).toContain('JOB_ERR_UNKNOWN: got "aa", which 2 jobs begin with');
  expect(await conus('jobs', 'cancel', 'aa1', ...where)).toMatchObject({ code: ExitCode.ok, out: '1 jobs are cancelled\n' });
  expect(await conus('jobs', 'drop', '--all', ...where)).toMatchObject({ out: '1 jobs are dropped\n' });
  await soon(async () => expect((await queue.list()).map(({ id, state }) => ({ id, state }))).toEqual([{ id: 'aa22', state: 'active' }]));
}

describe('conus jobs', () => {
  it('looks after the queue in a data folder, beside whoever owns it', async () => {
    const folder = temporaryFolder();
    const spool = await spoolIn(folder);
    const queue = new EmbeddedJobs({ records: spool.records, limits: testLimits(), log, node: 'here' });
    onTestFinished(() => queue.close());
    await withJobs(queue);
    // lmdb is opened once a process.
    await queue.close();
    await spool.close();
    expect((await conus('jobs', 'list', '--data', folder)).out).toMatch(/^aa11 +synthesise +waiting/m);
    expect(await conus('jobs', 'retry', '--all', '--data', folder)).toMatchObject({ code: ExitCode.ok, out: '1 jobs are tried again\n' });
    expect((await conus('jobs', 'list', '--state', 'dead', '--json', '--data', folder)).out).toContain('"jobs": []');
    expect(await conus('jobs', 'cancel', 'aa1', '--data', folder)).toMatchObject({ out: '1 jobs are cancelled\n' });
    expect((await conus('jobs', 'list', '--data', folder)).out).toMatch(/^aa11 +synthesise +waiting, cancelled/m);
  });

  it('adds a reconstruction of raw data that are kept, whose parameters are checked at once', async () => {
    const folder = temporaryFolder();
    await (await spoolIn(folder)).close();
    const add = (...flags: string[]) => conus('jobs', 'add', 'reconstruct', '20261126T021500-ab12.mrd', '--data', folder, ...flags);
    const first = await add('--set', 'combine=rss');
    expect(first).toMatchObject({ code: ExitCode.ok, err: '' });
    expect(await add('--set', 'combine=rss')).toEqual(first);
    expect((await add('--set', 'combine=strange')).err).toContain('CONUS_ERR_PARAMETER');
    const { jobs } = JSON.parse((await conus('jobs', 'list', '--json', '--data', folder)).out) as { jobs: unknown[] };
    expect(jobs).toMatchObject([{ kind: 'reconstruct', state: 'waiting', payload: { raw: '20261126T021500-ab12.mrd', parameters: { combine: 'rss' } } }]);
  });

  it.skipIf(!hasRedis)('looks after the queue that nodes share', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.remove());
    const folder = mkdtempSync(join(tmpdir(), 'conus-jobs-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const config = join(folder, 'conus.json');
    writeFileSync(config, JSON.stringify({ cluster: { redisUrl: redis.url, prefix: 'house' } }));
    const queue = await openBullJobs({ redisUrl: redis.url, prefix: 'house', node: 'here', limits: testLimits(), log });
    onTestFinished(() => queue.close());
    await withJobs(queue);
    await behaves(queue, ['--config', config]);
  });

  it('wants to know where the queue is', async () => {
    const { code, err } = await conus('jobs', 'list');
    expect(code).toBe(ExitCode.usage);
    expect(err).toContain('JOB_ERR_NO_QUEUE');
    expect((await conus('jobs', 'retry', '--data', temporaryFolder())).err).toContain('JOB_ERR_NO_QUEUE');
  });
});
