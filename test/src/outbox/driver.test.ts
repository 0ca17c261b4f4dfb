import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { jobsSection } from '../../../src/config/jobs.js';
import { EmbeddedJobs, jobLimitsOf, openBullJobs } from '../../../src/jobs/index.js';
import type { JobQueue } from '../../../src/jobs/index.js';
import { createLog } from '../../../src/log.js';
import { OutboxDriver } from '../../../src/outbox/index.js';
import type { Destination, LoadedInstance, OutboxPolicy, Sender, SendResult } from '../../../src/outbox/index.js';
import type { Spool } from '../../../src/spool/index.js';
import { hasRedis, startRedis } from '../cluster/redisServer.js';
import { spoolIn, storedSeries, temporaryFolder } from '../spool/data.js';

const silent = createLog('silent', { write: () => undefined });
const quick: OutboxPolicy = { firstDelayMs: 10, longestDelayMs: 50, maxAttempts: 20, maxAgeMs: 60_000 };

/** A receiver that does with each instance, or with a whole attempt, what it is told to. */
class FakeReceiver implements Sender {
  readonly stored: string[] = [];
  readonly attempts: string[][] = [];
  mostAtOnce = 0;
  #atOnce = 0;
  fate: (uid: string, attempt: number) => 'stored' | 'refused' | 'lost' = () => 'stored';
  isAway = false;
  gate: Promise<void> = Promise.resolve();

  async send(instances: readonly LoadedInstance[], signal: AbortSignal): Promise<readonly SendResult[]> {
    this.attempts.push(instances.map(({ sopInstanceUid }) => sopInstanceUid));
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    try {
      if (this.isAway) return instances.map(({ sopInstanceUid }) => failed(sopInstanceUid, 'DICOM_ERR_CONNECTION', true));
      await Promise.race([this.gate, new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))]);
      if (signal.aborted) return instances.map(({ sopInstanceUid }) => failed(sopInstanceUid, 'DICOM_ERR_CANCELLED', true));
      return await Promise.all(instances.map((instance) => this.#store(instance)));
    } finally {
      this.#atOnce--;
    }
  }

  async #store({ sopInstanceUid, bytes }: LoadedInstance): Promise<SendResult> {
    expect((await bytes()).length).toBeGreaterThan(0);
    const fate = this.fate(sopInstanceUid, this.attempts.length);
    if (fate === 'refused') return failed(sopInstanceUid, 'DICOM_ERR_REFUSED', false);
    if (fate === 'lost') return failed(sopInstanceUid, 'DICOM_ERR_TIMEOUT', true);
    this.stored.push(sopInstanceUid);
    return { sopInstanceUid, outcome: 'stored' };
  }
}

const failed = (sopInstanceUid: string, code: string, retryable: boolean): SendResult => ({ sopInstanceUid, outcome: 'failed', code, detail: 'as told', retryable });

const limits = jobLimitsOf(jobsSection.parse({}));

/** With its queue, in the data folder where none is given; both not started. */
function driverOn(
  spool: Spool, destinations: Record<string, Destination>, policy = quick, log = silent, queue: JobQueue = new EmbeddedJobs({ records: spool.records, limits, log }),
): { start(): void; driver: OutboxDriver; queue: JobQueue } {
  const driver = new OutboxDriver({ spool, queue, destinations: new Map(Object.entries(destinations)), policy, log });
  onTestFinished(() => queue.close());
  onTestFinished(() => driver.stop());
  const start = () => {
    driver.start();
    queue.start();
  };
  return { start, driver, queue };
}

async function started(receiver: Sender, parallel = 2, policy = quick): Promise<{ spool: Spool; add: (series: string, n: number) => Promise<string> }> {
  const spool = await spoolIn(temporaryFolder());
  driverOn(spool, { pacs: { sender: receiver, parallel } }, policy).start();
  const add = async (series: string, n: number) => {
    const instances = await storedSeries(spool, series, n);
    return spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
  };
  return { spool, add };
}

const empty = (spool: Spool) => vi.waitFor(() => expect(spool.outbox.list()).toEqual([]), { timeout: 20_000, interval: 20 });
const tally = (spool: Spool) => spool.outbox.stats()[0]!.tally;

