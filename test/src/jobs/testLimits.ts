/** Of a node in the tests of the queue: one job of a kind at once, three quick attempts. */
import { jobKinds } from '../../../src/jobs/index.js';
import type { JobKind, JobLimits } from '../../../src/jobs/index.js';

export const everyKind = <Value>(value: Value) => Object.fromEntries(jobKinds.map((kind) => [kind, value])) as Record<JobKind, Value>;

export function testLimits(limits: Partial<JobLimits> = {}): JobLimits {
  return {
    take: new Set(jobKinds), memoryBytes: 1000, concurrency: everyKind(1), policies: everyKind({ attempts: 3, firstDelayMs: 10, longestDelayMs: 40 }), ...limits,
  };
}
