import { CodedError } from 'ismrmrd';
import { describe, expect, it, vi } from 'vitest';
import { jobsSection } from '../../../src/config/jobs.js';
import type { Job } from '../../../src/exams/index.js';
import { EmbeddedJobs, jobLimitsOf } from '../../../src/jobs/index.js';
import { createLog } from '../../../src/log.js';
import { ExamJobs } from '../../../src/service/examJobs.js';
import type { ExamWork } from '../../../src/service/examJobs.js';
import { kept } from '../exams/kept.js';
import { begin, facts, protocol, scan } from '../exams/scenes.js';
import { spoolIn, temporaryFolder } from '../spool/data.js';

const log = createLog('silent', { write: () => undefined });
const wanting = protocol({ analyse: (['structures', 'grades'] as const).map((task) => ({ task, fromSeries: ['sag-t1w'] })) });

async function house(perform: ExamWork['perform']) {
  const spool = await spoolIn(temporaryFolder());
  const { keeper } = kept({ protocols: [wanting], protocol: wanting.name });
  const limits = jobLimitsOf(jobsSection.parse({ firstDelayS: { analyse: 0.01 }, longestDelayS: { analyse: 0.01 }, attempts: { analyse: 2 } }));
  const queue = new EmbeddedJobs({ records: spool.records, limits, log });
  const jobs = new ExamJobs({ exams: keeper, queue, caughtUp: () => Promise.resolve(), log });
  jobs.perform('analyse', { perform });
  queue.start();
  const states = () => keeper.book.exams[0]!.actions.map(({ id, state }) => [id, state]);
  const scanned = () => scan('s1', facts('T1w sag'), begin).forEach((event) => keeper.apply(event));
  return { keeper, queue, states, scanned, close: () => queue.close() };
}

describe('what exams want done', () => {
  it('goes together where it is about the same series, and each is told how it ends', async () => {
    const asked: string[][] = [];
    const { states, scanned, queue, keeper, close } = await house(async (jobs: readonly Job[], _run, tell) => {
      asked.push(jobs.map(({ id }) => id));
      tell.failed(jobs[0]!, new CodedError('ANALYSIS_ERR_X', 'x', { expected: 'y', action: 'z' }));
    });
    scanned();
    await vi.waitFor(() => expect(states()).toEqual([['analyse/structures', 'failed'], ['analyse/grades', 'done']]), 3000);
    expect(asked).toEqual([['analyse/structures', 'analyse/grades']]);
    expect(keeper.book.exams[0]!.actions[0]!.reason).toEqual({ code: 'ANALYSIS_ERR_X', text: 'got x; expected y; z' });
    await vi.waitFor(async () => expect(await queue.list()).toEqual([]), 3000);
    await close();
  });

  it('is tried again after a fault, told when it was given up, and done after all where an operator retries it', async () => {
    let nRuns = 0;
    let isMended = false;
    const { states, scanned, queue, close } = await house(async () => {
      nRuns++;
      if (!isMended) throw new Error('Doe^Jane');
    });
    scanned();
    await vi.waitFor(() => expect(states().map(([, state]) => state)).toEqual(['failed', 'failed']), 5000);
    expect(nRuns).toBe(2);
    const [dead] = await queue.list();
    expect(dead).toMatchObject({ state: 'dead', kind: 'analyse', lastError: { code: 'JOB_ERR_FAULT' } });
    expect(JSON.stringify(dead)).not.toContain('Doe');
    isMended = true;
    await queue.retry([dead!.id]);
    await vi.waitFor(() => expect(states().map(([, state]) => state)).toEqual(['done', 'done']), 5000);
    await close();
  });

  it('is not done again where it is done', async () => {
    let nRuns = 0;
    const { states, scanned, queue, keeper, close } = await house(async () => void nRuns++);
    scanned();
    await vi.waitFor(() => expect(states().map(([, state]) => state)).toEqual(['done', 'done']), 3000);
    await vi.waitFor(async () => expect(await queue.list()).toEqual([]), 3000);
    const { id: examId } = keeper.book.exams[0]!;
    await queue.add({ id: 'again', kind: 'analyse', examId, priority: 13, payload: { examId, jobIds: ['analyse/structures', 'analyse/grades'] } });
    await vi.waitFor(async () => expect(await queue.list()).toEqual([]), 3000);
    expect(nRuns).toBe(1);
    await close();
  });
});
