import { describe, expect, it, onTestFinished } from 'vitest';
import { EmbeddedJobs, JobsBeside } from '../../../src/jobs/index.js';
import type { JobLimits } from '../../../src/jobs/index.js';
import { createLog } from '../../../src/log.js';
import type { Spool } from '../../../src/spool/index.js';
import { spoolIn, temporaryFolder } from '../spool/data.js';
import { allEnded, describeJobQueue, newJob, soon, untilAborted, Work } from './conformance.js';
import { testLimits } from './testLimits.js';

const log = createLog('silent', { write: () => undefined });

function nodeIn(spool: Spool, limits?: Partial<JobLimits>): EmbeddedJobs {
  const queue = new EmbeddedJobs({ records: spool.records, limits: testLimits(limits), log, node: 'here' });
  onTestFinished(() => queue.close());
  return queue;
}

describeJobQueue('in a data folder', async () => {
  const spool = await spoolIn(temporaryFolder());
  return { node: (limits) => nodeIn(spool, limits), beside: () => new JobsBeside(spool.records) };
});

describe('the queue in a data folder', () => {
  it('keeps jobs from the moment that add resolves, and takes up again what ran when the process died', async () => {
    const spool = await spoolIn(temporaryFolder());
    const died = nodeIn(spool);
    const before = new Work();
    before.act = untilAborted;
    died.perform('synthesise', before.perform);
    died.start();
    const [running, waiting] = [newJob({ priority: 1 }), newJob()];
    await Promise.all([died.add(running), died.add(waiting)]);
    await soon(async () => expect((await new JobsBeside(spool.records).list()).map(({ state }) => state)).toEqual(['active', 'waiting']));
    // Nothing of `died` is closed: the records are as a crash leaves them.
    const next = nodeIn(spool);
    expect((await next.list()).map(({ state, attempts, node }) => ({ state, attempts, node }))).toEqual([{ state: 'waiting', attempts: 0 }, { state: 'waiting', attempts: 0 }]);
    const after = new Work();
    next.perform('synthesise', after.perform);
    next.start();
    await allEnded(next);
    expect(after.ids).toEqual([running.id, waiting.id]);
  });

  it('tells of a job that was cancelled while no service ran', async () => {
    const spool = await spoolIn(temporaryFolder());
    const beside = new JobsBeside(spool.records);
    const job = newJob();
    await beside.add(job);
    await beside.cancel([job.id]);
    expect(await beside.list()).toMatchObject([{ id: job.id, isCancelled: true }]);
    const queue = nodeIn(spool);
    const work = new Work();
    queue.perform('synthesise', work.perform, work.told);
    queue.start();
    await allEnded(queue);
    expect(work.runs).toEqual([]);
    expect(work.gaveUp).toMatchObject([{ id: job.id, why: { code: 'JOB_ERR_CANCELLED' } }]);
    await queue.close();
    expect(await beside.list()).toEqual([]);
  });

  it('goes on in memory while the disk takes nothing, says so, and keeps all of it later', async () => {
    const spool = await spoolIn(temporaryFolder());
    let isFull = true;
    const transaction = <Result>(run: () => Result) => (isFull ? Promise.reject(new Error('no space')) : spool.records.transaction(run));
    const queue = new EmbeddedJobs({ records: { ...recordsOf(spool), transaction }, limits: testLimits(), log, node: 'here' });
    onTestFinished(() => queue.close());
    const work = new Work();
    queue.perform('synthesise', work.perform);
    queue.start();
    const [done, later] = [newJob(), newJob({ notBefore: Date.now() + 3_600_000 })];
    const kept = Promise.all([queue.add(done), queue.add(later)]);
    await soon(() => expect(work.ids).toEqual([done.id]));
    expect(queue.trouble()).toBe('jobs cannot be kept');
    isFull = false;
    await kept;
    expect(queue.trouble()).toBeUndefined();
    expect(await new JobsBeside(spool.records).list()).toMatchObject([{ id: later.id }]);
  });
});

const recordsOf = ({ records }: Spool) => ({
  table: records.table.bind(records), afterCommit: records.afterCommit.bind(records), flushed: records.flushed.bind(records),
} as Pick<Spool['records'], 'table' | 'afterCommit' | 'flushed'>);
