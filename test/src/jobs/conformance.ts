/** What holds for the queue of jobs, whichever driver keeps it. */
import { CodedError } from 'ismrmrd';
import { describe, expect, it, vi } from 'vitest';
import { FinalFailure } from '../../../src/jobs/index.js';
import type { JobBoard, JobKind, JobLimits, JobPerformer, JobQueue, JobRun, JobTally, KeptJob, NewJob } from '../../../src/jobs/index.js';
import type { Reason } from '../../../src/spool/index.js';
import { everyKind } from './testLimits.js';

/** Where jobs are kept; whoever is opened on one place shares them. */
export interface JobPlace {
  /** The queue of a node; closed when the test ends. One at a time where the place is not shared. */
  node(limits?: Partial<JobLimits>): JobQueue | Promise<JobQueue>;
  /** As a command beside the nodes has it. */
  beside(): JobBoard | Promise<JobBoard>;
}

let nJobs = 0;

/** With characters that keys of no database like. */
export function newJob(more: Partial<NewJob> = {}): NewJob {
  return { id: `exam/${++nJobs}: ü`, kind: 'synthesise', payload: { n: nJobs }, priority: 50, ...more };
}

/** Does jobs as it is told, and remembers them. */
export class Work {
  readonly runs: JobRun[] = [];
  readonly gaveUp: { readonly id: string; readonly why: Reason }[] = [];
  mostAtOnce = 0;
  #atOnce = 0;
  act: (run: JobRun, nthOfJob: number) => unknown = () => undefined;

  readonly perform: JobPerformer = async (run) => {
    this.runs.push(run);
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    try {
      return (await this.act(run, this.runs.filter(({ job: { id } }) => id === run.job.id).length)) as Awaited<ReturnType<JobPerformer>>;
    } finally {
      this.#atOnce--;
    }
  };

  readonly told = { gaveUp: ({ id }: KeptJob, why: Reason) => void this.gaveUp.push({ id, why }) };

  get ids(): string[] {
    return this.runs.map(({ job: { id } }) => id);
  }
}

/** Until the signal fires. */
export function untilAborted({ signal }: JobRun): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(new Error('aborted'));
    else signal.addEventListener('abort', () => reject(new Error('aborted')));
  });
}

export function barrier(): { readonly open: () => void; readonly passed: Promise<void> } {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

export const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 20 });
export const allEnded = (board: JobBoard) => soon(async () => expect(await board.list()).toEqual([]));
const noCoil = () => new CodedError('TEST_ERR_COIL', 'no coil', { expected: 'a coil', action: 'plug it in' });
export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const tallyOf = async (board: JobBoard, kind: JobKind = 'synthesise'): Promise<JobTally> => (await board.stats()).find((entry) => entry.kind === kind)!.tally;

async function started(place: JobPlace, limits?: Partial<JobLimits>): Promise<{ queue: JobQueue; work: Work }> {
  const queue = await place.node(limits);
  const work = new Work();
  queue.perform('synthesise', work.perform, work.told);
  queue.start();
  return { queue, work };
}