describe('the driver', () => {
  it('delivers every instance once, and no more jobs at once than it may', async () => {
    const receiver = new FakeReceiver();
    const { spool, add } = await started(receiver);
    for (let series = 0; series < 6; series++) await add(`2.25.${series}`, 3);
    await empty(spool);
    expect(receiver.stored.sort()).toEqual(Array.from({ length: 18 }, (_, index) => `2.25.${Math.floor(index / 3)}.${1 + (index % 3)}`));
    expect(receiver.mostAtOnce).toBeLessThanOrEqual(2);
    expect(tally(spool)).toMatchObject({ jobsDelivered: 6, instancesDelivered: 18, instancesResent: 0 });
  });

  it('sends only the rest again, and counts what may have arrived before', async () => {
    const receiver = new FakeReceiver();
    receiver.fate = (uid, attempt) => (uid.endsWith('.2') && attempt === 1 ? 'lost' : 'stored');
    const { spool, add } = await started(receiver);
    await add('2.25.7', 3);
    await empty(spool);
    expect(receiver.attempts).toEqual([['2.25.7.1', '2.25.7.2', '2.25.7.3'], ['2.25.7.2']]);
    expect(tally(spool)).toMatchObject({ instancesDelivered: 2, instancesResent: 1 });
  });

  it('waits for a receiver that is away, and does not count as sent what never left', async () => {
    const receiver = new FakeReceiver();
    receiver.isAway = true;
    const { spool, add } = await started(receiver, 2, { ...quick, firstDelayMs: 300, longestDelayMs: 60_000, maxAttempts: 1000 });
    for (let series = 0; series < 4; series++) await add(`2.25.${series}`, 1);
    await vi.waitFor(() => expect(receiver.attempts.length).toBeGreaterThanOrEqual(8), { timeout: 20_000 });
    receiver.isAway = false;
    await empty(spool);
    expect(tally(spool)).toMatchObject({ instancesDelivered: 4, instancesResent: 0 });
  });

  it('gives up what is refused, with the reason, and what was tried too often', async () => {
    const receiver = new FakeReceiver();
    receiver.fate = (uid) => (uid === '2.25.1.1' ? 'refused' : 'lost');
    const { spool, add } = await started(receiver, 2, { ...quick, maxAttempts: 3 });
    const [refused, lost] = [await add('2.25.1', 1), await add('2.25.2', 1)];
    await vi.waitFor(() => expect(spool.outbox.list().map(({ state }) => state)).toEqual(['dead', 'dead']), { timeout: 20_000 });
    expect(spool.outbox.get(refused)).toMatchObject({ attempts: 1, lastError: { code: 'DICOM_ERR_REFUSED' } });
    expect(spool.outbox.get(lost)).toMatchObject({ attempts: 3, lastError: { code: 'DICOM_ERR_TIMEOUT' } });
    expect(tally(spool)).toMatchObject({ jobsDead: 2 });
    receiver.fate = () => 'stored';
    await spool.outbox.retry([refused, lost]);
    await empty(spool);
  });

  it('takes a sender that throws for one that failed', async () => {
    let nCalls = 0;
    const broken: Sender = {
      send: (instances) => {
        if (++nCalls === 1) return Promise.reject(new Error('with a name in it'));
        return Promise.resolve(instances.map(({ sopInstanceUid }) => ({ sopInstanceUid, outcome: 'stored' as const })));
      },
    };
    const { spool, add } = await started(broken);
    await add('2.25.1', 1);
    await empty(spool);
    expect(nCalls).toBe(2);
  });

  it('leaves to the next process what it did not finish', async () => {
    const receiver = new FakeReceiver();
    receiver.gate = new Promise(() => undefined);
    const spool = await spoolIn(temporaryFolder());
    const { start, driver } = driverOn(spool, { pacs: { sender: receiver, parallel: 1 } });
    start();
    const instances = await storedSeries(spool, '2.25.1', 2);
    const id = await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    await vi.waitFor(() => expect(receiver.attempts).toHaveLength(1), { timeout: 10_000 });
    await driver.stop();
    expect(spool.outbox.get(id)).toMatchObject({ state: 'waiting', acknowledged: [] });
  });

  it('takes up again what is recorded as being sent and is not', async () => {
    const spool = await spoolIn(temporaryFolder());
    const instances = await storedSeries(spool, '2.25.1', 1);
    const id = await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    await spool.outbox.begin(id);
    const receiver = new FakeReceiver();
    driverOn(spool, { pacs: { sender: receiver, parallel: 1 } }).start();
    await empty(spool);
    expect(tally(spool)).toMatchObject({ instancesDelivered: 0, instancesResent: 1 });
  });

  it('tells of jobs whose destination nobody knows', async () => {
    const spool = await spoolIn(temporaryFolder());
    const instances = await storedSeries(spool, '2.25.1', 1);
    await spool.transaction(() => spool.outbox.add({ destination: 'elsewhere', examId: 'e', instances }));
    const lines: string[] = [];
    const log = createLog('warn', { write: (line) => lines.push(line) });
    const { start, driver } = driverOn(spool, {}, quick, log);
    start();
    expect(driver.unknownDestinations).toEqual(['elsewhere']);
    expect(lines.map((line) => (JSON.parse(line) as { destination: string }).destination)).toEqual(['elsewhere']);
    expect(spool.outbox.list()[0]).toMatchObject({ state: 'waiting', attempts: 0 });
  });

  it('gives up a delivery that an operator cancels in the queue, until he retries it in the outbox', async () => {
    const receiver = new FakeReceiver();
    receiver.gate = new Promise(() => undefined);
    const spool = await spoolIn(temporaryFolder());
    const { start, queue } = driverOn(spool, { pacs: { sender: receiver, parallel: 1 } });
    start();
    const instances = await storedSeries(spool, '2.25.1', 1);
    const id = await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    await vi.waitFor(() => expect(receiver.attempts).toHaveLength(1), { timeout: 10_000 });
    expect(await queue.list()).toMatchObject([{ id, kind: 'deliver', lane: 'pacs', state: 'active' }]);
    await queue.cancel([id]);
    await vi.waitFor(() => expect(spool.outbox.get(id)).toMatchObject({ state: 'dead', lastError: { code: 'JOB_ERR_CANCELLED' } }), { timeout: 10_000 });
    receiver.gate = Promise.resolve();
    await spool.outbox.retry([id]);
    await empty(spool);
    expect(receiver.stored).toEqual(['2.25.1.1']);
  });

  it('gives to the queue again what that lost', async () => {
    const receiver = new FakeReceiver();
    receiver.isAway = true;
    const spool = await spoolIn(temporaryFolder());
    const { start, queue } = driverOn(spool, { pacs: { sender: receiver, parallel: 1 } });
    start();
    const instances = await storedSeries(spool, '2.25.1', 1);
    const id = await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    await vi.waitFor(() => expect(receiver.attempts.length).toBeGreaterThan(1), { timeout: 10_000 });
    await queue.drop([id]);
    receiver.isAway = false;
    await empty(spool);
  });
});

