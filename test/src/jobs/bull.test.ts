import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { connectRedis } from '../../../src/cluster/index.js';
import { openBullJobs } from '../../../src/jobs/index.js';
import type { JobLimits, JobQueue } from '../../../src/jobs/index.js';
import { createLog } from '../../../src/log.js';
import { allEnded, barrier, describeJobQueue, newJob, pause, soon, untilAborted, Work } from './conformance.js';
import { hasRedis, startRedis } from '../cluster/redisServer.js';
import type { RedisServer } from '../cluster/redisServer.js';
import { everyKind, testLimits } from './testLimits.js';

const log = createLog('silent', { write: () => undefined });

interface Cluster {
  readonly redis: RedisServer;
  readonly prefix: string;
  node(limits?: Partial<JobLimits>, name?: string): Promise<JobQueue>;
}

function clusterOn(redis: RedisServer, prefix: string): Cluster {
  return {
    redis, prefix,
    async node(limits, name = 'here') {
      const queue = await openBullJobs({ redisUrl: redis.url, prefix, node: name, limits: testLimits(limits), log });
      onTestFinished(() => queue.close());
      return queue;
    },
  };
}

async function nodeThatWorks(cluster: Cluster, name: string, limits?: Partial<JobLimits>, lanes?: ReadonlyMap<string, number>): Promise<{ queue: JobQueue; work: Work }> {
  const queue = await cluster.node(limits, name);
  const work = new Work();
  queue.perform('reconstruct', work.perform, work.told);
  if (lanes !== undefined) queue.perform('deliver', work.perform, { lanes });
  queue.start();
  return { queue, work };
}

const retro = () => newJob({ kind: 'reconstruct' });