export function describeJobQueue(name: string, open: () => JobPlace | Promise<JobPlace>): void {
  describe(`the queue ${name}`, () => {
    it('does every job once, as it was added, and forgets it', async () => {
      const { queue, work } = await started(await open());
      const jobs = Array.from({ length: 12 }, () => newJob({ examId: 'e' }));
      await Promise.all(jobs.map((job) => queue.add(job)));
      await soon(() => expect(work.runs).toHaveLength(12));
      await allEnded(queue);
      expect(work.runs.map(({ job }) => job)).toMatchObject(jobs);
      expect(await tallyOf(queue)).toEqual({ done: 12, failed: 0, dead: 0, cancelled: 0 });
      expect(work.gaveUp).toEqual([]);
    });

    it('takes the same id for the same job until that is done, and for a new one then', async () => {
      const { queue, work } = await started(await open());
      const held = barrier();
      work.act = () => held.passed;
      const job = newJob();
      await Promise.all([queue.add(job), queue.add(job)]);
      await soon(() => expect(work.runs).toHaveLength(1));
      await queue.add(job);
      expect(await queue.list()).toHaveLength(1);
      held.open();
      await allEnded(queue);
      expect(work.runs).toHaveLength(1);
      await queue.add(job);
      await soon(() => expect(work.runs).toHaveLength(2));
    });

    it('does the most pressing first, and of these who came first', async () => {
      const place = await open();
      const queue = await place.node();
      const jobs = [40, 7, 100, 7, 1].map((priority) => newJob({ priority }));
      for (const job of jobs) await queue.add(job);
      const work = new Work();
      queue.perform('synthesise', work.perform);
      expect((await queue.list()).map(({ priority }) => priority).sort((a, b) => a - b)).toEqual([1, 7, 7, 40, 100]);
      queue.start();
      await allEnded(queue);
      expect(work.ids).toEqual([4, 1, 3, 0, 2].map((index) => jobs[index]!.id));
    });

    it('begins nothing before its time', async () => {
      const { queue, work } = await started(await open());
      const notBefore = Date.now() + 600;
      const [later, now] = [newJob({ notBefore, priority: 1 }), newJob({ priority: 90 })];
      const startedAt: number[] = [];
      work.act = () => void startedAt.push(Date.now());
      await queue.add(later);
      await queue.add(now);
      expect(await queue.get(later.id)).toMatchObject({ state: 'delayed' });
      await allEnded(queue);
      expect(work.ids).toEqual([now.id, later.id]);
      expect(startedAt[1]).toBeGreaterThanOrEqual(notBefore);
    });

    it('runs no more of a kind at once than the node may', async () => {
      const { queue, work } = await started(await open(), { concurrency: everyKind(3) });
      const held = barrier();
      work.act = () => held.passed;
      for (let n = 0; n < 7; n++) await queue.add(newJob());
      await soon(() => expect(work.runs).toHaveLength(3));
      expect((await queue.stats()).find(({ kind }) => kind === 'synthesise')).toMatchObject({ active: 3, waiting: 4, delayed: 0, dead: 0 });
      held.open();
      await allEnded(queue);
      expect(work.mostAtOnce).toBe(3);
      expect(work.runs).toHaveLength(7);
    });

    it('runs no more jobs of a lane at once than it takes, and none of a lane that nobody serves', async () => {
      const queue = await (await open()).node({ concurrency: everyKind(10) });
      const [slow, quick] = [new Work(), new Work()];
      const held = barrier();
      slow.act = () => held.passed;
      const lanes = new Map([['PACS: north', 2], ['teaching', 1]]);
      queue.perform('deliver', (run) => (run.job.lane === 'teaching' ? quick : slow).perform(run), { lanes });
      queue.start();
      for (let n = 0; n < 5; n++) await queue.add(newJob({ kind: 'deliver', lane: 'PACS: north' }));
      for (let n = 0; n < 3; n++) await queue.add(newJob({ kind: 'deliver', lane: 'teaching' }));
      await queue.add(newJob({ kind: 'deliver', lane: 'elsewhere' }));
      await soon(() => expect(quick.runs).toHaveLength(3));
      expect(slow.runs).toHaveLength(2);
      held.open();
      await soon(() => expect(slow.runs).toHaveLength(5));
      expect([slow.mostAtOnce, quick.mostAtOnce]).toEqual([2, 1]);
      await soon(async () => expect(await queue.list()).toMatchObject([{ lane: 'elsewhere', state: 'waiting' }]));
    });

    it('holds no more memory than the node has, and runs alone what needs more', async () => {
      const { queue, work } = await started(await open(), { concurrency: everyKind(10), memoryBytes: 1000 });
      let inUse = 0;
      const seen: number[] = [];
      work.act = async ({ job }) => {
        const { memoryBytes = 0 } = job.needs ?? {};
        inUse += memoryBytes;
        seen.push(inUse);
        await pause(30);
        inUse -= memoryBytes;
      };
      for (const memoryBytes of [600, 600, 300, 5000, 300, 300]) await queue.add(newJob({ needs: { memoryBytes } }));
      await allEnded(queue);
      expect(work.runs).toHaveLength(6);
      for (const bytes of seen) expect(bytes <= 1000 || bytes === 5000).toBe(true);
    });

    it('runs a model for one job at a time, whatever the kind', async () => {
      const queue = await (await open()).node({ concurrency: everyKind(4) });
      const [ofModel, ofOther] = [new Work(), new Work()];
      for (const kind of ['synthesise', 'analyse'] as const) {
        queue.perform(kind, (run) => (run.job.needs?.model === 'spine' ? ofModel : ofOther).perform(run));
      }
      ofModel.act = () => pause(20);
      const held = barrier();
      ofOther.act = () => held.passed;
      queue.start();
      await queue.add(newJob({ needs: { model: 'other' } }));
      for (const kind of ['synthesise', 'analyse', 'synthesise', 'analyse'] as const) await queue.add(newJob({ kind, needs: { model: 'spine' } }));
      await soon(() => expect(ofModel.runs).toHaveLength(4));
      held.open();
      await allEnded(queue);
      expect(ofModel.mostAtOnce).toBe(1);
    });

    it('tries what failed again, and then gives it up with the reason, which quotes no error without a code', async () => {
      const { queue, work } = await started(await open());
      work.act = (_run, nth) => {
        if (nth < 3) throw new Error('Doe^John');
        throw noCoil();
      };
      const job = newJob();
      await queue.add(job);
      await soon(async () => expect(await queue.get(job.id)).toMatchObject({ state: 'dead', attempts: 3, lastError: { code: 'TEST_ERR_COIL', message: 'got no coil; expected a coil; plug it in' } }));
      expect(work.runs.map(({ job: { attempts } }) => attempts)).toEqual([0, 1, 2]);
      expect(work.runs[2]!.job.lastError!.code).toBe('JOB_ERR_FAULT');
      expect(JSON.stringify(work.runs.map((run) => run.job))).not.toContain('Doe');
      expect(work.gaveUp).toMatchObject([{ id: job.id, why: { code: 'TEST_ERR_COIL' } }]);
      expect(await tallyOf(queue)).toEqual({ done: 0, failed: 3, dead: 1, cancelled: 0 });
      await queue.add(job);
      expect(await queue.list()).toMatchObject([{ id: job.id, state: 'dead' }]);
    });

    it('gives up at once what another attempt would not better', async () => {
      const { queue, work } = await started(await open());
      work.act = () => {
        throw new FinalFailure(noCoil());
      };
      const job = newJob();
      await queue.add(job);
      await soon(async () => expect(await queue.get(job.id)).toMatchObject({ state: 'dead', attempts: 1, lastError: { code: 'TEST_ERR_COIL' } }));
      expect(work.gaveUp).toMatchObject([{ id: job.id, why: { code: 'TEST_ERR_COIL' } }]);
    });

    it('tries dead letters anew with all attempts when told so, and forgets them when told so', async () => {
      const place = await open();
      const { queue, work } = await started(place);
      work.act = (_run, nth) => {
        if (nth <= 5) throw noCoil();
      };
      const [retried, dropped] = [newJob(), newJob()];
      await queue.add(retried);
      await queue.add(dropped);
      await soon(async () => expect((await queue.list()).map(({ state }) => state)).toEqual(['dead', 'dead']));
      const beside = await place.beside();
      expect(await beside.drop([dropped.id, 'nobody'])).toBe(1);
      expect(await beside.retry([retried.id, dropped.id])).toBe(1);
      await allEnded(queue);
      expect(work.ids.filter((id) => id === retried.id)).toHaveLength(6);
      expect(work.ids.filter((id) => id === dropped.id)).toHaveLength(3);
      expect(await tallyOf(queue)).toMatchObject({ done: 1, dead: 2 });
    });

    it('counts no attempt where a job asks to come again later', async () => {
      const { queue, work } = await started(await open());
      const startedAt: number[] = [];
      let againAt = 0;
      work.act = ({ job }, nth) => {
        startedAt.push(Date.now());
        expect(job.attempts).toBe(0);
        if (nth > 4) return undefined;
        againAt = Date.now() + (nth === 4 ? 400 : 0);
        return { againAt };
      };
      await queue.add(newJob());
      await allEnded(queue);
      expect(work.runs).toHaveLength(5);
      expect(startedAt[4]).toBeGreaterThanOrEqual(againAt);
      expect(await tallyOf(queue)).toEqual({ done: 1, failed: 0, dead: 0, cancelled: 0 });
    });

    it('cancels what waits and what runs, and tells whoever gave it', async () => {
      const place = await open();
      const { queue, work } = await started(place);
      work.act = untilAborted;
      const [running, waiting, delayed] = [newJob({ priority: 1 }), newJob(), newJob({ notBefore: Date.now() + 3_600_000 })];
      for (const job of [running, waiting, delayed]) await queue.add(job);
      await soon(() => expect(work.ids).toEqual([running.id]));
      const beside = await place.beside();
      expect(await beside.cancel([waiting.id, delayed.id, running.id, 'nobody'])).toBe(3);
      await allEnded(queue);
      expect(work.ids).toEqual([running.id]);
      expect(work.gaveUp.map(({ id }) => id).sort()).toEqual([running.id, waiting.id, delayed.id].sort());
      expect(new Set(work.gaveUp.map(({ why }) => why.code))).toEqual(new Set(['JOB_ERR_CANCELLED']));
      expect(await tallyOf(queue)).toEqual({ done: 0, failed: 0, dead: 0, cancelled: 3 });
    });

    it('forgets what is dropped, ends what runs of it, and tells nobody', async () => {
      const place = await open();
      const { queue, work } = await started(place);
      work.act = untilAborted;
      const [running, waiting, after] = [newJob({ priority: 1 }), newJob(), newJob()];
      await queue.add(running);
      await queue.add(waiting);
      await soon(() => expect(work.ids).toEqual([running.id]));
      work.act = () => undefined;
      const beside = await place.beside();
      expect(await beside.drop([running.id, waiting.id])).toBe(2);
      await queue.add(after);
      await soon(() => expect(work.ids).toEqual([running.id, after.id]));
      await allEnded(queue);
      expect(work.runs[0]!.signal.aborted).toBe(true);
      expect(work.gaveUp).toEqual([]);
    });

    it('shows how far a job is, and where', async () => {
      const place = await open();
      const { queue, work } = await started(place);
      const held = barrier();
      work.act = ({ progress }) => {
        progress(0.25, 'slice 3 of 12');
        return held.passed;
      };
      const job = newJob({ examId: 'e1' });
      await queue.add(job);
      const beside = await place.beside();
      await soon(async () => {
        expect(await beside.list({ kind: 'synthesise', state: 'active', examId: 'e1' })).toMatchObject([{ id: job.id, state: 'active', node: 'here', progress: { fraction: 0.25, text: 'slice 3 of 12' } }]);
      });
      expect(await beside.list({ examId: 'e2' })).toEqual([]);
      expect((await beside.get(job.id))!.startedAt).toBeGreaterThan(0);
      held.open();
      await allEnded(queue);
    });

    it('takes up what a command beside it adds', async () => {
      const place = await open();
      const { queue, work } = await started(place);
      const job = newJob();
      await (await place.beside()).add(job);
      await soon(() => expect(work.runs).toMatchObject([{ job }]));
      await allEnded(queue);
    });

    it('leaves to the next node what it did not finish, which is no attempt', async () => {
      const place = await open();
      const first = await started(place);
      first.work.act = untilAborted;
      const [cut, waiting] = [newJob({ priority: 1 }), newJob()];
      await first.queue.add(cut);
      await first.queue.add(waiting);
      await soon(() => expect(first.work.ids).toEqual([cut.id]));
      await first.queue.close();
      const next = await started(place);
      await allEnded(next.queue);
      expect(next.work.ids).toEqual([cut.id, waiting.id]);
      expect(next.work.runs[0]!.job.attempts).toBe(0);
      expect(first.work.gaveUp).toEqual([]);
    });

    it('does none of the kinds that the node does not take', async () => {
      const { queue, work } = await started(await open(), { take: new Set(['analyse']) });
      await queue.add(newJob());
      await pause(400);
      expect(work.runs).toEqual([]);
      expect(await queue.list()).toMatchObject([{ state: 'waiting' }]);
    });

    it('refuses jobs that are none', async () => {
      const queue = await (await open()).node();
      const bad = [newJob({ priority: 0 }), newJob({ priority: 1.5 }), newJob({ priority: 101 }), newJob({ id: '' }), newJob({ payload: 'x'.repeat(20_000) })];
      for (const job of bad) await expect((async () => queue.add(job))()).rejects.toMatchObject({ code: 'JOB_ERR_INVALID' });
      expect(await queue.list()).toEqual([]);
    });
  });
}