describe.skipIf(!hasRedis)('drivers of several nodes, with redis-server, which these tests need installed', () => {
  it('deliver every instance once between them, and no more jobs at once than the destination takes', async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.remove());
    const receiver = new FakeReceiver();
    // One fails at first: its next attempt is given to the queue anew, whichever node that comes to.
    receiver.fate = (uid, attempt) => (uid === '2.25.3.1' && attempt < 8 ? 'lost' : 'stored');
    const spool = await spoolIn(temporaryFolder());
    for (const node of ['a', 'b']) {
      const queue = await openBullJobs({ redisUrl: redis.url, prefix: 'conus', node, limits, log: silent });
      driverOn(spool, { pacs: { sender: receiver, parallel: 2 } }, quick, silent, queue).start();
    }
    for (let series = 0; series < 12; series++) {
      const instances = await storedSeries(spool, `2.25.${series}`, 2);
      await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    }
    await empty(spool);
    expect(receiver.stored.sort()).toEqual(Array.from({ length: 24 }, (_, index) => `2.25.${Math.floor(index / 2)}.${1 + (index % 2)}`).sort());
    expect(receiver.mostAtOnce).toBeLessThanOrEqual(2);
    expect(tally(spool)).toMatchObject({ jobsDelivered: 12 });
  });
});
