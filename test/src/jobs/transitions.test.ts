import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { added, again, begun, cancelled, failed, interrupted, listed, retried, shown } from '../../../src/jobs/transitions.js';
import type { KeptJob } from '../../../src/jobs/index.js';
import { newJob } from './conformance.js';

const policy = { attempts: 4, firstDelayMs: 100, longestDelayMs: 300 };
const why = { code: 'TEST_ERR', message: 'no coil' };
const unit = fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true });

/** What may become of a job that runs. */
const endings = fc.array(fc.constantFrom('fails', 'comes again', 'is cut'), { maxLength: 12 });

function run(job: KeptJob, how: string, now: number, random: number): KeptJob {
  const active = begun(job, now, 'here');
  if (how === 'fails') return failed(active, why, false, now, policy, random);
  return how === 'is cut' ? interrupted(active) : again(active, now + 50);
}

describe('a kept job', () => {
  it('is given up after its attempts, whatever else cut it or made it wait', () => {
    fc.assert(fc.property(endings, unit, (hows, random) => {
      let job = added(newJob(), 0);
      let nFailed = 0;
      for (const [now, how] of hows.entries()) {
        if (job.state === 'dead') break;
        job = run(job, how, now, random);
        if (how === 'fails') nFailed++;
        expect(job).toMatchObject({ attempts: nFailed, state: nFailed < policy.attempts ? 'waiting' : 'dead' });
        expect([job.node, job.startedAt, job.progress]).toEqual([undefined, undefined, undefined]);
        if (how === 'fails' && job.state === 'waiting') {
          const longest = Math.min(policy.longestDelayMs, policy.firstDelayMs * 2 ** (nFailed - 1));
          expect(job.notBefore! - now).toBeGreaterThanOrEqual(0);
          expect(job.notBefore! - now).toBeLessThanOrEqual(longest);
          expect(shown(job, now - 1).state).toBe('delayed');
          expect(shown(job, now + longest).state).toBe('waiting');
        }
      }
    }));
  });

  it('has all attempts again and no time to wait for when it is retried, unless it runs or is to end', () => {
    const waiting = { ...added(newJob(), 0), attempts: 2, notBefore: 1e15 };
    const dead = failed(begun(waiting, 1, 'here'), why, true, 1, policy, 0.5);
    expect(dead.state).toBe('dead');
    for (const job of [waiting, dead]) expect(retried(job)).toMatchObject({ state: 'waiting', attempts: 0, notBefore: undefined });
    const active = begun(waiting, 1, 'here');
    expect(retried(active)).toBe(active);
    const ending = cancelled(waiting);
    expect(retried(ending)).toBe(ending);
    expect(cancelled(dead)).toBe(dead);
  });

  it('is listed in the order in which it comes', () => {
    const waiting = [3, 1, 2].map((priority, n) => added(newJob({ priority, kind: 'analyse', examId: `e${n}` }), n));
    const active = begun(added(newJob({ priority: 90 }), 9), 9, 'here');
    const dead = failed(begun(added(newJob({ priority: 1 }), 0), 0, 'here'), why, true, 0, policy, 0);
    expect(listed([dead, ...waiting, active])).toEqual([active, waiting[1], waiting[2], waiting[0], dead]);
    expect(listed([dead, ...waiting, active], { kind: 'analyse', examId: 'e2' })).toEqual([waiting[2]]);
    expect(listed([dead, ...waiting, active], { state: 'dead' })).toEqual([dead]);
  });
});
