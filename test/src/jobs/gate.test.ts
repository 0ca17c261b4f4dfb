import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admitted } from '../../../src/jobs/gate.js';
import type { Demand, GateLimits } from '../../../src/jobs/gate.js';
import { jobKinds } from '../../../src/jobs/index.js';
import { everyKind } from './testLimits.js';

const budget = 100;
const limits: GateLimits = { memoryBytes: budget, concurrency: { ...everyKind(3), reconstruct: 1 } };
const laneLimit = (lane: string) => (lane === 'narrow' ? 1 : 2);

const demand = fc.record({
  kind: fc.constantFrom(...jobKinds),
  lane: fc.constantFrom('narrow', 'wide', undefined),
  memoryBytes: fc.constantFrom(0, 0, 10, 40, 70, 300),
  model: fc.constantFrom('a', 'b', undefined, undefined),
}).map(({ kind, lane, memoryBytes, model }): Demand => ({ kind, ...(lane !== undefined && { lane }), needs: { memoryBytes, ...(model !== undefined && { model }) } }));
const demands = fc.array(demand, { maxLength: 12 });

const memoryOf = (jobs: readonly Demand[]) => jobs.reduce((sum, { needs }) => sum + (needs?.memoryBytes ?? 0), 0);
const counts = (jobs: readonly Demand[], of: (job: Demand) => string | undefined) => {
  const found = new Map<string, number>();
  for (const key of jobs.map(of)) if (key !== undefined) found.set(key, (found.get(key) ?? 0) + 1);
  return [...found];
};

/** Whether so many may run at once. */
function holds(running: readonly Demand[]): boolean {
  const takeMemory = running.filter((job) => memoryOf([job]) > 0);
  return (
    counts(running, ({ kind }) => kind).every(([kind, n]) => n <= limits.concurrency[kind as Demand['kind']]) &&
    counts(running, ({ lane }) => lane).every(([lane, n]) => n <= laneLimit(lane)) &&
    counts(running, ({ needs }) => needs?.model).every(([, n]) => n === 1) &&
    (memoryOf(running) <= budget || takeMemory.length === 1)
  );
}

/** What may run at once, begun one after the other. */
const running = demands.map((jobs) => admitted(jobs, [], limits, laneLimit));

describe('the gate', () => {
  it('never lets more run than may', () => {
    fc.assert(fc.property(running, demands, (before, waiting) => {
      const begun = admitted(waiting, before, limits, laneLimit);
      expect(holds([...before, ...begun])).toBe(true);
      expect(waiting.filter((job) => begun.includes(job))).toEqual(begun);
    }));
  });

  it('leaves nobody waiting who may begin, but for memory that somebody ahead waits for', () => {
    fc.assert(fc.property(running, demands, (before, waiting) => {
      const begun = admitted(waiting, before, limits, laneLimit);
      const after = [...before, ...begun];
      const left = waiting.filter((job) => !begun.includes(job) && holds([...after, job]));
      expect(left.every((job) => memoryOf([job]) > 0)).toBe(true);
    }));
  });

  it('lets nobody who takes memory pass a job that waits for memory', () => {
    const job = (memoryBytes: number): Demand => ({ kind: 'analyse', needs: { memoryBytes } });
    const [large, small, none] = [job(80), job(10), job(0)];
    expect(admitted([large, small, none], [job(50)], limits, laneLimit)).toEqual([none]);
    expect(admitted([large, small, none], [], limits, laneLimit)).toEqual([large, small, none]);
  });

  it('begins each job once those that run have ended, whatever it needs', () => {
    fc.assert(fc.property(demand, (one) => {
      expect(admitted([one], [], limits, laneLimit)).toEqual([one]);
    }));
  });
});
