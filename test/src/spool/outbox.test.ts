import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { backOffMs } from '../../../src/jobs/index.js';
import { attempted, begun, interrupted, outstanding, revived } from '../../../src/spool/jobs.js';
import type { AttemptOutcome, OutboxJob } from '../../../src/spool/index.js';
import { spoolIn, storedSeries, temporaryFolder } from './data.js';

const limits = { maxAttempts: 5, maxAgeMs: 1000 };
const reason = { code: 'TEST_ERR', message: 'refused' };

function newJob(nInstances: number): OutboxJob {
  const instances = Array.from({ length: nInstances }, (_, index) => ({
    sopInstanceUid: `1.${index}`, sopClassUid: '1.2', seriesInstanceUid: '1', studyInstanceUid: '1', transferSyntaxUid: '1.3', ref: 'r', nBytes: 1,
  }));
  return {
    id: 'job', destination: 'pacs', examId: 'exam', instances, acknowledged: [], refused: {}, state: 'waiting',
    isIncomplete: false, attempts: 0, createdAt: 0, nextAttemptAt: 0, uncertain: [],
  };
}

/** What may happen to each instance of an attempt, and the machine that may stop before it is known. */
const attempt = fc.record({
  fates: fc.array(fc.constantFrom('stored', 'refused', 'lost', 'unanswered'), { minLength: 4, maxLength: 4 }),
  isCut: fc.boolean(),
  revive: fc.boolean(),
});

describe('a job', () => {
  it('is gone only when the receiver has acknowledged every instance, whatever happens on the way', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(attempt, { maxLength: 20 }), (nInstances, attempts) => {
        let job = newJob(nInstances);
        const has = new Set<string>();
        let now = 0;
        for (const { fates, isCut, revive } of attempts) {
          now += 50;
          if (job.state === 'dead') {
            if (!revive) continue;
            job = revived(job, now);
          }
          job = begun(job);
          const sent = outstanding(job);
          expect(sent.some(({ sopInstanceUid }) => job.acknowledged.includes(sopInstanceUid))).toBe(false);
          const of = (fate: string) => sent.filter((_, index) => fates[index] === fate).map(({ sopInstanceUid }) => sopInstanceUid);
          of('stored').forEach((uid) => has.add(uid));
          if (isCut) {
            job = interrupted(job, now);
            // The receiver may have what it stored: it is sent again, and known to be uncertain.
            for (const uid of of('stored')) expect(job.uncertain).toContain(uid);
            continue;
          }
          const outcome: AttemptOutcome = {
            acknowledged: of('stored'), refused: Object.fromEntries(of('refused').map((uid) => [uid, reason])), uncertain: of('unanswered'),
            ...(of('lost').length + of('unanswered').length > 0 && { failure: reason }),
          };
          const after = attempted(job, outcome, now, limits, now + 10);
          if (after === undefined) {
            expect([...job.acknowledged, ...outcome.acknowledged].sort()).toEqual(job.instances.map(({ sopInstanceUid }) => sopInstanceUid).sort());
            return;
          }
          expect(outstanding(after).length + Object.keys(after.refused).length).toBeGreaterThan(0);
          for (const uid of after.acknowledged) expect(has.has(uid)).toBe(true);
          if (after.state === 'dead') {
            expect(after.lastError).toEqual(reason);
            const isRefused = outstanding(after).length === 0;
            expect(isRefused || after.attempts >= limits.maxAttempts || now - after.createdAt >= limits.maxAgeMs).toBe(true);
          } else {
            expect(after).toMatchObject({ state: 'waiting', nextAttemptAt: now + 10 });
          }
          job = after;
        }
      }),
    );
  });
});

describe('back-off', () => {
  it('is anywhere from nothing to twice as long after each attempt, up to the longest', () => {
    const policy = { firstDelayMs: 100, longestDelayMs: 5000 };
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }), (attempts, random) => {
        const longest = Math.min(5000, 100 * 2 ** (attempts - 1));
        const delay = backOffMs(attempts, policy, random);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(longest);
        expect(delay).toBeCloseTo(random * longest, 6);
      }),
    );
    expect([1, 2, 3, 7].map((attempts) => backOffMs(attempts, policy, 1))).toEqual([100, 200, 400, 5000]);
  });
});

