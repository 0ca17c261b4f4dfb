/** Jobs in a thread that is kept for the next one. */
import { CodedError } from 'ismrmrd';
import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import type { Tensors } from '../../../models/index.js';
import { NetworkJobs } from '../../../src/networkJobs/index.js';

interface Job {
  readonly does: 'tell' | 'throw' | 'exit' | 'ask';
}

/** Tells how many jobs this very thread has had. */
const compiled = new URL('../../../dist/src/networkJobs/index.js', import.meta.url).href;
const thread = new URL(`data:text/javascript,${encodeURIComponent(`
  import { serveJob } from '${compiled}';
  let nJobs = 0;
  serveJob(async ({ does }, run) => {
    nJobs++;
    if (does === 'throw') throw new Error('broken');
    if (does === 'exit') process.exit(3);
    if (does === 'ask') await run({});
    return nJobs;
  });
`)}`);

const error = (code: string) => (got: string) => new CodedError(code, got, { expected: '', action: '' });
const opened: NetworkJobs<Job, number>[] = [];
function open(run: () => Promise<Tensors> = () => Promise.resolve({}), longestMs = 60_000) {
  const jobs = new NetworkJobs<Job, number>({
    thread, host: { run }, longestMs, timeoutError: error('LATE'), threadError: error('BROKEN'), log: pino({ level: 'silent' }),
  });
  opened.push(jobs);
  return (does: Job['does']) => jobs.perform(() => ({ modelId: 'none', job: { does } }));
}

describe('the thread of jobs', () => {
  afterEach(async () => {
    for (const jobs of opened.splice(0)) await jobs.close();
  });

  it('is kept for the next job', async () => {
    const perform = open();
    expect(await Promise.all([perform('tell'), perform('ask'), perform('tell')])).toEqual([1, 2, 3]);
  });

  it('is another one after a job that failed, or that ended it', async () => {
    const perform = open();
    expect(await perform('tell')).toBe(1);
    await expect(perform('throw')).rejects.toMatchObject({ code: 'BROKEN' });
    expect(await perform('tell')).toBe(1);
    await expect(perform('exit')).rejects.toMatchObject({ code: 'BROKEN' });
    expect(await perform('tell')).toBe(1);
  });

  it('is another one after a job that took too long', async () => {
    const perform = open(() => new Promise(() => undefined), 1500);
    await expect(perform('ask')).rejects.toMatchObject({ code: 'LATE' });
    expect(await perform('tell')).toBe(1);
  });

  it('does the first job where it was started ahead', async () => {
    const perform = open();
    opened[0]!.prepare();
    opened[0]!.prepare();
    expect(await perform('tell')).toBe(1);
  });
});
