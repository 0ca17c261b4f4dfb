/** What is told of all jobs of a kind, whichever driver keeps them. */
import { jobKinds } from './types.js';
import type { JobKind, JobStats, JobTally, KeptJob } from './types.js';

export const noTally: JobTally = { done: 0, failed: 0, dead: 0, cancelled: 0 };

export function statsOf(jobs: Iterable<KeptJob>, tallyOf: (kind: JobKind) => JobTally): JobStats[] {
  const stats = new Map(jobKinds.map((kind) => [kind, { waiting: 0, active: 0, delayed: 0, dead: 0, oldestAt: undefined as number | undefined }]));
  for (const { kind, state, addedAt } of jobs) {
    const entry = stats.get(kind);
    if (entry === undefined) continue;
    entry[state]++;
    if (state !== 'dead') entry.oldestAt = Math.min(entry.oldestAt ?? Infinity, addedAt);
  }
  return [...stats].map(([kind, entry]) => ({ kind, ...entry, tally: tallyOf(kind) }));
}