describe('the outbox', () => {
  it('holds the objects of its jobs, and lets go of them when they are delivered or dropped', async () => {
    const spool = await spoolIn(temporaryFolder());
    const instances = await storedSeries(spool, '2.25.5', 3);
    const [here, there] = await spool.transaction(() => ['here', 'there'].map((destination) => spool.outbox.add({ destination, examId: 'e', instances })));
    expect(spool.objects.holders(instances[0]!.ref)).toHaveLength(2);
    const told: string[] = [];
    spool.outbox.on('delivered', ({ destination }) => told.push(destination));
    await spool.outbox.begin(here!);
    await spool.outbox.settle(here!, { acknowledged: instances.map(({ sopInstanceUid }) => sopInstanceUid), refused: {}, uncertain: [] }, limits, 0);
    expect(told).toEqual(['here']);
    expect(spool.outbox.get(here!)).toBeUndefined();
    expect(spool.objects.holders(instances[0]!.ref)).toEqual([`job/${there!}`]);
    expect(await spool.outbox.drop([there!])).toBe(1);
    expect(spool.objects.holders(instances[0]!.ref)).toEqual([]);
    expect(spool.outbox.list()).toEqual([]);
    expect(spool.outbox.stats().find(({ destination }) => destination === 'here')).toMatchObject({ waiting: 0, sending: 0, dead: 0, tally: { jobsDelivered: 1, instancesDelivered: 3, instancesResent: 0 } });
  });

  it('takes the same series for the same job, and counts what it sends a second time', async () => {
    const spool = await spoolIn(temporaryFolder());
    const instances = await storedSeries(spool, '2.25.5', 2);
    const add = () => spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    const all = { acknowledged: instances.map(({ sopInstanceUid }) => sopInstanceUid), refused: {}, uncertain: [] };
    const id = await add();
    expect(await add()).toBe(id);
    expect(spool.outbox.list()).toHaveLength(1);
    await spool.outbox.begin(id);
    await spool.outbox.settle(id, all, limits, 0);
    await add();
    await spool.outbox.begin(id);
    await spool.outbox.settle(id, all, limits, 0);
    expect(spool.outbox.stats()[0]!.tally).toMatchObject({ jobsDelivered: 2, instancesDelivered: 2, instancesResent: 2 });
  });

  it('takes a delivery that the end of the process cut up again, and counts what may have arrived', async () => {
    const folder = temporaryFolder();
    const spool = await spoolIn(folder);
    const instances = await storedSeries(spool, '2.25.5', 2);
    const id = await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    await spool.outbox.begin(id);
    await spool.close();
    const again = await spoolIn(folder);
    expect(again.nInterrupted).toBe(1);
    expect(again.outbox.due('pacs', Date.now(), 10)).toEqual([id]);
    await again.outbox.begin(id);
    await again.outbox.settle(id, { acknowledged: instances.map(({ sopInstanceUid }) => sopInstanceUid), refused: {}, uncertain: [] }, limits, 0);
    expect(again.outbox.stats()[0]!.tally).toMatchObject({ instancesDelivered: 0, instancesResent: 2 });
  });

  it('gives what is due, those first that have waited longest, and nothing that is not', async () => {
    const spool = await spoolIn(temporaryFolder());
    const ids: string[] = [];
    for (const series of ['2.25.1', '2.25.2', '2.25.3']) {
      const instances = await storedSeries(spool, series, 1);
      ids.push(await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances })));
      await new Promise((resolve) => setTimeout(resolve, 3));
    }
    const failed = { acknowledged: [], refused: {}, uncertain: [], failure: reason };
    await spool.outbox.begin(ids[0]!);
    await spool.outbox.settle(ids[0]!, failed, { maxAttempts: 9, maxAgeMs: 1e9 }, Date.now() + 60_000);
    expect(spool.outbox.due('pacs', Date.now(), 10)).toEqual([ids[1], ids[2]]);
    expect(spool.outbox.due('pacs', Date.now(), 1)).toEqual([ids[1]]);
    expect(spool.outbox.due('other', Date.now(), 10)).toEqual([]);
    await spool.outbox.hasten([ids[0]!], () => 0);
    expect(spool.outbox.due('pacs', Date.now(), 1)).toEqual([ids[0]]);
  });

  it('keeps dead jobs with their reason until somebody retries or drops them', async () => {
    const spool = await spoolIn(temporaryFolder());
    const instances = await storedSeries(spool, '2.25.5', 2);
    const id = await spool.transaction(() => spool.outbox.add({ destination: 'pacs', examId: 'e', instances }));
    const dead: string[] = [];
    spool.outbox.on('dead', (job) => dead.push(job.id));
    await spool.outbox.begin(id);
    await spool.outbox.settle(id, { acknowledged: ['2.25.5.1'], refused: { '2.25.5.2': reason }, uncertain: [] }, limits, 0);
    expect(dead).toEqual([id]);
    expect(spool.outbox.get(id)).toMatchObject({ state: 'dead', lastError: reason, acknowledged: ['2.25.5.1'] });
    expect(spool.outbox.due('pacs', Infinity, 10)).toEqual([]);
    expect(spool.objects.holders(instances[1]!.ref)).toHaveLength(1);
    expect(await spool.outbox.retry([id])).toBe(1);
    const job = await spool.outbox.begin(id);
    expect(outstanding(job!).map(({ sopInstanceUid }) => sopInstanceUid)).toEqual(['2.25.5.2']);
  });
});

describe('the end of a delivery', () => {
  it('is there to be told, over a restart as well, until somebody says that it was', async () => {
    const folder = temporaryFolder();
    const spool = await spoolIn(folder);
    const [first, second] = [await storedSeries(spool, '1', 1), await storedSeries(spool, '2', 1)];
    const ids = await spool.transaction(() => [first, second].map((instances) => spool.outbox.add({ destination: 'pacs', examId: 'exam/series', instances })));
    for (const id of ids) await spool.outbox.begin(id);
    const [delivered, refused] = [first[0]!.sopInstanceUid, second[0]!.sopInstanceUid];
    await spool.outbox.settle(ids[0]!, { acknowledged: [delivered], refused: {}, uncertain: [] }, limits, 0);
    await spool.outbox.settle(ids[1]!, { acknowledged: [], refused: { [refused]: reason }, uncertain: [] }, limits, 0);
    await spool.close();
    const { outbox, flushed } = await spoolIn(folder);
    const told = () => outbox.ended().map(({ job: { id, examId }, state }) => [id, examId, state]).sort();
    expect(told()).toEqual([[ids[0], 'exam/series', 'delivered'], [ids[1], 'exam/series', 'dead']].sort());
    expect(outbox.ended().find(({ state }) => state === 'dead')?.job.lastError).toEqual(reason);
    outbox.told(ids[0]!);
    await flushed();
    expect(told()).toEqual([[ids[1], 'exam/series', 'dead']]);
  });
});