describe.skipIf(!hasRedis)('with redis-server, which these tests need installed', () => {
  let redis: RedisServer;
  let nClusters = 0;
  const cluster = () => clusterOn(redis, `conus${++nClusters}`);
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis.remove());

  describeJobQueue('on Redis', () => {
    const { node } = cluster();
    return { node, beside: node };
  });

  describe('several nodes', () => {
    it('do each job once between them', async () => {
      const nodes = cluster();
      const [a, b] = [await nodeThatWorks(nodes, 'a'), await nodeThatWorks(nodes, 'b')];
      a.work.act = b.work.act = () => pause(10);
      const jobs = Array.from({ length: 20 }, retro);
      // Every node adds every job.
      await Promise.all([a, b].flatMap(({ queue }) => jobs.map((job) => queue.add(job))));
      await allEnded(a.queue);
      expect([...a.work.ids, ...b.work.ids].sort()).toEqual(jobs.map(({ id }) => id).sort());
      expect(a.work.ids.length * b.work.ids.length).toBeGreaterThan(0);
    });

    it('serve a lane with no more jobs at once than it takes, all of them together', async () => {
      const nodes = cluster();
      const lanes = new Map([['pacs', 2]]);
      const working = await Promise.all(['a', 'b', 'c'].map((name) => nodeThatWorks(nodes, name, { concurrency: everyKind(8) }, lanes)));
      let atOnce = 0;
      let mostAtOnce = 0;
      for (const { work } of working) {
        work.act = async () => {
          mostAtOnce = Math.max(mostAtOnce, ++atOnce);
          await pause(15);
          atOnce--;
        };
      }
      for (let n = 0; n < 24; n++) await working[n % 3]!.queue.add(newJob({ kind: 'deliver', lane: 'pacs' }));
      await allEnded(working[0]!.queue);
      expect(working.flatMap(({ work }) => work.ids)).toHaveLength(24);
      expect(mostAtOnce).toBe(2);
    });

    it('leave to another one what a node cannot admit', async () => {
      const nodes = cluster();
      const limits = { concurrency: everyKind(2) };
      const full = await nodeThatWorks(nodes, 'full', limits);
      const held = barrier();
      full.work.act = () => held.passed;
      await full.queue.add(newJob({ kind: 'reconstruct', needs: { memoryBytes: 900 } }));
      await soon(() => expect(full.work.runs).toHaveLength(1));
      const large = newJob({ kind: 'reconstruct', needs: { memoryBytes: 900 } });
      await full.queue.add(large);
      await pause(200);
      const empty = await nodeThatWorks(nodes, 'empty', limits);
      await soon(() => expect(empty.work.ids).toEqual([large.id]));
      expect(empty.work.runs[0]!.job.attempts).toBe(0);
      expect(full.work.runs).toHaveLength(1);
      held.open();
      await allEnded(full.queue);
    });

    it('end what another one cancels', async () => {
      const nodes = cluster();
      const [a, b] = [await nodeThatWorks(nodes, 'a'), await nodes.node({}, 'b')];
      a.work.act = untilAborted;
      const job = retro();
      await b.add(job);
      await soon(() => expect(a.work.runs).toHaveLength(1));
      expect(await b.cancel([job.id])).toBe(1);
      await allEnded(b);
      expect(a.work.gaveUp).toMatchObject([{ id: job.id, why: { code: 'JOB_ERR_CANCELLED' } }]);
    });

    it('take up what a node that was killed had begun', async () => {
      const nodes = cluster();
      const script = fileURLToPath(new URL('nodeProcess.ts', import.meta.url));
      const doomed = spawn(process.execPath, ['--import', 'tsx', script, redis.url, nodes.prefix], { stdio: ['ignore', 'pipe', 'inherit'] });
      onTestFinished(() => void doomed.kill('SIGKILL'));
      const board = await nodes.node({}, 'board');
      const job = retro();
      await board.add(job);
      await once(doomed.stdout, 'data');
      expect(await board.get(job.id)).toMatchObject({ state: 'active', node: 'doomed' });
      doomed.kill('SIGKILL');
      const { work } = await nodeThatWorks(nodes, 'next');
      await soon(() => expect(work.runs).toMatchObject([{ job: { id: job.id, attempts: 0 } }]));
      await allEnded(board);
    });
  });

  describe('while Redis is away', () => {
    async function ownCluster(): Promise<Cluster> {
      const own = await startRedis();
      onTestFinished(() => own.remove());
      return clusterOn(own, 'conus');
    }

    it('adds wait and what runs ends, and all goes on when it is back', async () => {
      const nodes = await ownCluster();
      const { queue, work } = await nodeThatWorks(nodes, 'a', { concurrency: everyKind(2) });
      const held = barrier();
      work.act = () => held.passed;
      const [running, late, after] = [retro(), retro(), retro()];
      await queue.add(running);
      await soon(() => expect(work.ids).toEqual([running.id]));
      await nodes.redis.stop('SIGKILL');
      await soon(() => expect(queue.trouble()).toContain('Redis'));
      let isAdded = false;
      const adding = queue.add(late).then(() => (isAdded = true));
      held.open();
      await pause(300);
      expect(isAdded).toBe(false);
      await nodes.redis.start();
      await adding;
      await queue.add(after);
      await allEnded(queue);
      expect(queue.trouble()).toBeUndefined();
      expect(new Set(work.ids)).toEqual(new Set([running.id, late.id, after.id]));
      expect((await queue.stats()).find(({ kind }) => kind === 'reconstruct')!.tally).toMatchObject({ done: 3, failed: 0 });
    });

    it('a node still ends', async () => {
      const nodes = await ownCluster();
      const { queue, work } = await nodeThatWorks(nodes, 'a');
      work.act = untilAborted;
      await queue.add(retro());
      await soon(() => expect(work.runs).toHaveLength(1));
      await nodes.redis.stop('SIGKILL');
      await queue.close();
      expect(work.runs[0]!.signal.aborted).toBe(true);
    });

    it('a Redis that comes back empty is told the limits of lanes again', async () => {
      const nodes = await ownCluster();
      const { queue } = await nodeThatWorks(nodes, 'a', {}, new Map([['pacs', 3]]));
      const client = await connectRedis({ redisUrl: nodes.redis.url });
      onTestFinished(() => client.disconnect());
      const limit = () => client.hget('conus:jobs:queue:deliver.pacs:meta', 'concurrency');
      await soon(async () => expect(await limit()).toBe('3'));
      await client.flushall();
      await nodes.redis.stop('SIGKILL');
      await nodes.redis.start();
      await soon(async () => expect(await limit()).toBe('3'));
      await queue.add(newJob({ kind: 'deliver', lane: 'pacs' }));
      await allEnded(queue);
    });
  });
});
